import { INT4_MAX, type Operation } from './operation.js';
import { cancellableOf, isWithoutEffect, type ReferencedOperation, remainingOf, useOf } from './reference.js';

/** Stock of a product: the sum of the effects of its events (I1). */
export interface StockLevel {
  /** Units; negative when more was sold than was known to be there. */
  readonly quantity: number;
  /** Whether a baseline exists (an INCREMENT, a SET or an opening balance), so that availability is enforced. */
  readonly tracked: boolean;
  /** Lamport of the last event that changed it. */
  readonly lastLamport: number;
}

/** APPLIED took effect; HELD waits for a decision; VOIDED was decided against. */
export type Disposition = 'APPLIED' | 'HELD' | 'VOIDED';

/** Of a product nobody has moved yet. */
export const EMPTY_LEVEL: StockLevel = { quantity: 0, tracked: false, lastLamport: 0 };

type Movable = Pick<Operation, 'kind' | 'delta' | 'reason' | 'paymentStatus'>;

export type Movement =
  | {
      readonly ok: true;
      readonly effect: number;
      readonly stockAfter: number;
      readonly tracked: boolean;
      readonly oversold: boolean;
    }
  | {
      readonly ok: false;
      readonly code: 'INSUFFICIENT_STOCK' | 'QUANTITY_OUT_OF_RANGE';
      /** Units that could have been taken, or given back; null if it is the range of stock that refuses. */
      readonly available: number | null;
    };

/**
 * What `operation` does to stock at `level`, with nothing concurrent (design, section 6).
 *
 * A paid DECREMENT beyond what is there has happened all the same: it is recorded, and stock goes negative. One that
 * is not paid can still be refused, and is, if the product is tracked.
 * @param named the operation that it names in `refOperationId`; null if it names none
 */
export function move(level: StockLevel, operation: Movable, named: ReferencedOperation | null = null): Movement {
  if (named && useOf(operation, named) === 'CANCEL') {
    const cancellable = cancellableOf(named);
    if (operation.delta > cancellable) return { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: cancellable };
  }
  const effect = effectOf(level, operation, named);
  const stockAfter = level.quantity + effect;
  const missing = missingOf(level, operation, named);
  const lacks = missing > 0;
  if (lacks && operation.paymentStatus !== 'PAID') {
    return { ok: false, code: 'INSUFFICIENT_STOCK', available: Math.max(0, operation.delta - missing) };
  }
  if (Math.abs(stockAfter) > INT4_MAX) return { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: null };
  return { ok: true, effect, stockAfter, tracked: level.tracked || operation.kind !== 'DECREMENT', oversold: lacks };
}

/** Units by which a DECREMENT exceeds what is available; 0 if it doesn't, or nobody counts them yet. */
export function missingOf(
  level: StockLevel,
  operation: Pick<Movable, 'kind' | 'delta' | 'reason'>,
  named: ReferencedOperation | null = null,
): number {
  if (operation.kind !== 'DECREMENT' || !level.tracked) return 0;
  return Math.max(0, operation.delta - level.quantity - heldFor(operation, named));
}

/** The signed change that a recorded operation makes, in units, whatever was asked or refused. */
export function effectOf(
  level: Pick<StockLevel, 'quantity'>,
  operation: Omit<Movable, 'paymentStatus'>,
  named: ReferencedOperation | null = null,
): number {
  const { kind, delta } = operation;
  switch (kind) {
    case 'INCREMENT':
      // The units of a reservation that has lapsed are back already; those of a sale that waits never left.
      return named && useOf(operation, named) === 'CANCEL' && isWithoutEffect(named) ? 0 : delta;
    case 'DECREMENT':
      return heldFor(operation, named) - delta;
    case 'SET':
      return delta - level.quantity;
  }
}

/** Units that a confirmation finds held for it: given back and sold in one step. */
function heldFor(operation: Pick<Operation, 'kind' | 'reason'>, named: ReferencedOperation | null): number {
  return named && useOf(operation, named) === 'CONFIRM' ? remainingOf(named) : 0;
}
