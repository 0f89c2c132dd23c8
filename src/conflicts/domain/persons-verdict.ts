import { isReservation, remainingOf } from '../../inventory/domain/reference.js';
import { FALLS, type Fate, isCancelled, MOVES, soldTwice, type StockCase } from './assessment.js';
import type { ClockSkews } from './contestants.js';
import { lackingOf } from './heuristics/oversell.heuristic.js';
import { assessAgainstCounts, countedBy, placementOf } from './heuristics/stock-count.heuristic.js';
import { isStandingCount, type StockView } from './stock-view.js';
import type { Verdict } from './verdict.js';

/** What a person's verdict comes to, or why the ledger can't take it any more. */
export type Ordered = { readonly ok: true; readonly fate: Fate } | { readonly ok: false; readonly reason: string };

/**
 * What becomes of a held operation by a person's verdict. That says which of the two stands; what the ledger makes of it
 * depends on what they are.
 */
export function ordered(subject: StockCase, verdict: Verdict, view: StockView, skews: ClockSkews): Ordered {
  const { conflict, b, isDeleted } = subject;
  switch (verdict) {
    case 'NEITHER':
      return fate({ is: 'FALLS', with: b ? [b] : [] });
    case 'B':
      if (conflict.kind === 'DELETED_PRODUCT' && !isDeleted)
        return { ok: false, reason: 'The product is not deleted any more.' };
      return isMovementAgainstCount(subject) ? inTheCount(subject, view, skews) : fate(FALLS);
    case 'A':
    case 'BOTH':
      return subject.a.content.kind === 'SET'
        ? counted(subject, verdict, view, skews)
        : moved(subject, verdict, view, skews);
  }
}

function fate(is: Fate): Ordered {
  return { ok: true, fate: is };
}

function isMovementAgainstCount({ conflict, a }: StockCase): boolean {
  return conflict.kind === 'STOCK_COUNT' && a.content.kind !== 'SET';
}

/** The count is right, so what moved is in it. */
function inTheCount(subject: StockCase, view: StockView, skews: ClockSkews): Ordered {
  const { conflict, a, base } = subject;
  const counts = view.since(a.content.productId, base).filter(isStandingCount);
  const count = counts.find(({ content }) => content.operationId === conflict.b.id);
  if (!count) return { ok: false, reason: 'The count does not stand any more.' };
  const counted = countedBy(count, a, view, skews);
  return fate(isReservation(a.content) && a.state.confirmed ? soldTwice(subject, counted) : counted);
}

function moved(subject: StockCase, verdict: 'A' | 'BOTH', view: StockView, skews: ClockSkews): Ordered {
  const { conflict, b } = subject;
  if (verdict === 'BOTH' && isCancelled(subject)) return fate(FALLS); // nothing of it is left to come on top
  if (isMovementAgainstCount(subject)) {
    if (verdict === 'BOTH' && isReservation(subject.a.content) && subject.a.state.confirmed) return fate(FALLS); // its sale is on top
    if (verdict === 'BOTH' || !b) return fate(MOVES);
    // It stands against this count. Whether another has it, nobody has told.
    const placed = assessAgainstCounts(subject, view, skews, b);
    return fate(placed?.fate?.is === 'COUNTED' ? { ...placed.fate, yielding: [b] } : { is: 'MOVES', yielding: [b] });
  }
  // Of two claims, or of the product's deletion, a person tells who is right; not whether a count has it already.
  const placed = assessAgainstCounts(subject, view, skews);
  if (placed?.fate?.is === 'COUNTED') return fate(placed.fate);
  if (conflict.kind !== 'OVERSELL' || verdict === 'BOTH' || !b) return fate(MOVES);
  if (lackingOf(subject, view) > remainingOf(b.state) && subject.a.content.paymentStatus !== 'PAID') {
    return {
      ok: false,
      reason: 'There is not enough for it, even without the other. If it has left all the same, both stand.',
    };
  }
  return fate({ is: 'MOVES', yielding: [b] });
}

/** What a held count changes stock by, with the other side on top of it or in it, as the verdict says. */
function counted(subject: StockCase, verdict: 'A' | 'BOTH', view: StockView, skews: ClockSkews): Ordered {
  const { content } = subject.a;
  const { id } = subject.conflict.b;
  const placement = placementOf(subject, view, skews);
  if (!placement) return countedOnArrival(subject, verdict);
  const counts = (units: number): Ordered => fate({ is: 'COUNTS', units, onTop: verdict === 'BOTH' ? [id] : [] });
  // A person who believes it against a later count: as if it had been made last.
  if (verdict === 'A' && placement.overtakenBy !== null) {
    return counts(content.delta - view.quantityOf(content.productId));
  }
  const other = view.since(content.productId, subject.base).find(({ content: { operationId } }) => operationId === id);
  // Of two counts one says what is there: there is nothing to put on top of it.
  const net = !other || other.content.kind === 'SET' ? 0 : other.net;
  if (verdict === 'A' && placement.after.includes(id)) return counts(placement.effect - net);
  if (verdict === 'BOTH' && placement.before.includes(id)) return counts(placement.effect + net);
  return counts(placement.effect);
}

/** Where too much has happened since to place it all: what had arrived by then is in the count, but for the other side. */
function countedOnArrival({ conflict: { stockThen }, a, b }: StockCase, verdict: 'A' | 'BOTH'): Ordered {
  if (stockThen === null) return { ok: false, reason: 'More has happened to the product than can be looked at.' };
  const onTop = verdict === 'BOTH' && b?.content.kind !== 'SET' ? (b?.state.effect ?? 0) : 0;
  return fate({ is: 'COUNTS', units: a.content.delta - stockThen + onTop, onTop: [] });
}
