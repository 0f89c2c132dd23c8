import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase, withClient } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

const CHANGES = [
  ['UPDATE', 'UPDATE stock_events SET effect = 2'],
  ['an UPDATE that changes nothing', 'UPDATE stock_events SET effect = effect'],
  ['DELETE', 'DELETE FROM stock_events'],
  ['TRUNCATE', 'TRUNCATE stock_events'],
  [
    'an upsert',
    `INSERT INTO stock_events SELECT * FROM stock_events ON CONFLICT (tenant_id, lamport_ts) DO UPDATE SET effect = 2`,
  ],
] as const;

describe('the ledger (I5)', () => {
  let database: TestDatabase;
  let source: DataSource;
  let tenantId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 1);
    const ledger = new TestLedger(source);
    const tenant = await ledger.addTenant();
    tenantId = tenant.tenantId;
    await ledger.push(tenantId, tenant.deviceId, [anOperation({ tenant_id: tenantId, device_id: tenant.deviceId })]);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  /** SQLSTATE of what `change` fails with in the tenant's own transaction, and the events' effects after it. */
  async function attempt(url: string, change: string): Promise<{ failed: string | undefined; effects: string[] }> {
    return withClient(url, async (client) => {
      const enter = `SELECT set_config('app.tenant_id', '${tenantId}', false)`;
      await client.query(enter);
      const failed = await client.query(change).then(
        () => undefined,
        (error: unknown) => (error as { code: string }).code,
      );
      const { rows } = await client.query<{ effect: string }>('SELECT effect FROM stock_events');
      return { failed, effects: rows.map((row) => row.effect) };
    });
  }

  it.each(CHANGES)('gives the service’s role no right to %s', async (_name, change) => {
    expect(await attempt(database.appUrl, change)).toEqual({ failed: '42501', effects: ['1'] });
  });

  it.each(CHANGES)('refuses its owner %s', async (_name, change) => {
    expect(await attempt(database.ownerUrl, change)).toEqual({ failed: '23000', effects: ['1'] });
  });

  it.each(CHANGES)('refuses a superuser, whom no policy binds, %s', async (_name, change) => {
    expect(await attempt(database.superuserUrl, change)).toEqual({ failed: '23000', effects: ['1'] });
  });
});
