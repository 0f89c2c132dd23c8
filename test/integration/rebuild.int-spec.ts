import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { LongReads } from '../../src/database/long-reads.js';
import { lapse } from '../../src/inventory/domain/lapse.js';
import type { Difference } from '../../src/inventory/domain/verification.js';
import { LedgerAuditRepository } from '../../src/inventory/persistence/ledger-audit.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { RebuildService } from '../../src/inventory/rebuild.service.js';
import { VerificationService } from '../../src/inventory/verification.service.js';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { aPerson } from '../support/actors.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, isLockWaited, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { TestLedger } from '../support/ledger.js';

describe('the rebuild of stock levels', () => {
  const clocks = new TenantClockRepository();
  const events = new StockEventRepository();
  const levels = new StockLevelRepository();
  const audits = new LedgerAuditRepository();
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let rebuilds: RebuildService;
  let verifications: VerificationService;
  let tenantId: string;
  let deviceId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    rebuilds = new RebuildService(ledger.database, new LongReads(8), clocks, audits, levels, new AuditTrail());
    verifications = new VerificationService(ledger.database, new LongReads(8), clocks, audits);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    ({ tenantId, deviceId } = await ledger.addTenant());
  });

  function operation(fields: Partial<Parameters<typeof anOperation>[0]>): ReturnType<typeof anOperation> {
    return anOperation({ tenant_id: tenantId, device_id: deviceId, ...fields });
  }

  async function push(operations: readonly ReturnType<typeof anOperation>[]): Promise<void> {
    const { outcomes } = await ledger.push(tenantId, deviceId, operations);
    expect(outcomes.find(({ status }) => status !== 'accepted')).toBeUndefined();
  }

  async function differences(): Promise<Difference[]> {
    const found: Difference[] = [];
    await verifications.verify(tenantId, (some) => {
      found.push(...some);
      return Promise.resolve();
    });
    return found;
  }

  /** Changes levels past the service. */
  const plant = (statement: string, ...parameters: unknown[]): Promise<unknown> =>
    queryOnce(database.superuserUrl, statement, [tenantId, ...parameters]);

  it('sets what differs to what the log says, and nothing else', async () => {
    const products = Array.from({ length: 6 }, () => randomUUID()).sort();
    const [wrong, untracked, early, gone, surplus, right] = products;
    await push(
      products.flatMap((product_id) =>
        product_id === surplus
          ? []
          : [operation({ product_id, delta: 7 }), operation({ product_id, operation: 'SET', delta: 3 })],
      ),
    );
    await plant(`UPDATE stock_levels SET quantity = -40 WHERE tenant_id = $1 AND product_id = $2`, wrong);
    await plant(`UPDATE stock_levels SET tracked = false WHERE tenant_id = $1 AND product_id = $2`, untracked);
    await plant(`UPDATE stock_levels SET last_lamport = 1 WHERE tenant_id = $1 AND product_id = $2`, early);
    await plant(`DELETE FROM stock_levels WHERE tenant_id = $1 AND product_id = $2`, gone);
    await plant(
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport) VALUES ($1, $2, 9, true, 4)`,
      surplus,
    );
    expect((await differences()).map(({ kind }) => kind)).toHaveLength(5);

    expect(await rebuilds.rebuild(aPerson(tenantId))).toEqual({ products: 6, repaired: 5, lamport: 11 });
    expect(await differences()).toEqual([]);
    const restored = await ledger.database.transaction(tenantId, (tx) => levels.levelsOf(tx, products));
    expect(restored.get(gone ?? '')).toMatchObject({ quantity: 3, tracked: true });
    expect(restored.get(surplus ?? '')).toEqual({ quantity: 0, tracked: false, lastLamport: 0 });
    expect(restored.get(right ?? '')).toMatchObject({ quantity: 3 });
    expect(await rebuilds.rebuild(aPerson(tenantId))).toEqual({ products: 6, repaired: 0, lamport: 11 });
  });

  it('does nothing where nothing was ever pushed', async () => {
    expect(await rebuilds.rebuild(aPerson(tenantId))).toEqual({ products: 0, repaired: 0, lamport: 0 });
  });

  it('leaves other tenants alone', async () => {
    const other = await ledger.addTenant();
    const productId = randomUUID();
    await ledger.push(other.tenantId, other.deviceId, [
      anOperation({ tenant_id: other.tenantId, device_id: other.deviceId, product_id: productId }),
    ]);
    await queryOnce(database.superuserUrl, `UPDATE stock_levels SET quantity = 99 WHERE tenant_id = $1`, [
      other.tenantId,
    ]);
    await push([operation({ product_id: productId, delta: 5 })]);
    expect(await rebuilds.rebuild(aPerson(tenantId))).toMatchObject({ products: 1, repaired: 0 });
    const level = await ledger.database.transaction(other.tenantId, (tx) => levels.levelsOf(tx, [productId]));
    expect(level.get(productId)).toMatchObject({ quantity: 99 });
  });

  it('goes through all products, however many, and whatever their ids', async () => {
    const ends = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'];
    const products = [...ends, ...Array.from({ length: 1_198 }, () => randomUUID())];
    for (const some of [products.slice(0, 600), products.slice(600)]) {
      await push(some.map((product_id) => operation({ product_id, delta: 2 })));
    }
    await plant(`UPDATE stock_levels SET quantity = quantity + 5 WHERE tenant_id = $1`);
    expect(await rebuilds.rebuild(aPerson(tenantId))).toMatchObject({ products: 1_200, repaired: 1_200 });
    expect(await differences()).toEqual([]);
  });

  it('sums up products whose events take several statements', async () => {
    const products = [1, 2, 3].map((number) => `0000000${number}-0000-4000-8000-000000000000`);
    await plant(
      `INSERT INTO stock_events (tenant_id, lamport_ts, operation_id, product_id, device_id, device_type, operation, delta,
         reason, client_lamport, created_by, effect, stock_after, disposition, synced_at, content_hash, chain_hash)
       SELECT $1, n, gen_random_uuid(), ($2::uuid[])[1 + n % 3], $3, 'DESKTOP', CASE n WHEN 3 THEN 'INCREMENT' ELSE 'DECREMENT' END,
              1, 'SALE', 0, $3, n % 7 - 3, 0, 'APPLIED', now(), sha256(''), sha256('')
       FROM generate_series(1, 130000) AS n`,
      products,
      deviceId,
    );
    const { totals, expected } = await ledger.database.transaction(tenantId, async (tx) => ({
      totals: await audits.totalsUpTo(tx, products, 120_000),
      expected: await tx.manager.query<
        { product_id: string; quantity: number; tracked: boolean; last_lamport: number }[]
      >(
        `SELECT product_id, sum(effect)::int AS quantity, max(lamport_ts)::int AS last_lamport, bool_or(operation = 'INCREMENT') AS tracked
         FROM stock_events WHERE tenant_id = $1 AND lamport_ts <= 120000 GROUP BY product_id`,
        [tenantId],
      ),
    }));
    expect(totals).toEqual(
      new Map(
        expected.map((row) => [
          row.product_id,
          { quantity: row.quantity, tracked: row.tracked, lastLamport: row.last_lamport },
        ]),
      ),
    );
    expect(totals.size).toBe(3);
  });

  it('counts what was recorded while it summed up', async () => {
    const productId = randomUUID();
    const reservation = operation({ product_id: productId, operation: 'DECREMENT', reason: 'RESERVATION', delta: 4 });
    await push([operation({ product_id: productId, delta: 10 }), reservation]);
    await plant(`UPDATE stock_levels SET quantity = 66 WHERE tenant_id = $1`);

    let rebuilding: Promise<unknown> = Promise.resolve();
    await ledger.database.transaction(tenantId, async (tx) => {
      const clock = await clocks.lock(tx);
      rebuilding = rebuilds.rebuild(aPerson(tenantId));
      await eventually('the rebuild has summed up and waits for the clock', () => isLockWaited(database.superuserUrl));
      const due = [...(await events.referenced(tx, [reservation.operation_id ?? ''])).values()];
      const lapsed = lapse(tenantId, clock, due, await levels.levelsOf(tx, [productId]));
      await events.append(tx, lapsed.events, new Date());
      await levels.save(tx, lapsed.levels);
      await clocks.advance(tx, lapsed.clock);
    });
    expect(await rebuilding).toEqual({ products: 1, repaired: 1, lamport: 4 });
    const level = await ledger.database.transaction(tenantId, (tx) => levels.levelsOf(tx, [productId]));
    expect(level.get(productId)).toEqual({ quantity: 10, tracked: true, lastLamport: 4 });
  });

  it('refuses no push meanwhile, and shows no reader a level that is neither the wrong one nor the right one', async () => {
    const products = Array.from({ length: 900 }, (): string => randomUUID());
    await push(products.map((product_id) => operation({ product_id, delta: 1_000 })));
    const planted = new Map(products.map((productId, index) => [productId, index % 3 === 0 ? 0 : 500 + index]));
    await plant(
      `UPDATE stock_levels SET quantity = quantity + wrong.units
       FROM unnest($2::uuid[], $3::int[]) AS wrong (product, units) WHERE tenant_id = $1 AND product_id = wrong.product`,
      [...planted.keys()],
      [...planted.values()],
    );

    const ended = new AbortController();
    let [pushes, reads] = [0, 0];
    const pushing = [0, 1].map(async (till) => {
      for (let turn = 0; !ended.signal.aborted; turn += 1) {
        const sold = Array.from(
          { length: 20 },
          (_, line) => products[(turn * 37 + line * 41 + till * 13) % products.length],
        );
        await push(
          sold.map((product_id) => operation({ product_id: product_id ?? '', operation: 'DECREMENT', reason: 'SALE' })),
        );
        pushes += 1;
      }
    });
    const mended = new Set<string>(); // as the reader saw it
    const reading = (async () => {
      while (!ended.signal.aborted) {
        // Level and log of one instant: what the level is off by.
        const rows = await ledger.database.snapshot(tenantId, (tx) =>
          tx.manager.query<{ product_id: string; off: number }[]>(
            `SELECT product_id, quantity - (SELECT sum(effect) FROM stock_events e
               WHERE e.tenant_id = $1 AND e.product_id = l.product_id)::int AS off
             FROM stock_levels l WHERE tenant_id = $1`,
            [tenantId],
          ),
        );
        expect(rows).toHaveLength(900);
        const wrong = rows.filter(({ off }) => off !== 0);
        for (const { product_id, off } of wrong) expect(off).toBe(planted.get(product_id));
        for (const { product_id } of wrong) expect(mended).not.toContain(product_id); // never back
        for (const { product_id, off } of rows) if (off === 0) mended.add(product_id);
        reads += 1;
      }
    })();
    const everyone = Promise.all([...pushing, reading]);
    await eventually('the shop is busy', () => pushes > 3 && reads > 1);
    const { products: seen, repaired } = await rebuilds.rebuild(aPerson(tenantId));
    const { repaired: again } = await rebuilds.rebuild(aPerson(tenantId));
    ended.abort();
    await everyone;
    expect({ seen, repaired, again }).toEqual({ seen: 900, repaired: 600, again: 0 });
    expect(mended.size).toBe(900);
    expect((await differences()).filter(({ kind }) => kind.startsWith('LEVEL'))).toEqual([]);
  });
});
