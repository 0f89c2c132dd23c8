import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { LongReads } from '../../src/database/long-reads.js';
import { lapse } from '../../src/inventory/domain/lapse.js';
import type { Difference } from '../../src/inventory/domain/verification.js';
import { LedgerAuditRepository } from '../../src/inventory/persistence/ledger-audit.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { VerificationService } from '../../src/inventory/verification.service.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { tamper } from '../support/tampering.js';

describe('the verification of a ledger', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let verifications: VerificationService;
  let tenantId: string;
  let deviceId: string;
  const productId = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl);
    ledger = new TestLedger(source);
    const audits = new LedgerAuditRepository();
    verifications = new VerificationService(ledger.database, new LongReads(4), new TenantClockRepository(), audits);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  /** A tenant with a log that has something of everything. */
  beforeEach(async () => {
    ({ tenantId, deviceId } = await ledger.addTenant());
    const reservation = operation({ operation: 'DECREMENT', reason: 'RESERVATION', delta: 2 });
    const lapsing = operation({
      ...{ operation: 'DECREMENT', reason: 'RESERVATION', delta: 4 },
      expires_at: '2026-03-01T10:00:00.120Z',
    });
    await push([
      operation({ delta: 20, amount: 0.1, created_at: '0001-01-01T00:00:00Z', location_lat: -33.437812345678 }),
      reservation,
      lapsing,
      operation({
        operation: 'DECREMENT',
        reason: 'SALE',
        delta: 3,
        ref_operation_id: reservation.operation_id ?? null,
      }),
      operation({ operation: 'SET', reason: 'COUNT', delta: 11, created_at: '2026-03-01T09:30:00.5Z' }),
      operation({
        ...{ product_id: randomUUID(), operation: 'DECREMENT', reason: 'SALE', payment_status: 'PAID' },
        created_at: '9999-12-31T23:59:59.997Z', // in microseconds it is beyond what a double tells apart
      }),
    ]);
    await letLapse(lapsing.operation_id ?? '');
    await push([
      operation({ operation: 'INCREMENT', reason: 'CANCEL', delta: 4, ref_operation_id: lapsing.operation_id ?? null }),
    ]);
    await ledger.push(tenantId, deviceId, {
      products: [{ id: randomUUID(), name: 'Miel', current_stock: 5, lamport_ts: 9 }],
    });
  });

  function operation(fields: Partial<Parameters<typeof anOperation>[0]>): ReturnType<typeof anOperation> {
    return anOperation({ tenant_id: tenantId, device_id: deviceId, product_id: productId, ...fields });
  }

  async function push(operations: ReturnType<typeof anOperation>[]): Promise<void> {
    const { outcomes } = await ledger.push(tenantId, deviceId, operations);
    expect(outcomes.map(({ status }) => status)).toEqual(operations.map(() => 'accepted'));
  }

  /** As the worker does when the reservation's time has come. */
  async function letLapse(reservationId: string): Promise<void> {
    const [clocks, events, levels] = [
      new TenantClockRepository(),
      new StockEventRepository(),
      new StockLevelRepository(),
    ];
    await ledger.database.transaction(tenantId, async (tx) => {
      const clock = await clocks.lock(tx);
      const due = [...(await events.referenced(tx, [reservationId])).values()];
      const lapsed = lapse(tenantId, clock, due, await levels.levelsOf(tx, [productId]));
      await events.append(tx, lapsed.events, new Date(clock.recordedAt));
      await levels.save(tx, lapsed.levels);
      await clocks.advance(tx, lapsed.clock);
    });
  }

  async function verify(ofTenant = tenantId): Promise<{ events: number; found: Difference[] }> {
    const found: Difference[] = [];
    const { events } = await verifications.verify(ofTenant, (differences) => {
      found.push(...differences);
      return Promise.resolve();
    });
    return { events, found };
  }

  it('finds nothing in what the service wrote', async () => {
    expect(await verify()).toEqual({ events: 9, found: [] });
  });

  it('finds nothing where nothing was ever pushed', async () => {
    const { tenantId: fresh } = await ledger.addTenant();
    expect(await verify(fresh)).toEqual({ events: 0, found: [] });
  });

  it.each([
    ['delta = delta + 1', 'contentHash'],
    ["created_at = created_at + interval '1 microsecond'", 'contentHash'],
    ["created_at = 'infinity'", 'contentHash'],
    ["expires_at = '-infinity'", 'contentHash'],
    ["amount = 'NaN'", 'contentHash'],
    ["location_lng = 'Infinity'", 'contentHash'],
    ['version = 9223372036854775807', 'contentHash'],
    ['created_by = gen_random_uuid()', 'contentHash'],
    ["reason = 'ADJUSTMENT'", 'contentHash'],
    ['effect = 9223372036854775807', 'effect'],
    ['stock_after = stock_after + 1', 'stockAfter'],
    ['content_hash = sha256(content_hash)', 'contentHash'],
    ['chain_hash = sha256(chain_hash)', 'chainHash'],
    ["synced_at = '-infinity'", 'syncedAt'],
  ] as const)('names exactly the event that was changed by force: %s', async (change, field) => {
    const operationId = await tamper(database, tenantId, change, 'ORDER BY lamport_ts OFFSET 4 LIMIT 1');
    const { found } = await verify();
    expect(found).toEqual([expect.objectContaining({ operationId, field, lamport: 6, productId })]);
  });

  it('names a time before 1 AD that was after it, and an amount and a place to the last digit', async () => {
    for (const change of [
      `created_at = '0001-01-01 00:00:00+00 BC'`,
      'amount = 0.11',
      `location_lat = location_lat + 7e-15`,
    ]) {
      const operationId = await tamper(database, tenantId, change, 'ORDER BY lamport_ts LIMIT 1');
      expect((await verify()).found).toEqual([expect.objectContaining({ kind: 'CONTENT', operationId })]);
    }
  });

  it('names where an event was deleted', async () => {
    const gone = await tamper(database, tenantId, 'DELETE', 'ORDER BY lamport_ts OFFSET 5 LIMIT 1'); // the only one of its product
    const { events, found } = await verify();
    expect(events).toBe(8);
    expect(found).toEqual([
      expect.objectContaining({ kind: 'CHAIN', lamport: 8 }),
      expect.objectContaining({ kind: 'LEVEL_SURPLUS', expected: null, found: -1 }),
    ]);
    expect(found.map(({ operationId }) => operationId)).not.toContain(gone);
  });

  it.each([
    ['quantity = quantity - 1', 'LEVEL', 'quantity'],
    ['tracked = NOT tracked', 'LEVEL', 'tracked'],
    ['last_lamport = last_lamport - 1', 'LEVEL', 'lastLamport'],
  ])('names the level that was changed: %s', async (change, kind, field) => {
    await queryOnce(
      database.superuserUrl,
      `UPDATE stock_levels SET ${change} WHERE tenant_id = $1 AND product_id = $2`,
      [tenantId, productId],
    );
    expect((await verify()).found).toEqual([expect.objectContaining({ kind, field, productId, operationId: null })]);
  });

  it('names a level that is gone', async () => {
    await queryOnce(database.superuserUrl, `DELETE FROM stock_levels WHERE tenant_id = $1 AND product_id = $2`, [
      tenantId,
      productId,
    ]);
    expect((await verify()).found).toEqual([
      expect.objectContaining({ kind: 'LEVEL_MISSING', productId, expected: 15 }),
    ]);
  });

  it.each([
    ['lamport = 2', 'lamport'],
    ['chain_hash = sha256(chain_hash)', 'chainHash'],
    [`recorded_at = recorded_at - interval '1 hour'`, 'recordedAt'],
  ])('names the clock that was changed: %s', async (change, field) => {
    await queryOnce(database.superuserUrl, `UPDATE tenant_clocks SET ${change} WHERE tenant_id = $1`, [tenantId]);
    expect((await verify()).found).toEqual([expect.objectContaining({ kind: 'CLOCK', field })]);
  });

  it('sees nothing of another tenant’s differences', async () => {
    await tamper(database, tenantId, 'effect = effect + 1', 'LIMIT 1');
    const { tenantId: other } = await ledger.addTenant();
    expect(await verify(other)).toEqual({ events: 0, found: [] });
  });

  it('reads one instant while pushes go on', async () => {
    const ended = new AbortController();
    const pushing = (async () => {
      while (!ended.signal.aborted)
        await push([operation({ delta: 1 }), operation({ product_id: randomUUID(), delta: 1 })]);
    })();
    try {
      for (let run = 0; run < 15; run += 1) expect((await verify()).found).toEqual([]);
    } finally {
      ended.abort();
      await pushing;
    }
    expect((await verify()).events).toBeGreaterThan(2);
  });

  it('ends its transaction when it is told to stop', async () => {
    const gone = new Error('nobody listens');
    await expect(verifications.verify(tenantId, () => Promise.reject(gone))).rejects.toBe(gone);
    await withClient(database.superuserUrl, async (client) => {
      const { rows } = await client.query(
        `SELECT state FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
      );
      expect(rows).toEqual([]);
    });
  });
});
