import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryLevel } from 'memory-level';
import { Outbox } from './outbox.js';
import { PendingView } from './pending-view.js';
import { Replica } from './replica.js';
import { ProcessLocks } from './storage/locks.js';
import { Store, type Table } from './storage/store.js';
import {
  ACKNOWLEDGED,
  CHANGES,
  FORMAT,
  type Meta,
  META,
  META_KEY,
  metaOf,
  OUTBOX,
  PENDING,
  replicaTables,
} from './storage/tables.js';
import type { EntryResult, Operation, SnapshotHeader, SnapshotLine } from './wire.js';

const META_AT_FIRST: Meta = {
  ...{ format: FORMAT, tenantId: 't', deviceId: 'd', clock: 0, base: 0, epoch: null, chainHash: null },
  ...{ generation: 0, wantsSnapshot: true, waiting: 0, journaled: 0 },
};

describe('a snapshot that comes after a long time offline', () => {
  let store: Store;
  let outbox: Outbox;
  let replica: Replica;

  beforeEach(async () => {
    const database = new MemoryLevel();
    await database.open();
    store = new Store(database, new ProcessLocks(), 'test');
    const pending = new PendingView();
    outbox = new Outbox(pending, 10);
    replica = new Replica(store, outbox, pending);
    await store.transaction((tx) => {
      tx.put(META, META_KEY, META_AT_FIRST);
      return Promise.resolve();
    });
  });

  const change = (work: (meta: Meta, tx: Parameters<typeof metaOf>[0]) => Promise<Meta>): Promise<void> =>
    store.transaction(async (tx) => {
      tx.put(META, META_KEY, await work(await metaOf(tx), tx));
    });
  async function count(table: Table<unknown>): Promise<number> {
    const keys = new Set<string>();
    for await (const [key] of store.rows(table)) keys.add(key);
    return keys.size;
  }
  const pending = (productId: string): Promise<unknown> => store.transaction((tx) => tx.get(PENDING, productId));

  /** Two units of `cheese` each, at these lamports. */
  const sell = (from: number, to: number): Promise<void> =>
    change((meta, tx) =>
      outbox.add(
        tx,
        meta,
        Array.from({ length: to - from }, (_, index) => {
          const lamport = from + index;
          const body = { operation_id: `o${lamport}`, product_id: 'cheese', operation: 'DECREMENT', reason: 'SALE' };
          return { kind: 'operation', lamport, body: { ...body, delta: 2, lamport_ts: lamport } as Operation };
        }),
      ),
    );
  /** Recorded by the server at the lamports that the device gave. */
  const push = (upTo: number): Promise<void> =>
    change(async (meta, tx) => {
      const limits = { entriesMax: upTo, bytesMax: Infinity };
      const entries = (await outbox.next(tx, limits)).filter(({ lamport }) => lamport <= upTo);
      const results = entries.map(({ lamport }) => ({ status: 'accepted', server_lamport: lamport }) as EntryResult);
      return (await outbox.settle(tx, meta, entries, results, '')).meta;
    });
  const takeSnapshot = (lamport: number): Promise<void> =>
    change((meta, tx) => {
      const header = { lamport, epoch: 'e', chain_hash: 'h' } as SnapshotHeader;
      return replica.switchTo(tx, meta, 1, header);
    });

  it('takes out of what is shown all that it has, at once, and no more', async () => {
    await sell(1, 2_601);
    await push(2_500);
    expect(await pending('cheese')).toMatchObject({ moved: -5_200, entries: 2_600 });
    await takeSnapshot(2_000);
    expect(await pending('cheese')).toMatchObject({ moved: -1_200, entries: 600 });
  });

  it('forgets the rest in parts, and after a crash in between', async () => {
    await sell(1, 2_601);
    await push(2_500);
    await takeSnapshot(2_000);
    expect([await count(ACKNOWLEDGED), await count(CHANGES)]).toEqual([2_500, 2_600]); // and here it crashes
    await outbox.forgetConfirmed(store);
    expect([await count(ACKNOWLEDGED), await count(CHANGES), await count(OUTBOX)]).toEqual([500, 600, 100]);
    expect(await pending('cheese')).toMatchObject({ moved: -1_200, entries: 600 });
    await store.transaction((tx) => outbox.confirm(tx, 2_500));
    expect(await pending('cheese')).toMatchObject({ moved: -200, entries: 100 });
  });

  it('keeps the replica before it for who is reading it, and no older one', async () => {
    async function* lines(name: string): AsyncGenerator<SnapshotLine> {
      yield { type: 'header', lamport: 1, epoch: 'e', chain_hash: 'h' } as SnapshotLine;
      yield { type: 'product', id: name, name } as SnapshotLine;
      yield await Promise.resolve({ type: 'end', products: 1, stock_levels: 0, payments: 0 } as SnapshotLine);
    }
    for (const generation of [1, 2, 3]) await replica.fill(generation, lines(`p${generation}`));
    const products = await Promise.all([1, 2, 3].map((generation) => count(replicaTables(generation).products)));
    expect(products).toEqual([0, 1, 1]);
  });

  it('leaves nothing of a product that nothing more was done to', async () => {
    await sell(1, 4);
    await push(3);
    await takeSnapshot(3);
    expect(await pending('cheese')).toBeUndefined();
    await outbox.forgetConfirmed(store);
    expect([await count(ACKNOWLEDGED), await count(CHANGES), await count(PENDING)]).toEqual([0, 0, 0]);
  });
});
