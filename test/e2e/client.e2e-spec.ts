import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryLevel } from 'memory-level';
import { InvalidEntryError, SyncClient, type SyncClientOptions } from '../../client/src/index.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { newProducts, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { createTenant, request, type RunningService, startService, type TestTenant } from '../support/service.js';

describe('the client', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  const open: SyncClient[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    tenant = await createTenant(service);
  });
  afterAll(async () => {
    for (const client of open) await client.close();
    await service.stop();
    await database.drop();
  });

  async function aTill(name: string, options: Partial<SyncClientOptions> = {}): Promise<SyncClient> {
    const device = await TestDevice.enrol(tenant, name);
    const client = await SyncClient.open({
      database: new MemoryLevel(),
      baseUrl: service.url,
      tenantId: tenant.id,
      deviceId: device.id,
      userId: device.id,
      deviceType: 'MOBILE',
      token: () => device.token,
      ...options,
    });
    open.push(client);
    return client;
  }

  it('sells offline, and comes together with the others', async () => {
    const [ana, ben] = [await aTill('Ana'), await aTill('Ben')];
    const { id } = await ana.saveProduct({ name: 'Goat cheese', price: 25_000, currentStock: 10 });
    await ana.sync();
    await ben.sync();
    const sale = { productId: id, operation: 'DECREMENT', reason: 'SALE', paymentStatus: 'PAID' } as const;
    await ana.recordStock({ ...sale, delta: 3 });
    await ben.recordStock({ ...sale, delta: 2 });
    expect(await ana.stock(id)).toEqual({ confirmed: 10, pending: -3, optimistic: 7, tracked: true });
    expect(await ana.sync()).toMatchObject({ pushed: 1, accepted: 1, pulled: 1 });
    expect(await ben.sync()).toMatchObject({ pushed: 1, accepted: 1, pulled: 2 });
    await ana.sync();
    for (const till of [ana, ben]) {
      expect(await till.stock(id)).toEqual({ confirmed: 5, pending: 0, optimistic: 5, tracked: true });
      expect(await till.product(id)).toMatchObject({ name: 'Goat cheese', price: 25_000, pending: false });
    }
  });

  const aSale = (productId: string, delta: number, paymentStatus: 'PAID' | null = null) =>
    ({ productId, operation: 'DECREMENT', delta, reason: 'SALE', paymentStatus }) as const;
  const aReceipt = (productId: string, delta: number) =>
    ({ productId, operation: 'INCREMENT', delta, reason: 'RESTOCK' }) as const;
  async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const row of rows) found.push(row);
    return found;
  }

  it('refuses at once what no server would take, and records nothing of it', async () => {
    const till = await aTill('Ana');
    const [product = ''] = newProducts(1);
    await expect(till.recordStock([aSale(product, 1), aSale(product, 0)])).rejects.toThrow(InvalidEntryError);
    await expect(till.recordStock([aSale(product, 1), aSale(product, 0)])).rejects.toMatchObject({
      errors: [{ path: '[1].delta' }],
    });
    await expect(till.recordStock(aSale('cheese', 1))).rejects.toThrow(InvalidEntryError);
    expect(await all(till.outbox())).toEqual([]);
    expect(await till.stock(product)).toBeUndefined();
  });

  it('keeps what the server can not take, says why, and pushes it again mended, or forgets it', async () => {
    const till = await aTill('Ana');
    const [product = ''] = newProducts(1);
    await till.recordStock(aReceipt(product, 3));
    await till.sync();
    const told: unknown[] = [];
    till.on('rejected', ({ result }) => told.push(result.code));
    const [greedy, sad] = [await till.recordStock(aSale(product, 5)), await till.recordStock(aSale(product, 9))];
    expect(await till.stock(product)).toMatchObject({ confirmed: 3, optimistic: -11 });
    expect(await till.sync()).toMatchObject({ pushed: 2, rejected: 2 });
    expect(told).toEqual(['INSUFFICIENT_STOCK', 'INSUFFICIENT_STOCK']);
    expect(await till.stock(product)).toEqual({ confirmed: 3, pending: 0, optimistic: 3, tracked: true });
    expect(await all(till.rejected())).toMatchObject([
      { lamport: greedy.lamport, code: 'INSUFFICIENT_STOCK', body: { delta: 5 } },
      { lamport: sad.lamport, code: 'INSUFFICIENT_STOCK', body: { delta: 9 } },
    ]);
    await till.retry(greedy.lamport, { delta: 2 });
    await till.discard(sad.lamport);
    expect(await till.stock(product)).toMatchObject({ optimistic: 1 });
    expect(await till.sync()).toMatchObject({ pushed: 1, accepted: 1 });
    expect(await till.stock(product)).toEqual({ confirmed: 1, pending: 0, optimistic: 1, tracked: true });
    expect(await all(till.rejected())).toEqual([]);
  });

  it('keeps what it has when it is revoked, for an admin to import', async () => {
    const device = await TestDevice.enrol(tenant, 'Lost');
    const till = await aTill('Lost', { deviceId: device.id, userId: device.id, token: () => device.token });
    const [product = ''] = newProducts(1);
    await till.recordStock(aReceipt(product, 10));
    await till.sync();
    await till.recordStock([aSale(product, 1, 'PAID'), aSale(product, 2, 'PAID')]);
    await request(`${service.url}/devices/${device.id}`, { method: 'DELETE', token: tenant.adminToken });
    till.start();
    await eventually('it is told', () => till.status === 'revoked');
    await expect(till.sync()).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    expect(await till.stock(product)).toMatchObject({ confirmed: 10, pending: -3 });
    for (const body of await all(till.exportOutbox())) {
      const imported = await request(`${service.url}/devices/${device.id}/outbox`, { token: tenant.adminToken, body });
      expect(imported.body.results).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    }
    const other = await aTill('Ben');
    await other.sync();
    expect(await other.stock(product)).toMatchObject({ confirmed: 7 });
  });

  it('asks the app for another token when one is refused, and once only', async () => {
    const device = await TestDevice.enrol(tenant, 'Ana');
    const asked: (string | undefined)[] = [];
    const token = (refused?: string): string => {
      asked.push(refused);
      return refused === 'stale' ? device.token : 'stale';
    };
    const till = await aTill('Ana', { deviceId: device.id, userId: device.id, token });
    await expect(till.sync()).resolves.toMatchObject({ pulled: 0 });
    expect(asked.filter((refused) => refused !== undefined)).toEqual(['stale', 'stale']); // of two requests, each
  });

  it('syncs by itself, and hears at once of what others do', async () => {
    const quick = { background: { pollMs: 600_000, pollWhileLiveMs: 600_000, gatherMs: 10 } };
    const [ana, ben] = [await aTill('Ana', quick), await aTill('Ben', quick)];
    const [product = ''] = newProducts(1);
    for (const till of [ana, ben]) till.start();
    await eventually('both are up to date', () => ana.status === 'idle' && ben.status === 'idle');
    const seen = (async () => {
      for await (const { productIds } of ben.watch('stock')) if (productIds.includes(product)) return;
    })();
    await ana.recordStock(aReceipt(product, 4));
    await seen;
    expect(await ben.stock(product)).toMatchObject({ confirmed: 4 });
    await ben.recordStock(aSale(product, 1, 'PAID'));
    await eventually('it is confirmed to Ana', async () => (await ana.stock(product))?.confirmed === 3);
    for (const till of [ana, ben]) await till.stop();
    expect(ana.status).toBe('stopped');
  });

  it('tells both sides of a conflict, and of what became of it', async () => {
    const [ana, ben] = [await aTill('Ana'), await aTill('Ben')];
    const { id } = await ana.saveProduct({ name: 'Ricotta', price: 9_000, currentStock: 3 });
    await ana.sync();
    await ben.sync();
    const heard: string[] = [];
    ana.on('conflict', ({ conflict }) => heard.push(conflict.status));
    await ana.recordStock(aSale(id, 3));
    await ben.recordStock(aSale(id, 3, 'PAID'));
    await ana.sync();
    await ben.sync();
    await ana.sync();
    expect(heard).toEqual(['RESOLVED_AUTO']);
    for (const till of [ana, ben]) {
      await till.sync();
      expect(await all(till.conflicts())).toMatchObject([{ kind: 'OVERSELL', entity_id: id }]);
      expect(await till.stock(id)).toEqual({ confirmed: 0, pending: 0, optimistic: 0, tracked: true }); // paid goes first
    }
  });

  it('pushes again what a server has lost that was restored from a backup', async () => {
    const device = await TestDevice.enrol(tenant, 'Ana');
    const till = await aTill('Ana', { deviceId: device.id, userId: device.id, token: () => device.token });
    const [product = ''] = newProducts(1);
    await till.recordStock([aReceipt(product, 6), aReceipt(product, 4)]);
    await till.sync();
    await queryOnce(database.superuserUrl, 'UPDATE tenant_clocks SET epoch = gen_random_uuid() WHERE tenant_id = $1', [
      tenant.id,
    ]);
    expect(await till.sync()).toMatchObject({ snapshot: true, duplicates: 2 });
    expect(await till.stock(product)).toEqual({ confirmed: 10, pending: 0, optimistic: 10, tracked: true });
  });
});
