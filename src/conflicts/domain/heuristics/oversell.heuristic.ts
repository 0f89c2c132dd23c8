import { missingOf } from '../../../inventory/domain/ledger.js';
import { CLAIMS_MAX, type LoggedOperation } from '../../../inventory/domain/logged-operation.js';
import { notCancelled, remainingOf } from '../../../inventory/domain/reference.js';
import { type Assessment, certain, type StockCase } from '../assessment.js';
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

/**
 * First come, first served: the held claim stands if it has precedence over enough of the others that they make room for
 * it. It is weighed against all that hold anything now, not only against the one that it met.
 */
export function assessOversell(subject: StockCase, view: StockView, skews: ClockSkews): Assessment {
  const { a, base } = subject;
  const { content, state } = a;
  const { productId, reason } = content;
  const level = { quantity: view.quantityOf(productId), tracked: view.isTracked(productId), lastLamport: 0 };
  const missing = missingOf(
    level,
    { kind: 'DECREMENT', reason, delta: notCancelled(state) },
    subject.named?.state ?? null,
  );
  if (missing === 0) {
    return certain('enough-now', { verdict: 'BOTH', confidence: 1, reason: 'There is enough for both by now.' });
  }
  const trails = new Map<string, readonly Decision[]>();
  const weighed = view
    .since(productId, base)
    .filter((other) => other.content.deviceId !== content.deviceId && other.content.kind === 'DECREMENT')
    .filter(({ state: other }) => remainingOf(other) > 0 && other.operationId !== content.refOperationId)
    .reverse()
    .filter(({ content: other }, index) => index < CLAIMS_MAX || other.operationId === subject.conflict.b.id)
    .map((claim): Weighed => {
      const { judgement, decisions } = weigh(subject, claim, skews);
      trails.set(claim.content.operationId, decisions);
      return { claim, judgement };
    });
  const { judgement: found, yielding } = allocate(missing, weighed);
  // Where others make room for it, the one that it met stands beside it.
  const meetsAnother = yielding.every(({ content: other }) => other.operationId !== subject.conflict.b.id);
  const judgement = found?.verdict === 'A' && meetsAnother ? { ...found, verdict: 'BOTH' as const } : found;
  // What was paid or broken has happened, whoever was first: no machine takes it back for another.
  const losers = judgement?.verdict === 'B' ? [a] : yielding;
  const forPeople = losers.some(({ content: lost }) => lost.paymentStatus === 'PAID' || !isClaim(lost));
  const asked = trails.get(subject.conflict.b.id) ?? [];
  return { judgement, reasons: judgement ? [judgement.reason] : [], asked, forPeople, yielding, trails };
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

/** @param weighed the newest first */
function allocate(
  missing: number,
  weighed: readonly Weighed[],
): { readonly judgement: Judgement | undefined; readonly yielding: readonly LoggedOperation[] } {
  let lacking = missing;
  const yielding: LoggedOperation[] = [];
  let [confidence, reason] = [1, ''];
  for (const { claim, judgement } of of('A', weighed)) {
    if (lacking <= 0) break;
    yielding.push(claim);
    lacking -= remainingOf(claim.state);
    [confidence, reason] = [judgement.confidence, judgement.reason]; // the surest come first
  }
  if (lacking <= 0) return { judgement: { verdict: 'A', confidence, reason }, yielding };

  // It would have to beat some of those that seem to have precedence: the least sure ones would do first.
  const unknown = weighed.filter(({ judgement }) => judgement === undefined);
  lacking -= unknown.reduce((units, { claim }) => units + remainingOf(claim.state), 0);
  if (lacking <= 0) return { judgement: undefined, yielding: [] };
  const stronger = of('B', weighed).reverse();
  for (const { claim, judgement } of stronger) {
    [confidence, reason] = [judgement.confidence, judgement.reason];
    lacking -= remainingOf(claim.state);
    if (lacking <= 0) break;
  }
  return lacking <= 0
    ? { judgement: { verdict: 'B', confidence, reason }, yielding: [] }
    : {
        judgement: { verdict: 'B', confidence: 1, reason: 'There is not enough for it, whoever else yields.' },
        yielding: [],
      };
}

/** Those with this verdict, the surest first. */
function of(verdict: 'A' | 'B', weighed: readonly Weighed[]): (Weighed & { readonly judgement: Judgement })[] {
  return weighed
    .flatMap(({ claim, judgement }) => (judgement?.verdict === verdict ? [{ claim, judgement }] : []))
    .sort((x, y) => y.judgement.confidence - x.judgement.confidence);
}
