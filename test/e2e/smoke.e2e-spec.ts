import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createTenant, request, type RunningService, startService } from '../support/service.js';

describe('the main job', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('records a push once, however often it comes, and hands it to another device', async () => {
    const tenant = await createTenant(service);
    const [till, phone] = [await tenant.enrol('till'), await tenant.enrol('phone')];
    const operation = anOperation({ tenant_id: tenant.id, device_id: till.id, delta: 12 });
    const push = { operations: [operation], client_lamport: 1, device_id: till.id };
    const first = await request(`${service.url}/sync/push`, { token: till.token, body: push });
    const again = await request(`${service.url}/sync/push`, { token: till.token, body: push });
    expect(first.body.results).toMatchObject([{ status: 'accepted', operation_id: operation.operation_id }]);
    expect(again.body.results).toMatchObject([{ status: 'duplicate', original: { stock_after: 12 } }]);
    const pulled = await request(`${service.url}/sync/pull`, { token: phone.token, body: { last_lamport: 0 } });
    expect(pulled.body.operations).toMatchObject([{ operation_id: operation.operation_id, effect: 12 }]);
    expect(pulled.body).toMatchObject({ has_more: false, next_lamport: again.body.server_lamport });
  });
});
