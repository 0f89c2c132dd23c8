import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import { EMPTY_LEVEL, type StockLevel } from '../../src/inventory/domain/ledger.js';
import { EVENT_KINDS, type StockEvent } from '../../src/inventory/domain/stock-event.js';
import { ProductRepository } from '../../src/inventory/persistence/product.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { StockService } from '../../src/inventory/stock.service.js';
import { LAMPORT_MAX } from '../../src/tenancy/domain/lamport-clock.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';

const PRODUCTS = [randomUUID(), randomUUID()] as const;
const FIRST_TIME = Date.UTC(2026, 0, 1);

interface LoggedEvent {
  readonly productId: string;
  readonly kind: StockEvent['kind'];
  readonly stockAfter: number;
  readonly lamport: number;
  /** Milliseconds since 1970. */
  readonly recordedAt: number;
}

/** Logs in which lamports grow and times don't fall: several events of one time, and gaps in both. */
const logs = fc
  .array(
    fc.record({
      productId: fc.constantFrom(...PRODUCTS),
      kind: fc.constantFrom(...EVENT_KINDS),
      stockAfter: fc.integer({ min: -3, max: 3 }),
      lamportGap: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 2 ** 40 })),
      timeGap: fc.constantFrom(0, 0, 1, 60_000),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((steps) => {
    let [lamport, recordedAt] = [0, FIRST_TIME];
    return steps.map(({ lamportGap, timeGap, ...event }): LoggedEvent => {
      lamport += lamportGap;
      recordedAt += timeGap;
      return { ...event, lamport, recordedAt };
    });
  });

describe('the stock of a product as it was', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let database: TenantDatabase;
  let stock: StockService;
  const events = new StockEventRepository();
  const levels = new StockLevelRepository();

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl);
    database = new TenantDatabase(source);
    stock = new StockService(database, levels, events, new ProductRepository());
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });

  /** Writes a log as pushes would have, for a tenant of its own. @returns the tenant. */
  async function record(log: readonly LoggedEvent[]): Promise<string> {
    const tenantId = randomUUID();
    await database.transaction(tenantId, async (tx) => {
      for (const event of log) await events.append(tx, [anEvent(event)], new Date(event.recordedAt));
      await levels.save(tx, new Map(log.map(({ productId }) => [productId, levelAfter(log, productId)])));
    });
    return tenantId;
  }

  it('is what the last event up to then left, at every lamport and at every time', async () => {
    await fc.assert(
      fc.asyncProperty(logs, async (log) => {
        const tenantId = await record(log);
        const lamports = log.flatMap(({ lamport }) => [lamport - 1, lamport, lamport + 1]);
        const times = log.flatMap(({ recordedAt }) => [recordedAt - 1, recordedAt, recordedAt + 1]);
        for (const productId of new Set(log.map((event) => event.productId))) {
          for (const lamport of new Set([...lamports, LAMPORT_MAX])) {
            const until = log.filter((event) => event.lamport <= lamport);
            expect(await stock.stockOf(tenantId, productId, { lamport })).toEqual(levelAfter(until, productId));
          }
          for (const time of new Set([...times, Date.UTC(9999, 0)])) {
            const until = log.filter((event) => event.recordedAt <= time);
            const at = { time: new Date(time) };
            expect(await stock.stockOf(tenantId, productId, at)).toEqual(levelAfter(until, productId));
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is found in a long ledger by halving it, not by reading it', async () => {
    const log = Array.from({ length: 4_000 }, (_, index): LoggedEvent => ({
      ...{ productId: PRODUCTS[0], kind: 'INCREMENT', stockAfter: index },
      ...{ lamport: 2 * index + 1, recordedAt: FIRST_TIME },
    }));
    const tenantId = randomUUID();
    const later = new Date(FIRST_TIME + 1_000);
    await database.transaction(tenantId, async (tx) => {
      await events.append(tx, log.slice(0, 1_000).map(anEvent), new Date(FIRST_TIME));
      await events.append(tx, log.slice(1_000).map(anEvent), later);
    });
    // As autovacuum does with a ledger that has grown so long: a planner who takes a product for a few rows gathers them all.
    await queryOnce(testDatabase.superuserUrl, 'ANALYZE stock_events');
    const rowsRead = await database.transaction(tenantId, async (tx) => {
      const counted = (): Promise<[{ rows: string }]> =>
        tx.manager.query(
          `SELECT pg_stat_get_xact_tuples_returned(i) + pg_stat_get_xact_tuples_fetched(t) AS rows
           FROM (SELECT 'stock_events'::regclass AS t, 'stock_events_by_product'::regclass AS i)`,
        );
      const [before] = await counted();
      expect(await events.levelAt(tx, PRODUCTS[0], { time: new Date(FIRST_TIME) })).toMatchObject({ quantity: 999 });
      const [after] = await counted();
      return Number(after.rows) - Number(before.rows);
    });
    expect(rowsRead).toBeGreaterThan(0);
    expect(rowsRead).toBeLessThan(100);
  });

  it('is not another tenant’s, who has a product of the same id', async () => {
    const [ana, ben] = [
      await record([{ productId: PRODUCTS[0], kind: 'SET', stockAfter: 7, lamport: 1, recordedAt: FIRST_TIME }]),
      await record([{ productId: PRODUCTS[0], kind: 'DECREMENT', stockAfter: -2, lamport: 5, recordedAt: FIRST_TIME }]),
    ];
    for (const at of [{ lamport: 9 }, { time: new Date() }, 'NOW'] as const) {
      expect(await stock.stockOf(ana, PRODUCTS[0], at)).toEqual({ quantity: 7, tracked: true, lastLamport: 1 });
      expect(await stock.stockOf(ben, PRODUCTS[0], at)).toEqual({ quantity: -2, tracked: false, lastLamport: 5 });
    }
    await expect(stock.stockOf(randomUUID(), PRODUCTS[0], { lamport: 9 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

/** What the log says of the product in the plainest way. */
function levelAfter(log: readonly LoggedEvent[], productId: string): StockLevel {
  const own = log.filter((event) => event.productId === productId);
  const last = own.at(-1);
  if (!last) return EMPTY_LEVEL;
  const tracked = own.some(({ kind }) => kind === 'INCREMENT' || kind === 'SET');
  return { quantity: last.stockAfter, tracked, lastLamport: last.lamport };
}

function anEvent({ productId, kind, stockAfter, lamport }: LoggedEvent): StockEvent {
  return {
    ...{ operationId: randomUUID(), productId, deviceId: productId, deviceType: 'MOBILE', kind, delta: 1 },
    ...{ reason: 'ADJUSTMENT', paymentStatus: null, amount: null, locationLat: null, locationLng: null },
    ...{ clientLamport: lamport, baseLamport: null, version: null, groupId: null, refOperationId: null },
    ...{ expiresAt: null, createdAt: null, createdBy: productId, updatedBy: null },
    ...{ lamport, effect: 0, stockAfter, disposition: 'APPLIED' },
    ...{ contentHash: new Uint8Array(32), chainHash: new Uint8Array(32) },
  };
}
