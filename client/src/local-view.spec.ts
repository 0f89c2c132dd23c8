import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { MemoryLevel } from 'memory-level';
import { SyncClient } from './sync-client.js';

describe('what a device shows that was never online', () => {
  let till: SyncClient;
  const id = randomUUID();

  beforeEach(async () => {
    till = await SyncClient.open({
      ...{ tenantId: randomUUID(), deviceId: randomUUID(), userId: randomUUID(), deviceType: 'WEB' },
      ...{ database: new MemoryLevel(), baseUrl: 'http://nowhere.invalid', token: () => '' },
    });
  });
  afterEach(() => till.close());

  it('has the stock that a new product starts with, and what was sold of it', async () => {
    await till.saveProduct({ id, name: 'Honey', currentStock: 10 });
    expect(await till.stock(id)).toMatchObject({ confirmed: 0, pending: 10, optimistic: 10 });
    await till.recordStock({ productId: id, operation: 'DECREMENT', delta: 3, reason: 'SALE' });
    expect(await till.stock(id)).toMatchObject({ confirmed: 0, pending: 7, optimistic: 7 });
    await till.recordStock({ productId: id, operation: 'SET', delta: 5, reason: 'COUNT' });
    expect(await till.stock(id)).toMatchObject({ optimistic: 5 });
  });

  it('knows that only the first to make a product says what it starts with', async () => {
    await till.saveProduct({ id, name: 'Honey' });
    expect(await till.stock(id)).toBeUndefined();
    await till.saveProduct({ id, currentStock: 10 });
    expect(await till.stock(id)).toBeUndefined();
  });
});
