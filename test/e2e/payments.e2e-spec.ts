import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { aPaymentEdit } from '../support/builders.js';
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

describe('payments', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    device = await TestDevice.enrol(tenant);
  });

  const get = (path: string, token = tenant.adminToken): Promise<Answer> => request(`${service.url}${path}`, { token });
  const reconcile = (id: string, body: unknown, token = tenant.adminToken): Promise<Answer> =>
    request(`${service.url}/payments/${id}/reconcile`, { token, body });

  async function push(...payments: object[]): Promise<Answer['body'][]> {
    const answer = await device.push(service, [], { payments });
    expect(answer.status).toBe(200);
    return answer.body.results as Answer['body'][];
  }

  it('are listed the newest first, filtered and in pages', async () => {
    const payments = Array.from({ length: 5 }, (_, index) =>
      aPaymentEdit({
        payment_method: index % 2 ? 'TRANSFER' : 'CASH',
        pos_transaction_id: `T-${index}`,
        lamport_ts: index + 1,
      }),
    );
    await push(...payments);
    await push({ id: payments[0]?.id, notes: 'edited', lamport_ts: 50 }); // does not move it in the list
    const ids = (answer: Answer): string[] => answer.body.payments.map((payment: { id: string }) => payment.id);
    const newestFirst = payments.map(({ id }) => id).reverse();
    expect(ids(await get('/payments'))).toEqual(newestFirst);
    const first = await get('/payments?limit=2');
    const second = await get(`/payments?limit=3&cursor=${first.body.next_cursor as number}`);
    expect([...ids(first), ...ids(second)]).toEqual(newestFirst);
    expect(second.body.next_cursor).toBeNull();
    expect(ids(await get('/payments?payment_method=TRANSFER'))).toEqual([payments[3]?.id, payments[1]?.id]);
    const cash: string[] = [];
    for (let cursor = ''; ;) {
      const page = await get(`/payments?payment_method=CASH&limit=1${cursor}`);
      cash.push(...ids(page));
      if (page.body.next_cursor === null) break;
      cursor = `&cursor=${page.body.next_cursor as number}`;
    }
    expect(cash).toEqual([payments[4]?.id, payments[2]?.id, payments[0]?.id]);
    expect(ids(await get('/payments?payment_method=CASH&pos_transaction_id=T-1'))).toEqual([]);
    expect(ids(await get('/payments?pos_transaction_id=T-2'))).toEqual([payments[2]?.id]);
    expect(ids(await get(`/payments?sale_id=${payments[4]?.sale_id ?? ''}`))).toEqual([payments[4]?.id]);
    expect(ids(await get('/payments?reconciliation_status=CONFIRMED'))).toEqual([]);
    const other = await createTenant(service);
    expect(ids(await get('/payments', other.adminToken))).toEqual([]);
    expectProblem(await get(`/payments/${payments[0]?.id ?? ''}`, other.adminToken), 'NOT_FOUND');
  });

  it('are reconciled by an admin, once for the same decision, and devices learn of it by pulling', async () => {
    const payment = aPaymentEdit();
    await push(payment);
    const head = (await device.pull(service, 0)).body.next_lamport as number;
    const confirmed = await reconcile(payment.id, { reconciliation_status: 'CONFIRMED', notes: 'Seen\non paper' });
    expect(confirmed.status).toBe(200);
    expect(confirmed.body).toMatchObject({
      id: payment.id,
      reconciliation_status: 'CONFIRMED',
      reconciled: true,
      reconciliation_notes: 'Seen\non paper',
      reconciled_at: expect.any(String),
      reconciled_by: expect.any(String),
      version: 2,
      lamport_ts: head + 1,
    });
    const again = await reconcile(payment.id, { reconciliation_status: 'CONFIRMED', notes: 'Seen\non paper' });
    expect(again.body).toEqual(confirmed.body);
    const page = (await device.pull(service, head)).body;
    expect(page.payments).toEqual([confirmed.body]);
    expect(page.next_lamport).toBe(head + 1);
    const failed = await reconcile(payment.id, { reconciliation_status: 'FAILED' });
    expect(failed.body).toMatchObject({ reconciliation_status: 'FAILED', reconciled: false, version: 3 });
    expect((await get(`/payments/${payment.id}`)).body).toEqual(failed.body);
  });

  it('keep what was decided when a device edits them, and the device’s edit of before is merged', async () => {
    const payment = aPaymentEdit({ notes: null });
    await push({
      ...payment,
      reconciliation_status: 'FAILED',
      reconciled: true,
      reconciliation_notes: 'said a device',
    });
    expect((await get(`/payments/${payment.id}`)).body).toMatchObject({
      reconciliation_status: 'PENDING',
      reconciled: false,
      reconciliation_notes: null,
    });
    await reconcile(payment.id, { reconciliation_status: 'CONFIRMED' });
    const edit = { id: payment.id, notes: 'paid by the neighbour', lamport_ts: 2, version: 1 };
    const [edited] = await push({ ...edit, reconciliation_status: 'FAILED', reconciled: false });
    expect(edited).toMatchObject({ status: 'accepted', version: 3 });
    expect(edited).not.toHaveProperty('conflict_id');
    expect((await get(`/payments/${payment.id}`)).body).toMatchObject({
      notes: 'paid by the neighbour',
      reconciliation_status: 'CONFIRMED',
    });
  });

  it('are reconciled by nobody else, and only as what there is', async () => {
    const payment = aPaymentEdit();
    await push(payment);
    const decision = { reconciliation_status: 'CONFIRMED' };
    for (const token of [device.token, await tenant.staffToken()]) {
      expectProblem(await reconcile(payment.id, decision, token), 'FORBIDDEN');
    }
    expectProblem(await reconcile(payment.id, decision, (await createTenant(service)).adminToken), 'NOT_FOUND');
    expectProblem(await reconcile(randomUUID(), decision), 'NOT_FOUND');
    for (const body of [{}, { reconciliation_status: 'PENDING' }, { ...decision, notes: 'x'.repeat(2_001) }, []]) {
      expectProblem(await reconcile(payment.id, body), 'VALIDATION');
    }
    expect((await get(`/payments/${payment.id}`)).body).toMatchObject({ reconciliation_status: 'PENDING', version: 1 });
  });

  it('are decided one after another when two people decide at once', async () => {
    const payment = aPaymentEdit();
    await push(payment);
    const decisions = Array.from({ length: 8 }, (_, index) =>
      reconcile(payment.id, { reconciliation_status: index % 2 ? 'CONFIRMED' : 'FAILED', notes: `${index}` }),
    );
    const versions = (await Promise.all(decisions)).map((answer) => answer.body.version as number);
    expect(versions.sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
