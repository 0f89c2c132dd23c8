import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, newProducts, pullAll, TestDevice } from '../support/devices.js';
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

type Line = Record<string, unknown> & { readonly type: string };

/** Enough that no buffer on the way takes all of an export. */
const MANY = 60_000;

describe('the life of a tenant', () => {
  let database: TestDatabase;
  let api: RunningService;
  let other: RunningService;
  let operator: string;
  let tenant: TestTenant;
  let device: TestDevice;
  const log: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    [api, other] = await Promise.all([
      startService({ DATABASE_URL: database.appUrl, ROLE: 'api' }),
      startService({ DATABASE_URL: database.appUrl }),
    ]);
    if (api.process.stdout) createInterface(api.process.stdout).on('line', (line) => log.push(line));
    operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
  });
  afterAll(async () => {
    await Promise.all([api.stop(), other.stop()]);
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(api);
    device = await TestDevice.enrol(tenant);
  });

  const show = async (id = tenant.id): Promise<Answer> => request(`${other.url}/tenants/${id}`, { token: operator });
  const change = (body: unknown, id = tenant.id): Promise<Answer> =>
    request(`${api.url}/tenants/${id}`, { method: 'PATCH', token: operator, body });
  const remove = (confirm: string | undefined, id = tenant.id, service = api): Promise<Answer> =>
    request(`${service.url}/tenants/${id}${confirm === undefined ? '' : `?confirm=${encodeURIComponent(confirm)}`}`, {
      method: 'DELETE',
      token: operator,
    });
  const isDeleted = (id = tenant.id): Promise<boolean> =>
    eventually('the tenant is deleted', async () => (await show(id)).body.status === 'DELETED');

  /** An answer that is read no further until it is told to. */
  async function open(path: string, token: string): Promise<http.IncomingMessage> {
    const [response] = (await once(
      http.get(api.url + path, { headers: { authorization: `Bearer ${token}` }, agent: false }),
      'response',
    )) as [http.IncomingMessage];
    response.on('error', () => undefined); // a cut stream is one
    return response;
  }
  async function drain(response: http.IncomingMessage): Promise<{ text: string; complete: boolean }> {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    return { text, complete: response.complete };
  }
  async function exported(path: string, token: string): Promise<Line[]> {
    const { status, body } = await request(api.url + path, { token });
    expect(status).toBe(200);
    return (body as string)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  }
  const plantEvents = (id: string, count: number): Promise<unknown> =>
    queryOnce(
      database.superuserUrl,
      `INSERT INTO stock_events (tenant_id, lamport_ts, operation_id, product_id, device_id, device_type, operation, delta,
         reason, client_lamport, created_by, effect, stock_after, disposition, synced_at, content_hash, chain_hash)
       SELECT $1, 1000 + number, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'WEB', 'INCREMENT', 1, 'RESTOCK',
         number, gen_random_uuid(), 1, 1, 'APPLIED', now(), sha256('x'), sha256('y') FROM generate_series(1, $2::integer) AS number`,
      [id, count],
    );

  describe('its operator', () => {
    it('renames it, and changes its settings, and nothing that is not named', async () => {
      const created = await show();
      expect((await change({ name: 'Quesos «La Vega»' })).body).toEqual({ ...created.body, name: 'Quesos «La Vega»' });
      const answer = await change({ settings: { heuristic_threshold: 0.5 }, unknown: 1 });
      expect(answer).toMatchObject({ status: 200, body: { name: 'Quesos «La Vega»', status: 'ACTIVE' } });
      expect(answer.body.settings).toEqual({ conflict_detection: 'CONTENTION', heuristic_threshold: 0.5 });
      expect((await show()).body).toEqual(answer.body);
      expect((await change({})).body).toEqual(answer.body);
      const own = await request(`${other.url}/settings`, { token: tenant.adminToken });
      expect(own.body).toEqual(answer.body.settings);
    });

    it.each<[body: unknown, path: string, code: string]>([
      [{ name: '' }, 'name', 'MIN_LENGTH'],
      [{ name: null }, 'name', 'IS_STRING'],
      [{ name: 'x'.repeat(201) }, 'name', 'MAX_LENGTH'],
      [{ status: 'DELETED' }, 'status', 'IS_IN'],
      [{ status: 'DELETING' }, 'status', 'IS_IN'],
      [{ status: null }, 'status', 'IS_IN'],
      [{ settings: null }, 'settings', 'IS_OBJECT'],
      [{ settings: [] }, 'settings', 'IS_OBJECT'],
      [{ settings: 'all' }, 'settings', 'IS_OBJECT'],
      [{ settings: { heuristic_threshold: 2 } }, 'settings.heuristic_threshold', 'MAX'],
      [{ status: 'SUSPENDED', settings: { conflict_detection: null } }, 'settings.conflict_detection', 'IS_IN'],
      ['[]', 'body', 'IS_OBJECT'],
    ])('is refused %j', async (body, path, code) => {
      const before = (await show()).body;
      const answer = await change(body);
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path, code }]);
      expect((await show()).body).toEqual(before);
    });

    it('finds nothing under an id that nobody has', async () => {
      expectProblem(await change({ name: 'x' }, randomUUID()), 'NOT_FOUND');
      expectProblem(await remove('x', randomUUID()), 'NOT_FOUND');
      expectProblem(await request(`${api.url}/tenants/${randomUUID()}/export`, { token: operator }), 'NOT_FOUND');
      expectProblem(await change({ name: 'x' }, 'no-uuid'), 'VALIDATION');
    });
  });

  describe('suspended', () => {
    it('is let in nowhere, by no process, and loses nothing', async () => {
      const [product = ''] = newProducts(1);
      await device.push(api, [device.restock(product, 5)]);
      const staff = await tenant.staffToken();
      expect(await change({ status: 'SUSPENDED' })).toMatchObject({ status: 200, body: { status: 'SUSPENDED' } });
      for (const service of [api, other]) {
        expectProblem(await device.push(service, [device.restock(product, 1)]), 'TENANT_SUSPENDED');
        expectProblem(await device.pull(service, 0), 'TENANT_SUSPENDED');
        for (const path of ['/settings', '/export', '/audit', '/devices', '/sync/conflicts']) {
          expectProblem(await request(service.url + path, { token: tenant.adminToken }), 'TENANT_SUSPENDED');
        }
        expectProblem(await request(`${service.url}/inventory/products`, { token: staff }), 'TENANT_SUSPENDED');
      }
      expect(await change({ status: 'SUSPENDED' })).toMatchObject({ status: 200 });
      expect(await change({ status: 'ACTIVE' })).toMatchObject({ status: 200, body: { status: 'ACTIVE' } });
      expect(await device.stockOf(other, product)).toBe(5);
    });

    it('sees its live streams and its exports end', async () => {
      await plantEvents(tenant.id, MANY);
      const [events, whole] = [await open('/sync/events', device.token), await open('/export', tenant.adminToken)];
      await change({ status: 'SUSPENDED' });
      expect((await drain(events)).text).toContain('TENANT_SUSPENDED');
      const cut = (): boolean => log.some((line) => line.includes('stream cut') && line.includes(tenant.id));
      await eventually('the line in the log', cut, 5_000);
      const { text, complete } = await drain(whole);
      expect(complete).toBe(false);
      expect(text).not.toContain('"type":"end"');
    });

    it('has its reservations wait until it is resumed', async () => {
      const [product = ''] = newProducts(1);
      const soon = new Date(Date.now() + 1_500).toISOString();
      const reserved = device.sale(product, 2, { reason: 'RESERVATION', expires_at: soon });
      await device.push(api, [device.restock(product, 5), reserved]);
      await change({ status: 'SUSPENDED' });
      const lapsed = (): Promise<unknown[]> =>
        queryOnce(database.superuserUrl, `SELECT FROM stock_events WHERE tenant_id = $1 AND operation = 'VOID'`, [
          tenant.id,
        ]);
      const expiries = (): Promise<{ state: string }[]> =>
        queryOnce(
          database.superuserUrl,
          `SELECT state FROM bullmq.job WHERE data::text LIKE '%' || $1 || '%' AND name = 'expire'`,
          [tenant.id],
        );
      await eventually('its time has come, and its job', async () =>
        (await expiries()).every(({ state }) => state === 'completed'),
      );
      expect(await lapsed()).toEqual([]);
      await change({ status: 'ACTIVE' });
      // Another one that is over already has them looked at, without waiting for the minute's sweep.
      await device.push(api, [device.sale(product, 1, { reason: 'RESERVATION', expires_at: soon })]);
      await eventually('both lapse', async () => (await lapsed()).length === 2);
      expect(await device.stockOf(api, product)).toBe(5);
    });
  });

  describe('exported', () => {
    it('is all that is there, to its admin and to the operator alike', async () => {
      const sister = await TestDevice.enrol(tenant, 'Sister');
      const [product = ''] = newProducts(1);
      const cheese = aProductEdit({ id: product, name: 'Queso «curado» 🧀', price: 0.1 });
      const payment = aPaymentEdit({ amount: -0.07 });
      await device.push(api, [device.restock(product, 5), device.sale(product, 2)], {
        products: [cheese],
        payments: [payment],
      });
      await device.push(api, [], { products: [{ ...cheese, name: 'Gone', is_deleted: true, lamport_ts: 9 }] });
      await sister.push(api, [], { products: [{ ...cheese, name: 'Stale', lamport_ts: 1 }] });
      const lines = await exported('/export', tenant.adminToken);

      const of = (type: string): Line[] => lines.filter((line) => line.type === type);
      expect(lines[0]).toMatchObject({ type: 'header', format_version: 1, tenant_id: tenant.id });
      expect(of('tenant')).toEqual([{ type: 'tenant', ...(await show()).body }]);
      expect(of('device')).toMatchObject([{ id: device.id }, { id: sister.id, name: 'Sister' }]);
      expect(of('product')).toMatchObject([{ id: product, name: 'Gone', is_deleted: true }]);
      expect(of('payment')).toMatchObject([{ id: payment.id, amount: -0.07 }]);
      expect(of('version').map(({ version, entity }) => [entity, version])).toEqual(
        expect.arrayContaining([
          ['PRODUCT', 1],
          ['PRODUCT', 2],
          ['PAYMENT', 1],
        ]),
      );
      const events = await pullAll(api, sister.token);
      expect(of('event')).toEqual(events.map((event) => ({ type: 'event', ...event })));
      expectChain(tenant.id, events);
      expect(of('stock_level')).toMatchObject([{ product_id: product, quantity: 3 }]);
      const conflicts = await request(`${api.url}/sync/conflicts`, { token: tenant.adminToken });
      expect(conflicts.body.total).toBeGreaterThan(0);
      expect(of('conflict').map(({ id }) => id)).toEqual(conflicts.body.conflicts.map(({ id }: Line) => id));
      expect(of('audit').map(({ action }) => action)).toContain('tenant.exported'); // itself
      const counts = new Map<string, number>();
      for (const { type } of lines) counts.set(type, (counts.get(type) ?? 0) + 1);
      expect(lines.at(-1)).toEqual({
        type: 'end',
        counts: Object.fromEntries([...counts].filter(([type]) => type !== 'header' && type !== 'end')),
      });

      await change({ status: 'SUSPENDED' });
      const handedOver = await exported(`/tenants/${tenant.id}/export`, operator);
      const stays = ({ type }: Line): boolean => ['product', 'payment', 'version', 'event', 'conflict'].includes(type);
      expect(handedOver.filter(stays)).toEqual(lines.filter(stays));
    });

    it('is a file that a browser saves, and small on request', async () => {
      const answer = await fetch(`${api.url}/export`, {
        headers: { authorization: `Bearer ${tenant.adminToken}`, 'accept-encoding': 'gzip' },
      });
      expect(answer.headers.get('content-encoding')).toBe('gzip');
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      expect(answer.headers.get('content-disposition')).toMatch(
        /^attachment; filename="tenant-[0-9a-f-]{36}-\d{4}-\d\d-\d\d\.ndjson"$/,
      );
      expect(await answer.text()).toMatch(/"type":"end","counts".*\n$/);
    });

    it('holds nothing of another tenant', async () => {
      const neighbour = await createTenant(api, 'Neighbour');
      const theirs = await TestDevice.enrol(neighbour);
      await theirs.push(api, [theirs.restock(newProducts(1)[0] ?? '', 5)]);
      const text = JSON.stringify(await exported('/export', tenant.adminToken));
      for (const secret of [neighbour.id, theirs.id, 'Neighbour']) expect(text).not.toContain(secret);
    });
  });

  describe('deleted', () => {
    it('is only a suspended one, by its name, and gone for good', async () => {
      await device.push(api, [device.restock(newProducts(1)[0] ?? '', 5)]);
      expectProblem(await remove('Test tenant'), 'TENANT_NOT_SUSPENDED');
      await change({ status: 'SUSPENDED' });
      for (const wrong of [undefined, '', 'test tenant', 'Test tenant ', tenant.id]) {
        const answer = await remove(wrong);
        expectProblem(answer, 'VALIDATION');
        expect(answer.body.errors).toMatchObject([{ path: 'confirm' }]);
      }
      expect((await show()).body.status).toBe('SUSPENDED');
      expect(await remove('Test tenant')).toMatchObject({ status: 202, body: { id: tenant.id, status: 'DELETING' } });
      await isDeleted();

      for (const token of [tenant.adminToken, device.token]) {
        expectProblem(await request(`${api.url}/inventory/products`, { token }), 'UNAUTHENTICATED');
      }
      expectProblem(await change({ status: 'ACTIVE' }), 'TENANT_DELETED');
      expectProblem(await change({ name: 'Back again' }), 'TENANT_DELETED');
      expectProblem(await request(`${api.url}/tenants/${tenant.id}/export`, { token: operator }), 'TENANT_DELETED');
      expect(await remove('Test tenant')).toMatchObject({ status: 202, body: { status: 'DELETED' } });
      const { body } = await request(`${api.url}/tenants`, { token: operator });
      expect(body.tenants.map(({ id }: { id: string }) => id)).not.toContain(tenant.id);
    });

    it('goes on after whoever did it was killed', async () => {
      await plantEvents(tenant.id, MANY);
      await change({ status: 'SUSPENDED' });
      await remove('Test tenant');
      const left = async (): Promise<number> => {
        const count = 'SELECT count(*)::integer AS rows FROM stock_events WHERE tenant_id = $1';
        return (await queryOnce<{ rows: number }>(database.superuserUrl, count, [tenant.id]))[0]?.rows ?? 0;
      };
      await eventually('a part is deleted', async () => (await left()) < MANY);
      await other.kill();
      expect(await left()).toBeGreaterThan(0);
      expect((await request(`${api.url}/tenants/${tenant.id}`, { token: operator })).body.status).toBe('DELETING');
      expectProblem(await request(`${api.url}/settings`, { token: tenant.adminToken }), 'TENANT_SUSPENDED');
      other = await startService({ DATABASE_URL: database.appUrl });
      await eventually('the tenant is deleted', async () => (await show()).body.status === 'DELETED', 120_000);
      expect(await left()).toBe(0);
    }, 150_000);
  });
});
