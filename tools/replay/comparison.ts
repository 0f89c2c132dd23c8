import type { Differences } from './differences.js';
import type { ExpectedProduct } from './file-summary.js';
import type { ProductSum, Replica } from './replica.js';

const NOTHING: ProductSum = { units: 0, events: 0, pence: 0 };

/**
 * Compares what a replica's events add up to with the direct sum over the file: units, money and number of events of
 * every product that either of them has.
 * @returns how many products were compared
 */
export function compareProducts(
  expected: ReadonlyMap<string, ExpectedProduct>,
  replica: Replica,
  replicaName: string,
  differences: Differences,
): number {
  const productIds = new Set([...expected.keys(), ...replica.products.keys()]);
  for (const productId of productIds) {
    const wanted = expected.get(productId);
    const found = replica.products.get(productId) ?? NOTHING;
    for (const field of ['units', 'events', 'pence'] as const) {
      const value = wanted?.[field] ?? 0;
      if (value !== found[field]) {
        const product = wanted?.code ?? productId;
        differences.add(`${replicaName}: ${product} has ${found[field]} ${field}, the file says ${value}`);
      }
    }
  }
  return productIds.size;
}

/** At most `count` of the items, spread evenly over all of them. */
export function spread<T>(items: readonly T[], count: number): T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => items[Math.floor(index * step)] as T);
}
