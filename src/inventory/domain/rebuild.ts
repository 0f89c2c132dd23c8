import { EMPTY_LEVEL, type StockLevel } from './ledger.js';
import { INT4_MAX } from './operation.js';

/** By product id. */
type Levels = ReadonlyMap<string, StockLevel>;

export interface Mending {
  /** By product id: what to write. */
  readonly levels: Levels;
  /** Products whose effects come to more than stock can be: some event was changed, and a rebuild can't help. */
  readonly outOfRange: readonly string[];
}

/**
 * Which of the products' levels are not what their events come to, and what they are to be. A product without events
 * has nothing in stock and was never moved, whether it has a level that says so or none.
 * @param upToHead what the events up to some lamport come to
 * @param afterHead what those after it come to
 */
export function mendLevels(
  productIds: readonly string[],
  upToHead: Levels,
  afterHead: Levels,
  stored: Levels,
): Mending {
  const levels = new Map<string, StockLevel>();
  const outOfRange: string[] = [];
  for (const productId of productIds) {
    const right = together(upToHead.get(productId), afterHead.get(productId));
    if (isSame(right, stored.get(productId) ?? EMPTY_LEVEL)) continue;
    if (Math.abs(right.quantity) > INT4_MAX) outOfRange.push(productId);
    else levels.set(productId, right);
  }
  return { levels, outOfRange };
}

function together(before = EMPTY_LEVEL, after = EMPTY_LEVEL): StockLevel {
  return {
    quantity: before.quantity + after.quantity,
    tracked: before.tracked || after.tracked,
    lastLamport: Math.max(before.lastLamport, after.lastLamport),
  };
}

function isSame(a: StockLevel, b: StockLevel): boolean {
  return a.quantity === b.quantity && a.tracked === b.tracked && a.lastLamport === b.lastLamport;
}
