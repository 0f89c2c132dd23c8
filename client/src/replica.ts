import type { Outbox } from './outbox.js';
import type { PendingView } from './pending-view.js';
import type { Store, StoreTransaction, Table } from './storage/store.js';
import { type Meta, replicaTables, type ReplicaTables, type StockLevel } from './storage/tables.js';
import type { Conflict, PullResponse, SnapshotHeader, SnapshotLine, StockEvent } from './wire.js';

/** What the replica says and what the server says can't both be: it is made anew. */
export class ReplicaDivergedError extends Error {
  override readonly name = 'ReplicaDivergedError';
}

/** What came with a page of the log. */
export interface AppliedPage {
  readonly meta: Meta;
  /** Products of which stock or fields changed. */
  readonly productIds: readonly string[];
  readonly conflicts: readonly Conflict[];
}

const ABSENT: StockLevel = { quantity: 0, tracked: false, lastLamport: 0 };
/** Lines of a snapshot that are written at once. */
const SNAPSHOT_BATCH = 500;

/** The device's copy of what the server has: never what it hopes for. */
export class Replica {
  constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly pending: PendingView,
  ) {}

  /**
   * Applies a page of the log, whole or not at all.
   * @throws ReplicaDivergedError if it doesn't fit what the replica has
   */
  async apply(tx: StoreTransaction, meta: Meta, page: PullResponse): Promise<AppliedPage> {
    const tables = replicaTables(meta.generation);
    const productIds = await this.applyEvents(tx, tables, page.operations);
    for (const product of page.products) tx.put(tables.products, product.id, product);
    for (const payment of page.payments) tx.put(tables.payments, payment.id, payment);
    for (const conflict of page.conflicts) tx.put(tables.conflicts, conflict.id, conflict);
    const own = page.operations.filter((event) => event.device_id === meta.deviceId);
    await this.outbox.confirmOperations(
      tx,
      own.map((event) => event.operation_id),
    );
    await this.pending.followHolds(tx, page.operations);
    await this.outbox.confirm(tx, page.next_lamport);
    return {
      meta: {
        ...meta,
        base: page.next_lamport,
        clock: Math.max(meta.clock, page.server_lamport),
        chainHash: page.chain_hash,
        epoch: page.epoch,
      },
      productIds: [...new Set([...productIds, ...page.products.map(({ id }) => id)])],
      conflicts: page.conflicts,
    };
  }

  /**
   * Reads a snapshot into the next generation of the tables, line by line. It counts from when it is there to the end.
   * @throws ReplicaDivergedError if lines are missing; then what was there before still counts
   */
  async fill(generation: number, lines: AsyncIterable<SnapshotLine>): Promise<SnapshotHeader> {
    const tables = replicaTables(generation);
    // With what a fill that was cut has left. The generation before the present one goes only now: somebody may have been
    // in the middle of reading it when the present one began to count.
    for (const unread of [generation, generation - 2])
      for (const table of Object.values(replicaTables(unread))) await this.store.clear(table as Table<unknown>);
    let header: SnapshotHeader | undefined;
    let complete = false;
    const counts = { products: 0, stock_levels: 0, payments: 0 };
    let rows: (readonly [Table<unknown>, string, unknown])[] = [];
    for await (const line of lines) {
      switch (line.type) {
        case 'header':
          header = line;
          break;
        case 'product': {
          const { type, ...product } = line;
          rows.push([tables.products, product.id, product]);
          counts.products += 1;
          break;
        }
        case 'stock_level': {
          const { product_id, quantity, tracked, last_lamport: lastLamport } = line;
          rows.push([tables.stock, product_id, { quantity, tracked, lastLamport }]);
          counts.stock_levels += 1;
          break;
        }
        case 'payment': {
          const { type, ...payment } = line;
          rows.push([tables.payments, payment.id, payment]);
          counts.payments += 1;
          break;
        }
        case 'end':
          complete = Object.entries(counts).every(([of, count]) => line[of as keyof typeof counts] === count);
      }
      if (rows.length < SNAPSHOT_BATCH) continue;
      await this.store.fill(rows);
      rows = [];
    }
    if (rows.length > 0) await this.store.fill(rows);
    if (!header || !complete) throw new ReplicaDivergedError('The snapshot was cut.');
    return header;
  }

  /** From now on the snapshot counts that `fill` has read into this generation. */
  async switchTo(tx: StoreTransaction, meta: Meta, generation: number, header: SnapshotHeader): Promise<Meta> {
    const kept = await this.outbox.lamportsBeyond(tx, header.lamport);
    await this.pending.sumAnew(tx, (lamport) => kept.has(lamport));
    return {
      ...meta,
      generation,
      wantsSnapshot: false,
      base: header.lamport,
      clock: Math.max(meta.clock, header.lamport),
      chainHash: header.chain_hash,
      epoch: header.epoch,
    };
  }

  private async applyEvents(
    tx: StoreTransaction,
    { stock }: ReplicaTables,
    events: readonly StockEvent[],
  ): Promise<readonly string[]> {
    const ids = [...new Set(events.map((event) => event.product_id))];
    const read = await tx.getMany(stock, ids);
    const levels = new Map(ids.map((id, index) => [id, read[index] ?? ABSENT]));
    for (const event of events) {
      const { product_id, effect, stock_after, lamport_ts: lastLamport } = event;
      const level = levels.get(product_id) ?? ABSENT;
      const quantity = level.quantity + effect;
      // The server says both, so that a copy that went astray is found out.
      if (quantity !== stock_after) {
        throw new ReplicaDivergedError(`Stock of ${product_id} is ${quantity} here and ${stock_after} there.`);
      }
      levels.set(product_id, { quantity, tracked: level.tracked || setsBaseline(event), lastLamport });
    }
    for (const [id, level] of levels) tx.put(stock, id, level);
    return ids;
  }
}

function setsBaseline({ operation, disposition }: StockEvent): boolean {
  return disposition === 'APPLIED' && (operation === 'INCREMENT' || operation === 'SET');
}
