import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import { aPerson } from '../support/actors.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

/** Both refusals have SQLSTATE 42501; a missing right must not pass for a policy that works. */
const BY_POLICY = /violates row-level security policy/;
const BY_RIGHTS = /permission denied/;

describe('row-level security (I6)', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  /** Every table whose rows belong to a tenant, with the column that says to which, and those that can be written. */
  let tables: { name: string; key: string; columns: string; changeable: boolean }[];
  const operationId = randomUUID();
  const sharedId = randomUUID();
  let ana: string;
  let ben: string;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl, 1); // one connection: what one tenant leaves on it, the next meets
    ledger = new TestLedger(source);
    const deviceId = randomUUID(); // ids that two tenants share must not matter
    ana = (await ledger.addTenant(deviceId)).tenantId;
    ben = (await ledger.addTenant(deviceId)).tenantId;
    for (const tenantId of [ana, ben]) {
      // One row in every table, with the same ids in both tenants.
      const held = { reason: 'RESERVATION', expires_at: '9999-01-01T00:00:00Z' } as const;
      const { outcomes } = await ledger.push(tenantId, deviceId, {
        operations: [
          anOperation({ tenant_id: tenantId, device_id: deviceId, operation_id: operationId }),
          anOperation({
            ...{ tenant_id: tenantId, device_id: deviceId, lamport_ts: 2 },
            operation: 'DECREMENT',
            ...held,
          }),
        ],
        products: [aProductEdit({ id: sharedId, sku: 'S' })],
        payments: [aPaymentEdit({ id: sharedId }), aPaymentEdit({ id: sharedId, amount: 7, lamport_ts: 0 })],
      });
      expect(outcomes.map(({ status }) => status)).toEqual([...Array<string>(4).fill('accepted'), 'ignored']);
      await ledger.database.transaction(tenantId, (tx) =>
        new AuditTrail().record(tx, aPerson(tenantId), { action: 'conflicts.exported' }),
      );
    }
    tables = await queryOnce(
      testDatabase.superuserUrl,
      `SELECT c.relname AS name, a.attname AS key, has_table_privilege('agrotour_app', c.oid, 'UPDATE') AS changeable,
              (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
               WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
         AND a.attname = CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
       ORDER BY c.relname`,
    );
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });

  /** Whose rows a connection sees, table by table. */
  async function ownersSeen(manager: EntityManager): Promise<Record<string, string[]>> {
    const seen: Record<string, string[]> = {};
    for (const { name, key } of tables) {
      const rows = await manager.query<{ owner: string }[]>(`SELECT DISTINCT ${key} AS owner FROM ${name}`);
      seen[name] = rows.map((row) => row.owner);
    }
    return seen;
  }
  const everyTable = (owners: string[]): Record<string, string[]> =>
    Object.fromEntries(tables.map(({ name }) => [name, owners]));
  const seenBy = (tenantId: string): Promise<Record<string, string[]>> =>
    ledger.database.transaction(tenantId, (tx) => ownersSeen(tx.manager));
  const backend = async (manager: EntityManager): Promise<number> =>
    (await manager.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid'))[0].pid;

  it('shows each tenant its own rows and nobody else’s, on one connection after the other', async () => {
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['devices', 'stock_events', 'stock_levels', 'tenant_clocks', 'tenants']),
    );
    const connections = new Set<number>();
    for (const tenantId of [ana, ben, ana]) {
      expect(await seenBy(tenantId)).toEqual(everyTable([tenantId]));
      connections.add(await ledger.database.transaction(tenantId, (tx) => backend(tx.manager)));
    }
    expect(connections.size).toBe(1);
  });

  it('shows nothing, and fails nothing, where no tenant is set', async () => {
    const fresh = await openDataSource(testDatabase.appUrl, 1);
    try {
      expect(await ownersSeen(fresh.manager)).toEqual(everyTable([]));
    } finally {
      await fresh.destroy();
    }
    await seenBy(ana);
    expect(await ownersSeen(source.manager)).toEqual(everyTable([]));
  });

  it('refuses a row of another tenant, into whichever table', async () => {
    for (const { name, key, columns } of tables) {
      // The tenant's own row, but for its owner and, where that alone identifies it, with another id.
      const copy = `INSERT INTO ${name} (${columns}) SELECT ${columns} FROM (
        SELECT (jsonb_populate_record(t, jsonb_build_object('${key}', $1::uuid))).* FROM ${name} t) AS copied`;
      await expect(ledger.database.transaction(ana, (tx) => tx.manager.query(copy, [ben]))).rejects.toThrow(BY_POLICY);
      await expect(ledger.database.transaction(ana, (tx) => tx.manager.query(copy, [randomUUID()]))).rejects.toThrow(
        BY_POLICY,
      );
    }
  });

  it('refuses to give a row away', async () => {
    for (const { name, key, changeable } of tables) {
      const giving = ledger.database.transaction(ana, (tx) =>
        tx.manager.query(`UPDATE ${name} SET ${key} = $1`, [ben]),
      );
      await expect(giving).rejects.toThrow(changeable ? BY_POLICY : BY_RIGHTS);
    }
  });

  it('changes no row of another tenant, even if the statement has no WHERE', async () => {
    const levels = `UPDATE stock_levels SET quantity = 7`;
    const [, changed] = await ledger.database.transaction(ana, (tx) => tx.manager.query<[unknown[], number]>(levels));
    expect(changed).toBe(1);
    expect(
      await ledger.database.transaction(ben, (tx) => tx.manager.query('SELECT quantity FROM stock_levels')),
    ).toEqual([{ quantity: 0 }]);
  });

  it('shows the operator the list of tenants and no row of theirs', async () => {
    const seen = await ledger.database.platformTransaction((tx) => ownersSeen(tx.manager));
    const { tenants, ...theirs } = seen;
    expect(tenants?.sort()).toEqual([ana, ben].sort());
    expect({ tenants: [], ...theirs }).toEqual(everyTable([]));
  });

  it('leaves nothing of the operator’s view to who comes next', async () => {
    await ledger.database.platformTransaction((tx) => ownersSeen(tx.manager));
    expect(await ownersSeen(source.manager)).toEqual(everyTable([]));
    expect(await seenBy(ben)).toEqual(everyTable([ben]));
  });

  it('lets two tenants have an operation of the same id', async () => {
    for (const tenantId of [ana, ben]) {
      const ids = await ledger.database.transaction(tenantId, (tx) =>
        tx.manager.query('SELECT operation_id FROM stock_events WHERE operation_id = $1', [operationId]),
      );
      expect(ids).toEqual([{ operation_id: operationId }]);
    }
  });
});
