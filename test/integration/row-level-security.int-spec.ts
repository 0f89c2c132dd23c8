import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { type DataSource, QueryFailedError } from 'typeorm';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { liveIn } from '../support/lived-in-tenant.js';
import { fillEmptyTables, type Query } from '../support/tenant-rows.js';

/** Columns that PostgreSQL fills in, and the one that each is made of. */
const MADE_OF: Readonly<Record<string, string>> = { living_sku: 'sku' };

/** A unique or foreign key: the columns of `table` that it compares with rows that are there. */
interface Key {
  readonly name: string;
  readonly table: string;
  /** Without the one that says whose the row is. */
  readonly columns: readonly Column[];
  /** Where the values come from that a row must not reveal: the table itself, or the one referred to. */
  readonly from: string;
  readonly from_columns: readonly string[];
}

interface Column {
  readonly name: string;
  readonly type: string;
}

const KEYS = `
  SELECT name, t::regclass::text AS "table", f::regclass::text AS "from",
    (SELECT coalesce(jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, NULL)) ORDER BY n), '[]')
     FROM unnest(columns) WITH ORDINALITY AS c (num, n) JOIN pg_attribute ON attrelid = t AND attnum = num
     WHERE attname <> 'tenant_id') AS columns,
    (SELECT coalesce(jsonb_agg(attname ORDER BY n), '[]')
     FROM unnest(from_columns) WITH ORDINALITY AS c (num, n) JOIN pg_attribute ON attrelid = f AND attnum = num
     WHERE attname <> 'tenant_id' AND attname <> CASE f::regclass::text WHEN 'tenants' THEN 'id' ELSE '' END) AS from_columns
  FROM (
    SELECT indexrelid::regclass::text AS name, indrelid AS t, (indkey::int2[])[0:indnkeyatts - 1] AS columns, indrelid AS f, (indkey::int2[])[0:indnkeyatts - 1] AS from_columns
    FROM pg_index WHERE indisunique
    UNION ALL
    SELECT conname, conrelid, conkey, confrelid, confkey FROM pg_constraint WHERE contype = 'f') AS keys
  WHERE t IN (SELECT attrelid FROM pg_attribute WHERE attname = 'tenant_id' AND NOT attisdropped)
    AND t IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p'))
  ORDER BY 1`;

describe('what a key refuses', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let keys: Key[];
  let [ana, ben] = ['', ''];
  const asSuperuser: Query = (statement, parameters) =>
    queryOnce(testDatabase.superuserUrl, statement, parameters) as never;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl, 1);
    ledger = new TestLedger(source);
    ana = (await liveIn(ledger, 'Ana', 0)).tenantId;
    ben = (await liveIn(ledger, 'Ben', 700_000)).tenantId;
    for (const tenantId of [ana, ben]) await fillEmptyTables(asSuperuser, tenantId, 'made up');
    keys = await asSuperuser<Key>(KEYS);
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });

  /**
   * What Ana is told when she adds a copy of a row of hers with other values in some columns. It is taken back.
   * @returns all that the error says, if it is one.
   */
  async function tryCopy(table: string, overlay: Record<string, unknown>): Promise<string> {
    const columns = await asSuperuser<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
       WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
      [table],
    );
    const names = columns.map(({ name }) => name).join(', ');
    const trial = ledger.database.transaction(ana, async (tx) => {
      await tx.manager.query('SET CONSTRAINTS ALL IMMEDIATE');
      await tx.manager.query(
        `INSERT INTO ${table} (${names})
         SELECT ${names} FROM (SELECT (jsonb_populate_record(t, $1)).* FROM ${table} t LIMIT 1) AS copied`,
        [JSON.stringify(overlay)],
      );
      throw new Error('taken');
    });
    const error: unknown = await trial.catch((thrown: unknown) => thrown);
    if (!(error instanceof QueryFailedError)) return String(error);
    return JSON.stringify({ ...error.driverError, message: error.driverError.message });
  }

  /** As `tryCopy`, with these values in the key's columns, and in those of all other keys what nobody has. */
  async function tryKey(key: Key, values: readonly unknown[]): Promise<string> {
    const others = keys.filter(({ table, from }) => table === key.table && from === table);
    const overlay = Object.fromEntries([
      ...others.flatMap(({ columns }) => columns.map((column) => [nameOf(column), nobodys(column)])),
      ...key.columns.map((column, index) => [nameOf(column), values[index]]),
    ]);
    const told = await tryCopy(key.table, overlay);
    return values.reduce<string>((text, value) => text.replaceAll(String(value), '?'), told);
  }

  /** Values of the key's columns that stand in a row of the tenant. */
  async function valuesOf(tenantId: string, key: Key): Promise<unknown[]> {
    const whose = key.from === 'tenants' ? 'id' : 'tenant_id';
    const [row] = await asSuperuser<{ values: unknown[] }>(
      `SELECT jsonb_build_array(${key.from_columns.map((name) => `t.${name}`).join(', ')}) AS values
       FROM ${key.from} t WHERE ${whose} = $1 AND num_nulls(${key.from_columns.join(', ')}) = 0 LIMIT 1`,
      [tenantId],
    );
    if (!row) throw new Error(`No row has a value for ${key.name}`);
    return row.values;
  }

  const nameOf = ({ name }: Column): string => MADE_OF[name] ?? name;
  /** A value that no row has. Of kinds, which a check allows some of, there is none: undefined leaves it as it is. */
  function nobodys({ name, type }: Column): unknown {
    if (type === 'uuid') return randomUUID();
    if (type === 'text') return name === 'entity' ? undefined : randomBytes(8).toString('hex');
    return 1_000_000 + Math.floor(Math.random() * 1e6);
  }

  it('is the same for what another tenant has as for what nobody has', async () => {
    const tested = keys.filter(
      ({ columns, from_columns: from }) => columns.length > 0 && from.length === columns.length,
    );
    expect(tested.map(({ table }) => table)).toEqual(
      expect.arrayContaining(['devices', 'stock_events', 'products', 'payments', 'sync_conflicts']),
    );
    for (const key of tested) {
      const ofNobodys = await tryKey(key, key.columns.map(nobodys));
      const ofBens = await tryKey(key, await valuesOf(ben, key));
      expect({ key: key.name, told: ofBens }).toEqual({ key: key.name, told: ofNobodys });
      if (key.from !== key.table) continue;
      // The counterproof: of what is her own, Ana is told.
      const isTold = (await tryKey(key, await valuesOf(ana, key))) !== ofNobodys;
      expect({ key: key.name, isTold }).toEqual({ key: key.name, isTold: true });
    }
  });

  it('does not tell whether there is a tenant', async () => {
    for (const { table } of keys.filter(({ from }) => from === 'tenants')) {
      const ofBen = await tryCopy(table, { tenant_id: ben });
      expect({ table, told: ofBen }).toEqual({ table, told: await tryCopy(table, { tenant_id: randomUUID() }) });
      expect(ofBen).toContain('row-level security');
    }
  });
});
