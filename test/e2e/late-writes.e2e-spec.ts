import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { aPaymentEdit } from '../support/builders.js';
import { createTestDatabase, isLockWaited, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

const TENANT_NAME = 'Test tenant';

describe('what was let in, and waits', () => {
  let database: TestDatabase;
  let service: RunningService;
  let operator: string;
  let tenant: TestTenant;
  let device: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service, TENANT_NAME);
    device = await TestDevice.enrol(tenant);
  });

  const askAdmin = (method: string, path: string, body?: unknown): Promise<Answer> =>
    request(service.url + path, { method, token: tenant.adminToken, body });
  const changeStatus = (status: string): Promise<Answer> =>
    request(`${service.url}/tenants/${tenant.id}`, { method: 'PATCH', token: operator, body: { status } });
  const orderDeletion = (): Promise<Answer> =>
    request(`${service.url}/tenants/${tenant.id}?confirm=${encodeURIComponent(TENANT_NAME)}`, {
      method: 'DELETE',
      token: operator,
    });
  const statusOf = async (): Promise<unknown> =>
    (await request(`${service.url}/tenants/${tenant.id}`, { token: operator })).body.status;
  const countEvents = async (): Promise<number> =>
    (await queryOnce(database.superuserUrl, `SELECT FROM stock_events WHERE tenant_id = $1`, [tenant.id])).length;

  /** Starts `late` while `lock` is held, does `meanwhile` once it waits, and lets it go on. */
  async function overtake(
    lock: string,
    late: () => Promise<Answer>,
    meanwhile: (client: pg.Client) => Promise<void>,
  ): Promise<Answer> {
    return withClient(database.superuserUrl, async (client) => {
      await client.query('BEGIN');
      await client.query(lock);
      const answer = late();
      await eventually('it waits', () => isLockWaited(database.superuserUrl));
      await meanwhile(client);
      await client.query('COMMIT');
      return answer;
    });
  }
  const clock = (): string => `SELECT FROM tenant_clocks WHERE tenant_id = '${tenant.id}' FOR UPDATE`;
  /** What the deletion does of it that others notice first. */
  async function erase(client: pg.Client, last: 'DELETING' | 'DELETED'): Promise<void> {
    for (const status of ['SUSPENDED', 'DELETING', ...(last === 'DELETED' ? [last] : [])]) {
      await client.query(`UPDATE tenants SET status = $2 WHERE id = $1`, [tenant.id, status]);
    }
    await client.query(`DELETE FROM tenant_clocks WHERE tenant_id = $1`, [tenant.id]);
  }

  async function expectDone(answer: Promise<Answer>): Promise<void> {
    const { status } = await answer;
    expect(status).toBeLessThan(300);
  }
  const revoke = (): Promise<void> => expectDone(askAdmin('DELETE', `/devices/${device.id}`));
  const suspend = (): Promise<void> => expectDone(changeStatus('SUSPENDED'));

  describe('a push', () => {
    const push = (): Promise<Answer> => device.push(service, [device.operation()]);

    it.each([
      ['is revoked', 'DEVICE_REVOKED', revoke],
      ['is given another token', 'TOKEN_REVOKED', () => expectDone(askAdmin('POST', `/devices/${device.id}/token`))],
    ] as const)('records nothing once its device %s', async (_, code, lockOut) => {
      expectProblem(await overtake(clock(), push, lockOut), code);
      expect(await countEvents()).toBe(0);
    });

    it('records nothing if its device is revoked while it is being written', async () => {
      expectProblem(await overtake('LOCK TABLE stock_levels IN SHARE MODE', push, revoke), 'DEVICE_REVOKED');
      expect(await countEvents()).toBe(0);
    });

    it('records nothing once its tenant is suspended, and all of it when that is resumed', async () => {
      const operations = [device.operation()];
      const late = await overtake(clock(), () => device.push(service, operations), suspend);
      expectProblem(late, 'TENANT_SUSPENDED');
      expect(await countEvents()).toBe(0);
      await expectDone(changeStatus('ACTIVE'));
      expect((await device.push(service, operations)).body.results).toMatchObject([{ status: 'accepted' }]);
    });

    it('is refused, and nothing breaks, when its tenant is deleted', async () => {
      await push();
      const late = await overtake(clock(), push, async () => {
        await suspend();
        await expectDone(orderDeletion());
      });
      expectProblem(late, 'TENANT_SUSPENDED');
      await eventually('the tenant is deleted', async () => (await statusOf()) === 'DELETED');
      expect(await countEvents()).toBe(0);
    });
  });

  it('an import of what a device recorded is done, though the device is revoked', async () => {
    const body = { operations: [device.operation()], client_lamport: 0, device_id: device.id };
    const late = await overtake(clock(), () => askAdmin('POST', `/devices/${device.id}/outbox`, body), revoke);
    expect(late.body.results).toMatchObject([{ status: 'accepted' }]);
  });

  describe('of a tenant that is suspended', () => {
    it('an import is refused', async () => {
      const body = { operations: [device.operation()], client_lamport: 0, device_id: device.id };
      const late = await overtake(clock(), () => askAdmin('POST', `/devices/${device.id}/outbox`, body), suspend);
      expectProblem(late, 'TENANT_SUSPENDED');
      expect(await countEvents()).toBe(0);
    });

    it('a reconciliation is refused', async () => {
      const payment = aPaymentEdit();
      await device.push(service, [], { payments: [payment] });
      const late = await overtake(
        clock(),
        () => askAdmin('POST', `/payments/${payment.id}/reconcile`, { reconciliation_status: 'CONFIRMED' }),
        suspend,
      );
      expectProblem(late, 'TENANT_SUSPENDED');
    });

    it('a decision of a conflict is refused', async () => {
      const late = await overtake(
        clock(),
        () => askAdmin('POST', `/sync/conflicts/${randomUUID()}/resolve`, { resolution: 'BOTH' }),
        suspend,
      );
      expectProblem(late, 'TENANT_SUSPENDED');
    });

    it.each([
      ['a change of its settings', 'PATCH', (): string => '/settings', { heuristic_threshold: 0.5 }],
      ['enrolling a device', 'POST', (): string => '/devices', { name: 'Late', device_type: 'MOBILE' }],
      ['renaming a device', 'PATCH', (): string => `/devices/${device.id}`, { name: 'Late' }],
    ] as const)('%s is refused', async (_, method, path, body) => {
      // The tenant's own row is changed by whoever suspends it, too: here that is the one who holds it.
      const late = await overtake(
        `UPDATE tenants SET status = 'SUSPENDED' WHERE id = '${tenant.id}'`,
        () => askAdmin(method, path(), body),
        () => Promise.resolve(),
      );
      expectProblem(late, 'TENANT_SUSPENDED');
    });
  });

  describe('of a tenant whose deletion has begun', () => {
    const requests: readonly (readonly [string, () => Promise<Answer>])[] = [
      ['a push', () => device.push(service, [device.operation()])],
      ['a rebuild', () => askAdmin('POST', '/inventory/rebuild')],
      [
        'a decision of a conflict',
        () => askAdmin('POST', `/sync/conflicts/${randomUUID()}/resolve`, { resolution: 'BOTH' }),
      ],
    ];

    it.each(requests)('%s is refused as that of a suspended one', async (_, late) => {
      await device.push(service, [device.operation()]);
      expectProblem(await overtake(clock(), late, (client) => erase(client, 'DELETING')), 'TENANT_SUSPENDED');
    });

    it.each(requests)('and has ended, %s is refused as that of a stranger', async (_, late) => {
      await device.push(service, [device.operation()]);
      expectProblem(await overtake(clock(), late, (client) => erase(client, 'DELETED')), 'UNAUTHENTICATED');
    });
  });
});
