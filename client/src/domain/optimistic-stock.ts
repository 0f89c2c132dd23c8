import type { Operation } from '../wire.js';

/** What one recorded operation does to the stock that the device shows before the server has decided. */
export interface StockChange {
  readonly is: 'MOVEMENT' | 'COUNT';
  /** Of a movement signed; of a count those that were there. */
  readonly units: number;
  /** Lamport of the operation. */
  readonly at: number;
}

/**
 * What all that a device has recorded of a product comes to: a count, if there is one, and what moved after it. Small,
 * whatever the number of entries.
 */
export interface PendingStock {
  /** Units of the last count; null if nothing was counted. */
  readonly count: number | null;
  /** Its lamport. */
  readonly countedAt: number | null;
  /** Units, signed, that moved after the count. */
  readonly moved: number;
  readonly entries: number;
}

export const NOTHING_PENDING: PendingStock = { count: null, countedAt: null, moved: 0, entries: 0 };

/**
 * @param named the reservation or sale that it names, if the device knows that it is its own: a sale that confirms a
 *   reservation takes its place
 */
export function changeOf(operation: Pick<Operation, 'operation' | 'delta' | 'lamport_ts'>, held = 0): StockChange {
  const at = operation.lamport_ts;
  switch (operation.operation) {
    case 'INCREMENT':
      return { is: 'MOVEMENT', units: operation.delta, at };
    case 'DECREMENT':
      return { is: 'MOVEMENT', units: held - operation.delta, at };
    case 'SET':
      return { is: 'COUNT', units: operation.delta, at };
  }
}

/** With one more that was recorded after all the others. */
export function withChange(pending: PendingStock, change: StockChange): PendingStock {
  const entries = pending.entries + 1;
  return change.is === 'COUNT'
    ? { count: change.units, countedAt: change.at, moved: 0, entries }
    : { ...pending, moved: pending.moved + change.units, entries };
}

/**
 * Without one of them.
 * @returns undefined if that can't be told from the sum: then `sumOf` what is left
 */
export function withoutChange(pending: PendingStock, change: StockChange): PendingStock | undefined {
  const left = { ...pending, entries: pending.entries - 1 };
  if (pending.countedAt === null || change.at > pending.countedAt)
    return { ...left, moved: pending.moved - change.units };
  // What the last count has made of no account; the count itself hides what was before it.
  return change.at < pending.countedAt ? left : undefined;
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
