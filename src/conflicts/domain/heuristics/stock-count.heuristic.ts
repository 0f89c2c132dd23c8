import type { LoggedOperation } from '../../../inventory/domain/logged-operation.js';
import { certain, FALLS, type Fate, MOVES, type Opinion, type StockCase, tooMuch } from '../assessment.js';
import { type ClockSkews, contestantOf } from '../contestants.js';
import { type CountPlacement, type Movement, placeCount } from '../count-timeline.js';
import { ORDER_SCORERS } from '../precedence.js';
import { competitorOf, type RuleAnswer } from '../rule.js';
import { betterInformedCount } from '../rules/better-informed-count.rule.js';
import { type Happening, isStandingCount, type StockView } from '../stock-view.js';
import type { Decision } from '../verdict.js';
import { ask } from '../weigh.js';

/** A movement is held against so many counts at most: the newest say what is there. */
const COUNTS_MAX = 20;

/** Where a held count lies among what happened around it; undefined if that is more than can be looked at. */
export function placementOf(
  { a, base, recordedAt }: StockCase,
  view: StockView,
  skews: ClockSkews,
): CountPlacement | undefined {
  const { productId, operationId } = a.content;
  if (!view.reachesBackTo(productId, base)) return undefined;
  const unseen = view.since(productId, base).filter(({ content }) => content.operationId !== operationId);
  const all = unseen.reduce((units, { net }) => units + net, 0);
  // Other counts that a rule tells from this one have no place to be found: one overrides the other.
  const count = { ...competitorOf(a), base };
  const overridden = unseen.filter((other) => betterInformedCount.judge(count, competitorOf(other))?.verdict === 'A');
  // What was released of operations that the device knew as held had happened when it counted.
  const released = unseen.filter(({ content }) => content.kind === 'RELEASE');
  const counted = new Set([...overridden, ...released]);
  const stockAtBase = view.quantityOf(productId) - all + [...counted].reduce((units, { net }) => units + net, 0);
  const movements = unseen
    .filter((other) => !counted.has(other) && (other.net !== 0 || isStandingCount(other)))
    .map((other): Movement => ({ ...contestantOf(other, other.recordedAt, skews), effect: other.net }));
  return placeCount(contestantOf(a, recordedAt, skews, base), stockAtBase, movements);
}

/** A held count: what moved before it has been counted, what moved after it comes on top. */
export function assessCount(subject: StockCase, view: StockView, skews: ClockSkews): Opinion {
  const { a, base } = subject;
  const counts = view.since(a.content.productId, base).filter(isStandingCount);
  const rulings = counts.map((count) => betterInformedCount.judge({ ...competitorOf(a), base }, competitorOf(count)));
  const overruled = rulings.find((answer) => answer?.verdict === 'B');
  if (overruled) {
    const asked = [overridingDecision(overruled)];
    return { fate: FALLS, confidence: overruled.confidence, reasons: [overruled.reason], asked, forPeople: false };
  }
  const placement = placementOf(subject, view, skews);
  if (!placement) return tooMuch();
  const { effect, after, overtakenBy, decisions } = placement;
  const overriding = rulings.flatMap((answer) => answer ?? []);
  const reasons = [...overriding, ...placement.reasons.map((reason) => ({ reason }))].map(({ reason }) => reason);
  return {
    fate: overtakenBy === null ? { is: 'COUNTS', units: effect, onTop: after } : FALLS,
    confidence: Math.min(placement.confidence, ...overriding.map(({ confidence }) => confidence)),
    reasons: reasons.length > 0 ? reasons : ['Nothing that others did is left to be placed.'],
    asked: [...overriding.map((answer) => overridingDecision(answer)), ...decisions],
    forPeople: false,
  };
}

function overridingDecision(answer: RuleAnswer): Decision {
  return { tier: 'HARDCODED', name: betterInformedCount.name, answer };
}

/**
 * Whether a held movement is in a count already, or comes on top of the counts. Of several that stand, the goods are gone
 * from the shelf if they were when one was made; only if they were there at each of them do they come on top.
 * @param withdrawn a count that is about to be taken back
 * @returns undefined if nobody has counted since
 */
export function assessAgainstCounts(
  subject: StockCase,
  view: StockView,
  skews: ClockSkews,
  withdrawn?: LoggedOperation,
): Opinion | undefined {
  const { a, base, recordedAt } = subject;
  const { productId } = a.content;
  const movement = contestantOf(a, recordedAt, skews, base);
  const placed = view
    .since(productId, base)
    .filter((count) => isStandingCount(count) && count.content.operationId !== withdrawn?.content.operationId)
    .toSorted(newestFirst)
    .slice(0, COUNTS_MAX)
    .map((count) => ({ count, ...ask(ORDER_SCORERS, movement, contestantOf(count, count.recordedAt, skews)) }));
  if (placed.length === 0) return view.reachesBackTo(productId, base) ? undefined : tooMuch();
  const before = placed.filter(({ combined }) => combined?.verdict === 'A');
  const [telling] =
    before.length > 0
      ? before.toSorted((one, other) => sureness(other) - sureness(one))
      : placed.toSorted((one, other) => sureness(one) - sureness(other));
  if (!telling) return undefined;
  const { count, combined, decisions: asked } = telling;
  if (!combined) {
    const reasons = ['Nothing tells which of the two came first.'];
    return { fate: MOVES, confidence: UNKNOWN, reasons, asked, forPeople: false };
  }
  const { confidence, verdict, reason } = combined;
  const counted = verdict === 'A';
  return {
    fate: counted ? countedBy(count, a, view, skews) : MOVES,
    ...{ confidence, asked, forPeople: false },
    reasons: [`${counted ? 'It is in the count already.' : 'It comes on top of the count.'} ${reason}`],
  };
}

/** What was cancelled of it before the count is in the count as well, and what was cancelled after comes on top. */
export function countedBy(
  count: Happening,
  operation: LoggedOperation,
  view: StockView,
  skews: ClockSkews,
): Extract<Fate, { is: 'COUNTED' }> {
  const returned = view
    .cancellationsOf(operation)
    .filter((cancellation) => {
      const [ofIt, ofCount] = [cancellation, count].map((one) => contestantOf(one, one.recordedAt, skews));
      return ofIt && ofCount && ask(ORDER_SCORERS, ofIt, ofCount).combined?.verdict !== 'A';
    })
    .reduce((units, { content }) => units + content.delta, 0);
  return { is: 'COUNTED', by: count, returned, yielding: [] };
}

/** A count that was taken back says nothing any more. */
export function countWithdrawn(): Opinion {
  return certain('count-withdrawn', MOVES, 'A', 'The count does not stand any more.');
}

/** As good as a coin. */
const UNKNOWN = 0.5;

function sureness({ combined }: { readonly combined: { readonly confidence: number } | undefined }): number {
  return combined?.confidence ?? UNKNOWN;
}

function newestFirst(one: Happening, other: Happening): number {
  return other.state.effectiveLamport - one.state.effectiveLamport;
}
