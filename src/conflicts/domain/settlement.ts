import { missingOf } from '../../inventory/domain/ledger.js';
import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import { INT4_MAX } from '../../inventory/domain/operation.js';
import { isReservation, isWithoutEffect, notCancelled, remainingOf } from '../../inventory/domain/reference.js';
import { releasedMovement, takenBack } from '../../inventory/domain/server-event.js';
import { type Assessment, certain, type StockCase } from './assessment.js';
import type { ClockSkews } from './contestants.js';
import { assessDeletedProduct } from './heuristics/deleted-product.heuristic.js';
import { assessOversell } from './heuristics/oversell.heuristic.js';
import { assessCount, assessMovement, placementOf } from './heuristics/stock-count.heuristic.js';
import type { StockView } from './stock-view.js';
import type { Verdict } from './verdict.js';

/** What the heuristics make of a conflict about a held operation, as the ledger stands now. */
export function assess(subject: StockCase, view: StockView, skews: ClockSkews): Assessment {
  const { conflict, a } = subject;
  const overtaken = overtakenBy(subject);
  if (overtaken) return overtaken;
  switch (conflict.kind) {
    case 'OVERSELL':
      return assessOversell(subject, view, skews);
    case 'STOCK_COUNT':
      return a.content.kind === 'SET'
        ? assessCount(subject, view, skews)
        : ifThereIsEnough(subject, view, assessMovement(subject, view, skews));
    case 'DELETED_PRODUCT':
      return ifThereIsEnough(subject, view, assessDeletedProduct(subject, skews));
    case 'FIELD_EDIT':
    case 'DUPLICATE_PAYMENT':
    case 'CONCURRENT_UPDATE':
    case 'RESERVATION_CLOSED':
      throw new Error(`No operation is held for a ${conflict.kind}`);
  }
}

/** What has become of the held operation without anybody's decision. */
function overtakenBy({ a, named }: StockCase): Assessment | undefined {
  const { content, state } = a;
  if (content.kind === 'DECREMENT' && notCancelled(state) === 0) {
    return certain('cancelled', { verdict: 'B', confidence: 1, reason: 'It was cancelled while it waited.' });
  }
  if (isReservation(content) && state.confirmed) {
    return certain('sold', { verdict: 'B', confidence: 1, reason: 'What was reserved was sold while it waited.' });
  }
  if (content.kind === 'INCREMENT' && content.reason === 'CANCEL' && named && isWithoutEffect(named.state)) {
    const reason = 'What it cancels has no effect, so nothing comes back.';
    return certain('nothing-to-give-back', { verdict: 'B', confidence: 1, reason });
  }
  return undefined;
}

/** An unpaid claim that may take effect needs something to take: it is no better than one that was pushed just now. */
function ifThereIsEnough({ a, named }: StockCase, view: StockView, assessment: Assessment): Assessment {
  const { content, state } = a;
  const stands = assessment.judgement?.verdict === 'A' || assessment.judgement?.verdict === 'BOTH';
  if (!stands || content.kind !== 'DECREMENT' || content.paymentStatus === 'PAID') return assessment;
  const level = {
    quantity: view.quantityOf(content.productId),
    tracked: view.isTracked(content.productId),
    lastLamport: 0,
  };
  const wanted = { kind: 'DECREMENT', reason: content.reason, delta: notCancelled(state) } as const;
  if (missingOf(level, wanted, named?.state ?? null) === 0) return assessment;
  const reason = 'There is not enough left for a claim that is not paid.';
  const short = certain('not-enough-left', { verdict: 'B', confidence: 1, reason });
  return { ...short, asked: [...assessment.asked, ...short.asked] };
}

/** How a verdict was carried out, or why it can't be. */
export type CarriedOut =
  | {
      readonly ok: true;
      /** Those that were taken back for it, beside the other side itself. */
      readonly alsoYielded: readonly LoggedOperation[];
      /** Whether the deletion of the product is undone. */
      readonly restores: boolean;
    }
  | { readonly ok: false; readonly reason: string };

const DONE = { ok: true, alsoYielded: [], restores: false } as const;

/**
 * Carries a verdict out, on the ledger by VOID and RELEASE alone. If it can't be, nothing is changed.
 * @param yielding of an OVERSELL, what is taken back so that `a` can stand
 */
