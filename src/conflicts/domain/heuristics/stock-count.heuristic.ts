import { type Assessment, certain, type StockCase } from '../assessment.js';
import { type ClockSkews, contestantOf } from '../contestants.js';
import { type CountPlacement, type Movement, placeCount } from '../count-timeline.js';
import { ORDER_SCORERS } from '../precedence.js';
import { competitorOf } from '../rule.js';
import { betterInformedCount } from '../rules/better-informed-count.rule.js';
import type { Happening, StockView } from '../stock-view.js';
import type { Decision, Judgement } from '../verdict.js';
import { ask } from '../weigh.js';

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
export function assessCount(subject: StockCase, view: StockView, skews: ClockSkews): Assessment {
  const { a, base } = subject;
  const counts = view.since(a.content.productId, base).filter(isStandingCount);
  const rulings = counts.map((count) => betterInformedCount.judge({ ...competitorOf(a), base }, competitorOf(count)));
  const overruled = rulings.find((answer) => answer?.verdict === 'B');
  if (overruled) return certain(betterInformedCount.name, overruled);
  const placement = placementOf(subject, view, skews);
  if (!placement) return tooMuch();
  const { confidence, reasons, decisions: asked } = placement;
  const reason = reasons[0] ?? 'Nothing that others did is left to be placed.';
  const bIsAfter = placement.after.includes(subject.conflict.b.id);
  const verdict = placement.overtakenBy !== null ? 'B' : bIsAfter ? 'BOTH' : 'A';
  return { judgement: { verdict, confidence, reason }, reasons, asked, forPeople: false, yielding: [] };
}

/** A held movement: if the shelf was counted after it, it is in the count; if before, it comes on top. */
export function assessMovement(subject: StockCase, view: StockView, skews: ClockSkews): Assessment {
  const { a, base, recordedAt } = subject;
  const { productId } = a.content;
  if (!view.reachesBackTo(productId, base)) return tooMuch();
  const movement = contestantOf(a, recordedAt, skews, base);
  const asked: Decision[] = [];
  const judgements = view
    .since(productId, base)
    .filter(isStandingCount)
    .map((count): Judgement => {
      const { combined, decisions } = ask(ORDER_SCORERS, movement, contestantOf(count, count.recordedAt, skews));
      asked.push(...decisions);
      if (!combined) return { verdict: 'BOTH', confidence: 0.5, reason: 'Nothing tells which of the two came first.' };
      return combined.verdict === 'A'
        ? { ...combined, verdict: 'B', reason: `It is in the count already. ${combined.reason}` }
        : { ...combined, verdict: 'BOTH', reason: `It comes on top of the count. ${combined.reason}` };
    });
  if (judgements.length === 0) {
    return certain('count-withdrawn', { verdict: 'A', confidence: 1, reason: 'The count does not stand any more.' });
  }
  // In one of the counts is in the stock: the surest that says so tells. It is in none only if each says so.
  const counted = judgements.filter(({ verdict }) => verdict === 'B');
  const judgement = [...(counted.length > 0 ? counted : judgements)].sort((x, y) =>
    counted.length > 0 ? y.confidence - x.confidence : x.confidence - y.confidence,
  )[0];
  return { judgement, reasons: judgement ? [judgement.reason] : [], asked, forPeople: false, yielding: [] };
}

function isStandingCount({ content, state }: Happening): boolean {
  return content.kind === 'SET' && state.disposition === 'APPLIED' && state.closedBy !== 'VOID';
}

function tooMuch(): Assessment {
  const reasons = ['More has happened to the product since than can be looked at.'];
  return { judgement: undefined, reasons, asked: [], forPeople: true, yielding: [] };
}
