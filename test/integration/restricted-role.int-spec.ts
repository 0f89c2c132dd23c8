import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createDataSource } from '../../src/database/data-source.js';
import { assertRestrictedRole, DatabaseRefusedError } from '../../src/database/restricted-role.js';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.js';

describe('assertRestrictedRole', () => {
  let database: TestDatabase;
  const made: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  afterEach(async () => {
    // Roles belong to the whole server, not to this file's database.
    await withClient(database.superuserUrl, async (client) => {
      for (const role of made.splice(0).reverse())
        await client.query(`REASSIGN OWNED BY ${role} TO agrotour_owner; DROP OWNED BY ${role}; DROP ROLE ${role}`);
    });
  });

  /** A role of its own with what `setUp` gives it. @returns the URL that logs in as it. */
  async function aRole(attributes: string, setUp: (role: string) => string = () => ''): Promise<string> {
    const role = `test_role_${randomBytes(6).toString('hex')}`;
    const password = randomBytes(12).toString('hex');
    await withClient(database.superuserUrl, async (client) => {
      await client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}' ${attributes}`);
      await client.query(`GRANT CONNECT ON DATABASE ${client.database ?? ''} TO ${role}`);
      made.push(role);
      await client.query(setUp(role));
    });
    const url = new URL(database.appUrl);
    url.username = role;
    url.password = password;
    return url.href;
  }

  async function assertAs(url: string): Promise<void> {
    const source = await createDataSource(url, 1).initialize();
    try {
      await assertRestrictedRole(source);
    } finally {
      await source.destroy();
    }
  }

  it('accepts the role that the migrations grant to', async () => {
    await expect(assertAs(database.appUrl)).resolves.toBeUndefined();
  });

  it('accepts a login of its own that is a member of that role', async () => {
    await expect(assertAs(await aRole('IN ROLE agrotour_app'))).resolves.toBeUndefined();
  });

  it('refuses a superuser', async () => {
    await expect(assertAs(database.superuserUrl)).rejects.toThrow(DatabaseRefusedError);
    await expect(assertAs(database.superuserUrl)).rejects.toThrow(
      /logs in as "postgres", which could bypass row-level security: it (is a superuser|has SUPERUSER)/,
    );
  });

  it('refuses the owner of the tables, and names them', async () => {
    await expect(assertAs(database.ownerUrl)).rejects.toThrow(/logs in as "agrotour_owner".*owns.*stock_events/);
  });

  it.each<[what: string, attributes: string, setUp: (role: string) => string, reason: RegExp]>([
    ['BYPASSRLS', 'BYPASSRLS', () => '', /it has .*BYPASSRLS/],
    ['CREATEROLE', 'CREATEROLE', () => '', /it has .*CREATEROLE/],
    [
      'membership in the owner',
      '',
      (role) => `GRANT agrotour_owner TO ${role}`,
      /is a member of the owner of, .*stock_events/,
    ],
    [
      'membership in the owner that takes a SET ROLE',
      '',
      (role) => `GRANT agrotour_owner TO ${role} WITH INHERIT FALSE`,
      /is a member of the owner of, .*stock_events/,
    ],
    ['membership in a superuser', '', (role) => `GRANT postgres TO ${role}`, /it is a member of .*postgres/],
    ['a table of its own', '', (role) => `CREATE TABLE mine (); ALTER TABLE mine OWNER TO ${role}`, /it owns.* mine/],
    [
      'TRUNCATE on a tenant table',
      '',
      (role) => `GRANT TRUNCATE ON stock_events TO ${role}`,
      /: it [a-z ]+ TRUNCATE on stock_events\. Let/,
    ],
    [
      'REFERENCES on a tenant table',
      '',
      (role) => `GRANT REFERENCES ON devices TO ${role}`,
      /: it [a-z ]+ REFERENCES on devices\. Let/,
    ],
    [
      'TRIGGER on a tenant table',
      '',
      (role) => `GRANT TRIGGER ON devices TO ${role}`,
      /: it [a-z ]+ TRIGGER on devices\. Let/,
    ],
    ['REPLICATION', 'REPLICATION', () => '', /it has .*REPLICATION/],
    ['UPDATE on the ledger', '', (role) => `GRANT UPDATE ON stock_events TO ${role}`, /UPDATE on stock_events/],
    ['DELETE on the ledger', '', (role) => `GRANT DELETE ON stock_events TO ${role}`, /DELETE on stock_events/],
    [
      'programs to run on the server',
      '',
      (role) => `GRANT pg_execute_server_program TO ${role}`,
      /a member of pg_execute_server_program/,
    ],
    [
      'files to read on the server',
      '',
      (role) => `GRANT pg_read_server_files TO ${role}`,
      /a member of pg_read_server_files/,
    ],
    [
      'the database for its own',
      '',
      (role) => `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I OWNER TO ${role}', current_database()); END $$`,
      /the database/,
    ],
    ['the schema for its own', '', (role) => `ALTER SCHEMA public OWNER TO ${role}`, /the schema public/],
    ['CREATE on the schema', '', (role) => `GRANT CREATE ON SCHEMA public TO ${role}`, /create in the schema public/],
  ])('refuses a role with %s', async (_what, attributes, setUp, reason) => {
    const url = await aRole(attributes, setUp);
    await expect(assertAs(url)).rejects.toThrow(DatabaseRefusedError);
    await expect(assertAs(url)).rejects.toThrow(reason);
  });

  it.each(['DISABLE', 'NO FORCE'])(
    'refuses a database where row-level security is set to %s on a table',
    async (how) => {
      await withClient(database.ownerUrl, (client) => client.query(`ALTER TABLE devices ${how} ROW LEVEL SECURITY`));
      try {
        await expect(assertAs(database.appUrl)).rejects.toThrow(/row-level security is not forced on devices/);
      } finally {
        await withClient(database.ownerUrl, (client) =>
          client.query('ALTER TABLE devices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'),
        );
      }
    },
  );

  it('refuses a role to which everyone’s rights give TRUNCATE', async () => {
    const url = await aRole('IN ROLE agrotour_app');
    await withClient(database.superuserUrl, (client) => client.query('GRANT TRUNCATE ON stock_levels TO PUBLIC'));
    try {
      await expect(assertAs(url)).rejects.toThrow(/: it [a-z ]+ TRUNCATE on stock_levels\. Let/);
    } finally {
      await withClient(database.superuserUrl, (client) => client.query('REVOKE TRUNCATE ON stock_levels FROM PUBLIC'));
    }
  });
});
