import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { type PushLists, TestLedger } from '../support/ledger.js';

const MANY = 1_000;

describe('the round trips of a push', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let tenantId: string;
  let deviceId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 1);
    ledger = new TestLedger(source);
    ({ tenantId, deviceId } = await ledger.addTenant());
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  /** Each of a product of its own, with a lamport of its own. */
  function operations(count: number, fields: Partial<OperationDto> = {}): OperationDto[] {
    return Array.from({ length: count }, (_, index) =>
      anOperation({ tenant_id: tenantId, device_id: deviceId, product_id: randomUUID(), lamport_ts: index, ...fields }),
    );
  }

  /** Queries that a push sends to the server, and how many of its entries ended how. */
  async function measure(
    pushed: OperationDto[] | PushLists,
  ): Promise<{ queries: number; outcomes: Record<string, number> }> {
    const queries = jest.spyOn(pg.Client.prototype, 'query');
    try {
      const receipt = await ledger.push(tenantId, deviceId, pushed);
      const outcomes: Record<string, number> = {};
      for (const { status } of receipt.outcomes) outcomes[status] = (outcomes[status] ?? 0) + 1;
      return { queries: queries.mock.calls.length, outcomes };
    } finally {
      queries.mockRestore();
    }
  }

  it('are as many for one operation as for a thousand', async () => {
    const one = await measure(operations(1));
    const many = await measure(operations(MANY));
    expect(one.outcomes).toEqual({ accepted: 1 });
    expect(many.outcomes).toEqual({ accepted: MANY });
    expect(many.queries).toBe(one.queries);
    // Begin, what it sets; clock, settings, levels, known, catalogue, lamports; rivals; events, levels, clock, device; commit.
    expect(one.queries).toBe(14);
  });

  it('are as many for one duplicate as for a thousand', async () => {
    const [single, batch] = [operations(1), operations(MANY)];
    await ledger.push(tenantId, deviceId, single);
    await ledger.push(tenantId, deviceId, batch);
    const one = await measure(single);
    const many = await measure(batch);
    expect(one.outcomes).toEqual({ duplicate: 1 });
    expect(many.outcomes).toEqual({ duplicate: MANY });
    expect(many.queries).toBe(one.queries);
  });

  it('are as many for one refusal as for a thousand, in groups too', async () => {
    const short = { operation: 'DECREMENT', reason: 'SALE', delta: 2, product_id: randomUUID() } as const;
    await ledger.push(tenantId, deviceId, operations(1, { product_id: short.product_id }));
    const one = await measure(operations(1, short));
    const grouped = operations(MANY, short).map((operation) => ({ ...operation, group_id: randomUUID() }));
    const many = await measure(grouped);
    expect(one.outcomes).toEqual({ rejected: 1 });
    expect(many.outcomes).toEqual({ rejected: MANY });
    expect(many.queries).toBe(one.queries);
  });

  it('are as many for one of each kind of entry as for hundreds, new ones and edits that are to be merged', async () => {
    const other = await ledger.addDevice(tenantId);
    const lists = (ids: readonly string[], version?: number, lamport = 1): PushLists => ({
      products: ids.map((id) => aProductEdit({ id, sku: id, lamport_ts: lamport, ...(version && { version }) })),
      payments: ids.map((id) =>
        aPaymentEdit({ id, pos_transaction_id: id, lamport_ts: lamport, ...(version && { version }) }),
      ),
      operations: operations(ids.length, {
        operation: 'DECREMENT',
        reason: 'RESERVATION',
        expires_at: '9999-01-01T00:00:00Z',
      }),
    });
    const [single, batch] = [[randomUUID()], Array.from({ length: 300 }, () => randomUUID())];
    const one = await measure(lists(single));
    const many = await measure(lists(batch));
    expect(one.outcomes).toEqual({ accepted: 3 });
    expect(many).toEqual({ queries: one.queries, outcomes: { accepted: 900 } });

    const renamed = (ids: readonly string[]): PushLists => ({
      products: ids.map((id) => aProductEdit({ id, name: 'Other', version: 1 })),
    });
    await ledger.push(tenantId, other, renamed([...single, ...batch]));
    const oneEdit = await measure(lists(single, 1, 2));
    const manyEdits = await measure(lists(batch, 1, 2));
    expect(manyEdits.queries).toBe(oneEdit.queries);
    expect(manyEdits.outcomes).not.toHaveProperty('rejected');
  });

  it('are as many for one product moved a thousand times', async () => {
    const one = await measure(operations(1));
    const same = await measure(operations(MANY, { product_id: randomUUID() }));
    expect(same).toEqual({ queries: one.queries, outcomes: { accepted: MANY } });
  });
});
