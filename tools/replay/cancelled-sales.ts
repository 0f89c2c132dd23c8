import { cancellationKeyOf } from './mapping.js';
import type { RetailLine } from './retail-csv.js';

/** A sale that a later line takes back. */
export interface RecordedSale {
  readonly operationId: string;
  /** Of the till that made it. */
  readonly deviceId: string;
  /** In the tenant's log; undefined until the till has pushed it. */
  lamport: number | undefined;
}

/**
 * Finds the sale that a cancellation mirrors: same customer, code, price and quantity.
 *
 * Remembers only sales that a cancellation is still to come for, as many of them as there are cancellations, the last
 * ones made. So memory grows with the cancellations of the file, which were counted beforehand, and not with its sales.
 */
export class CancelledSales {
  private readonly sales = new Map<string, RecordedSale[]>();
  private readonly toCome: Map<string, number>;

  /** @param cancellations by key: how many of them the file has */
  constructor(cancellations: ReadonlyMap<string, number>) {
    this.toCome = new Map(cancellations);
  }

  /** @returns undefined if no cancellation is to come for such a sale. */
  remember(line: RetailLine, operationId: string, deviceId: string): RecordedSale | undefined {
    const key = cancellationKeyOf(line);
    if (key === undefined) return undefined;
    const toCome = this.toCome.get(key) ?? 0;
    if (toCome === 0) return undefined;
    const sale: RecordedSale = { operationId, deviceId, lamport: undefined };
    const sales = this.sales.get(key) ?? [];
    sales.push(sale);
    this.sales.set(key, sales.slice(-toCome));
    return sale;
  }

  /**
   * The last sale that the cancellation mirrors, of those known to its till: it can't name what it never saw. Each sale
   * is taken back once.
   */
  take(cancellation: RetailLine, isKnown: (sale: RecordedSale) => boolean): RecordedSale | undefined {
    const key = cancellationKeyOf(cancellation);
    if (key === undefined) return undefined;
    const toCome = (this.toCome.get(key) ?? 0) - 1;
    const sales = this.sales.get(key) ?? [];
    const index = sales.findLastIndex(isKnown);
    const [found] = index === -1 ? [] : sales.splice(index, 1);
    if (toCome > 0) {
      this.toCome.set(key, toCome);
      this.sales.set(key, sales.slice(-toCome));
    } else {
      this.toCome.delete(key);
      this.sales.delete(key);
    }
    return found;
  }
}
