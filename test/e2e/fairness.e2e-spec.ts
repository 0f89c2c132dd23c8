import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
} from '../support/service.js';

describe('a tenant that is stuck', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  const push = (tenant: TestTenant, device: { id: string; token: string }, lamport: number): Promise<Answer> =>
    request(`${service.url}/sync/push`, {
      token: device.token,
      body: {
        operations: [anOperation({ tenant_id: tenant.id, device_id: device.id, lamport_ts: lamport })],
        client_lamport: lamport,
        device_id: device.id,
      },
    });

  it('delays neither other tenants nor its own pulls, and loses nothing', async () => {
    const [stuck, other] = [await createTenant(service), await createTenant(service)];
    const [stuckTill, otherTill] = [await stuck.enrol(), await other.enrol()];
    const holder = new pg.Client(database.superuserUrl);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM tenant_clocks WHERE tenant_id = $1 FOR UPDATE', [stuck.id]);

    let waiting = 40;
    const pushes = Array.from({ length: waiting }, async (_, index) => {
      const answer = await push(stuck, stuckTill, index + 1);
      waiting -= 1;
      return answer;
    });
    const [otherPush, otherPull, stuckPull, ready] = await Promise.all([
      push(other, otherTill, 1),
      request(`${service.url}/sync/pull`, { token: otherTill.token, body: { last_lamport: 0 } }),
      request(`${service.url}/sync/pull`, { token: stuckTill.token, body: { last_lamport: 0 } }),
      request(`${service.url}/health/ready`),
    ]);
    expect([otherPush.status, otherPull.status, stuckPull.status, ready.status]).toEqual([200, 200, 200, 200]);
    expect(waiting).toBe(40); // all of that while every push of the stuck tenant still waited

    await holder.query('ROLLBACK');
    await holder.end();
    const answers = await Promise.all(pushes);
    expect(answers.map((answer) => answer.status)).toEqual(Array(40).fill(200));
    const pulled = await request(`${service.url}/sync/pull`, { token: stuckTill.token, body: { last_lamport: 0 } });
    expect(pulled.body.operations).toHaveLength(40);
  });

  it('answers 503 with Retry-After when its clock stays taken, and records nothing', async () => {
    const tenant = await createTenant(service);
    const till = await tenant.enrol();
    const holder = new pg.Client(database.superuserUrl);
    await holder.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT FROM tenant_clocks WHERE tenant_id = $1 FOR UPDATE', [tenant.id]);
    const answer = await push(tenant, till, 1);
    await holder.query('ROLLBACK');
    await holder.end();
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ code: 'UNAVAILABLE' });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    const pulled = await request(`${service.url}/sync/pull`, { token: till.token, body: { last_lamport: 0 } });
    expect(pulled.body).toMatchObject({ operations: [], server_lamport: 0 });
  });
});
