import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { SERVER_ID } from '../../src/inventory/domain/stock-event.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { pull, pullAll, TestDevice } from '../support/devices.js';
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

describe('tenants and devices', () => {
  let database: TestDatabase;
  let services: [RunningService, RunningService];
  let url: string;
  let operator: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const start = (): Promise<RunningService> => startService({ DATABASE_URL: database.appUrl });
    services = await Promise.all([start(), start()]);
    url = services[0].url;
    operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });

  describe('a tenant', () => {
    it('is created, listed and shown by the operator', async () => {
      const created = await request(`${url}/tenants`, {
        token: operator,
        body: { name: 'Quesos La Vega', ignored: 1 },
      });
      expect(created).toMatchObject({
        status: 201,
        body: { name: 'Quesos La Vega', status: 'ACTIVE', created_at: expect.stringMatching(/Z$/) },
      });
      expect(created.body.settings).toEqual({ conflict_detection: 'CONTENTION', heuristic_threshold: 0.8 });
      const { id } = created.body;
      expect(await request(`${url}/tenants/${id}`, { token: operator })).toMatchObject({
        status: 200,
        body: created.body,
      });
      const upperCase = await request(`${url}/tenants/${id.toUpperCase()}`, { token: operator });
      expect(upperCase.body).toEqual(created.body);
      const listed = await request(`${services[1].url}/tenants`, { token: operator });
      expect(listed.body.tenants).toContainEqual(created.body);
    });

    it('is not there for an id that nobody has', async () => {
      expectProblem(await request(`${url}/tenants/${randomUUID()}`, { token: operator }), 'NOT_FOUND');
      expectProblem(await request(`${url}/tenants/1`, { token: operator }), 'VALIDATION');
    });

    it.each<[body: unknown, path: string]>([
      [{}, 'name'],
      [{ name: null }, 'name'],
      [{ name: '' }, 'name'],
      [{ name: '   ' }, 'name'],
      [{ name: 7 }, 'name'],
      [{ name: 'x'.repeat(201) }, 'name'],
      [{ name: 'a\u0000b' }, 'name'],
      [{ name: 'a\ud800b' }, 'name'],
      [{ name: ['Quesos'] }, 'name'],
    ])('is not created with %j', async (body, path) => {
      const answer = await request(`${url}/tenants`, { token: operator, body });
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path }]);
    });

    it('is no business of those who belong to one', async () => {
      const tenant = await createTenant(services[0]);
      const { token } = await tenant.enrol();
      for (const bearer of [token, tenant.adminToken, await tenant.staffToken()]) {
        expectProblem(await request(`${url}/tenants`, { token: bearer }), 'FORBIDDEN');
        expectProblem(await request(`${url}/tenants/${tenant.id}`, { token: bearer }), 'FORBIDDEN');
        expectProblem(await request(`${url}/tenants`, { token: bearer, body: { name: 'Mine' } }), 'FORBIDDEN');
      }
    });

    it('that is suspended gets 403 everywhere at once, and loses nothing', async () => {
      const tenant = await createTenant(services[0]);
      const device = await TestDevice.enrol(tenant);
      await device.push(services[0], [device.operation()]);
      const setStatus = (status: string): Promise<unknown> =>
        queryOnce(database.superuserUrl, 'UPDATE tenants SET status = $1 WHERE id = $2', [status, tenant.id]);
      await setStatus('SUSPENDED');
      for (const service of services) {
        expectProblem(await device.push(service, [device.operation()]), 'TENANT_SUSPENDED');
        expectProblem(await device.pull(service, 0), 'TENANT_SUSPENDED');
        expectProblem(await request(`${service.url}/devices`, { token: tenant.adminToken }), 'TENANT_SUSPENDED');
      }
      await setStatus('ACTIVE');
      expect(await pullAll(services[1], device.token)).toHaveLength(1);
    });
  });

  describe('a device', () => {
    let tenant: TestTenant;
    beforeAll(async () => {
      tenant = await createTenant(services[0]);
    });
    const enrol = (body: unknown, of = tenant): ReturnType<typeof request> =>
      request(`${url}/devices`, { token: of.adminToken, body });
    const revoke = (id: string, of = tenant): ReturnType<typeof request> =>
      request(`${url}/devices/${id}`, { method: 'DELETE', token: of.adminToken });

    it('is enrolled by an admin, gets its token once, and is listed without it', async () => {
      const id = randomUUID();
      const enrolled = await enrol({ id: id.toUpperCase(), name: 'Market stall', device_type: 'MOBILE' });
      expect(enrolled).toMatchObject({ status: 201, body: { id, name: 'Market stall', device_type: 'MOBILE' } });
      expect(await pull(services[1], enrolled.body.token as string, 0)).toMatchObject({ status: 200 });
      for (const token of [tenant.adminToken, await tenant.staffToken()]) {
        const { body } = await request(`${services[1].url}/devices`, { token });
        const listed = body.devices.find((device: { id: string }) => device.id === id);
        expect(listed).toMatchObject({
          id,
          name: 'Market stall',
          device_type: 'MOBILE',
          created_at: expect.stringMatching(/Z$/),
          revoked_at: null,
        });
        expect(listed).not.toHaveProperty('token');
      }
    });

    it('keeps its id to itself within the tenant', async () => {
      const { id } = await TestDevice.enrol(tenant);
      expectProblem(await enrol({ id, name: 'Clone', device_type: 'WEB' }), 'DEVICE_EXISTS');
      const { body } = await request(`${url}/devices`, { token: tenant.adminToken });
      expect(body.devices.filter((device: { id: string }) => device.id === id)).toMatchObject([
        { name: 'Test device' },
      ]);
    });

    it.each<[body: unknown, path: string]>([
      [{ device_type: 'WEB' }, 'name'],
      [{ name: 'till', device_type: 'TOASTER' }, 'device_type'],
      [{ name: 'till' }, 'device_type'],
      [{ name: 'till', device_type: 'WEB', id: 'till-1' }, 'id'],
      [{ name: 'till', device_type: 'WEB', id: SERVER_ID }, 'id'],
    ])('is not enrolled with %j', async (body, path) => {
      const answer = await enrol(body);
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path }]);
    });

    it('that is revoked gets 401 at once, from every process, and its log entries stay', async () => {
      const [device, sister] = [await TestDevice.enrol(tenant), await TestDevice.enrol(tenant)];
      const operation = device.operation();
      await device.push(services[1], [operation]);
      expect(await revoke(device.id)).toMatchObject({ status: 204, body: '' });
      for (const service of [services[1], services[0]]) {
        expectProblem(await device.push(service, [device.operation()]), 'DEVICE_REVOKED');
        expectProblem(await device.push(service, [operation]), 'DEVICE_REVOKED');
        expectProblem(await device.pull(service, 0), 'DEVICE_REVOKED');
        const stock = `${service.url}/inventory/products/${operation.product_id}/stock`;
        expectProblem(await request(stock, { token: device.token }), 'DEVICE_REVOKED');
      }
      const log = await pullAll(services[1], sister.token);
      expect(log.map((event) => event.operation_id)).toContain(operation.operation_id);
      expect(await sister.push(services[0], [sister.operation()])).toMatchObject({ status: 200 });
    });

    it.each<[what: string, body: unknown]>([
      ['nothing of a push', {}],
      ["another device's push", { protocol_version: 1, device_id: randomUUID(), client_lamport: 1, operations: [{}] }],
    ])('that is revoked right after a push is told only that, also if it sends %s', async (_, body) => {
      const device = await TestDevice.enrol(tenant);
      const push = (): Promise<Answer> => request(`${url}/sync/push`, { token: device.token, body });
      expect(await device.push(services[1], [device.operation()])).toMatchObject({ status: 200 });
      expect((await push()).body.code).not.toBe('DEVICE_REVOKED');
      await revoke(device.id);
      expectProblem(await push(), 'DEVICE_REVOKED');
      expectProblem(await push(), 'DEVICE_REVOKED');
    });

    it('is revoked once: a second time changes nothing', async () => {
      const { id } = await TestDevice.enrol(tenant);
      const revokedAt = async (): Promise<unknown> => {
        expect(await revoke(id)).toMatchObject({ status: 204 });
        const { body } = await request(`${url}/devices`, { token: tenant.adminToken });
        return body.devices.find((device: { id: string }) => device.id === id).revoked_at;
      };
      const first = await revokedAt();
      expect(first).toEqual(expect.stringMatching(/Z$/));
      expect(await revokedAt()).toBe(first);
    });

    it('of the same id in another tenant is another device', async () => {
      const other = await createTenant(services[0]);
      const { id, token } = await TestDevice.enrol(tenant);
      const twin = await enrol({ id, name: 'Twin', device_type: 'WEB' }, other);
      expect(twin).toMatchObject({ status: 201, body: { id } });
      expect(await revoke(id)).toMatchObject({ status: 204 });
      expectProblem(await pull(services[0], token, 0), 'DEVICE_REVOKED');
      expect(await pull(services[0], twin.body.token as string, 0)).toMatchObject({ status: 200 });
    });

    it('of another tenant can be neither seen nor revoked', async () => {
      const other = await createTenant(services[0]);
      const device = await TestDevice.enrol(other);
      const theirs = await revoke(device.id);
      const nobodys = await revoke(randomUUID());
      expectProblem(theirs, 'NOT_FOUND');
      expect({ ...theirs.body, instance: '' }).toEqual({ ...nobodys.body, instance: '' });
      const { body } = await request(`${url}/devices`, { token: tenant.adminToken });
      expect(body.devices.map((listed: { id: string }) => listed.id)).not.toContain(device.id);
      expect(await device.pull(services[0], 0)).toMatchObject({ status: 200 });
    });
  });

  describe('a tenant that a query names', () => {
    it('must be a UUID, on every route that belongs to a tenant', async () => {
      const tenant = await createTenant(services[0]);
      const device = await TestDevice.enrol(tenant);
      const routes: [method: string, path: string, token: string, body?: unknown][] = [
        ['GET', `/inventory/products/${randomUUID()}/stock`, device.token],
        ['GET', `/inventory/products`, tenant.adminToken],
        ['GET', `/sync/conflicts`, tenant.adminToken],
        ['GET', `/sync/snapshot`, device.token],
        ['GET', `/sync/events`, device.token],
        ['POST', `/sync/pull`, device.token, { last_lamport: 0 }],
        ['POST', `/sync/push`, device.token, { operations: [], client_lamport: 0, device_id: device.id }],
        ['GET', `/devices`, tenant.adminToken],
        ['GET', `/settings`, tenant.adminToken],
        ['PATCH', `/settings`, tenant.adminToken, { heuristic_threshold: 0 }],
      ];
      for (const [method, path, token, body] of routes) {
        for (const named of ['x', '', `${tenant.id}x`, `${tenant.id}%00`]) {
          const answer = await request(`${url}${path}?tenant_id=${named}`, { method, token, body });
          expectProblem(answer, 'VALIDATION');
          expect({ path, errors: answer.body.errors }).toEqual({
            path,
            errors: [{ path: 'tenant_id', code: 'IS_UUID', message: 'must be a UUID' }],
          });
        }
      }
    });

    it('is named once, in letters of either case', async () => {
      const tenant = await createTenant(services[0]);
      const ask = (query: string): ReturnType<typeof request> =>
        request(`${url}/settings${query}`, { token: tenant.adminToken });
      expect(await ask(`?tenant_id=${tenant.id.toUpperCase()}`)).toMatchObject({ status: 200 });
      expectProblem(await ask(`?tenant_id=${randomUUID()}`), 'TENANT_MISMATCH');
      const twice = await ask(`?tenant_id=${tenant.id}&tenant_id=${tenant.id}`);
      expectProblem(twice, 'VALIDATION');
      expect(twice.body.errors).toMatchObject([{ path: 'tenant_id', message: 'must be given once' }]);
    });

    it('is left to the validation of the body where that names it', async () => {
      const tenant = await createTenant(services[0]);
      const { token } = await TestDevice.enrol(tenant);
      const answer = await request(`${url}/sync/pull`, { token, body: { tenant_id: 'x', last_lamport: -1 } });
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
        'last_lamport',
        'tenant_id',
      ]);
    });
  });

  describe('a product of another tenant', () => {
    it('can’t be told from one that does not exist', async () => {
      const [mine, theirs] = [await createTenant(services[0]), await createTenant(services[0])];
      const [reader, seller] = [await TestDevice.enrol(mine), await TestDevice.enrol(theirs)];
      const [secret, nothing] = [randomUUID(), randomUUID()];
      await seller.push(services[0], [seller.restock(secret, 5)]);
      for (const what of ['stock', 'events', 'events?cursor=1&limit=1']) {
        const ask = (product: string): ReturnType<typeof request> =>
          request(`${url}/inventory/products/${product}/${what}`, { token: reader.token });
        const [hidden, missing] = [await ask(secret), await ask(nothing)];
        expectProblem(hidden, 'NOT_FOUND');
        expect({ ...hidden.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
        const names = (headers: Headers): string[] => [...headers.keys()].sort();
        expect(names(hidden.headers)).toEqual(names(missing.headers));
      }
      expect(await seller.stockOf(services[1], secret)).toBe(5);
    });

    it('has a stock of its own here', async () => {
      const [mine, theirs] = [await createTenant(services[0]), await createTenant(services[0])];
      const [one, two] = [await TestDevice.enrol(mine), await TestDevice.enrol(theirs)];
      const product = randomUUID();
      await one.push(services[0], [one.restock(product, 5)]);
      const operation = { ...one.restock(product, 7), tenant_id: two.tenantId, device_id: two.id };
      expect((await two.push(services[1], [operation])).body.results).toMatchObject([{ status: 'accepted' }]);
      expect([await one.stockOf(services[1], product), await two.stockOf(services[0], product)]).toEqual([5, 7]);
    });
  });
});
