import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryLevel } from 'memory-level';
import { SyncClient, type SyncClientOptions } from '../../client/src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { createTenant, type RunningService, startService, type TestTenant } from '../support/service.js';

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
});
