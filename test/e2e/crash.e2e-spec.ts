import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { createTestDatabase, isLockWaited, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { expectChain, newProducts, pull, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { createTenant, request, type RunningService, startService } from '../support/service.js';

const DEVICES = 4;
const BATCHES = 30;
const BATCH = 20;

describe('a service that dies', () => {
  let database: TestDatabase;
  let service: RunningService;

  const start = (): Promise<RunningService> => startService({ DATABASE_URL: database.appUrl });
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => service.stop());
  afterAll(() => database.drop());

  it('leaves each of its pushes whole or not there, and the next one records the rest once (I2, I3)', async () => {
    service = await start();
    const tenant = await createTenant(service);
    const products = newProducts(3);
    const devices = await Promise.all(Array.from({ length: DEVICES }, () => TestDevice.enrol(tenant)));
    const outboxes = devices.map((device) => ({
      device,
      batches: Array.from({ length: BATCHES }, (_, index) =>
        Array.from({ length: BATCH }, () => device.restock(products[index % 3] ?? '', 2)),
      ),
    }));
    const acknowledged = new Set<string>();
    const results = new Map<string, string[]>();
    /** Pushes until the service no longer answers. */
    const pushAll = async (device: TestDevice, batches: OperationDto[][]): Promise<void> => {
      for (const batch of batches) {
        const answer = await device.push(service, batch).catch(() => undefined);
        if (answer === undefined) return;
        expect(answer.status).toBe(200);
        for (const { operation_id: id, status } of answer.body.results as PushResultDto[]) {
          acknowledged.add(id ?? '');
          results.set(id ?? '', [...(results.get(id ?? '') ?? []), status]);
        }
      }
    };

    for (const crash of [1, 2]) {
      const pushing = outboxes.map(({ device, batches }) => pushAll(device, batches));
      const enough = crash * 400;
      await eventually(`${enough} acknowledged operations`, () => acknowledged.size >= enough);
      await service.kill();
      await Promise.all(pushing);
      expect(acknowledged.size).toBeLessThan(DEVICES * BATCHES * BATCH); // else it died too late to tell anything
      service = await start();
      const log = await pullAll(service, devices[0]?.token ?? '');
      const recorded = new Set(log.map((event) => event.operation_id));
      expect([...acknowledged].filter((id) => !recorded.has(id))).toEqual([]);
      for (const batch of outboxes.flatMap((outbox) => outbox.batches)) {
        const there = batch.filter((operation) => recorded.has(operation.operation_id ?? ''));
        expect([0, batch.length]).toContain(there.length);
      }
    }
    await Promise.all(outboxes.map(({ device, batches }) => pushAll(device, batches)));

    const everything = outboxes.flatMap((outbox) =>
      outbox.batches.flat().map((operation) => operation.operation_id ?? ''),
    );
    for (const id of everything) {
      const seen = results.get(id) ?? [];
      expect(seen.length).toBeGreaterThan(0);
      expect(seen.filter((status) => status === 'accepted').length).toBeLessThanOrEqual(1);
      expect(seen.every((status, index) => status === 'duplicate' || (status === 'accepted' && index === 0))).toBe(
        true,
      );
    }
    const log = await pullAll(service, devices[0]?.token ?? '');
    expect(log.map((event) => event.operation_id).sort()).toEqual(everything.sort());
    expectChain(tenant.id, log);
    const stock = replay(log);
    expect([...stock.values()].reduce((sum, units) => sum + units)).toBe(DEVICES * BATCHES * BATCH * 2);
    for (const [product, units] of stock) expect(await devices[0]?.stockOf(service, product)).toBe(units);
  });

  it('leaves no trace of a push that it had half written', async () => {
    service = await start();
    const device = await TestDevice.enrol(await createTenant(service));
    await device.push(service, [device.operation()]);
    const batch = [device.operation(), device.operation()];
    await withClient(database.superuserUrl, async (blocker) => {
      // Events can be appended, levels can be read but not written: the push stands still between the two.
      await blocker.query('BEGIN; LOCK TABLE stock_levels IN EXCLUSIVE MODE');
      const push = device.push(service, batch).catch(() => undefined);
      await eventually('the push waits for the lock', () => isLockWaited(database.superuserUrl));
      await service.kill();
      expect(await push).toBeUndefined();
      await blocker.query('ROLLBACK');
    });
    service = await start();
    expect(await pullAll(service, device.token)).toHaveLength(1);
    const retry = await device.push(service, batch);
    expect(retry.body.results).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    const again = await device.push(service, batch);
    expect(again.body.results).toMatchObject([{ status: 'duplicate' }, { status: 'duplicate' }]);
  });

  it('answers those it has begun with when it is asked to stop', async () => {
    service = await start();
    const device = await TestDevice.enrol(await createTenant(service));
    const pushes = Array.from({ length: 5 }, () =>
      device.push(
        service,
        Array.from({ length: 200 }, () => device.operation()),
      ),
    );
    await eventually('the first push has begun', async () => (await pullAll(service, device.token)).length > 0);
    const askedAt = Date.now();
    const stopped = service.stop();
    const answers = await Promise.allSettled(pushes);
    expect(await stopped).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(5_000); // clients that keep their connections open don't hold it up
    const done = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 200).length;
    service = await start();
    // What was answered is recorded. One that came too late may have been refused, but not half recorded.
    const recorded = (await pullAll(service, device.token)).length;
    expect(recorded % 200).toBe(0);
    expect(recorded / 200).toBeGreaterThanOrEqual(done);
    expect(done).toBeGreaterThanOrEqual(1);
  });
});