export function carryOut(
  subject: StockCase,
  verdict: Verdict,
  yielding: readonly LoggedOperation[],
  view: StockView,
  skews: ClockSkews,
): CarriedOut {
  const { conflict, a, b: other } = subject;
  if (a.state.disposition !== 'HELD' || a.state.closedBy === 'VOID') {
    return { ok: false, reason: 'The operation does not wait any more.' };
  }
  if (subject.isBlocked) return { ok: false, reason: 'A device has used the id under which it would be decided.' };
  const stands = verdict === 'A' || verdict === 'BOTH';
  if (!stands) {
    view.takeBack(a, 0);
    if (verdict === 'NEITHER' && other) takeBackOther(other, view);
    return { ...DONE, restores: verdict === 'NEITHER' && conflict.kind === 'DELETED_PRODUCT' };
  }
  const units = a.content.kind === 'SET' ? countedUnits(subject, verdict, view, skews) : releasedMovement(a.state);
  if (units === undefined) return { ok: false, reason: 'More has happened to the product than can be looked at.' };
  if (a.content.kind !== 'SET' && units === 0) return { ok: false, reason: 'All of it was cancelled.' };
  if (Math.abs(units) > INT4_MAX || Math.abs(view.quantityOf(a.content.productId) + units) > INT4_MAX) {
    return { ok: false, reason: 'Stock would leave the range that it can have.' };
  }
  const taken = yieldingOf(subject, verdict, yielding);
  for (const claim of taken) takeBackOther(claim, view);
  releaseHold(subject, view);
  view.release(a, units);
  return {
    ok: true,
    alsoYielded: taken.filter(({ content }) => content.operationId !== conflict.b.id),
    restores: verdict === 'A' && conflict.kind === 'DELETED_PRODUCT',
  };
}

/** A count that stands beats one it met; against a movement that it has counted there is nothing to take back. */
function yieldingOf(
  { conflict, a, b }: StockCase,
  verdict: Verdict,
  yielding: readonly LoggedOperation[],
): readonly LoggedOperation[] {
  if (conflict.kind === 'OVERSELL') return yielding;
  return conflict.kind === 'STOCK_COUNT' && verdict === 'A' && b && a.content.kind !== 'SET' ? [b] : [];
}

function takeBackOther(other: LoggedOperation, view: StockView): void {
  const { state, content } = other;
  if (state.disposition !== 'APPLIED' || state.closedBy !== null) return; // nothing of it stands
  if (content.kind === 'DECREMENT' && remainingOf(state) === 0) return;
  // A later count says what is there, whatever this one said.
  const overridden =
    content.kind === 'SET' &&
    view
      .since(content.productId, state.lamport)
      .some(
        (later) =>
          later.content.kind === 'SET' && later.state.disposition === 'APPLIED' && later.state.closedBy === null,
      );
  view.takeBack(other, overridden ? 0 : takenBack(state));
}

/** What a reservation holds for the sale that is released comes back first. */
function releaseHold({ a, named }: StockCase, view: StockView): void {
  if (a.content.kind === 'DECREMENT' && named && isReservation(named.content) && remainingOf(named.state) > 0) {
    view.takeBack(named);
  }
}

/** What a held count changes stock by, with the other side on top of it or in it, as the verdict says. */
function countedUnits(subject: StockCase, verdict: Verdict, view: StockView, skews: ClockSkews): number | undefined {
  const placement = placementOf(subject, view, skews);
  if (!placement) return countedOnArrival(subject, verdict);
  const { content } = subject.a;
  const { id } = subject.conflict.b;
  // A person who believes it against a later count: as if it had been made last.
  if (verdict === 'A' && placement.overtakenBy !== null) return content.delta - view.quantityOf(content.productId);
  const other = view.since(content.productId, subject.base).find(({ content: { operationId } }) => operationId === id);
  // Of two counts one says what is there: there is nothing to put on top of it.
  const net = !other || other.content.kind === 'SET' ? 0 : other.net;
  if (verdict === 'A' && placement.after.includes(id)) return placement.effect - net;
  if (verdict === 'BOTH' && placement.before.includes(id)) return placement.effect + net;
  return placement.effect;
}

/** Where too much has happened since to place it all: what had arrived by then is in the count, but for the other side. */
function countedOnArrival({ conflict: { stockThen }, a, b }: StockCase, verdict: Verdict): number | undefined {
  if (stockThen === null) return undefined;
  const onTop = verdict === 'BOTH' && b?.content.kind !== 'SET' ? (b?.state.effect ?? 0) : 0;
  return a.content.delta - stockThen + onTop;
}
