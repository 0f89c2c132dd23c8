import { missingOf } from '../../../inventory/domain/ledger.js';
import { CLAIMS_MAX, type LoggedOperation } from '../../../inventory/domain/logged-operation.js';
import { notCancelled, remainingOf } from '../../../inventory/domain/reference.js';
import { certain, FALLS, type Fate, MOVES, type Opinion, type StockCase, tooMuch } from '../assessment.js';
import { type ClockSkews, contestantOf } from '../contestants.js';
import { CLAIM_SCORERS } from '../precedence.js';
import { competitorOf, isClaim } from '../rule.js';
import type { Happening, StockView } from '../stock-view.js';
import { askRules } from '../tier1.js';
import type { Decision, Judgement } from '../verdict.js';
import { ask } from '../weigh.js';

/** A claim against the one that is held, and who has precedence: A is the held one. */
interface Weighed {
  readonly claim: Happening;
  readonly judgement: Judgement | undefined;
}

/** Units that a held DECREMENT lacks, if it takes effect now. */
export function lackingOf({ a, named }: StockCase, view: StockView): number {
  const { productId, reason } = a.content;
  const level = { quantity: view.quantityOf(productId), tracked: view.isTracked(productId), lastLamport: 0 };
  const wanted = { kind: 'DECREMENT', reason, delta: notCancelled(a.state) } as const;
  return missingOf(level, wanted, named?.state ?? null);
}

/** There is enough for it and the others by now. */
export function enoughNow(): Opinion {
  return certain('enough-now', MOVES, 'BOTH', 'There is enough for both by now.');
}

/**
 * First come, first served: the held claim stands if it has precedence over enough of the others that they make room for
 * it. It is weighed against all that hold anything now, not only against the one that it met.
 * @param missing units that it lacks: at least 1
 */
export function assessOversell(subject: StockCase, missing: number, view: StockView, skews: ClockSkews): Opinion {
  const { a, base } = subject;
  const { productId, deviceId, paymentStatus, refOperationId } = a.content;
  if (!view.reachesBackTo(productId, base)) return tooMuch();
  const isPaid = paymentStatus === 'PAID';
  const trails = new Map<string, readonly Decision[]>();
  const weighed = view
    .claimsSince(productId, base)
    .filter(({ content }) => content.deviceId !== deviceId && content.operationId !== refOperationId)
    .reverse()
    .filter(({ content }, index) => index < CLAIMS_MAX || content.operationId === subject.conflict.b.id)
    .map((claim): Weighed => {
      const { judgement, decisions } = weigh(subject, claim, skews);
      trails.set(claim.content.operationId, decisions);
      return { claim, judgement };
    });
  const { fate, confidence, reason } = allocate(missing, weighed, isPaid);
  // What was paid or broken has happened, whoever was first: no machine takes it back for another.
  const losers: readonly LoggedOperation[] = fate?.is === 'MOVES' ? fate.yielding : [a];
  return {
    ...{ fate, confidence, trails },
    reasons: fate ? [reason] : [],
    asked: trails.get(subject.conflict.b.id) ?? [],
    forPeople: losers.some(({ content }) => content.paymentStatus === 'PAID' || !isClaim(content)),
  };
}

function weigh(
  { a, base, recordedAt }: StockCase,
  claim: Happening,
  skews: ClockSkews,
): { readonly judgement: Judgement | undefined; readonly decisions: readonly Decision[] } {
  // What came after the hold may be one that a rule settles.
  const { answer, asked } = askRules({ ...competitorOf(a), base }, competitorOf(claim));
  if (answer) return { judgement: answer, decisions: asked };
  if (!isClaim(claim.content)) {
    const reason = 'What was broken or corrected is not there any more.';
    const gone: Judgement = { verdict: 'B', confidence: 1, reason };
    return { judgement: gone, decisions: [...asked, { tier: 'HEURISTIC', name: 'not-there-any-more', answer: gone }] };
  }
  const { combined, decisions } = ask(
    CLAIM_SCORERS,
    contestantOf(a, recordedAt, skews, base),
    contestantOf(claim, claim.recordedAt, skews),
  );
  return { judgement: combined, decisions: [...asked, ...decisions] };
}

/** What becomes of the held one; no fate if it depends on some of which nothing can be said. */
interface Allocation {
  readonly fate: Fate | undefined;
  readonly confidence: number;
  readonly reason: string;
}

/** @param weighed the newest first */
function allocate(missing: number, weighed: readonly Weighed[], isPaid: boolean): Allocation {
  let lacking = missing;
  const yielding: LoggedOperation[] = [];
  let [confidence, reason] = [1, 'Nobody else holds any of it, and it happened all the same.'];
  for (const { claim, judgement } of of('A', weighed)) {
    if (lacking <= 0) break;
    yielding.push(claim);
    lacking -= remainingOf(claim.state);
    [confidence, reason] = [judgement.confidence, judgement.reason]; // the surest come first
  }
  const stands: Fate = { is: 'MOVES', yielding };
  if (lacking <= 0) return { fate: stands, confidence, reason };

  // It would have to beat some of those that seem to have precedence: the least sure ones would do first.
  const unknown = weighed.filter(({ judgement }) => judgement === undefined);
  lacking -= unknown.reduce((units, { claim }) => units + remainingOf(claim.state), 0);
  if (lacking <= 0) return { fate: undefined, confidence: 0, reason: '' };
  const stronger = of('B', weighed).reverse();
  // As in the push: what is still missing of a paid sale, nobody else took.
  if (isPaid && unknown.length + stronger.length === 0) return { fate: stands, confidence, reason };
  for (const { claim, judgement } of stronger) {
    [confidence, reason] = [judgement.confidence, judgement.reason];
    lacking -= remainingOf(claim.state);
    if (lacking <= 0) return { fate: FALLS, confidence, reason };
  }
  return { fate: FALLS, confidence: 1, reason: 'There is not enough for it, whoever else yields.' };
}

/** Those with this verdict, the surest first. */
function of(verdict: 'A' | 'B', weighed: readonly Weighed[]): (Weighed & { readonly judgement: Judgement })[] {
  return weighed
    .flatMap(({ claim, judgement }) => (judgement?.verdict === verdict ? [{ claim, judgement }] : []))
    .sort((x, y) => y.judgement.confidence - x.judgement.confidence);
}
