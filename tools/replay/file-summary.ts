import { stockChangeOf, takingsOf } from './direct-sum.js';
import { cancellationKeyOf, isBadDebt, isCancellation, productIdOf, shopOf } from './mapping.js';
import type { ProductSum } from './replica.js';
import { readRetailLines, RetailFileError } from './retail-csv.js';

/** What the log of a shop must add up to for a product. */
export interface ExpectedProduct extends ProductSum {
  readonly code: string;
  /** Units that leave stock in all, whatever comes in between. */
  outflow: number;
}

/** What has to be known of the whole file before the first operation is pushed. */
export interface FileSummary {
  readonly lines: number;
  /** For each shop, by product id. */
  readonly shops: readonly Map<string, ExpectedProduct>[];
  /** How many cancellations there are of each key (`cancellationKeyOf`). */
  readonly cancellations: ReadonlyMap<string, number>;
}

/**
 * Reads the file once from end to end: the direct sum that the service is compared with at the end.
 * @throws RetailFileError if it holds no lines, or can't be read.
 */
export async function summarize(file: string, shopCount: number, signal: AbortSignal): Promise<FileSummary> {
  const shops = Array.from({ length: shopCount }, () => new Map<string, ExpectedProduct>());
  const cancellations = new Map<string, number>();
  let lines = 0;
  for await (const line of readRetailLines(file)) {
    signal.throwIfAborted();
    lines += 1;
    // Which lines are operations is the mapping's to say; what they come to is summed without it.
    if (isBadDebt(line)) continue;
    const products = shops[shopOf(line, shopCount)];
    if (products === undefined) throw new RangeError('No such shop');
    const productId = productIdOf(line.code);
    const product = products.get(productId) ?? { code: line.code, units: 0, events: 0, pence: 0, outflow: 0 };
    products.set(productId, product);
    const change = stockChangeOf(line);
    product.units += change;
    product.outflow += Math.max(0, -change);
    product.pence += takingsOf(line);
    product.events += 1;
    const key = isCancellation(line) ? cancellationKeyOf(line) : undefined;
    if (key !== undefined) cancellations.set(key, (cancellations.get(key) ?? 0) + 1);
  }
  if (lines === 0) throw new RetailFileError(`${file} holds no lines.`);
  return { lines, shops, cancellations };
}
