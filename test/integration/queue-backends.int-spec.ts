import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { type Job, type JobsOptions, Queue, type QueueOptions, Worker } from 'bullmq';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ReservationScheduler } from '../../src/inventory/reservation-scheduler.js';
import { queueOptions } from '../../src/queue/queue.module.js';
import {
  EXPIRE_JOB,
  type ExpireJob,
  MAINTENANCE_QUEUE,
  QUEUE_NAMES,
  RESERVATION_QUEUE,
} from '../../src/queue/queue.names.js';
import { keepScheduled } from '../../src/queue/recurring-job.js';
import { createTestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { hasRedis, startRedis } from '../support/redis.js';

interface Backend {
  readonly options: QueueOptions;
  stop(): Promise<void>;
}

/** What the service asks of a queue, whatever keeps it. `start` also sets the process-wide default to that backend. */
function describeQueueBackend(name: string, start: () => Promise<Backend>): void {
  describe(`the queue on ${name}`, () => {
    let backend: Backend;
    let queue: Queue;
    let workers: Worker[];

    // Each test on a backend of its own, under a name that the service uses: the role may add to these queues.
    beforeEach(async () => {
      backend = await start();
      queue = new Queue(MAINTENANCE_QUEUE, backend.options);
      workers = [];
    });
    afterEach(async () => {
      for (const worker of workers) await worker.close();
      await queue.close();
      await backend.stop();
    });

    function work(processor: (job: Job) => Promise<unknown>): Worker {
      const worker = new Worker(queue.name, processor, { connection: backend.options.connection, concurrency: 4 });
      workers.push(worker);
      return worker;
    }
    const ended = (state: 'completed' | 'failed', count: number): Promise<boolean> =>
      eventually(`${count} ${state}`, async () => (await queue.getJobCounts(state))[state] === count);

    it('works each job once, whichever worker takes it', async () => {
      const worked: string[] = [];
      for (const worker of ['a', 'b']) {
        work((job) => {
          worked.push(job.id ?? '');
          return Promise.resolve(`${worker} had ${job.data.number}`);
        });
      }
      const jobs = await Promise.all(Array.from({ length: 40 }, (_, number) => queue.add('count', { number })));
      await ended('completed', 40);
      expect(worked.sort()).toEqual(jobs.map((job) => job.id ?? '').sort());
      const last = await queue.getJob(jobs.at(-1)?.id ?? '');
      expect(last?.returnvalue).toMatch(/^[ab] had 39$/);
    });

    it('keeps jobs that nobody works yet', async () => {
      await queue.add('early', { product: 'queso' });
      const worked: unknown[] = [];
      work((job) => Promise.resolve(worked.push(job.data)));
      await ended('completed', 1);
      expect(worked).toEqual([{ product: 'queso' }]);
    });

    it('takes many jobs in one go', async () => {
      await queue.addBulk(Array.from({ length: 100 }, (_, number) => ({ name: 'count', data: { number } })));
      const worked: number[] = [];
      work((job) => Promise.resolve(worked.push(job.data.number as number)));
      await ended('completed', 100);
      expect(new Set(worked).size).toBe(100);
    });

    it('tries a failing job again, later each time, and then keeps it as failed', async () => {
      const triedAt: number[] = [];
      work(() => {
        triedAt.push(Date.now());
        return Promise.reject(new Error('no signal'));
      });
      const retries: JobsOptions = { attempts: 3, backoff: { type: 'exponential', delay: 150 } };
      await queue.add('hopeless', {}, retries);
      await ended('failed', 1);
      const [first = 0, second = 0, third = 0] = triedAt;
      expect(triedAt).toHaveLength(3);
      expect(second - first).toBeGreaterThanOrEqual(145);
      expect(third - second).toBeGreaterThanOrEqual(295);
      expect(await queue.getFailed()).toMatchObject([{ name: 'hopeless', failedReason: 'no signal', attemptsMade: 3 }]);
    });

    it('completes a job that fails and then succeeds', async () => {
      work((job) => (job.attemptsMade < 1 ? Promise.reject(new Error('not yet')) : Promise.resolve('at last')));
      await queue.add('stubborn', {}, { attempts: 2, backoff: { type: 'fixed', delay: 10 } });
      await ended('completed', 1);
      expect(await queue.getCompleted()).toMatchObject([{ returnvalue: 'at last' }]);
    });

    it('gives every job the retries of the house', async () => {
      const job = await queue.add('plain', {});
      expect(job.opts).toMatchObject({ attempts: 5, backoff: { type: 'exponential', delay: 1_000 } });
    });

    it('runs a recurring job again and again, on one schedule however many processes say so', async () => {
      const runs: string[] = [];
      work((job) => Promise.resolve(runs.push(job.id ?? '')));
      for (let process = 0; process < 3; process += 1) keepScheduled(queue, 'tick', 300);
      await eventually('four ticks', () => runs.length >= 4);
      expect(await queue.getJobSchedulers()).toMatchObject([{ key: 'tick', every: 300 }]);
      const before = runs.length;
      await sleep(1_500);
      // Five on one schedule, fifteen on three. (The very first run may be doubled, where the processes met.)
      expect(runs.length - before).toBeLessThanOrEqual(7);
    });

    it('has a recurring job run again whose schedule has come to stand still', async () => {
      const runs: string[] = [];
      work((job) => Promise.resolve(runs.push(job.id ?? '')));
      await queue.upsertJobScheduler('tick', { every: 200, limit: 2 }, { name: 'tick' });
      keepScheduled(queue, 'tick', 200);
      await eventually('five ticks', () => runs.length >= 5);
    });

    it('runs a delayed job when its time has come, though its worker has been idle, and no sooner', async () => {
      const ranAt: number[] = [];
      work((job) => Promise.resolve(ranAt.push(Date.now() - (job.data.dueAt as number))));
      await queue.add('now', { dueAt: Date.now() });
      await ended('completed', 1);
      const due = [300, 900, 600].map((delay) => {
        const data = { dueAt: Date.now() + delay };
        return { name: 'later', data, opts: { delay, deduplication: { id: `${delay}` } } };
      });
      await queue.addBulk([...due, ...due]);
      await ended('completed', 4);
      for (const lateMs of ranAt) {
        expect(lateMs).toBeGreaterThanOrEqual(0);
        expect(lateMs).toBeLessThan(1_000);
      }
    });

    it('takes jobs in every queue of the service', async () => {
      for (const name of QUEUE_NAMES) {
        const other = new Queue(name, backend.options);
        expect((await other.add('first', {})).id).toBeDefined();
        await other.close();
      }
    });

    it('takes a job with a deduplication id once while it waits, and again after it failed', async () => {
      const once = { deduplication: { id: randomUUID() }, attempts: 1 };
      const [first, second] = [await queue.add('settle', {}, once), await queue.add('settle', {}, once)];
      expect(second.id).toBe(first.id);
      work(() => Promise.reject(new Error('broken')));
      await ended('failed', 1);
      await queue.add('settle', {}, once);
      await ended('failed', 2);
    });

    describe('has for reservations that expire', () => {
      const TENANT = randomUUID();
      let reservations: Queue<ExpireJob>;
      let scheduler: ReservationScheduler;
      const inMs = (delay: number): { operationId: string; expiresAt: string } => {
        return { operationId: randomUUID(), expiresAt: new Date(NOW.getTime() + delay).toISOString() };
      };
      const NOW = new Date('2026-03-01T12:00:00.250Z');
      /** Delays from NOW of the jobs, in milliseconds. */
      async function delays(count: number): Promise<number[]> {
        const jobs = await eventually(`${count} jobs`, async () => {
          const found = await reservations.getJobs(['delayed', 'waiting']);
          return found.length >= count && found;
        });
        for (const job of jobs) expect([job.name, job.data]).toEqual([EXPIRE_JOB, { tenantId: TENANT }]);
        return jobs.map((job) => job.opts.delay ?? 0).sort((a, b) => a - b);
      }

      beforeEach(() => {
        reservations = new Queue<ExpireJob>(RESERVATION_QUEUE, backend.options);
        reservations.on('error', () => undefined); // its database goes while it is being closed
        scheduler = new ReservationScheduler(reservations);
      });
      afterEach(() => reservations.close());

      it('a job for each second of the next day in which one expires, shortly after it', async () => {
        const deadlines = [1_000, 1_700, 1_750, 60_000, 86_400_000, 86_400_001, 10 ** 12].map(inMs);
        scheduler.schedule(TENANT, deadlines, NOW);
        expect(await delays(4)).toEqual([1_750, 2_750, 60_750, 86_400_750]);
      });

      it('one job a second, however many pushes ask for it', async () => {
        scheduler.schedule(TENANT, [inMs(1_000), inMs(5_000)], NOW);
        scheduler.schedule(TENANT, [inMs(1_100), inMs(9_000)], NOW);
        await delays(3);
        scheduler.schedule(TENANT, [inMs(1_200), inMs(12_000)], NOW);
        expect(await delays(4)).toEqual([1_750, 5_750, 9_750, 12_750]);
      });

      it('a job at once for what has expired already, for each push: the one before may have looked too early', async () => {
        scheduler.schedule(TENANT, [inMs(-1), inMs(0), inMs(-(10 ** 9)), inMs(1_000)], NOW);
        scheduler.schedule(TENANT, [inMs(-1)], NOW);
        expect(await delays(3)).toEqual([0, 0, 1_750]);
      });

      it('none where none expires', async () => {
        scheduler.schedule(TENANT, [], NOW);
        scheduler.schedule(TENANT, [inMs(86_400_001)], NOW);
        scheduler.schedule(TENANT, [inMs(1_000)], NOW);
        expect(await delays(1)).toEqual([1_750]);
      });
    });
  });
}

describe('a queue that is out of reach', () => {
  const NOBODY_LISTENS = '127.0.0.1:1';
  it.each([
    ['PostgreSQL', { redisUrl: undefined, databaseUrl: `postgresql://${NOBODY_LISTENS}/none` }, 300],
    ['Redis', { redisUrl: `redis://${NOBODY_LISTENS}`, databaseUrl: '' }, 100],
  ])('keeps no push waiting, on %s, and makes few words', async (_name, settings, unsentMax) => {
    const warnings: unknown[] = [];
    Logger.overrideLogger({ log: jest.fn(), error: jest.fn(), warn: (said: unknown) => warnings.push(said) });
    const options = queueOptions(settings);
    const queue = new Queue<ExpireJob>(RESERVATION_QUEUE, options);
    queue.on('error', () => undefined);
    const adds = jest.spyOn(queue, 'addBulk');
    const scheduler = new ReservationScheduler(queue);
    const deadlines = [{ operationId: randomUUID(), expiresAt: new Date(Date.now() + 60_000).toISOString() }];
    for (let push = 0; push < 300; push += 1) {
      scheduler.schedule(randomUUID(), deadlines);
      if (push % 50 === 49) await sleep(100); // what is refused at once is over by then
    }
    expect(adds).toHaveBeenCalledTimes(unsentMax); // what waits for Redis waits in memory
    expect(warnings).toHaveLength(1);
    if (options.connection instanceof Redis) options.connection.disconnect();
    await queue.close();
    Logger.overrideLogger(new ConsoleLogger());
  });
});

describeQueueBackend('PostgreSQL, as the restricted role', async () => {
  const database = await createTestDatabase();
  return {
    options: queueOptions({ redisUrl: undefined, databaseUrl: database.appUrl }),
    stop: () => database.drop(),
  };
});

if (hasRedis) {
  describeQueueBackend('Redis', async () => {
    const redis = await startRedis();
    const options = queueOptions({ redisUrl: redis.url, databaseUrl: '' });
    return {
      options,
      async stop() {
        if (options.connection instanceof Redis) options.connection.disconnect();
        await redis.stop();
      },
    };
  });
} else if (process.env['CI']) {
  it('has a redis-server on PATH to be tested with', () => {
    expect(hasRedis).toBe(true);
  });
} else {
  describe.skip('the queue on Redis (not run: there is no redis-server on PATH)', () => {
    it.todo('keeps the same contract');
  });
}
