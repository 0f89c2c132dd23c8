import { NOTHING_PENDING, optimisticOf } from './domain/optimistic-stock.js';
import { type LocalPayment, type LocalProduct, merged, paymentAsEdited, productAsEdited } from './domain/overlay.js';
import type { Store, StoreTransaction } from './storage/store.js';
import {
  entityOfKey,
  metaOf,
  PAYMENT_EDITS,
  PENDING,
  PRODUCT_EDITS,
  rangeOf,
  replicaTables,
  type ReplicaTables,
} from './storage/tables.js';
import type { Conflict } from './wire.js';

/** Units of a product. */
export interface Stock {
  /** As the server said last. */
  readonly confirmed: number;
  /** What was recorded here and is not confirmed yet, signed. */
  readonly pending: number;
  /** Both together: what to show. */
  readonly optimistic: number;
  /** Whether a count or a receipt has set a baseline, so that the server enforces availability. */
  readonly tracked: boolean;
}

/** What the device shows: the replica, with what was recorded here laid over it. */
export class LocalView {
  constructor(private readonly store: Store) {}

  /** @returns undefined of a product that nothing is known of */
  async stock(productId: string): Promise<Stock | undefined> {
    return this.store.transaction(async (tx) => {
      const tables = replicaTables((await metaOf(tx)).generation);
      const level = await tx.get(tables.stock, productId);
      const pending = await tx.get(PENDING, productId);
      // The replica's events have it, as soon as there are any.
      const opening = level ? null : await openingBalance(tx, tables, productId);
      if (!level && !pending && opening === null) return undefined;
      const confirmed = level?.quantity ?? 0;
      const optimistic = optimisticOf(confirmed + (opening ?? 0), pending ?? NOTHING_PENDING);
      return { confirmed, optimistic, pending: optimistic - confirmed, tracked: level?.tracked ?? false };
    });
  }

  async product(id: string): Promise<LocalProduct | undefined> {
    return this.store.transaction(async (tx) => {
      const { generation } = await metaOf(tx);
      const confirmed = await tx.get(replicaTables(generation).products, id);
      const edits = await values(tx.rows(PRODUCT_EDITS, rangeOf(id)));
      return confirmed || edits.length > 0 ? productAsEdited(id, confirmed, edits) : undefined;
    });
  }

  /** By id. */
  async *products({ deleted = false } = {}): AsyncGenerator<LocalProduct> {
    const { generation } = await this.store.transaction(metaOf);
    const confirmed = this.store.rows(replicaTables(generation).products);
    for await (const [id, product, edits] of merged(confirmed, byId(this.store.rows(PRODUCT_EDITS)))) {
      const local = productAsEdited(id, product, edits);
      if (deleted || !local.is_deleted) yield local;
    }
  }

  /** By id. */
  async *payments(): AsyncGenerator<LocalPayment> {
    const { generation } = await this.store.transaction(metaOf);
    const confirmed = this.store.rows(replicaTables(generation).payments);
    for await (const [id, payment, edits] of merged(confirmed, byId(this.store.rows(PAYMENT_EDITS)))) {
      yield paymentAsEdited(id, payment, edits);
    }
  }

  /** @param open only those that wait for a decision */
  async *conflicts({ open = false } = {}): AsyncGenerator<Conflict> {
    const { generation } = await this.store.transaction(metaOf);
    for await (const [, conflict] of this.store.rows(replicaTables(generation).conflicts)) {
      if (!open || conflict.awaits !== null) yield conflict;
    }
  }
}

/** Units that were there when the product was made here: the server makes an event of them when it first hears of it. */
async function openingBalance(tx: StoreTransaction, { products }: ReplicaTables, id: string): Promise<number | null> {
  if (await tx.get(products, id)) return null;
  for await (const [, first] of tx.rows(PRODUCT_EDITS, rangeOf(id))) return first.current_stock ?? null;
  return null;
}

async function values<V>(rows: AsyncIterable<readonly [string, V]>): Promise<V[]> {
  const all: V[] = [];
  for await (const [, value] of rows) all.push(value);
  return all;
}

async function* byId<V>(rows: AsyncIterable<readonly [key: string, V]>): AsyncGenerator<readonly [id: string, V]> {
  for await (const [key, value] of rows) yield [entityOfKey(key), value];
}
