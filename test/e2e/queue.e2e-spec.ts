import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { hasRedis, startRedis } from '../support/redis.js';
import { createTenant, request, type RunningService, startService } from '../support/service.js';

describe('the queue of a running service', () => {
  let database: TestDatabase;
  const running: RunningService[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop()));
    await database.drop();
  });
  async function start(variables: Record<string, string> = {}): Promise<RunningService> {
    const service = await startService({ DATABASE_URL: database.appUrl, ...variables });
    running.push(service);
    return service;
  }

  it('schedules what runs by the clock once, in the database, for two processes', async () => {
    await Promise.all([start(), start()]);
    const scheduled = await eventually('all is scheduled', async () => {
      const rows = await queryOnce(
        database.superuserUrl,
        'SELECT queue, scheduler_id FROM bullmq.scheduler ORDER BY 1',
      );
      return rows.length > 3 && rows;
    });
    expect(scheduled).toEqual([
      { queue: 'conflicts', scheduler_id: 'conflict-sweep' },
      { queue: 'maintenance', scheduler_id: 'projection-audit' },
      { queue: 'reservations', scheduler_id: 'reservation-sweep' },
      { queue: 'tenants', scheduler_id: 'erasure-sweep' },
    ]);
  });

  (hasRedis ? it : it.skip)('on Redis may be away: the service says so, and still takes sales', async () => {
    const redis = await startRedis();
    const service = await start({ REDIS_URL: redis.url });
    const device = await TestDevice.enrol(await createTenant(service));
    expect(await request(`${service.url}/health/ready`)).toMatchObject({
      status: 200,
      body: { details: { queue: { status: 'up' } } },
    });
    expect(await queryOnce(database.superuserUrl, 'SELECT FROM bullmq.scheduler')).toEqual([]);

    await redis.stop();
    const unready = await eventually('it notices', async () => {
      const answer = await request(`${service.url}/health/ready`);
      return answer.status !== 200 && answer;
    });
    expectProblem(unready, 'UNAVAILABLE');
    expect(unready.body.checks).toMatchObject({ database: { status: 'up' }, queue: { status: 'down' } });
    expect(await request(`${service.url}/health/live`)).toMatchObject({ status: 200 });
    expect((await device.push(service, [device.operation()])).body.results).toMatchObject([{ status: 'accepted' }]);
    await service.kill(); // asked to stop, it would wait ten seconds for Redis
  });
});
