import type { Operation } from '../wire.js';

/** What one recorded operation does to the stock that the device shows before the server has decided. */
export type StockChange =
  | { readonly is: 'MOVEMENT'; /** Units, signed. */ readonly units: number }
  | { readonly is: 'COUNT'; /** Units that were there. */ readonly units: number };

/**
 * What all that a device has recorded of a product comes to: a count, if there is one, and what moved after it. Small,
 * whatever the number of entries.
 */
export interface PendingStock {
  /** Units of the last count; null if nothing was counted. */
  readonly count: number | null;
  /** Units, signed, that moved after the count. */
  readonly moved: number;
  readonly entries: number;
}

export const NOTHING_PENDING: PendingStock = { count: null, moved: 0, entries: 0 };

/**
 * @param named the reservation or sale that it names, if the device knows that it is its own: a sale that confirms a
 *   reservation takes its place
 */
export function changeOf(operation: Pick<Operation, 'operation' | 'delta'>, held = 0): StockChange {
  switch (operation.operation) {
    case 'INCREMENT':
      return { is: 'MOVEMENT', units: operation.delta };
    case 'DECREMENT':
      return { is: 'MOVEMENT', units: held - operation.delta };
    case 'SET':
      return { is: 'COUNT', units: operation.delta };
  }
}

/** With one more that was recorded after all the others. */
export function withChange(pending: PendingStock, change: StockChange): PendingStock {
  const entries = pending.entries + 1;
  return change.is === 'COUNT'
    ? { count: change.units, moved: 0, entries }
    : { ...pending, moved: pending.moved + change.units, entries };
}

/**
 * Without one of them.
 * @returns undefined if that can't be told from the sum: then `sumOf` what is left
 */
export function withoutChange(pending: PendingStock, change: StockChange): PendingStock | undefined {
  if (pending.count !== null || change.is === 'COUNT') return undefined;
  return { ...pending, moved: pending.moved - change.units, entries: pending.entries - 1 };
}

/** In the order recorded. */
export function sumOf(changes: Iterable<StockChange>): PendingStock {
  let pending = NOTHING_PENDING;
  for (const change of changes) pending = withChange(pending, change);
  return pending;
}

/** Units that the device shows: what the server said, and what it has recorded since on top of it. */
export function optimisticOf(confirmed: number, { count, moved }: PendingStock): number {
  return (count ?? confirmed) + moved;
}
