import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import { INT4_MAX } from '../../inventory/domain/operation.js';
import { isReservation, notCancelled, remainingOf } from '../../inventory/domain/reference.js';
import { releasedMovement, takenBack } from '../../inventory/domain/server-event.js';
import { type Fate, isCancelled, type StockCase } from './assessment.js';
import type { StockView } from './stock-view.js';

/** How a decision was carried out, or why it can't be. */
export type CarriedOut =
  | {
      readonly ok: true;
      /** Claims that were taken back for it, beside the other side itself. */
      readonly alsoYielded: readonly LoggedOperation[];
    }
  | { readonly ok: false; readonly reason: string };

/** Something of which units move when the server decides on it. */
interface Move {
  readonly operation: LoggedOperation;
  /** Signed units. */
  readonly units: number;
}

/** Carries out what becomes of a held operation, on the ledger by VOID and RELEASE alone. If it can't be, nothing is changed. */
export function carryOut(subject: StockCase, fate: Fate, view: StockView): CarriedOut {
  const { conflict, a } = subject;
  const why = overtaken(subject, fate);
  if (why) return { ok: false, reason: why };
  const losing = takenBackBy(subject, fate);
  if (losing.some(wasSold)) return { ok: false, reason: SOLD };
  const back = movesOf(losing, fate, view);
  if (!back) return { ok: false, reason: 'More has happened to the product than can be looked at.' };
  const own = unitsOf(subject, fate);
  if (!fits([...back.map(({ units }) => units), own], view.quantityOf(a.content.productId))) {
    return { ok: false, reason: 'Stock would leave the range that it can have.' };
  }
  const countedAt = fate.is === 'COUNTED' || fate.is === 'SOLD_TWICE' ? fate.by.state.effectiveLamport : null;
  for (const { operation, units } of back)
    view.takeBack(operation, units, operation.content.kind === 'SET' ? null : countedAt);
  if (fate.is === 'FALLS' || fate.is === 'SOLD_TWICE') view.takeBack(a, own, countedAt);
  else view.release(a, own, countedAt);
  const yielded = fate.is === 'MOVES' ? fate.yielding.filter(({ content }) => content.kind !== 'SET') : [];
  return { ok: true, alsoYielded: yielded.filter(({ content }) => content.operationId !== conflict.b.id) };
}

/** What has become of the operation meanwhile, so that it can't be decided like this any more. */
function overtaken({ a: { content, state } }: StockCase, fate: Fate): string | undefined {
  if (state.disposition !== 'HELD' || state.closedBy === 'VOID') return 'The operation does not wait any more.';
  if (fate.is === 'FALLS' || fate.is === 'SOLD_TWICE') return undefined;
  if (fate.is === 'MOVES' && content.kind === 'DECREMENT' && notCancelled(state) === 0)
    return 'All of it was cancelled.';
  if (isReservation(content) && state.confirmed) return 'What was reserved has been sold.';
  return undefined;
}

/** A sale that nobody was asked about has taken its place: to take back the reservation alone would give nothing back. */
function wasSold({ content, state }: LoggedOperation): boolean {
  return isReservation(content) && state.closedBy === 'SALE' && state.confirmed;
}

const SOLD = 'What the other had reserved was sold since, and can’t be taken back. If both have left, both stand.';

/** What is taken back for it; what a reservation holds for the sale comes back first. */
function takenBackBy(subject: StockCase, fate: Fate): readonly LoggedOperation[] {
  const { a, named } = subject;
  const confirms = a.content.kind === 'DECREMENT' && named && isReservation(named.content);
  const reserved = confirms && remainingOf(named.state) > 0 ? [named] : [];
  switch (fate.is) {
    case 'SOLD_TWICE':
      return [];
    case 'FALLS':
      // What was sold and brought back while it waited is over: nobody comes for what was reserved for it (ADR 0011).
      return [...fate.with, ...(isCancelled(subject) ? reserved : [])];
    case 'COUNTS':
      return reserved;
    case 'COUNTED':
    case 'MOVES':
      return [...fate.yielding, ...reserved];
  }
}

/** Of those of which anything stands; undefined if that can't be told. */
function movesOf(operations: readonly LoggedOperation[], fate: Fate, view: StockView): readonly Move[] | undefined {
  const moves: Move[] = [];
  for (const operation of operations) {
    const { content, state } = operation;
    if (state.disposition !== 'APPLIED' || state.closedBy !== null) continue;
    if (content.kind === 'VOID' || content.kind === 'RELEASE') continue; // what was decided stays so
    if (content.kind === 'DECREMENT' && remainingOf(state) === 0) continue;
    const reserved = fate.is === 'COUNTED' ? 0 : takenBack(state); // it is in the count, with the sale
    const units = content.kind === 'SET' ? view.withdrawalOf(operation) : reserved;
    if (units === undefined) return undefined;
    moves.push({ operation, units });
  }
  return moves;
}

/** Signed units that the operation itself moves. */
function unitsOf({ a, named }: StockCase, fate: Fate): number {
  switch (fate.is) {
    case 'FALLS':
      return 0;
    case 'SOLD_TWICE':
    case 'COUNTS':
      return fate.units;
    case 'COUNTED':
      return fate.returned;
    case 'MOVES':
      return releasedMovement(a.state, named?.state ?? null);
  }
}

/** Whether stock stays within its range after each of the moves. */
function fits(moves: readonly number[], quantity: number): boolean {
  let stock = quantity;
  return moves.every((units) => {
    stock += units;
    return Math.abs(units) <= INT4_MAX && Math.abs(stock) <= INT4_MAX;
  });
}
