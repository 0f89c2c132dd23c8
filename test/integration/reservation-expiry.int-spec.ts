import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Queue, Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { serverEventId } from '../../src/inventory/domain/server-event.js';
import { INT4_MAX } from '../../src/inventory/domain/operation.js';
import {
  afterUse,
  isReservation,
  type ReferencedOperation,
  remainingOf,
} from '../../src/inventory/domain/reference.js';
import { SERVER_ID } from '../../src/inventory/domain/stock-event.js';
import { ReservationDeadlineRepository } from '../../src/inventory/persistence/reservation-deadline.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { ReservationExpiryService } from '../../src/inventory/reservation-expiry.service.js';
import { toStockEventWire } from '../../src/inventory/stock-event.wire.js';
import { ReservationExpiryWorker } from '../../src/inventory/workers/reservation-expiry.worker.js';
import { queueOptions } from '../../src/queue/queue.module.js';
import { EXPIRE_JOB, RESERVATION_QUEUE } from '../../src/queue/queue.names.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { expectChain, newProducts, replay } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { TestLedger } from '../support/ledger.js';

const MINUTE = 60_000;
const IN_A_MINUTE = new Date(Date.now() + MINUTE).toISOString();
const LATER = new Date(Date.now() + 10 * MINUTE);