describe('a database in trouble', () => {
  let database: TestDatabase;
  let service: RunningService;
  let device: TestDevice;
  let neighbour: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    device = await TestDevice.enrol(await createTenant(service));
    neighbour = await TestDevice.enrol(await createTenant(service));
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('lets a stuck client hold a tenant’s clock for seconds only, and no other tenant at all', async () => {
    await device.push(service, [device.operation()]);
    const operation = device.operation();
    await withClient(database.superuserUrl, async (stuck) => {
      await stuck.query('BEGIN');
      await stuck.query('SELECT FROM tenant_clocks WHERE tenant_id = $1 FOR UPDATE', [device.tenantId]);
      const startedAt = Date.now();
      const waiting = device.push(service, [operation]);
      await eventually('the push waits for the clock', () => isLockWaited(database.superuserUrl));
      expect(await neighbour.push(service, [neighbour.operation()])).toMatchObject({ status: 200 });
      expect((await pull(service, device.token, 0)).body.operations).toHaveLength(1);
      expect(Date.now() - startedAt).toBeLessThan(4_000); // neither of them waited
      const refused = await waiting;
      expectProblem(refused, 'UNAVAILABLE');
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      await stuck.query('ROLLBACK');
    });
    expect((await device.push(service, [operation])).body.results).toMatchObject([{ status: 'accepted' }]);
  });

  it('that cuts every connection is met with the next push recorded, or put off, and never lost', async () => {
    const operation = device.operation();
    await queryOnce(
      database.superuserUrl,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    const recorded = await eventually('the push is recorded', async () => {
      const answer = await device.push(service, [operation]);
      if (answer.status !== 200) expectProblem(answer, 'UNAVAILABLE');
      return answer.status === 200 && answer;
    });
    expect(recorded.body.results).toMatchObject([{ status: 'accepted' }]);
    await eventually('it is ready again', async () => (await request(`${service.url}/health/ready`)).status === 200);
  });

  it('that is away makes the service unready, but leaves it alive', async () => {
    await database.drop();
    const ready = await eventually('it notices', async () => {
      const answer = await request(`${service.url}/health/ready`);
      return answer.status !== 200 && answer;
    });
    expectProblem(ready, 'UNAVAILABLE');
    expect(ready.body.checks).toMatchObject({ database: { status: 'down' } });
    expect(await request(`${service.url}/health/live`)).toMatchObject({ status: 200 });
    database = await createTestDatabase(); // for afterAll to drop
  });
});
