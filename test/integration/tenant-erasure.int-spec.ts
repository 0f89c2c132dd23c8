import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SERVICE } from '../../src/tenancy/audit/domain/actor.js';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { TenantErasureService } from '../../src/tenancy/workers/tenant-erasure.service.js';
import { aPerson } from '../support/actors.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

describe('the deletion of a tenant', () => {
  const tenants = new TenantRepository();
  const trail = new AuditTrail();
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let erasures: TenantErasureService;
  let doomed: string;
  let neighbour: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    erasures = new TenantErasureService(ledger.database, tenants, trail);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    [doomed, neighbour] = [await shop(), await shop()];
  });

  /** A tenant with a row in every table. @returns its id. */
  async function shop(): Promise<string> {
    const { tenantId, deviceId } = await ledger.addTenant();
    const fields = { tenant_id: tenantId, device_id: deviceId, delta: 3 };
    const [stocked, productId] = [anOperation(fields), randomUUID()];
    const expires_at = '2199-01-01T00:00:00.000Z';
    const held = { operation: 'DECREMENT', reason: 'RESERVATION', delta: 1, lamport_ts: 2, expires_at } as const;
    await ledger.push(tenantId, deviceId, {
      operations: [stocked, anOperation({ ...fields, ...held })],
      products: [aProductEdit({ id: productId })],
      payments: [aPaymentEdit()],
    });
    const late = aProductEdit({ id: productId, name: 'Sheep cheese', lamport_ts: 1 });
    await ledger.push(tenantId, await ledger.addDevice(tenantId), { products: [late] }); // loses, which is a conflict
    await ledger.database.transaction(tenantId, async (tx) => {
      await trail.record(tx, aPerson(tenantId), { action: 'conflicts.exported' });
      await trail.record(tx, SERVICE, { action: 'tenant.created' });
    });
    return tenantId;
  }

  const setStatus = (tenantId: string, ...statuses: string[]): Promise<void> =>
    ledger.database.transaction(tenantId, async (tx) => {
      for (const status of statuses) await tx.manager.query('UPDATE tenants SET status = $1', [status]);
    });

  /** Rows of the tenant in each table that has a `tenant_id`. */
  async function rowsOf(tenantId: string): Promise<Record<string, number>> {
    const tables = await queryOnce<{ name: string }>(
      database.superuserUrl,
      `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1`,
    );
    const counted: Record<string, number> = {};
    for (const { name } of tables) {
      const statement = `SELECT count(*)::integer AS rows FROM ${name} WHERE tenant_id = $1`;
      const [found] = await queryOnce<{ rows: number }>(database.superuserUrl, statement, [tenantId]);
      counted[name] = found?.rows ?? -1;
    }
    return counted;
  }

  const failureOf = (url: string, tenantId: string, statement: string): Promise<string | undefined> =>
    withClient(url, async (client) => {
      await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenantId]);
      return client.query(statement).then(
        () => undefined,
        (error: unknown) => (error as { code: string }).code,
      );
    });

  it('leaves no row of the tenant in any table but what the platform did, and every row of others', async () => {
    const before = await rowsOf(doomed);
    expect(Object.entries(before).filter(([, rows]) => rows === 0)).toEqual([]); // or the test would show nothing
    const others = await rowsOf(neighbour);
    await setStatus(doomed, 'SUSPENDED', 'DELETING');
    expect(await erasures.erase(doomed)).toBe(Object.values(before).reduce((sum, rows) => sum + rows) - 1);

    const after = await rowsOf(doomed);
    expect(after).toEqual({ ...Object.fromEntries(Object.keys(after).map((table) => [table, 0])), audit_log: 2 });
    const entries = await queryOnce(
      database.superuserUrl,
      'SELECT action, role FROM audit_log WHERE tenant_id = $1 ORDER BY recorded_at',
      [doomed],
    );
    expect(entries).toEqual([
      { action: 'tenant.created', role: 'service' },
      { action: 'tenant.deleted', role: 'service' },
    ]);
    expect(
      await queryOnce(database.superuserUrl, 'SELECT status, settings FROM tenants WHERE id = $1', [doomed]),
    ).toEqual([{ status: 'DELETED', settings: {} }]);
    expect(await rowsOf(neighbour)).toEqual(others);
  });

  it('goes on where it was cut short, and twice at once is as good as once', async () => {
    await setStatus(doomed, 'SUSPENDED', 'DELETING');
    for (let step = 0; step < 3; step += 1) {
      expect(await ledger.database.transaction(doomed, (tx) => tenants.eraseSome(tx, 1))).toBe(1);
    }
    const left = Object.values(await rowsOf(doomed)).reduce((sum, rows) => sum + rows);
    const [one, two] = await Promise.all([erasures.eraseAll(), erasures.erase(doomed)]);
    expect(one.failures).toEqual([]);
    expect(one.erased + two).toBe(left - 1);
    expect((await rowsOf(doomed))['audit_log']).toBe(2);
    expect(await erasures.erase(doomed)).toBe(0);
    expect((await rowsOf(doomed))['audit_log']).toBe(2);
  });

  it('begins with the clock, so that nothing can be pushed any more', async () => {
    await setStatus(doomed, 'SUSPENDED', 'DELETING');
    await ledger.database.transaction(doomed, (tx) => tenants.eraseSome(tx, 5_000));
    const { tenant_clocks: clocks, stock_events: events } = await rowsOf(doomed);
    expect({ clocks, events }).toEqual({ clocks: 0, events: 2 });
  });

  it.each([['ACTIVE'], ['SUSPENDED'], ['DELETED']])(
    'is nothing that happens to a tenant that is %s',
    async (status) => {
      if (status !== 'ACTIVE') await setStatus(doomed, 'SUSPENDED');
      if (status === 'DELETED') await setStatus(doomed, 'DELETING', 'DELETED');
      const before = await rowsOf(doomed);
      expect(await erasures.erase(doomed)).toBe(0);
      expect(await failureOf(database.appUrl, doomed, 'SELECT erase_tenant_rows(10)')).toBe('23000');
      expect(await failureOf(database.ownerUrl, doomed, 'DELETE FROM stock_events')).toBe('23000');
      expect(await rowsOf(doomed)).toEqual(before);
    },
  );

  it('is of one tenant, and no tenant that is set is none', async () => {
    await setStatus(doomed, 'SUSPENDED', 'DELETING');
    expect(await failureOf(database.appUrl, neighbour, 'SELECT erase_tenant_rows(10)')).toBe('23000');
    expect(await failureOf(database.appUrl, '', 'SELECT erase_tenant_rows(10)')).toBe('23000');
    expect(await failureOf(database.superuserUrl, doomed, 'DELETE FROM stock_events')).toBe('23000'); // of all tenants
    expect((await rowsOf(doomed))['stock_events']).toBe(2);
  });

  it.each(['DELETE FROM stock_events', 'DELETE FROM state_versions', 'DELETE FROM audit_log', 'DELETE FROM products'])(
    'gives the service’s role no right to %s',
    async (statement) => {
      await setStatus(doomed, 'SUSPENDED', 'DELETING');
      expect(await failureOf(database.appUrl, doomed, statement)).toBe('42501');
    },
  );

  it('is not led astray by a table of the caller’s own', async () => {
    const astray = `CREATE TEMPORARY TABLE tenants (id uuid, status text);
      INSERT INTO tenants VALUES ('${doomed}', 'DELETING');
      SET search_path = pg_temp, public; SELECT erase_tenant_rows(10)`;
    expect(await failureOf(database.appUrl, doomed, astray)).toBe('23000');
  });

  it.each([
    ['ACTIVE', 'DELETING'],
    ['ACTIVE', 'DELETED'],
    ['SUSPENDED', 'DELETED'],
    ['DELETING', 'ACTIVE'],
    ['DELETING', 'SUSPENDED'],
    ['DELETED', 'ACTIVE'],
    ['DELETED', 'SUSPENDED'],
    ['DELETED', 'DELETING'],
  ])('does not lead from %s to %s', async (from, to) => {
    const path = ['ACTIVE', 'SUSPENDED', 'DELETING', 'DELETED'];
    await setStatus(doomed, ...path.slice(1, path.indexOf(from) + 1));
    expect(await failureOf(database.appUrl, doomed, `UPDATE tenants SET status = '${to}'`)).toBe('23000');
  });

  it('keeps what the platform did to it from its owner, too', async () => {
    await setStatus(doomed, 'SUSPENDED', 'DELETING');
    expect(await failureOf(database.ownerUrl, doomed, 'DELETE FROM audit_log WHERE by_platform')).toBe('23000');
  });
});
