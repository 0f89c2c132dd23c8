import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { SERVER_ID } from '../../src/inventory/domain/stock-event.js';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, newProducts, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { hasRedis, startRedis } from '../support/redis.js';
import { createTenant, type RunningService, startService } from '../support/service.js';

const inMs = (delay: number): string => new Date(Date.now() + delay).toISOString();

describe('reservations', () => {
  let database: TestDatabase;
  let service: RunningService;
  let till: TestDevice;
  let product: string;
  const running: RunningService[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    [product = ''] = newProducts(1);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.stop()));
    await database.drop();
  });

  async function start(variables: Record<string, string> = {}): Promise<RunningService> {
    const one = await startService({ DATABASE_URL: database.appUrl, ...variables });
    running.push(one);
    return one;
  }
  /** A service, and a till that has received ten units. */
  async function startShop(variables: Record<string, string> = {}): Promise<void> {
    service = await start(variables);
    till = await TestDevice.enrol(await createTenant(service));
    await accepted(till.restock(product, 10));
  }
  const reserve = (units: number, expiresAt: string): OperationDto =>
    till.operation({
      ...{ product_id: product, operation: 'DECREMENT', reason: 'RESERVATION', delta: units },
      expires_at: expiresAt,
    });
  const naming = (operation: OperationDto): Partial<OperationDto> => ({
    ref_operation_id: operation.operation_id ?? null,
  });
  const confirm = (reserved: OperationDto, units = reserved.delta): OperationDto =>
    till.sale(product, units, naming(reserved));
  const cancel = (taken: OperationDto, units = taken.delta): OperationDto =>
    till.operation({ product_id: product, delta: units, reason: 'CANCEL', ...naming(taken) });

  async function push(...operations: OperationDto[]): Promise<PushResultDto[]> {
    const answer = await till.push(service, operations);
    expect(answer.status).toBe(200);
    return answer.body.results as PushResultDto[];
  }
  async function accepted(...operations: OperationDto[]): Promise<void> {
    expect((await push(...operations)).map((result) => result.status)).toEqual(operations.map(() => 'accepted'));
  }
  const stock = (): Promise<number> => till.stockOf(service, product);
  const stockBecomes = (units: number): Promise<boolean> =>
    eventually(`stock of ${units}`, async () => (await stock()) === units);
  /** The whole log as a new device receives it, its sums and hashes checked (I1). */
  async function log(): Promise<StockEventDto[]> {
    const events = await pullAll(service, till.token);
    replay(events);
    expectChain(till.tenantId, events);
    return events;
  }
  const effectOf = (events: StockEventDto[], { operation_id: id }: OperationDto): number | undefined =>
    events.find((event) => event.operation_id === id)?.effect;
  const voids = async (): Promise<StockEventDto[]> => (await log()).filter((event) => event.operation === 'VOID');
  const agendaIsEmpty = (): Promise<boolean> =>
    eventually('all deadlines are over', async () => {
      return (await queryOnce(database.superuserUrl, 'SELECT FROM reservation_deadlines')).length === 0;
    });

  it('give their stock back by themselves when their time has come, and every device is told', async () => {
    await startShop();
    const reserved = reserve(4, inMs(2_000));
    await accepted(reserved);
    expect(await stock()).toBe(6);
    expect(await voids()).toEqual([]);
    await stockBecomes(10);
    const [lapse, ...more] = await voids();
    expect(more).toEqual([]);
    expect(lapse).toMatchObject({
      ...{ operation: 'VOID', device_type: 'SERVER', device_id: SERVER_ID, created_by: SERVER_ID },
      ...{ product_id: product, reason: 'RESERVATION', ref_operation_id: reserved.operation_id },
      ...{ delta: 4, effect: 4, stock_after: 10, disposition: 'APPLIED' },
    });
    expect(lapse?.client_lamport).toBe(lapse?.lamport_ts);
    const lateMs = Date.parse(lapse?.synced_at ?? '') - Date.parse(reserved.expires_at ?? '');
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(5_000); // its own job was there, not the sweep
  });

  it('are confirmed before that in one step, and do not lapse', async () => {
    await startShop();
    const [whole, less, more] = [reserve(3, inMs(1_000)), reserve(3, inMs(1_000)), reserve(3, inMs(1_000))];
    await accepted(whole, less, more);
    const sales = [confirm(whole), confirm(less, 1), confirm(more, 4)];
    await accepted(...sales);
    const events = await log();
    expect(sales.map((sale) => effectOf(events, sale))).toEqual([0, 2, -1]);
    expect(await stock()).toBe(2);
    const [refused] = await push(till.sale(product, 3));
    expect(refused).toMatchObject({ status: 'rejected', code: 'INSUFFICIENT_STOCK', suggestion: { available: 2 } });
    await agendaIsEmpty();
    expect(await voids()).toEqual([]);
    expect(await stock()).toBe(2);
  });

  it('are cancelled, as sales are, whole or in part, and never beyond what they took', async () => {
    await startShop();
    const [reserved, sold] = [reserve(4, inMs(3_600_000)), till.sale(product, 4)];
    await accepted(reserved, sold);
    expect(await stock()).toBe(2);
    await accepted(cancel(reserved, 1), cancel(sold, 3));
    expect(await stock()).toBe(6);
    const [tooMuch, tooMuchToo] = await push(cancel(reserved, 4), cancel(sold, 2));
    expect(tooMuch).toMatchObject({ status: 'rejected', code: 'QUANTITY_OUT_OF_RANGE', suggestion: { available: 3 } });
    expect(tooMuchToo).toMatchObject({ status: 'rejected', suggestion: { available: 1 } });
    await accepted(cancel(reserved, 3), cancel(sold, 1));
    expect(await stock()).toBe(10);
    expect(await push(cancel(reserved, 1))).toMatchObject([{ status: 'rejected', suggestion: { available: 0 } }]);
    await log();
  });

  it('lapse by what was not cancelled, and are cancelled in vain after that', async () => {
    await startShop();
    const reserved = reserve(4, inMs(1_500));
    await accepted(reserved, cancel(reserved, 1));
    expect(await stock()).toBe(7);
    await stockBecomes(10);
    expect(await voids()).toMatchObject([{ delta: 3, effect: 3 }]);
    const late = cancel(reserved, 3);
    await accepted(late);
    expect(effectOf(await log(), late)).toBe(0);
    expect(await stock()).toBe(10);
  });

  it('are ordinary sales when they are confirmed too late, and the conflict log says so', async () => {
    await startShop();
    const reserved = reserve(8, inMs(-1_000));
    await accepted(reserved);
    await stockBecomes(10);
    const sale = confirm(reserved);
    const [result] = await push(sale);
    expect(result).toMatchObject({ status: 'accepted', conflict_id: expect.any(String) });
    expect(effectOf(await log(), sale)).toBe(-8);
    expect(await push(confirm(reserved))).toMatchObject([
      { status: 'rejected', code: 'INSUFFICIENT_STOCK', suggestion: { available: 2 } },
    ]);
  });

  it('that had expired when they were pushed are held until the server says otherwise', async () => {
    await startShop({ ROLE: 'api' });
    const reserved = reserve(4, inMs(-86_400_000));
    await accepted(reserved);
    expect(await stock()).toBe(6);
    const sale = confirm(reserved); // nobody voided it, so it is open
    await accepted(sale);
    expect(effectOf(await log(), sale)).toBe(0);
  });

  it('are named by what is of another product, or not there, to no avail', async () => {
    await startShop();
    const reserved = reserve(1, inMs(60_000));
    await accepted(reserved);
    const stranger = till.sale(product, 1, { ref_operation_id: randomUUID() });
    const elsewhere = till.operation({ product_id: newProducts(1)[0] ?? '', reason: 'CANCEL', ...naming(reserved) });
    const refusals = await push(stranger, elsewhere);
    expect(refusals.map(({ code }) => code)).toEqual(['UNKNOWN_REFERENCE', 'UNKNOWN_REFERENCE']);
    expect(await stock()).toBe(9);
  });

  it('lapse once, though two processes work and one dies of it', async () => {
    await startShop();
    const [other, doomed] = [await start(), await start({ ROLE: 'worker' })];
    const at = inMs(2_000);
    const reserved = Array.from({ length: 9 }, () => reserve(1, at));
    await accepted(...reserved);
    await sleep(Date.parse(at) - Date.now());
    running.splice(running.indexOf(doomed), 1);
    await doomed.kill();
    await stockBecomes(10);
    await agendaIsEmpty();
    const lapses = await voids();
    expect(lapses.map((lapse) => lapse.ref_operation_id).sort()).toEqual(
      reserved.map((one) => one.operation_id).sort(),
    );
    expect(await till.stockOf(other, product)).toBe(10);
  });

  it('lapse in a worker process of its own, for an API process that has none', async () => {
    await startShop({ ROLE: 'api' });
    await start({ ROLE: 'worker' });
    await accepted(reserve(4, inMs(1_500)));
    expect(await stock()).toBe(6);
    await stockBecomes(10);
    expect(await voids()).toHaveLength(1);
  });

  it('lapse though their jobs are lost: the sweep finds them', async () => {
    await startShop({ ROLE: 'api' });
    await accepted(reserve(4, inMs(500)));
    await eventually('its job is there, and gone', async () => {
      const lost = await queryOnce(database.superuserUrl, `DELETE FROM bullmq.job WHERE name = 'expire' RETURNING id`);
      return lost.length > 0;
    });
    await sleep(500);
    await start({ ROLE: 'worker' });
    await stockBecomes(10);
    expect(await queryOnce(database.superuserUrl, `SELECT FROM bullmq.job WHERE name = 'expire'`)).toEqual([]);
  });

  describe('with the queue on Redis', () => {
    const withRedis = hasRedis ? it : it.skip;

    withRedis('lapse in time', async () => {
      const redis = await startRedis();
      try {
        await startShop({ ROLE: 'api', REDIS_URL: redis.url });
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        const reserved = reserve(4, inMs(1_500));
        await accepted(reserved);
        await stockBecomes(10);
        expect(await voids()).toHaveLength(1);
      } finally {
        for (const one of running.splice(0)) await one.stop();
        await redis.stop();
      }
    });

    withRedis('are taken while it is away, and the sweep makes up for that', async () => {
      const redis = await startRedis();
      try {
        await startShop({ ROLE: 'api', REDIS_URL: 'redis://127.0.0.1:1' });
        const began = Date.now();
        await accepted(reserve(4, inMs(-1)));
        expect(Date.now() - began).toBeLessThan(2_000);
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        await stockBecomes(10);
      } finally {
        for (const one of running.splice(0)) await one.kill(); // asked to stop, it would wait for its queue
        await redis.stop();
      }
    });

    withRedis('are swept for also after it has come back with nothing in it', async () => {
      const redis = await startRedis();
      const client = new Redis(redis.url);
      try {
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        const isScheduled = (): Promise<boolean> =>
          eventually('the sweep is scheduled', async () => (await client.exists('bull:reservations:repeat')) === 1);
        await isScheduled();
        await client.flushall();
        expect(await client.exists('bull:reservations:repeat')).toBe(0);
        await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await isScheduled();
      } finally {
        client.disconnect();
        for (const one of running.splice(0)) await one.stop();
        await redis.stop();
      }
    });
  });
});
