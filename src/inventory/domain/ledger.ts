import { INT4_MAX, type Operation } from './operation.js';

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

export type Movement =
  | {
      readonly ok: true;
      readonly effect: number;
      readonly stockAfter: number;
      readonly tracked: boolean;
      readonly oversold: boolean;
    }
  | { readonly ok: false; readonly code: 'INSUFFICIENT_STOCK'; readonly available: number }
  | { readonly ok: false; readonly code: 'QUANTITY_OUT_OF_RANGE' };

/**
 * What `operation` does to stock at `level`, with nothing concurrent (design, section 6).
 *
 * A paid DECREMENT beyond what is there has happened all the same: it is recorded, and stock goes negative. One that
 * is not paid can still be refused, and is, if the product is tracked.
 */
export function move(level: StockLevel, operation: Pick<Operation, 'kind' | 'delta' | 'paymentStatus'>): Movement {
  const effect = effectOf(level, operation);
  const stockAfter = level.quantity + effect;
  const lacks = operation.kind === 'DECREMENT' && level.tracked && operation.delta > level.quantity;
  if (lacks && operation.paymentStatus !== 'PAID') {
    return { ok: false, code: 'INSUFFICIENT_STOCK', available: Math.max(0, level.quantity) };
  }
  if (Math.abs(stockAfter) > INT4_MAX) return { ok: false, code: 'QUANTITY_OUT_OF_RANGE' };
  return { ok: true, effect, stockAfter, tracked: level.tracked || operation.kind !== 'DECREMENT', oversold: lacks };
}

function effectOf(level: StockLevel, { kind, delta }: Pick<Operation, 'kind' | 'delta'>): number {
  switch (kind) {
    case 'INCREMENT':
      return delta;
    case 'DECREMENT':
      return -delta;
    case 'SET':
      return delta - level.quantity;
  }
}