describe('reservations', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let tenantId: string;
  let deviceId: string;
  let expiry: ReservationExpiryService;
  const announced: [tenantId: string, lamport: number][] = [];
  const events = new StockEventRepository();
  const deadlines = new ReservationDeadlineRepository();

  beforeAll(async () => {
    Logger.overrideLogger(false); // one test is about what is logged as an error
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl);
    ledger = new TestLedger(source);
    const signals: Pick<TenantSignals, 'announce'> = {
      announce: (...announcement) => void announced.push(announcement),
    };
    expiry = new ReservationExpiryService(
      ledger.database,
      new TenantRepository(),
      new TenantClockRepository(),
      events,
      new StockLevelRepository(),
      deadlines,
      signals as TenantSignals,
    );
  });
  beforeEach(async () => {
    ({ tenantId, deviceId } = await ledger.addTenant());
    announced.length = 0;
  });
  afterEach(expectSoundLog);
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const operation = (fields: Partial<OperationDto>): OperationDto =>
    anOperation({ tenant_id: tenantId, device_id: deviceId, ...fields });
  const restock = (product: string, units: number): OperationDto => operation({ product_id: product, delta: units });
  const reserve = (product: string, units: number, fields: Partial<OperationDto> = {}): OperationDto =>
    operation({
      ...{ product_id: product, operation: 'DECREMENT', reason: 'RESERVATION', delta: units },
      ...{ expires_at: IN_A_MINUTE, ...fields },
    });
  const confirm = (reserved: OperationDto, units = reserved.delta, fields: Partial<OperationDto> = {}): OperationDto =>
    operation({
      ...{ product_id: reserved.product_id, operation: 'DECREMENT', reason: 'SALE', delta: units },
      ...{ ref_operation_id: reserved.operation_id ?? null, ...fields },
    });
  const cancel = (reserved: OperationDto, units = reserved.delta): OperationDto =>
    operation({
      ...{ product_id: reserved.product_id, operation: 'INCREMENT', reason: 'CANCEL', delta: units },
      ref_operation_id: reserved.operation_id ?? null,
    });

  /** A receipt that names what it comes from, and cancels nothing. */
  const returnOf = (named: OperationDto, units: number): OperationDto => ({
    ...cancel(named, units),
    reason: 'RESTOCK',
  });

  /** Pushes one after another. @returns whether each was accepted. */
  async function push(...operations: OperationDto[]): Promise<boolean[]> {
    const { outcomes } = await ledger.push(tenantId, deviceId, operations);
    return outcomes.map((outcome) => outcome.status === 'accepted');
  }
  async function pushAccepted(...operations: OperationDto[]): Promise<void> {
    expect(await push(...operations)).toEqual(operations.map(() => true));
  }
  async function stockOf(product: string): Promise<number | undefined> {
    const [row] = await queryOnce<{ quantity: number }>(
      database.superuserUrl,
      'SELECT quantity FROM stock_levels WHERE tenant_id = $1 AND product_id = $2',
      [tenantId, product],
    );
    return row?.quantity;
  }
  const voidsOf = (reserved: OperationDto): Promise<Record<string, unknown>[]> =>
    queryOnce(database.superuserUrl, `SELECT * FROM stock_events WHERE operation = 'VOID' AND ref_operation_id = $1`, [
      reserved.operation_id,
    ]);
  const openDeadlines = (): Promise<unknown[]> =>
    queryOnce(database.superuserUrl, 'SELECT * FROM reservation_deadlines WHERE tenant_id = $1', [tenantId]);
  const referenced = (...operations: OperationDto[]): Promise<Map<string, ReferencedOperation>> =>
    ledger.database.transaction(tenantId, (tx) =>
      events.referenced(
        tx,
        operations.map((reserved) => reserved.operation_id ?? ''),
      ),
    );

  /** Whatever was done: its sums and hashes are right, and the projection says the same (I1). */
  async function expectSoundLog(): Promise<void> {
    const log = [];
    for (let cursor = 0; ;) {
      const page = await ledger.pull(tenantId, deviceId, cursor);
      log.push(...page.events.map(toStockEventWire));
      cursor = page.nextLamport;
      if (!page.hasMore) break;
    }
    expectChain(tenantId, log);
    for (const [product, units] of replay(log)) expect(await stockOf(product)).toBe(units);
  }

  describe('as the log tells of them', () => {
    it('are what the pushes in between have made of them, one by one', async () => {
      const uses = fc.oneof(
        fc.record({ use: fc.constant('cancel' as const), units: fc.integer({ min: 1, max: 4 }) }),
        fc.record({ use: fc.constant('restock' as const), units: fc.integer({ min: 1, max: 4 }) }),
        fc.record({ use: fc.constant('confirm' as const), units: fc.integer({ min: 1, max: 7 }) }),
        fc.constant({ use: 'lapse' as const, units: 0 }),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom('RESERVATION' as const, 'SALE' as const),
          fc.array(uses),
          async (reason, steps) => {
            const [product = ''] = newProducts(1);
            const named = reserve(product, 5, { reason });
            await pushAccepted(restock(product, 12), named);
            let expected = (await referenced(named)).get(named.operation_id ?? '');
            expect(expected).toMatchObject({ kind: 'DECREMENT', reason, delta: 5, cancelled: 0, closedBy: null });
            for (const { use, units } of steps) {
              if (!expected) throw new Error('It is in the log');
              if (use === 'lapse') {
                await expiry.expireDue(tenantId, LATER);
                if (isReservation(expected) && remainingOf(expected) > 0) expected = { ...expected, closedBy: 'VOID' };
              } else {
                const later = { cancel, confirm, restock: returnOf }[use](named, units);
                const [accepted] = await push(later);
                const said = { kind: later.operation, reason: later.reason, delta: later.delta } as const;
                if (accepted) expected = afterUse(expected, said);
              }
              expect((await referenced(named)).get(named.operation_id ?? '')).toEqual(expected);
            }
          },
        ),
        { numRuns: 25 },
      );
    });

    it('are found many at once, and only the tenant’s own', async () => {
      const [product = ''] = newProducts(1);
      const reserved = Array.from({ length: 3 }, () => reserve(product, 1));
      const [first, second, third] = reserved as [OperationDto, OperationDto, OperationDto];
      await pushAccepted(restock(product, 3), ...reserved, cancel(second), confirm(third));
      const found = await referenced(...reserved, operation({}));
      expect([...found.keys()].sort()).toEqual(reserved.map(({ operation_id: id }) => id ?? '').sort());
      expect(found.get(first.operation_id ?? '')).toMatchObject({ cancelled: 0, closedBy: null });
      expect(found.get(second.operation_id ?? '')).toMatchObject({ cancelled: 1, closedBy: null });
      expect(found.get(third.operation_id ?? '')).toMatchObject({ cancelled: 0, closedBy: 'SALE' });
      const other = await ledger.addTenant();
      const ids = [first.operation_id ?? ''];
      expect(await ledger.database.transaction(other.tenantId, (tx) => events.referenced(tx, ids))).toEqual(new Map());
    });

    it('count as closed by no sale of before the ledger knew of confirmations: their hold was never given back', async () => {
      const [product = ''] = newProducts(1);
      const reserved = reserve(product, 5);
      await pushAccepted(restock(product, 10), reserved);
      // As the first version wrote it: five more taken, beside the five that are held.
      const sale = operation({ product_id: product, operation: 'DECREMENT', reason: 'SALE', delta: 5 });
      await pushAccepted(sale);
      const rewrite = (namedId: string | null): Promise<void> =>
        withClient(database.superuserUrl, async (client) => {
          await client.query('ALTER TABLE stock_events DISABLE TRIGGER immutable');
          await client.query('UPDATE stock_events SET ref_operation_id = $2 WHERE operation_id = $1', [
            sale.operation_id,
            namedId,
          ]);
          await client.query('ALTER TABLE stock_events ENABLE TRIGGER immutable');
        });
      await rewrite(reserved.operation_id ?? null);
      expect((await referenced(reserved)).get(reserved.operation_id ?? '')).toMatchObject({ closedBy: null });
      expect(await expiry.expireDue(tenantId, LATER)).toBe(1);
      expect(await stockOf(product)).toBe(5);
      await rewrite(null); // the log is sound again
    });
  });

  describe('when their time has come', () => {
    it('lapse: the server appends their VOID, and what they held is in stock again', async () => {
      const [product = ''] = newProducts(1);
      const reserved = reserve(product, 3);
      await pushAccepted(restock(product, 10), reserved);
      expect(await expiry.expireDue(tenantId, new Date(Date.parse(IN_A_MINUTE) - 1))).toBe(0);
      expect([await stockOf(product), await voidsOf(reserved)]).toEqual([7, []]);

      const due = new Date(IN_A_MINUTE);
      expect(await expiry.expireDue(tenantId, due)).toBe(1);
      expect(await stockOf(product)).toBe(10);
      const [row] = await voidsOf(reserved);
      expect(row).toMatchObject({
        operation_id: serverEventId(
          { kind: 'VOID', units: 3 },
          { operationId: reserved.operation_id ?? '', kind: 'DECREMENT' },
        ),
        product_id: product,
        device_id: SERVER_ID,
        device_type: 'SERVER',
        created_by: SERVER_ID,
        delta: 3,
        effect: '3',
        stock_after: 10,
        reason: 'RESERVATION',
        disposition: 'APPLIED',
        synced_at: due,
        payment_status: null,
        expires_at: null,
      });
      expect(row?.['client_lamport']).toBe(row?.['lamport_ts']);
      expect(announced).toEqual([[tenantId, Number(row?.['lamport_ts'])]]);
      expect(await openDeadlines()).toEqual([]);
    });

    it('lapse once, however often and from however many processes they are looked for (I2)', async () => {
      const other = await openDataSource(database.appUrl);
      try {
        const again = new ReservationExpiryService(
          new TestLedger(other).database,
          new TenantRepository(),
          new TenantClockRepository(),
          events,
          new StockLevelRepository(),
          deadlines,
          { announce: () => undefined } as unknown as TenantSignals,
        );
        for (let round = 0; round < 10; round += 1) {
          const products = newProducts(3);
          const reserved = products.map((product) => reserve(product, 2));
          await pushAccepted(...products.map((product) => restock(product, 2)), ...reserved);
          const lapsed = await Promise.all([expiry, again, expiry, again].map((one) => one.expireDue(tenantId, LATER)));
          expect(lapsed.reduce((sum, count) => sum + count)).toBe(3);
          for (const product of products) expect(await stockOf(product)).toBe(2);
        }
      } finally {
        await other.destroy();
      }
      expect(await expiry.expireDue(tenantId, LATER)).toBe(0);
    });

    it('give back what is held still: nothing when confirmed or cancelled, the rest when cancelled in part', async () => {
      const [product = ''] = newProducts(1);
      const [confirmed, cancelled, partly] = [reserve(product, 4), reserve(product, 4), reserve(product, 4)];
      await pushAccepted(restock(product, 20), confirmed, cancelled, partly);
      await pushAccepted(confirm(confirmed, 3), cancel(cancelled), cancel(partly, 1));
      expect(await stockOf(product)).toBe(14);
      expect(await expiry.expireDue(tenantId, LATER)).toBe(1);
      expect(await voidsOf(partly)).toMatchObject([{ delta: 3, effect: '3', stock_after: 17 }]);
      expect(await openDeadlines()).toEqual([]);
    });

    it('lapse by the thousand', async () => {
      const [product = ''] = newProducts(1);
      await pushAccepted(restock(product, 2_000));
      for (const count of [900, 301]) await pushAccepted(...Array.from({ length: count }, () => reserve(product, 1)));
      expect(await stockOf(product)).toBe(799);
      expect(await expiry.expireDue(tenantId, LATER)).toBe(1_201);
      expect(await stockOf(product)).toBe(2_000);
      expect(announced).toHaveLength(3);
      expect(await openDeadlines()).toEqual([]);
    });

    it('lapse no sooner than the last entry of the log, though this server’s wall clock is behind', async () => {
      const [product = ''] = newProducts(1);
      const reserved = reserve(product, 1, { expires_at: '2020-01-01T00:00:00.000Z' });
      await pushAccepted(restock(product, 1), reserved);
      const [row] = await queryOnce<{ recorded_at: Date }>(
        database.superuserUrl,
        'SELECT recorded_at FROM tenant_clocks WHERE tenant_id = $1',
        [tenantId],
      );
      expect(await expiry.expireDue(tenantId, new Date('2021-01-01T00:00:00.000Z'))).toBe(1);
      expect(await voidsOf(reserved)).toMatchObject([{ synced_at: row?.recorded_at }]);
    });

    it('lapse though the count of their product fills the range of stock', async () => {
      const [product = ''] = newProducts(1);
      const reserved = reserve(product, 5);
      await pushAccepted(restock(product, 5), reserved);
      await pushAccepted(operation({ product_id: product, operation: 'SET', reason: 'COUNT', delta: INT4_MAX - 2 }));
      expect(await expiry.expireDue(tenantId, LATER)).toBe(1);
      expect(await voidsOf(reserved)).toMatchObject([{ delta: 5, effect: '2', stock_after: INT4_MAX }]);
    });

    it('either lapse or are confirmed, and stock is the same (I1)', async () => {
      const voided: number[] = [];
      for (let round = 0; round < 12; round += 1) {
        const [product = ''] = newProducts(1);
        const reserved = reserve(product, 5);
        await pushAccepted(restock(product, 5), reserved);
        const sale = push(confirm(reserved, 5, { payment_status: 'PAID' }));
        const [lapsed] = await Promise.all([expiry.expireDue(tenantId, LATER), sale]);
        expect(await stockOf(product)).toBe(0);
        expect(await voidsOf(reserved)).toHaveLength(lapsed);
        voided.push(lapsed);
      }
      expect(await openDeadlines()).toEqual([]);
    });
  });

  describe('of all tenants, looked for by the sweep', () => {
    beforeEach(async () => {
      await expiry.expireAllDue(LATER); // what other tests left
      announced.length = 0;
    });

    async function tenantWith(expiresAt: string | null): Promise<{ id: string; stock: () => Promise<unknown> }> {
      const made = await ledger.addTenant();
      const [product = ''] = newProducts(1);
      const own = { tenant_id: made.tenantId, device_id: made.deviceId };
      await ledger.push(made.tenantId, made.deviceId, [
        { ...restock(product, 1), ...own },
        { ...reserve(product, 1, { expires_at: expiresAt }), ...own },
      ]);
      const stock = async (): Promise<unknown> =>
        (
          await queryOnce(database.superuserUrl, 'SELECT quantity FROM stock_levels WHERE product_id = $1', [product])
        )[0]?.['quantity'];
      return { id: made.tenantId, stock };
    }

    it('lapse where they are due', async () => {
      const tenants = [await tenantWith(IN_A_MINUTE), await tenantWith(null), await tenantWith(IN_A_MINUTE)];
      expect(await expiry.expireAllDue(new Date())).toEqual({ lapsed: 0, failures: [] });
      expect(await expiry.expireAllDue(LATER)).toEqual({ lapsed: 2, failures: [] });
      expect(await Promise.all(tenants.map(({ stock }) => stock()))).toEqual([1, 0, 1]);
      expect(announced.map(([id]) => id).sort()).toEqual([tenants[0]?.id, tenants[2]?.id].sort());
      expect(await expiry.expireAllDue(LATER)).toEqual({ lapsed: 0, failures: [] });
    });

    it('do not wait for a tenant whose clock is stuck, nor does one with nothing due', async () => {
      const [idle, stuck, free] = [
        await tenantWith(null),
        await tenantWith(IN_A_MINUTE),
        await tenantWith(IN_A_MINUTE),
      ];
      await withClient(database.superuserUrl, async (client) => {
        await client.query('BEGIN');
        await client.query('SELECT FROM tenant_clocks WHERE tenant_id = ANY($1) FOR UPDATE', [[idle.id, stuck.id]]);
        const { lapsed, failures } = await expiry.expireAllDue(LATER);
        expect(lapsed).toBe(1);
        expect(failures).toMatchObject([{ tenantId: stuck.id, error: { driverError: { code: '55P03' } } }]);
        await client.query('ROLLBACK');
      });
      expect([await stuck.stock(), await free.stock()]).toEqual([0, 1]);
      expect(await expiry.expireAllDue(LATER)).toEqual({ lapsed: 1, failures: [] });
    });

    it('are none of a tenant that is not there', async () => {
      expect(await expiry.expireDue(randomUUID(), LATER)).toBe(0);
    });

    it('wait while the tenant is suspended', async () => {
      const shop = await tenantWith(IN_A_MINUTE);
      const setStatus = (status: string): Promise<unknown> =>
        queryOnce(database.superuserUrl, 'UPDATE tenants SET status = $1 WHERE id = $2', [status, shop.id]);
      await setStatus('SUSPENDED');
      expect(await expiry.expireDue(shop.id, LATER)).toBe(0);
      expect(await expiry.expireAllDue(LATER)).toMatchObject({ failures: [] });
      expect(await shop.stock()).toBe(0);
      await setStatus('ACTIVE');
      expect(await expiry.expireAllDue(LATER)).toMatchObject({ lapsed: 1 });
      expect(await shop.stock()).toBe(1);
    });
  });

  describe('as jobs of a queue', () => {
    it('fail each for itself when they make no sense, and at once', async () => {
      const options = queueOptions({ redisUrl: undefined, databaseUrl: database.appUrl });
      const queue = new Queue(RESERVATION_QUEUE, options);
      const processor = new ReservationExpiryWorker(queue, expiry);
      const worker = new Worker(RESERVATION_QUEUE, (job) => processor.process(job), {
        connection: options.connection,
        concurrency: 4,
      });
      worker.on('error', () => undefined);
      try {
        const [product = ''] = newProducts(1);
        await pushAccepted(restock(product, 1), reserve(product, 1, { expires_at: new Date().toISOString() }));
        const poison = [undefined, null, {}, { tenantId: 7 }, { tenantId: 'nobody' }, { tenantId: null }];
        for (const payload of poison) await queue.add(EXPIRE_JOB, payload);
        await queue.add('dance', { tenantId });
        const nobodys = await queue.add(EXPIRE_JOB, { tenantId: randomUUID() });
        const good = await queue.add(EXPIRE_JOB, { tenantId });
        await eventually('all are done', async () => {
          const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
          return completed + failed === poison.length + 3;
        });
        const failures = await queue.getFailed();
        expect(failures.map((job) => [job.attemptsMade, job.failedReason]).sort()).toEqual(
          [...poison.map(() => [1, 'The job names no tenant']), [1, 'There is no job "dance"']].sort(),
        );
        expect(await queue.getJob(nobodys.id ?? '')).toMatchObject({ returnvalue: { lapsed: 0 } });
        expect(await queue.getJob(good.id ?? '')).toMatchObject({ returnvalue: { lapsed: 1 } });
        expect(await stockOf(product)).toBe(1);
      } finally {
        await worker.close();
        await queue.close();
      }
    });
  });
});
