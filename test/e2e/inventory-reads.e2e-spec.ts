import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aProductEdit } from '../support/builders.js';
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
} from '../support/service.js';

describe('reading the inventory', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    tenant = await createTenant(service);
    device = await TestDevice.enrol(tenant);
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  const get = (path: string, token = tenant.adminToken): Promise<Answer> => request(`${service.url}${path}`, { token });

  async function push(lists: { operations?: unknown[]; products?: unknown[] }, by = device): Promise<Answer['body'][]> {
    const answer = await by.push(service, lists.operations ?? [], lists);
    expect(answer.body.results.map((result: { status: string }) => result.status)).not.toContain('rejected');
    return answer.body.results as Answer['body'][];
  }

  describe('the catalogue', () => {
    const shop = { names: [] as string[], marker: randomUUID() };
    beforeAll(async () => {
      const names = ['alpha', 'Beta 100%', 'beta_2', 'Čeda', 'gamma', 'Alpha', 'delta', 'Ölkäse'];
      const products = names.map((name, index) =>
        aProductEdit({
          name,
          sku: `SKU-${index}`,
          description: index === 4 ? `has ${shop.marker} in it` : null,
          category: index % 2 ? 'odd' : 'even',
          lamport_ts: index + 1,
          ...(index < 2 && { current_stock: 5 + index }),
        }),
      );
      await push({ products });
      await push({ products: [{ id: products[6]?.id, is_deleted: true, lamport_ts: 50 }] });
    });

    const names = (answer: Answer): string[] => answer.body.products.map((product: { name: string }) => product.name);

    it('lists the living by name in either case, with their stock, whatever the size of the pages', async () => {
      const whole = await get('/inventory/products');
      expect(whole.body.next_cursor).toBeNull();
      expect(
        names(whole)
          .slice(0, 3)
          .map((name) => name.toLowerCase()),
      ).toEqual(['alpha', 'alpha', 'beta 100%']);
      expect(names(whole)).toHaveLength(7);
      expect(whole.body.products.find((product: { sku: string }) => product.sku === 'SKU-1')).toMatchObject({
        quantity: 6,
        tracked: true,
        is_deleted: false,
      });
      for (const limit of [1, 2, 3]) {
        const seen: string[] = [];
        for (let cursor = ''; ;) {
          const page = await get(`/inventory/products?limit=${limit}${cursor && `&cursor=${cursor}`}`);
          expect(page.body.products.length).toBeLessThanOrEqual(limit);
          seen.push(...names(page));
          if (page.body.next_cursor === null) break;
          cursor = page.body.next_cursor as string;
        }
        expect(seen).toEqual(names(whole));
      }
    });

    it.each([
      ['search=ALPHA', ['alpha', 'Alpha']],
      ['search=sku-4', ['gamma']],
      ['search=100%25', ['Beta 100%']],
      ['search=_2', ['beta_2']],
      ['search=%25', ['Beta 100%']],
      ['search=nothing', []],
      ['sku=SKU-3', ['Čeda']],
      ['category=odd&search=alpha', ['Alpha']],
      ['include_deleted=true&search=delta', ['delta']],
      ['include_deleted=false&search=delta', []],
    ])('finds by %s', async (query, found) => {
      expect(names(await get(`/inventory/products?${query}`)).sort()).toEqual([...found].sort());
    });

    it('searches descriptions too', async () => {
      expect(names(await get(`/inventory/products?search=${shop.marker}`))).toEqual(['gamma']);
    });

    it('shows one product, and a deleted one as its tombstone', async () => {
      const [deleted] = (await get('/inventory/products?include_deleted=true&search=delta')).body.products;
      expect((await get(`/inventory/products/${deleted.id as string}`)).body).toEqual(deleted);
      expect(deleted).toMatchObject({ is_deleted: true, quantity: 0, tracked: false });
      expectProblem(await get(`/inventory/products/${randomUUID()}`), 'NOT_FOUND');
      expectProblem(await get('/inventory/products/7'), 'VALIDATION');
    });

    it('shows another tenant nothing', async () => {
      const other = await createTenant(service);
      expect((await get('/inventory/products?include_deleted=true', other.adminToken)).body.products).toEqual([]);
      const [product] = (await get('/inventory/products')).body.products;
      for (const path of ['', '/stock', '/events']) {
        expectProblem(await get(`/inventory/products/${product.id as string}${path}`, other.adminToken), 'NOT_FOUND');
      }
    });

    it.each([
      ['limit', '/inventory/products?limit=0'],
      ['limit', '/inventory/products?limit=-5'],
      ['limit', '/inventory/products?limit=1001'],
      ['limit', '/inventory/products?limit=NaN'],
      ['limit', '/inventory/products?limit=1e2'],
      ['limit', '/inventory/products?limit='],
      ['limit', `/inventory/products?limit=${'9'.repeat(400)}`],
      ['limit', '/inventory/products?limit=1&limit=2'],
      ['search', '/inventory/products?search=a&search=b'],
      ['cursor', '/inventory/products?cursor=a&cursor=b'],
      ['include_deleted', '/inventory/products?include_deleted=maybe'],
      ['search', `/inventory/products?search=${'x'.repeat(201)}`],
      ['search', '/inventory/products?search=a%00b'],
      ['cursor', '/inventory/products?cursor=nonsense'],
      ['cursor', `/inventory/products?cursor=${Buffer.from('["a"]').toString('base64url')}`],
      ['cursor', `/inventory/products?cursor=${Buffer.from('["a\\u0000","x"]').toString('base64url')}`],
      ['kind', '/inventory/alerts?kind=ALL'],
      ['cursor', `/inventory/alerts?cursor=${Buffer.from('["X","y"]').toString('base64url')}`],
      ['at_lamport', `/inventory/products/${randomUUID()}/stock?at_lamport=-1`],
      ['at_time', `/inventory/products/${randomUUID()}/stock?at_time=yesterday`],
      ['at_time', `/inventory/products/${randomUUID()}/stock?at_lamport=1&at_time=2026-01-01T00:00:00Z`],
      ['limit', '/payments?limit=0'],
      ['sale_id', '/payments?sale_id=7'],
      ['cursor', '/payments?cursor=-1'],
      ['status', '/sync/conflicts?status=OPEN'],
    ])('says that %s is wrong in %s', async (path, url) => {
      const answer = await get(url);
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path }]);
    });
  });

  it('takes no harm from what nobody would ask', async () => {
    const unheardOf = ['__proto__=1', 'constructor=1', 'toString=1', 'limit[]=0', 'cursor[a]=1', '&&=='];
    const questions = [...unheardOf, 'search=%zz', 'search=%E0%A4%A', 'search=%ED%A0%80'];
    for (const path of ['/inventory/products', '/inventory/alerts', '/payments']) {
      const plain = await get(path);
      for (const question of questions) {
        const answer = await get(`${path}?${question}`);
        expect(answer.status).toBe(200);
        if (!question.startsWith('search')) expect(answer.body).toEqual(plain.body);
      }
    }
  });

  describe('stock', () => {
    it('is told as it was at every lamport and time, and is nothing before', async () => {
      const till = await TestDevice.enrol(tenant);
      const id = randomUUID();
      const before = new Date();
      const steps = [
        till.sale(id, 2, { payment_status: 'PAID' }),
        till.restock(id, 10),
        till.operation({ product_id: id, operation: 'SET', delta: 4, reason: 'COUNT' }),
      ];
      const lamports: number[] = [];
      const times: string[] = [];
      for (const operation of steps) {
        const [result] = await push({ operations: [operation] }, till);
        lamports.push(result.server_lamport as number);
        const last = (await get(`/inventory/products/${id}/events?cursor=${result.server_lamport - 1}`)).body.events[0];
        times.push(last.synced_at as string);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      const states = [
        { quantity: -2, tracked: false, last_lamport: lamports[0] },
        { quantity: 8, tracked: true, last_lamport: lamports[1] },
        { quantity: 4, tracked: true, last_lamport: lamports[2] },
      ];
      const stock = async (query: string): Promise<unknown> =>
        (await get(`/inventory/products/${id}/stock?${query}`)).body;
      for (const [index, state] of states.entries()) {
        expect(await stock(`at_lamport=${lamports[index] ?? 0}`)).toEqual({ product_id: id, ...state });
        expect(await stock(`at_time=${times[index] ?? ''}`)).toEqual({ product_id: id, ...state });
      }
      const nothing = { product_id: id, quantity: 0, tracked: false, last_lamport: 0 };
      expect(await stock(`at_lamport=${(lamports[0] ?? 0) - 1}`)).toEqual(nothing);
      expect(await stock(`at_time=${new Date(before.getTime() - 60_000).toISOString()}`)).toEqual(nothing);
      expect(await stock('at_lamport=9007199254740991')).toEqual(await stock(''));
      expect(await stock('at_time=9999-01-01T00:00:00Z')).toEqual(await stock(''));
      // One and the same time, and of the last the `+` arrives as a space.
      const [first = ''] = times;
      const inRome = new Date(Date.parse(first) + 7_200_000).toISOString().replace('Z', '+02:00');
      for (const time of [first, encodeURIComponent(inRome), inRome]) {
        expect(await stock(`at_time=${time}`)).toEqual({ product_id: id, ...states[0] });
      }
    });

    it('of a product nobody has moved is nothing, with an empty ledger; of one nobody knows there is none', async () => {
      const product = aProductEdit({ lamport_ts: 100 });
      await push({ products: [product] });
      expect((await get(`/inventory/products/${product.id}/stock`)).body).toEqual({
        product_id: product.id,
        quantity: 0,
        tracked: false,
        last_lamport: 0,
      });
      expect((await get(`/inventory/products/${product.id}/events`)).body).toEqual({ events: [], next_cursor: null });
      expectProblem(await get(`/inventory/products/${randomUUID()}/stock`), 'NOT_FOUND');
      expectProblem(await get(`/inventory/products/${randomUUID()}/events`), 'NOT_FOUND');
    });
  });

  it('alerts of what is oversold, unknown or below its reorder point, page by page', async () => {
    const shop = await createTenant(service);
    const till = await TestDevice.enrol(shop);
    const low = aProductEdit({ name: 'Low', current_stock: 4, reorder_point: 5, lamport_ts: 1 });
    const enough = aProductEdit({ name: 'Enough', current_stock: 5, reorder_point: 5, lamport_ts: 2 });
    const both = aProductEdit({ name: 'Both', current_stock: 1, reorder_point: 3, lamport_ts: 3 });
    const gone = aProductEdit({ name: 'Gone', current_stock: 1, reorder_point: 3, lamport_ts: 4 });
    const unknown = randomUUID();
    await push({ products: [low, enough, both, gone] }, till);
    const sales = [
      till.sale(both.id, 3, { payment_status: 'PAID', lamport_ts: 91 }),
      till.sale(unknown, 1, { payment_status: 'PAID', lamport_ts: 92 }),
      till.sale(gone.id, 2, { payment_status: 'PAID', lamport_ts: 93 }),
    ];
    await push({ operations: sales }, till);
    await push({ products: [{ id: gone.id, is_deleted: true, lamport_ts: 200 }] }, till);
    const whole = (await get('/inventory/alerts', shop.adminToken)).body;
    const byProduct = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
    expect(whole.alerts).toEqual(
      [
        ...[
          { id: both.id, kind: 'OVERSOLD', name: 'Both', quantity: -2, reorder_point: 3 },
          { id: gone.id, kind: 'OVERSOLD', name: 'Gone', quantity: -1, reorder_point: 3 },
        ].sort(byProduct),
        { id: unknown, kind: 'UNKNOWN_PRODUCT', name: null, quantity: -1, reorder_point: null },
        ...[
          { id: low.id, kind: 'LOW_STOCK', name: 'Low', quantity: 4, reorder_point: 5 },
          { id: both.id, kind: 'LOW_STOCK', name: 'Both', quantity: -2, reorder_point: 3 },
        ].sort(byProduct),
      ].map(({ id, ...alert }) => ({ ...alert, product_id: id, last_lamport: expect.any(Number) })),
    );
    const paged: unknown[] = [];
    for (let cursor = ''; ;) {
      const { body } = await get(`/inventory/alerts?limit=1${cursor && `&cursor=${cursor}`}`, shop.adminToken);
      paged.push(...body.alerts);
      if (body.next_cursor === null) break;
      cursor = body.next_cursor as string;
    }
    expect(paged).toEqual(whole.alerts);
    expect((await get('/inventory/alerts?kind=UNKNOWN_PRODUCT', shop.adminToken)).body.alerts).toMatchObject([
      { product_id: unknown },
    ]);
  });
});
