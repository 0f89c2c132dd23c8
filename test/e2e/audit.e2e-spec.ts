import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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

type Entry = Record<string, unknown>;

describe('the audit log', () => {
  let database: TestDatabase;
  let services: [RunningService, RunningService];
  let url: string;
  let operator: string;
  let tenant: TestTenant;
  let admin: string;
  const operatorId = randomUUID();
  const adminId = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    const start = (): Promise<RunningService> => startService({ DATABASE_URL: database.appUrl });
    services = await Promise.all([start(), start()]);
    url = services[0].url;
    operator = await tokens.sign({ role: 'operator', userId: operatorId });
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(services[0]);
    admin = await tokens.sign({ role: 'admin', userId: adminId, tenantId: tenant.id });
  });

  const audit = (query = '', token = admin, service = services[1]): Promise<Answer> =>
    request(`${service.url}/audit${query}`, { token });
  const entries = async (query = '', token = admin): Promise<Entry[]> => {
    const { status, body } = await audit(query, token);
    expect(status).toBe(200);
    return body.entries as Entry[];
  };
  const patchSettings = (body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    request(`${url}/settings`, { method: 'PATCH', token: admin, body, headers });
  const patchTenant = (body: unknown): Promise<Answer> =>
    request(`${url}/tenants/${tenant.id}`, { method: 'PATCH', token: operator, body });

  it('says who did what, when, from where, and by which request', async () => {
    const before = Date.now();
    const changed = await patchSettings({ heuristic_threshold: 0.5 }, { 'user-agent': 'Till manager/1.2' });
    const [entry] = await entries();
    expect(entry).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      tenant_id: tenant.id,
      at: expect.stringMatching(/Z$/),
      action: 'settings.changed',
      entity_id: null,
      changes: { heuristic_threshold: { before: 0.8, after: 0.5 } },
      role: 'admin',
      user_id: adminId,
      ip: '127.0.0.1',
      user_agent: 'Till manager/1.2',
      request_id: changed.headers.get('x-request-id'),
    });
    const at = Date.parse(entry?.['at'] as string);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it('has an entry for each action of people, and none for what changed nothing or failed', async () => {
    const device = await TestDevice.enrol(tenant, 'Market stall');
    const payment = aPaymentEdit();
    await device.push(services[0], [], { payments: [payment] });
    const reconcile = (status: string): Promise<Answer> =>
      request(`${url}/payments/${payment.id}/reconcile`, { token: admin, body: { reconciliation_status: status } });
    await reconcile('CONFIRMED');
    await reconcile('CONFIRMED'); // again: nothing
    await request(`${url}/inventory/rebuild`, { method: 'POST', token: admin });
    await request(`${url}/sync/conflicts/export`, { token: admin });
    await request(`${url}/export`, { token: admin });
    await patchSettings({ conflict_detection: 'CONCURRENCY' });
    await patchSettings({ conflict_detection: 'CONCURRENCY' }); // again
    await patchSettings({ conflict_detection: 'NONE' }); // refused
    await request(`${url}/devices`, { token: admin, body: { id: device.id, name: 'Twin', device_type: 'WEB' } }); // refused
    await request(`${url}/devices/${device.id}`, { method: 'DELETE', token: admin });
    await request(`${url}/devices/${randomUUID()}`, { method: 'DELETE', token: admin }); // not there
    await request(`${url}/payments/${randomUUID()}/reconcile`, {
      token: admin,
      body: { reconciliation_status: 'FAILED' },
    });

    const told = (await entries()).reverse().map(({ action, entity_id, changes }) => ({ action, entity_id, changes }));
    const nothing = { entity_id: null, changes: {} };
    expect(told).toEqual([
      { action: 'tenant.created', entity_id: null, changes: { name: { before: null, after: 'Test tenant' } } },
      {
        action: 'device.enrolled',
        entity_id: device.id,
        changes: { name: { before: null, after: 'Market stall' }, device_type: { before: null, after: 'DESKTOP' } },
      },
      {
        action: 'payment.reconciled',
        entity_id: payment.id,
        changes: { reconciliation_status: { before: 'PENDING', after: 'CONFIRMED' } },
      },
      { action: 'ledger.rebuilt', ...nothing },
      { action: 'conflicts.exported', ...nothing },
      { action: 'tenant.exported', ...nothing },
      {
        action: 'settings.changed',
        entity_id: null,
        changes: { conflict_detection: { before: 'CONTENTION', after: 'CONCURRENCY' } },
      },
      { action: 'device.revoked', entity_id: device.id, changes: {} },
    ]);
  });

  describe('of two admins who change one device at once', () => {
    let id: string;
    const change = (method: string, path: string, body?: unknown): Promise<Answer> =>
      request(url + path, { method, token: admin, body });
    beforeEach(async () => {
      ({ id } = await tenant.enrol('Till'));
    });

    /** Does both while nobody gets at the device, the first before the second, and lets them go on. */
    async function together(first: () => Promise<Answer>, second: () => Promise<Answer>): Promise<void> {
      await withClient(database.superuserUrl, async (client) => {
        await client.query('BEGIN');
        await client.query(`SELECT FROM devices WHERE id = $1 FOR UPDATE`, [id]);
        const answers: Promise<Answer>[] = [];
        for (const ask of [first, second]) {
          answers.push(ask());
          await eventually('it waits', () => isLockWaited(database.superuserUrl, answers.length));
        }
        await client.query('COMMIT');
        for (const { status } of await Promise.all(answers)) expect(status).toBeLessThan(300);
      });
    }

    it('tells of each what it changed', async () => {
      const rename = (name: string) => (): Promise<Answer> => change('PATCH', `/devices/${id}`, { name });
      await together(rename('Bar'), rename('Terrace'));
      const renamings = (await entries('?action=device.changed')).map(({ changes }) => changes);
      expect(renamings).toHaveLength(2);
      expect(renamings).toEqual(
        expect.arrayContaining([
          { name: { before: 'Till', after: 'Bar' } },
          { name: { before: 'Bar', after: 'Terrace' } },
        ]),
      );
    });

    it('tells that it was revoked, of a device that was just enrolled again', async () => {
      await change('DELETE', `/devices/${id}`);
      await together(
        () => change('POST', '/devices', { id, name: 'Till', device_type: 'WEB' }),
        () => change('DELETE', `/devices/${id}`),
      );
      expect(await entries('?action=device.revoked')).toHaveLength(2);
    });

    it('tells once that it was revoked', async () => {
      const revoke = (): Promise<Answer> => change('DELETE', `/devices/${id}`);
      await together(revoke, revoke);
      expect(await entries('?action=device.revoked')).toHaveLength(1);
    });
  });

  it('tells of what a client asked for that did not wait for the answer', async () => {
    const devices = await Promise.all(Array.from({ length: 30 }, () => tenant.enrol()));
    const { hostname, port } = new URL(url);
    for (const [index, { id }] of devices.entries()) {
      const socket = net.connect(Number(port), hostname).on('error', () => undefined);
      const head = `DELETE /devices/${id} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${admin}\r\n\r\n`;
      await new Promise((sent) => socket.write(head, sent));
      await sleep(index % 6);
      socket.destroy();
    }
    const revoked = await eventually('all are revoked', async () => {
      const found = await entries('?action=device.revoked');
      return found.length === devices.length && found;
    });
    // Of a connection that was closed before the service had it, nobody can tell whose it was.
    for (const { ip } of revoked) expect(['127.0.0.1', null]).toContain(ip);
    expect(revoked.map(({ ip }) => ip)).toContain('127.0.0.1');
  });

  it('never holds a token', async () => {
    const { token } = await tenant.enrol();
    const rows = await queryOnce(database.superuserUrl, 'SELECT * FROM audit_log');
    expect(rows.length).toBeGreaterThan(0);
    for (const secret of [token, token.split('.')[2] ?? '', admin, operator]) {
      expect(JSON.stringify(rows)).not.toContain(secret);
    }
  });

  it('tells an admin what operators did to the business, but not where they were', async () => {
    const settings = { heuristic_threshold: 0.9 };
    await patchTenant({ name: 'Quesos', status: 'SUSPENDED', settings });
    await patchTenant({ status: 'SUSPENDED' }); // again
    expectProblem(await audit(), 'TENANT_SUSPENDED');
    await patchTenant({ status: 'ACTIVE' });
    await request(`${url}/tenants/${tenant.id}/export`, { token: operator });

    const seen = (await entries()).filter(({ role }) => role === 'operator');
    const byAction = Object.fromEntries(seen.map((entry) => [entry['action'], entry['changes']]));
    expect(byAction).toEqual({
      'tenant.created': { name: { before: null, after: 'Test tenant' } },
      'tenant.renamed': { name: { before: 'Test tenant', after: 'Quesos' } },
      'tenant.suspended': { status: { before: 'ACTIVE', after: 'SUSPENDED' } },
      'settings.changed': { heuristic_threshold: { before: 0.8, after: 0.9 } },
      'tenant.resumed': { status: { before: 'SUSPENDED', after: 'ACTIVE' } },
      'tenant.exported': {},
    });
    expect(seen).toHaveLength(6);
    for (const entry of seen) expect(entry).toMatchObject({ ip: null, user_agent: null, request_id: null });
    const own = await entries(`?tenant_id=${tenant.id}&action=tenant.renamed`, operator);
    expect(own).toMatchObject([{ user_id: operatorId, ip: '127.0.0.1', user_agent: 'node' }]);
  });

  it('shows an operator what the platform did to each tenant, and nothing of what happens within one', async () => {
    const other = await createTenant(services[0], 'Other');
    await patchSettings({ heuristic_threshold: 0.1 });
    await patchTenant({ name: 'Quesos' });
    const all = await entries('?limit=1000', operator);
    expect(new Set(all.map(({ role }) => role))).toEqual(new Set(['operator']));
    expect(all.map(({ tenant_id }) => tenant_id)).toEqual(expect.arrayContaining([tenant.id, other.id]));
    const one = await entries(`?tenant_id=${tenant.id.toUpperCase()}`, operator);
    expect(one.map(({ action }) => action)).toEqual(['tenant.renamed', 'tenant.created']);
  });

  it('of a tenant that was deleted keeps what the platform did, for the operator', async () => {
    await tenant.enrol('The secret till');
    await patchTenant({ status: 'SUSPENDED' });
    await request(`${url}/tenants/${tenant.id}?confirm=Test%20tenant`, { method: 'DELETE', token: operator });
    let told: Entry[] = [];
    for (let tries = 0; tries < 200 && told[0]?.['action'] !== 'tenant.deleted'; tries += 1) {
      told = await entries(`?tenant_id=${tenant.id}`, operator);
    }
    expect(told.map(({ action, role }) => [action, role])).toEqual([
      ['tenant.deleted', 'service'],
      ['tenant.deletion_ordered', 'operator'],
      ['tenant.suspended', 'operator'],
      ['tenant.created', 'operator'],
    ]);
    expect(told[1]).toMatchObject({
      user_id: operatorId,
      changes: { status: { before: 'SUSPENDED', after: 'DELETING' } },
    });
    const kept = await queryOnce(database.superuserUrl, 'SELECT * FROM audit_log WHERE tenant_id = $1', [tenant.id]);
    expect(JSON.stringify(kept)).not.toContain('The secret till');
  });

  it('of one business is nothing to another, nor to its staff and devices', async () => {
    const other = await createTenant(services[0]);
    await patchSettings({ heuristic_threshold: 0.1 });
    expect((await entries('', other.adminToken)).map(({ action }) => action)).toEqual(['tenant.created']);
    expectProblem(await audit(`?tenant_id=${other.id}`), 'TENANT_MISMATCH');
    const { token } = await tenant.enrol();
    for (const bearer of [token, await tenant.staffToken()]) expectProblem(await audit('', bearer), 'FORBIDDEN');
  });

  it('is found by action, by person, and by time', async () => {
    await patchSettings({ heuristic_threshold: 0.1 });
    await tenant.enrol(); // by another admin
    await patchSettings({ heuristic_threshold: 0.2 });
    const all = await entries();
    const [last, , first] = all.map(({ at }) => at as string);
    const matching = async (query: string): Promise<number[]> =>
      (await entries(query)).map(({ id }) => all.findIndex((entry) => entry['id'] === id));
    expect(await matching('?action=settings.changed')).toEqual([0, 2]);
    expect(await matching(`?user_id=${adminId.toUpperCase()}`)).toEqual([0, 2]);
    expect(await matching(`?user_id=${adminId}&action=device.enrolled`)).toEqual([]);
    expect(await matching(`?from=${first ?? ''}`)).toEqual([0, 1, 2]);
    expect(await matching(`?from=${first ?? ''}&to=${last ?? ''}`)).toEqual([1, 2]);
    expect(await matching(`?to=${first ?? ''}`)).toEqual([3]);
  });

  it('comes in pages, with nothing twice and nothing left out', async () => {
    for (let count = 0; count < 7; count += 1) await patchSettings({ heuristic_threshold: count / 10 });
    // Of one request, and so of one moment: they have but their ids to tell them apart.
    await patchTenant({ name: 'Quesos', settings: { heuristic_threshold: 0.77, conflict_detection: 'CONCURRENCY' } });
    const all = await entries();
    for (const limit of [1, 2, 3, all.length, 1_000]) {
      const found: Entry[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Answer = await audit(`?limit=${limit}${cursor === '' ? '' : `&cursor=${cursor}`}`);
        expect(page.body.entries.length).toBeLessThanOrEqual(limit);
        found.push(...(page.body.entries as Entry[]));
        cursor = page.body.next_cursor as string | null;
      }
      expect(found).toEqual(all);
    }
  });

  it.each([
    ['?action=settings', 'action'],
    ['?user_id=me', 'user_id'],
    ['?from=yesterday', 'from'],
    ['?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', 'from'],
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?cursor=x', 'cursor'],
    [`?cursor=${Buffer.from('["9999999999999999","x"]').toString('base64url')}`, 'cursor'],
    ['?tenant_id=x', 'tenant_id'],
  ])('refuses %s', async (query, path) => {
    for (const token of [admin, operator]) {
      const answer = await audit(query, token);
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path }]);
    }
  });

  it('can’t be changed, not by its owner nor by a superuser, who see it', async () => {
    const attempts = ['UPDATE audit_log SET user_id = NULL', 'DELETE FROM audit_log', 'TRUNCATE audit_log'];
    const wanted = [
      [database.appUrl, '42501'],
      [database.ownerUrl, '23000'],
      [database.superuserUrl, '23000'],
    ] as const;
    for (const [connection, code] of wanted) {
      for (const attempt of attempts) {
        const failed = await withClient(connection, async (client) => {
          await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenant.id]);
          return client.query(attempt).catch((error: unknown) => (error as { code: string }).code);
        });
        expect([attempt, failed]).toEqual([attempt, code]);
      }
    }
  });

  it('has the time at which an entry was written, whatever the service says, and keeps it in a restored backup', async () => {
    const wanted = [
      [database.appUrl, new Date().getUTCFullYear()],
      [database.superuserUrl, 2000],
    ] as const;
    for (const [connection, year] of wanted) {
      const { rows } = await withClient(connection, async (client) => {
        await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenant.id]);
        return client.query<{ recorded_at: Date }>(
          `INSERT INTO audit_log (tenant_id, id, recorded_at, role, action, changes)
           VALUES ($1, gen_random_uuid(), '2000-06-01', 'operator', 'tenant.renamed', '{}') RETURNING recorded_at`,
          [tenant.id],
        );
      });
      expect(rows.map((row) => row.recorded_at.getUTCFullYear())).toEqual([year]);
    }
  });

  it('has no entry without its change, and there is no change without its entry', async () => {
    const rights = (statement: string): Promise<unknown> => queryOnce(database.superuserUrl, statement);
    const device = await TestDevice.enrol(tenant);
    const importOutbox = (): Promise<Answer> => {
      const body = { operations: [device.operation()], client_lamport: 0, device_id: device.id };
      return request(`${url}/devices/${device.id}/outbox`, { token: admin, body });
    };
    await rights('REVOKE INSERT ON stock_events FROM agrotour_app');
    try {
      expectProblem(await importOutbox(), 'INTERNAL');
    } finally {
      await rights('GRANT INSERT ON stock_events TO agrotour_app');
    }
    await rights('REVOKE INSERT ON audit_log FROM agrotour_app');
    try {
      expectProblem(await importOutbox(), 'INTERNAL');
      expectProblem(await patchSettings({ heuristic_threshold: 0.1 }), 'INTERNAL');
      expectProblem(await patchTenant({ status: 'SUSPENDED' }), 'INTERNAL');
      expectProblem(await request(`${url}/export`, { token: admin }), 'INTERNAL');
    } finally {
      await rights('GRANT INSERT ON audit_log TO agrotour_app');
    }
    const { body } = await request(`${url}/tenants/${tenant.id}`, { token: operator });
    expect(body).toMatchObject({ status: 'ACTIVE', settings: { heuristic_threshold: 0.8 } });
    expect((await device.pull(services[0], 0)).body.operations).toEqual([]);
    expect((await entries()).map(({ action }) => action)).toEqual(['device.enrolled', 'tenant.created']);
  });
});
