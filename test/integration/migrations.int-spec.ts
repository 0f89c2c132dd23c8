import { afterEach, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../src/database/data-source.js';
import { migrate } from '../../src/database/migrate.js';
import { assertMigrated, DatabaseRefusedError } from '../../src/database/restricted-role.js';
import {
  createEmptyDatabase,
  createTestDatabase,
  queryOnce,
  type TestDatabase,
  withClient,
} from '../support/database.js';

const MIGRATIONS = [
  'Tenancy1764000000000',
  'StockLedger1764000001000',
  'States1764000002000',
  'Conflicts1764000003000',
  'DeviceStatus1764000004000',
  'Reservations1764000005000',
  'ClockTime1764000006000',
  'ConflictDecisions1764000007000',
  'DeviceTokens1764000008000',
  'AuditLog1764000009000',
  'TenantDeletion1764000010000',
  'AuditTime1764000019000',
  'PlannerStatistics1764000020000',
];

describe('migrations', () => {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await database?.drop();
    database = undefined;
  });

  /** The whole catalogue of a database's own schemas, row by row: whatever a migration changes shows here. */
  function catalogueOf(url: string): Promise<unknown[]> {
    return withClient(url, async (client) => {
      const { rows } = await client.query<{ line: string }>(`
        WITH own AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'bullmq'))
        SELECT format('%s %s %s %s %s', relkind, oid::regclass, relrowsecurity, relforcerowsecurity, relacl) AS line
          FROM pg_class WHERE relnamespace IN (SELECT oid FROM own)
        UNION ALL SELECT format('%s.%s %s %s', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull)
          FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
          WHERE relnamespace IN (SELECT oid FROM own) AND relkind IN ('r', 'p') AND attnum > 0
        UNION ALL SELECT format('%s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
          FROM pg_constraint WHERE connamespace IN (SELECT oid FROM own)
        UNION ALL SELECT format('%s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)) FROM pg_policy
        UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT format('%s %s', oid::regprocedure, md5(prosrc))
          FROM pg_proc WHERE pronamespace IN (SELECT oid FROM own)
        ORDER BY line`);
      return rows.map((row) => row.line);
    });
  }

  async function assertAs(url: string): Promise<void> {
    const source = await createDataSource(url, 1).initialize();
    try {
      await assertMigrated(source);
    } finally {
      await source.destroy();
    }
  }

  it('bring an empty database up to date, and then change nothing more', async () => {
    database = await createEmptyDatabase();
    expect(await migrate(database.ownerUrl)).toEqual(MIGRATIONS);
    const once = await catalogueOf(database.superuserUrl);
    expect(once.length).toBeGreaterThan(50);
    expect(await migrate(database.ownerUrl)).toEqual([]);
    expect(await catalogueOf(database.superuserUrl)).toEqual(once);
  });

  it('leave what is known of tables that were analysed before', async () => {
    const { ownerUrl, superuserUrl } = (database = await createTestDatabase());
    const tenants = (): Promise<{ n_distinct: number }[]> =>
      queryOnce(
        superuserUrl,
        `SELECT n_distinct FROM pg_stats WHERE tablename IN ('products', 'payments') AND attname = 'tenant_id' ORDER BY tablename`,
      );
    await withClient(superuserUrl, async (client) => {
      await client.query('SET session_replication_role = replica'); // these rows have no tenants
      await client.query(
        `INSERT INTO products (tenant_id, id, name, version, lamport_ts, client_lamport, device_id, edit_id, created_at, updated_at)
         SELECT gen_random_uuid(), gen_random_uuid(), 'Figs', 1, n, n, gen_random_uuid(), gen_random_uuid(), now(), now()
         FROM generate_series(1, 50) AS n`,
      );
      await client.query('ANALYZE products');
    });
    expect(await tenants()).toEqual([{ n_distinct: 1 }, { n_distinct: -1 }]); // as many as rows
    await withClient(ownerUrl, (client) =>
      client.query(`DELETE FROM schema_migrations WHERE name = 'PlannerStatistics1764000020000'`),
    );
    expect(await migrate(ownerUrl)).toEqual(['PlannerStatistics1764000020000']);
    expect(await tenants()).toEqual([{ n_distinct: 1 }, { n_distinct: -1 }]);
  });

  it('take turns when several services start on an empty database at once', async () => {
    const { ownerUrl, superuserUrl } = (database = await createEmptyDatabase());
    const done = await Promise.all([migrate(ownerUrl), migrate(ownerUrl), migrate(ownerUrl)]);
    expect(done.flat()).toEqual(MIGRATIONS);
    const raced = await catalogueOf(superuserUrl);
    await database.drop();
    database = await createEmptyDatabase();
    await migrate(database.ownerUrl);
    expect(await catalogueOf(database.superuserUrl)).toEqual(raced);
  });

  it('are all that assertMigrated asks for', async () => {
    database = await createTestDatabase();
    await expect(assertAs(database.appUrl)).resolves.toBeUndefined();
  });

  it('are missed by assertMigrated in an empty database, with what to do about it', async () => {
    database = await createEmptyDatabase();
    await expect(assertAs(database.appUrl)).rejects.toThrow(DatabaseRefusedError);
    await expect(assertAs(database.appUrl)).rejects.toThrow(/has no schema yet.*DATABASE_OWNER_URL.*migration:run/);
  });

  it('are missed by assertMigrated when the last one has not run', async () => {
    database = await createTestDatabase();
    await withClient(database.ownerUrl, (client) =>
      client.query('DELETE FROM schema_migrations WHERE timestamp = (SELECT max(timestamp) FROM schema_migrations)'),
    );
    await expect(assertAs(database.appUrl)).rejects.toThrow(/lacks some migrations/);
  });
});
