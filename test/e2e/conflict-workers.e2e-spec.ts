import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { Redis } from 'ioredis';
import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, newProducts, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { hasRedis, startRedis } from '../support/redis.js';
import { createTenant, type RunningService, startService, type TestTenant } from '../support/service.js';

interface ConflictRow {
  readonly id: string;
  readonly a_id: string;
  readonly status: string;
  readonly awaits: string | null;
  readonly resolution_method: string | null;
  readonly decisions: readonly { readonly tier: string; readonly name: string }[];
}

interface JobRow {
  readonly state: string;
  readonly attempts_made: number;
  readonly failed_reason: string | null;
}

describe('conflicts that wait for the heuristics', () => {
  let database: TestDatabase;
  const running: RunningService[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
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

  /** Two tills of a tenant, which reserve and sell more of a product than there is without knowing of each other. */
  class Shop {
    private constructor(
      readonly tenant: TestTenant,
      private readonly first: TestDevice,
      private readonly second: TestDevice,
    ) {}

    static async open(service: RunningService): Promise<Shop> {
      const tenant = await createTenant(service);
      return new Shop(tenant, await TestDevice.enrol(tenant), await TestDevice.enrol(tenant));
    }

    /**
     * @param lamportsLater the more, the surer the heuristics are
     * @returns the sales that are held.
     */
    async oversell(service: RunningService, products: number, lamportsLater = 1_000): Promise<OperationDto[]> {
      const productIds = newProducts(products);
      const restocks = productIds.map((product) => this.first.restock(product, 5));
      const received = await this.results(service, this.first, restocks);
      const base = Math.max(...received.map(({ server_lamport: lamport }) => lamport ?? 0));
      const reservations = productIds.map((product) =>
        this.first.sale(product, 3, { reason: 'RESERVATION', base_lamport: base }),
      );
      await this.results(service, this.first, reservations);
      const sales = productIds.map((product, index) =>
        this.second.sale(product, 3, { base_lamport: base, lamport_ts: base + lamportsLater + index }),
      );
      const results = await this.results(service, this.second, sales);
      expect(results.map(({ status }) => status)).toEqual(sales.map(() => 'conflict'));
      return sales;
    }

    /** Of the log as a new device receives it, its sums and hashes checked (I1): the server's own entries by whom they name. */
    async decided(service: RunningService): Promise<Map<string | null, string[]>> {
      const events = await pullAll(service, this.first.token);
      replay(events);
      expectChain(this.tenant.id, events);
      const decided = new Map<string | null, string[]>();
      for (const { device_type: type, operation, ref_operation_id: named } of events) {
        if (type === 'SERVER') decided.set(named, [...(decided.get(named) ?? []), operation]);
      }
      return decided;
    }

    private async results(
      service: RunningService,
      device: TestDevice,
      operations: OperationDto[],
    ): Promise<PushResultDto[]> {
      const answer = await device.push(service, operations);
      expect(answer.status).toBe(200);
      return answer.body.results as PushResultDto[];
    }
  }

  const conflicts = (): Promise<ConflictRow[]> =>
    queryOnce(database.superuserUrl, 'SELECT * FROM sync_conflicts ORDER BY detected_lamport');
  const waiting = async (): Promise<number> => (await conflicts()).filter((row) => row.awaits === 'HEURISTIC').length;
  /** @returns all conflicts. */
  const nothingWaits = (timeoutMs?: number): Promise<ConflictRow[]> =>
    eventually(
      'nothing waits',
      async () => {
        const rows = await conflicts();
        return rows.length > 0 && rows.every((row) => row.awaits !== 'HEURISTIC') && rows;
      },
      timeoutMs,
    );
  const settleJobs = (): Promise<JobRow[]> =>
    queryOnce(database.superuserUrl, `SELECT * FROM bullmq.job WHERE name = 'settle' ORDER BY id::bigint`);

  /** That one look settled them, each with one entry in the log. */
  function expectSettledOnce(rows: ConflictRow[], decided: ReadonlyMap<string | null, string[]>): void {
    for (const { a_id: held, decisions, ...row } of rows) {
      expect(row).toMatchObject({ status: 'RESOLVED_AUTO', resolution_method: 'HEURISTIC' });
      const asked = decisions.filter(({ tier }) => tier === 'HEURISTIC').map(({ name }) => name);
      expect(asked.length).toBeGreaterThan(0);
      expect(asked).toEqual([...new Set(asked)]);
      expect(decided.get(held)).toHaveLength(1);
    }
  }

  it('are settled right after the push that found them, in the process that took it', async () => {
    const service = await start();
    const shop = await Shop.open(service);
    const [held] = await shop.oversell(service, 1);
    const rows = await nothingWaits(5_000); // by the push's own job: the sweep may be a minute away
    expect(rows).toMatchObject([{ a_id: held?.operation_id }]);
    expectSettledOnce(rows, await shop.decided(service));
  });

  it('are left to people by heuristics that are not sure', async () => {
    const service = await start();
    const shop = await Shop.open(service);
    await shop.oversell(service, 1, 0);
    expect(await nothingWaits()).toMatchObject([{ status: 'PENDING', awaits: 'PERSON' }]);
    expect(await shop.decided(service)).toEqual(new Map());
  });

  it('wait in one job for a worker process, however many pushes there are, and for the next one when it stops', async () => {
    const api = await start({ ROLE: 'api' });
    const shop = await Shop.open(api);
    for (let push = 0; push < 3; push += 1) await shop.oversell(api, 2);
    await eventually('its job is there', async () => (await settleJobs()).length > 0);
    expect(await settleJobs()).toMatchObject([{ state: 'waiting' }]);
    expect(await waiting()).toBe(6);

    const worker = await start({ ROLE: 'worker' });
    expectSettledOnce(await nothingWaits(), await shop.decided(api));
    running.splice(running.indexOf(worker), 1);
    expect(await worker.stop()).toBe(0);

    await shop.oversell(api, 1);
    expect(await waiting()).toBe(1);
    await start({ ROLE: 'worker' });
    const rows = await nothingWaits();
    expect(rows).toHaveLength(7);
    expectSettledOnce(rows, await shop.decided(api));
  });

  it('are settled once each, though several workers and the sweep look at the same time and one dies of it', async () => {
    const api = await start({ ROLE: 'api' });
    const shops = [await Shop.open(api), await Shop.open(api), await Shop.open(api)];
    for (const shop of shops) await shop.oversell(api, 150);
    const doomed = await start({ ROLE: 'worker' });
    await eventually('it has begun', async () => (await waiting()) < 450);
    running.splice(running.indexOf(doomed), 1);
    await doomed.kill();
    // What it had at work is not given to others for a while. The sweep comes within a minute: here, at once.
    await queryOnce(database.superuserUrl, `DELETE FROM bullmq.job WHERE name = 'conflict-sweep'`);
    await queryOnce(database.superuserUrl, `DELETE FROM bullmq.scheduler WHERE scheduler_id = 'conflict-sweep'`);
    const others = [start(), start({ ROLE: 'worker' })];
    for (const shop of shops) await shop.oversell(api, 10);
    await Promise.all(others);
    const rows = await nothingWaits(75_000);
    expect(rows).toHaveLength(480);
    const decided = new Map<string | null, string[]>();
    for (const shop of shops) for (const entry of await shop.decided(api)) decided.set(...entry);
    expectSettledOnce(rows, decided);
  }, 120_000);

  it('that can’t be looked at are tried again, and keep none of the others waiting', async () => {
    const api = await start({ ROLE: 'api' });
    const shop = await Shop.open(api);
    await shop.oversell(api, 3);
    const [broken] = await queryOnce<ConflictRow>(
      database.superuserUrl,
      'UPDATE sync_conflicts SET a_id = $1 WHERE id = (SELECT min(id::text)::uuid FROM sync_conflicts) RETURNING id',
      [randomUUID()],
    );
    await start({ ROLE: 'worker' });
    await eventually('the others are settled', async () => (await waiting()) === 1);
    const tried = await eventually('it is tried again', async () => {
      const [job] = await settleJobs();
      return job !== undefined && job.attempts_made >= 2 && job;
    });
    expect(tried.failed_reason).toBe(`Conflicts that could not be looked at: ${broken?.id}`);
    await shop.oversell(api, 1);
    await eventually('a later one is settled', async () => (await waiting()) === 1);
    expect(await settleJobs()).toHaveLength(1); // it was the same job that had to try again anyway
  });

  describe('with the queue on Redis', () => {
    const withRedis = hasRedis ? it : it.skip;

    /** A Redis at an address where there was one, with nothing in it. */
    function startRedisAgain(url: string): ChildProcess {
      const options = ['--port', new URL(url).port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
      return spawn('redis-server', options, { stdio: 'ignore', cwd: os.tmpdir() });
    }

    withRedis('are settled right after the push, in a worker process', async () => {
      const redis = await startRedis();
      try {
        const api = await start({ ROLE: 'api', REDIS_URL: redis.url });
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        const shop = await Shop.open(api);
        await shop.oversell(api, 3);
        expectSettledOnce(await nothingWaits(5_000), await shop.decided(api));
        expect(await settleJobs()).toEqual([]);
      } finally {
        for (const one of running.splice(0)) await one.stop();
        await redis.stop();
      }
    });

    withRedis('are found while it is away, and swept up when it is back with nothing in it', async () => {
      const redis = await startRedis();
      let again: ChildProcess | undefined;
      try {
        const api = await start({ ROLE: 'api', REDIS_URL: redis.url });
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        const shop = await Shop.open(api);
        let [log, complaints] = ['', ''];
        api.process.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
        api.process.stderr?.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
        await redis.stop();
        const began = Date.now();
        await shop.oversell(api, 3);
        expect(Date.now() - began).toBeLessThan(5_000);
        expect(await waiting()).toBe(3);
        await eventually('it notices', () => log.includes('Redis is out of reach'));
        running.splice(running.indexOf(api), 1);
        await api.kill(); // and with it the wake-up, which waited for Redis in its memory

        again = startRedisAgain(redis.url);
        const rows = await nothingWaits(30_000);
        const reader = await start({ ROLE: 'api' });
        expectSettledOnce(rows, await shop.decided(reader));
        expect(log.match(/Redis is out of reach; trying on/g)).toHaveLength(1);
        expect(complaints).toBe(''); // no library says it once more for each try
      } finally {
        for (const one of running.splice(0)) await one.kill(); // asked to stop, it would wait for its queue
        again?.kill('SIGKILL');
        await redis.stop();
      }
    });

    withRedis('are swept for, as all that runs by the clock, also after it has lost its schedules', async () => {
      const redis = await startRedis();
      const client = new Redis(redis.url);
      const schedules = ['conflicts', 'reservations', 'maintenance'].map((queue) => `bull:${queue}:repeat`);
      const areScheduled = (): Promise<boolean> =>
        eventually('all is scheduled', async () => (await client.exists(...schedules)) === schedules.length);
      try {
        await start({ ROLE: 'worker', REDIS_URL: redis.url });
        await areScheduled();
        await client.flushall();
        expect(await client.exists(...schedules)).toBe(0);
        await client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        await areScheduled();
      } finally {
        client.disconnect();
        for (const one of running.splice(0)) await one.stop();
        await redis.stop();
      }
    });
  });
});
