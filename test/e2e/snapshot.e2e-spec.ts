import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { SnapshotLine } from '../../src/sync/snapshot/snapshot.dto.js';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, isLockWaited, queryOnce, type TestDatabase, whileLocked } from '../support/database.js';
import { newProducts, pull, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

/** More lines than the buffers between service and client hold: who does not read them has not received them. */
const MANY = 120_000;

describe('GET /sync/snapshot', () => {
  let database: TestDatabase;
  let service: RunningService;
  let route: string;
  let shop: TestTenant;
  let device: TestDevice;
  /** Has many products in stock. */
  let warehouse: TestTenant;
  const log: string[] = [];
  const streams: http.IncomingMessage[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({
      DATABASE_URL: database.appUrl,
      ROLE: 'api', // the workers' audit would complain of a warehouse without a log
      ALLOWED_ORIGINS: 'https://till.example.org',
    });
    if (service.process.stdout) createInterface(service.process.stdout).on('line', (line) => log.push(line));
    route = `${service.url}/sync/snapshot`;
    shop = await createTenant(service);
    device = await TestDevice.enrol(shop);
    warehouse = await createTenant(service);
    await queryOnce(
      database.superuserUrl,
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport)
       SELECT $1, gen_random_uuid(), number, true, number FROM generate_series(1, $2::integer) AS number`,
      [warehouse.id, MANY],
    );
  });
  afterEach(() => {
    for (const stream of streams.splice(0)) stream.destroy();
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
    // The one that the test below brings about may come late.
    const faults = log.filter((line) => /"level":"(error|fatal)"/.test(line));
    expect(faults.filter((line) => !line.includes('permission denied for table tenant_clocks'))).toEqual([]);
  });

  interface Received {
    readonly status: number;
    readonly headers: Headers;
    readonly text: string;
  }
  /** An answer to its end; fetch unpacks what is compressed. */
  async function get(token: string, query = '', headers: Record<string, string> = {}): Promise<Received> {
    const response = await fetch(route + query, {
      headers: { authorization: `Bearer ${token}`, ...headers },
      signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
  function linesOf(text: string): SnapshotLine[] {
    expect(text.endsWith('\n')).toBe(true);
    return text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line) as SnapshotLine);
  }
  async function snapshot(token: string): Promise<SnapshotLine[]> {
    const { status, text } = await get(token);
    expect(status).toBe(200);
    return linesOf(text);
  }
  /** A client that has the head of the answer, and reads no further until it is told to. */
  async function open(token: string): Promise<http.IncomingMessage> {
    const [response] = (await once(
      http.get(route, { headers: { authorization: `Bearer ${token}` }, agent: false }),
      'response',
    )) as [http.IncomingMessage];
    response.on('error', () => undefined); // a cut stream is one
    streams.push(response);
    return response;
  }
  /** What an open stream still had, and whether it came to its end. */
  async function drain(response: http.IncomingMessage): Promise<{ text: string; complete: boolean }> {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    // Not `once` of node:events: of a cut stream it throws the error.
    if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
    return { text, complete: response.complete };
  }
  const openTransactions = (): Promise<unknown[]> =>
    queryOnce(
      database.superuserUrl,
      `SELECT state, query FROM pg_stat_activity
       WHERE datname = current_database() AND usename = 'agrotour_app' AND xact_start IS NOT NULL`,
    );

  it('comes to what a device has that pulled everything', async () => {
    const products = [
      aProductEdit({
        name: 'Queso «curado» "ñ"',
        description: 'two\nlines 🧀',
        price: 0.1,
        sku: 'QC-1',
        category: 'Queso',
      }),
      aProductEdit({ name: 'Jam', price: 999_999_999_999.99, reorder_point: 3, updated_by: randomUUID() }),
      aProductEdit({ name: 'Honey' }),
    ];
    const payments = [aPaymentEdit({ amount: 12.5, notes: '50 % off\\' }), aPaymentEdit({ amount: -0.07 })];
    const [unknown = ''] = newProducts(1);
    const pushed = await device.push(
      service,
      [
        device.restock(products[0]?.id ?? '', 7),
        device.sale(products[0]?.id ?? '', 2),
        device.sale(unknown, 4, { payment_status: 'PAID' }),
      ],
      { products, payments },
    );
    for (const result of pushed.body.results) expect(result.status).toBe('accepted');
    const deletion = { id: products[2]?.id, is_deleted: true, lamport_ts: 1_000 };
    await device.push(service, [], { products: [deletion] });

    const { body: page } = await pull(service, device.token, 0, 1_000);
    const [header, ...lines] = await snapshot(device.token);
    expect(header).toEqual({
      type: 'header',
      lamport: page.server_lamport,
      epoch: page.epoch,
      chain_hash: page.chain_hash,
      protocol_version: 1,
      tenant_id: shop.id,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const stock = replay(await pullAll(service, device.token));
    const expected = [
      ...page.products
        .filter((product: { is_deleted: boolean }) => !product.is_deleted)
        .map((product: object) => ({ type: 'product', ...product })),
      ...[...stock].map(([productId, quantity]) =>
        expect.objectContaining({ type: 'stock_level', product_id: productId, quantity }),
      ),
      ...page.payments.map((payment: object) => ({ type: 'payment', ...payment })),
      { type: 'end', products: 2, stock_levels: 2, payments: 2 },
    ];
    expect(expected).toHaveLength(7);
    expect(lines).toHaveLength(expected.length);
    expect(lines).toEqual(expect.arrayContaining(expected));
    const levels = new Map(lines.flatMap((line) => (line.type === 'stock_level' ? [[line.product_id, line]] : [])));
    for (const [productId, level] of levels) {
      const answer = await request(`${service.url}/inventory/products/${productId}/stock`, { token: device.token });
      expect({ type: 'stock_level', ...answer.body }).toEqual(level);
    }
  });

  it('shows a tenant nothing of another', async () => {
    const empty = await createTenant(service);
    const lines = await snapshot(empty.adminToken);
    expect(lines).toMatchObject([
      { type: 'header', lamport: 0, tenant_id: empty.id },
      { type: 'end', products: 0, stock_levels: 0, payments: 0 },
    ]);
  });

  it('is NDJSON as it is, or in gzip for whoever asks', async () => {
    const plain = await get(await shop.staffToken(), '', { 'accept-encoding': 'identity' });
    expect(plain.headers.get('content-type')).toBe('application/x-ndjson');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(plain.headers.get('cache-control')).toBe('no-store');
    expect(plain.headers.get('vary')).toMatch(/\bAccept-Encoding\b/);

    const packed = await new Promise<{ headers: http.IncomingHttpHeaders; bytes: Buffer }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${device.token}`, 'accept-encoding': 'br, gzip;q=0.8, identity;q=0.1' };
      const asked = http.get(route, { headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          resolve({ headers: response.headers, bytes: Buffer.concat(chunks) });
        });
      });
      asked.on('error', reject);
    });
    expect(packed.headers).toMatchObject({ 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' });
    const [, ...unpacked] = linesOf(gunzipSync(packed.bytes).toString());
    const [, ...lines] = linesOf(plain.text);
    expect(unpacked).toEqual(lines); // but for the header's time

    const origin = { origin: 'https://till.example.org' };
    const fromPage = await get(device.token, '', origin);
    expect(fromPage.headers.get('access-control-allow-origin')).toBe(origin.origin);
    expect(fromPage.headers.get('vary')?.split(', ').sort()).toEqual(['Accept-Encoding', 'Origin']);
  });

  it('takes the protocol version, and refuses what it does not speak', async () => {
    expect((await get(device.token, '?protocol_version=1')).status).toBe(200);
    const at = (query: string): ReturnType<typeof request> => request(route + query, { token: device.token });
    for (const version of [0, 2, 99]) {
      const refused = await at(`?protocol_version=${version}`);
      expectProblem(refused, 'UPGRADE_REQUIRED');
      expect(refused.body).toMatchObject({ protocol_version: 1, protocol_version_min: 1 });
    }
    for (const query of ['-1', 'x', '1.5', '', '1&protocol_version=1', String(2 ** 53)]) {
      const refused = await at(`?protocol_version=${query}`);
      expectProblem(refused, 'VALIDATION');
      expect(refused.body.errors).toMatchObject([{ path: 'protocol_version' }]);
    }
    expectProblem(await at(`?tenant_id=${warehouse.id}`), 'TENANT_MISMATCH');
    expectProblem(await request(route), 'UNAUTHENTICATED');
  });

  it('answers HEAD without reading anything through', async () => {
    const headers = { authorization: `Bearer ${warehouse.adminToken}` };
    const answer = await fetch(route, { method: 'HEAD', headers, signal: AbortSignal.timeout(5_000) });
    expect(answer.status).toBe(200);
    await eventually('the end of its transaction', async () => (await openTransactions()).length === 0, 5_000);
  });

  it('lets go of the database while its client reads slowly, and sends it everything', async () => {
    const response = await open(warehouse.adminToken);
    await eventually('the end of its transaction', async () => (await openTransactions()).length === 0);
    const { text, complete } = await drain(response);
    expect(complete).toBe(true);
    expect(linesOf(text).at(-1)).toEqual({ type: 'end', products: 0, stock_levels: MANY, payments: 0 });
  });

  it('waits for as long as its bearer may enter, and for clients that take nothing no others wait', async () => {
    const idle: http.IncomingMessage[] = [];
    // One after the other: sixteen that wait for two places may wait too long on a busy machine.
    while (idle.length < 16) idle.push(await open(warehouse.adminToken));
    expect(idle.map(({ statusCode }) => statusCode)).toEqual(Array(16).fill(200));
    const refused = await request(route, { token: warehouse.adminToken }); // a share of the disk is all they have
    expectProblem(refused, 'TOO_MANY_STREAMS');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await snapshot(device.token)).at(-1)?.type).toBe('end'); // another tenant's
    for (const stream of idle.splice(1)) stream.destroy();
    await eventually('room again', async () => (await get(warehouse.adminToken)).status === 200);
    expect(idle).toHaveLength(1);
    for (const stream of idle) expect((await drain(stream)).complete).toBe(true);
  });

  it('is cut when the database ends its transaction', async () => {
    const response = await whileLocked(database.superuserUrl, 'payments', async () => {
      const half = await open(warehouse.adminToken);
      await eventually('it waits for the payments', () => isLockWaited(database.superuserUrl));
      await queryOnce(
        database.superuserUrl,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'agrotour_app' AND xact_start IS NOT NULL`,
      );
      return half;
    });
    const { text, complete } = await drain(response);
    expect(complete).toBe(false);
    expect(text).toContain('"type":"stock_level"');
    expect(text).not.toContain('"type":"end"');
    expect((await snapshot(device.token)).at(-1)?.type).toBe('end');
  });

  it('ends when the client leaves, who is not waited for', async () => {
    const before = log.length;
    await whileLocked(database.superuserUrl, 'stock_levels', async () => {
      const response = await open(warehouse.adminToken);
      await eventually('it waits for the levels', () => isLockWaited(database.superuserUrl));
      response.destroy();
    });
    await eventually('the end of its transaction', async () => (await openTransactions()).length === 0, 2_000);
    const line = await eventually('the line in the log', () =>
      log.slice(before).find((one) => one.includes('stream cut')),
    );
    expect(JSON.parse(line)).toMatchObject({ level: 'info', tenantId: warehouse.id, reason: 'The client is gone' });
  });

  it('is read for two clients of a tenant at once and for four of all; the next have their turn after them', async () => {
    const others = [await createTenant(service), await createTenant(service)] as const;
    const bearers = [...Array<string>(3).fill(warehouse.adminToken), ...others.map(({ adminToken }) => adminToken)];
    const asked = await whileLocked(database.superuserUrl, 'payments', async () => {
      const all = [...bearers, device.token].map((token) => get(token));
      await eventually('four are read', async () => (await openTransactions()).length === 4);
      const pushed = await Promise.all(
        Array.from({ length: 10 }, () => device.push(service, [device.restock(newProducts(1)[0] ?? '', 1)])),
      );
      for (const { body } of pushed) expect(body.results).toMatchObject([{ status: 'accepted' }]);
      expect(await openTransactions()).toHaveLength(4);
      return all;
    });
    for (const { status, text } of await Promise.all(asked)) {
      expect(status).toBe(200);
      expect(linesOf(text).at(-1)?.type).toBe('end');
    }
  });

  it.each([
    ['a device that is revoked', 'DEVICE_REVOKED'],
    ['a token that expires', 'UNAUTHENTICATED'],
  ] as const)('ends for %s while it receives', async (_what, code) => {
    const { id, token } = await warehouse.enrol();
    const bearer = { role: 'device', userId: id, tenantId: warehouse.id, deviceId: id } as const;
    // Clocks may differ by thirty seconds: this token has two left.
    const short = code === 'UNAUTHENTICATED' ? await tokens.sign(bearer, -28) : token;
    const response = await open(short);
    if (code === 'DEVICE_REVOKED')
      await request(`${service.url}/devices/${id}`, { method: 'DELETE', token: warehouse.adminToken });
    await eventually(
      'the line in the log',
      () => log.find((line) => line.includes('stream cut') && line.includes(id)),
      5_000,
    );
    const { text, complete } = await drain(response);
    expect(complete).toBe(false);
    expect(text).not.toContain('"type":"end"');
    expectProblem(await request(route, { token: short }), code);
  });

  it('answers with a problem if the database refuses before the first line, and cuts the stream after it', async () => {
    const rights = (statement: string): Promise<unknown> => queryOnce(database.superuserUrl, statement);
    try {
      await rights('REVOKE SELECT ON tenant_clocks FROM agrotour_app');
      const refused = await request(route, { token: device.token, headers: { 'accept-encoding': 'gzip' } });
      expectProblem(refused, 'INTERNAL');
      expect(refused.headers.get('content-encoding')).toBeNull();
      log.splice(0); // of that it tells as of any fault
      await rights('GRANT SELECT ON tenant_clocks TO agrotour_app');
      await rights('REVOKE SELECT ON payments FROM agrotour_app');
      const cut = await open(device.token).then(drain, () => ({ text: '', complete: false })); // perhaps before its head
      expect(cut.complete).toBe(false);
      expect(cut.text).not.toContain('"type":"end"');
    } finally {
      await rights('GRANT SELECT ON tenant_clocks, payments TO agrotour_app');
    }
    expect((await snapshot(device.token)).at(-1)?.type).toBe('end');
  });
});
