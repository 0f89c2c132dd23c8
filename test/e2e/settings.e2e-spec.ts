import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
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

const DEFAULTS = { conflict_detection: 'CONTENTION', heuristic_threshold: 0.8 };

describe('the settings of a business', () => {
  let database: TestDatabase;
  let services: [RunningService, RunningService];
  let tenant: TestTenant;

  const start = (): Promise<RunningService> => startService({ DATABASE_URL: database.appUrl });
  beforeAll(async () => {
    database = await createTestDatabase();
    services = await Promise.all([start(), start()]);
  });
  beforeEach(async () => {
    tenant = await createTenant(services[0]);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });

  const show = (token = tenant.adminToken, service = services[1]): Promise<Answer> =>
    request(`${service.url}/settings`, { token });
  const change = (body: unknown, token = tenant.adminToken, service = services[0]): Promise<Answer> =>
    request(`${service.url}/settings`, { method: 'PATCH', token, body });
  const operator = (): Promise<string> => tokens.sign({ role: 'operator', userId: randomUUID() });

  it('are the defaults until an admin chooses, and at once what he chose, for staff and in every process', async () => {
    const staff = await tenant.staffToken();
    for (const token of [tenant.adminToken, staff]) {
      expect(await show(token)).toMatchObject({ status: 200, body: DEFAULTS });
    }
    const chosen = { conflict_detection: 'CONCURRENCY', heuristic_threshold: 0.95 };
    const changed = await change(chosen);
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual(chosen);
    for (const service of services) expect((await show(staff, service)).body).toEqual(chosen);
  });

  it('change one at a time, and the rest stays', async () => {
    expect((await change({ heuristic_threshold: 0.5 })).body).toEqual({ ...DEFAULTS, heuristic_threshold: 0.5 });
    expect((await change({ conflict_detection: 'CONCURRENCY' })).body).toEqual({
      conflict_detection: 'CONCURRENCY',
      heuristic_threshold: 0.5,
    });
    expect((await change({ conflict_detection: 'CONTENTION' })).body).toEqual({
      ...DEFAULTS,
      heuristic_threshold: 0.5,
    });
  });

  it.each([0, 1, 0.123456789, 1e-7])('take %p as a threshold, to the digit', async (threshold) => {
    expect((await change({ heuristic_threshold: threshold })).body).toEqual({
      ...DEFAULTS,
      heuristic_threshold: threshold,
    });
    expect((await show()).body.heuristic_threshold).toBe(threshold);
  });

  it('stay as they are if nothing, or nothing known, is to change', async () => {
    await change({ heuristic_threshold: 0.5 });
    for (const body of [{}, { theme: 'dark', heuristicThreshold: 0.1, __proto__: 1 }]) {
      const answer = await change(body);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ ...DEFAULTS, heuristic_threshold: 0.5 });
    }
    expect((await show()).body).toEqual({ ...DEFAULTS, heuristic_threshold: 0.5 });
  });

  it.each<[body: unknown, path: string, code: string]>([
    [{ conflict_detection: 'NONE' }, 'conflict_detection', 'IS_IN'],
    [{ conflict_detection: 'contention' }, 'conflict_detection', 'IS_IN'],
    [{ conflict_detection: null }, 'conflict_detection', 'IS_IN'],
    [{ conflict_detection: ['CONTENTION'] }, 'conflict_detection', 'IS_IN'],
    [{ heuristic_threshold: 1.01 }, 'heuristic_threshold', 'MAX'],
    [{ heuristic_threshold: -0.01 }, 'heuristic_threshold', 'MIN'],
    [{ heuristic_threshold: '0.5' }, 'heuristic_threshold', 'IS_NUMBER'],
    [{ heuristic_threshold: null }, 'heuristic_threshold', 'IS_NUMBER'],
    [{ heuristic_threshold: true }, 'heuristic_threshold', 'IS_NUMBER'],
    [{ heuristic_threshold: {} }, 'heuristic_threshold', 'IS_NUMBER'],
    ['{"heuristic_threshold": 1e999}', 'heuristic_threshold', 'IS_NUMBER'],
    ['{"heuristic_threshold": 0.1, "heuristic_threshold": 0.2}', 'heuristic_threshold', 'DUPLICATED_KEY'],
    ['null', 'body', 'IS_OBJECT'],
    ['[]', 'body', 'IS_OBJECT'],
    ['', 'body', 'IS_OBJECT'],
  ])('refuse %j', async (body, path, code) => {
    const answer = await change(body);
    expectProblem(answer, 'VALIDATION');
    expect(answer.body.errors).toMatchObject([{ path, code }]);
    expect((await show()).body).toEqual(DEFAULTS);
  });

  it('change all together or not at all, and every wrong one is named', async () => {
    const one = await change({ conflict_detection: 'CONCURRENCY', heuristic_threshold: 2 });
    expectProblem(one, 'VALIDATION');
    const both = await change({ conflict_detection: 1, heuristic_threshold: 2 });
    expect(both.body.errors).toMatchObject([{ path: 'conflict_detection' }, { path: 'heuristic_threshold' }]);
    expect((await show()).body).toEqual(DEFAULTS);
  });

  it('are changed by an admin alone, and shown to people alone', async () => {
    const { token: device } = await TestDevice.enrol(tenant);
    const staff = await tenant.staffToken();
    for (const token of [device, staff, await operator()]) {
      expectProblem(await change({ heuristic_threshold: 0 }, token), 'FORBIDDEN');
    }
    for (const token of [device, await operator()]) expectProblem(await show(token), 'FORBIDDEN');
    expect((await show()).body).toEqual(DEFAULTS);
  });

  it('of one business are nothing to another', async () => {
    const other = await createTenant(services[0]);
    await change({ heuristic_threshold: 0.3 });
    expect((await show(other.adminToken)).body).toEqual(DEFAULTS);
    expectProblem(await change({ tenant_id: other.id, heuristic_threshold: 0 }), 'TENANT_MISMATCH');
    expect((await show(other.adminToken)).body).toEqual(DEFAULTS);
    expect((await show()).body).toEqual({ ...DEFAULTS, heuristic_threshold: 0.3 });
  });

  it('lose nothing when two people change different ones through two processes', async () => {
    for (const threshold of [0.1, 0.2, 0.3, 0.4, 0.5]) {
      const detection = threshold > 0.25 ? 'CONCURRENCY' : 'CONTENTION';
      await Promise.all([
        change({ conflict_detection: detection }, tenant.adminToken, services[0]),
        change({ heuristic_threshold: threshold }, tenant.adminToken, services[1]),
      ]);
      expect((await show()).body).toEqual({ conflict_detection: detection, heuristic_threshold: threshold });
    }
  });

  it('are shown to the operator with the tenant', async () => {
    const token = await operator();
    const settings = { conflict_detection: 'CONTENTION', heuristic_threshold: 0.6 };
    await change({ heuristic_threshold: 0.6 });
    expect((await request(`${services[1].url}/tenants/${tenant.id}`, { token })).body.settings).toEqual(settings);
    const { tenants } = (await request(`${services[1].url}/tenants`, { token })).body;
    expect(tenants.find(({ id }: { id: string }) => id === tenant.id).settings).toEqual(settings);
  });

  it('are still there after the service was killed and started again', async () => {
    const chosen = { conflict_detection: 'CONCURRENCY', heuristic_threshold: 0.25 };
    await change(chosen, tenant.adminToken, services[1]);
    await services[1].kill();
    services[1] = await start();
    expect((await show(tenant.adminToken, services[1])).body).toEqual(chosen);
  });
});
