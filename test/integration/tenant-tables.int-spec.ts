import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ClientBase } from 'pg';
import { createTestDatabase, type TestDatabase, withClient } from '../support/database.js';

const APP = 'agrotour_app';
const TENANT = `(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)`;
const TENANT_OR_PLATFORM =
  `((id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) OR ` +
  `(current_setting('app.platform'::text, true) = 'on'::text))`;

/** What the platform did to a business, its operator sees as well. */
const TENANT_OR_PLATFORM_ENTRY =
  `((tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid) OR ` +
  `(by_platform AND (current_setting('app.platform'::text, true) = 'on'::text)))`;
const QUALS: Readonly<Record<string, string>> = { tenants: TENANT_OR_PLATFORM, audit_log: TENANT_OR_PLATFORM_ENTRY };

/** Rows of these are never changed, whoever asks. */
const IMMUTABLE_TABLES = ['stock_events', 'audit_log'];

/** Functions that act with their owner's rights. Whoever adds one has thought about who may call it, and with what. */
const DEFINER_FUNCTIONS = ['erase_tenant_rows(integer)'];

/** Tables of the whole service, which no tenant owns a row of. Whoever adds one has thought about that. */
const SHARED_TABLES = ['schema_migrations'];

/** Whatever in the catalogue lets one tenant near another's rows; each fault in a line that names the thing. */
async function faultsOf(client: ClientBase): Promise<string[]> {
  const faults: string[] = [];
  const { rows: tables } = await client.query<{
    name: string;
    key: string | null;
    enabled: boolean;
    forced: boolean;
    policies: { qual: string | null; check: string | null; for: string; permissive: string; roles: string }[];
    keys: { name: string; first: string }[];
    references: { name: string; from: string; to: string }[];
    rights: string[];
  }>(
    `SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND NOT attisdropped
          AND attname = CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END) AS key,
       coalesce((SELECT jsonb_agg(jsonb_build_object('qual', qual, 'check', with_check, 'for', cmd, 'permissive', permissive, 'roles', roles::text))
          FROM pg_policies WHERE schemaname = 'public' AND tablename = c.relname), '[]') AS policies,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', i.indexrelid::regclass::text, 'first',
            (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0])))
          FROM pg_index i WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)), '[]') AS keys,
       coalesce((SELECT jsonb_agg(jsonb_build_object('name', f.conname,
            'from', (SELECT attname FROM pg_attribute WHERE attrelid = f.conrelid AND attnum = f.conkey[1]),
            'to', (SELECT f.confrelid::regclass || '.' || attname FROM pg_attribute WHERE attrelid = f.confrelid AND attnum = f.confkey[1])))
          FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'), '[]') AS references,
       ARRAY(SELECT p FROM unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'DELETE', 'UPDATE']) p
             WHERE has_table_privilege($1, c.oid, p)
                OR p IN ('REFERENCES', 'UPDATE') AND has_any_column_privilege($1, c.oid, p)) AS rights
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname`,
    [APP],
  );
  for (const table of tables) {
    const { name, key } = table;
    for (const right of table.rights) {
      const harmless = right === 'DELETE' || right === 'UPDATE';
      if (!harmless || IMMUTABLE_TABLES.includes(name)) faults.push(`${name}: ${APP} has ${right}`);
    }
    if (key === null) {
      if (!SHARED_TABLES.includes(name)) faults.push(`${name}: has no tenant_id and is not known to be shared`);
      continue;
    }
    if (!table.enabled) faults.push(`${name}: row-level security is not enabled`);
    if (!table.forced) faults.push(`${name}: row-level security does not bind its owner`);
    const qual = QUALS[name] ?? TENANT;
    const [policy] = table.policies;
    if (table.policies.length !== 1) faults.push(`${name}: has ${table.policies.length} policies`);
    if (
      policy &&
      (policy.qual !== qual ||
        ![null, qual].includes(policy.check) ||
        policy.for !== 'ALL' ||
        policy.roles !== '{public}')
    ) {
      faults.push(`${name}: its policy says ${policy.qual}, for ${policy.for} to ${policy.roles}`);
    }
    if (table.keys.length === 0) faults.push(`${name}: has no primary key`);
    for (const unique of table.keys) {
      if (unique.first !== key) faults.push(`${name}: unique key ${unique.name} begins with ${unique.first}`);
    }
    for (const foreign of table.references) {
      const within = foreign.from === 'tenant_id' && /^(tenants\.id|.*\.tenant_id)$/.test(foreign.to);
      if (!within) faults.push(`${name}: foreign key ${foreign.name} looks from ${foreign.from} at ${foreign.to}`);
    }
  }
  const { rows: others } = await client.query<{ fault: string }>(
    `SELECT c.oid::regclass || ': is a view that is not security_invoker' AS fault FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
         AND NOT coalesce(c.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
     UNION ALL
     SELECT c.oid::regclass || ': is a materialized view, which has no row-level security' FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'm'
     UNION ALL
     SELECT c.oid::regclass || ': counts for all tenants alike, so each learns from it what the others do' FROM pg_class c
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'S'
         AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND refobjid = ANY ($1::text[]::regclass[]))
     UNION ALL
     SELECT c.oid::regclass || ': is a table of tenants outside of public' FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
         AND c.relnamespace NOT IN ('public'::regnamespace, 'pg_catalog'::regnamespace)
     UNION ALL
     SELECT setting || ': is set on connections before anybody has said which tenant it is' FROM pg_db_role_setting, unnest(setconfig) AS setting
       WHERE setting ~ '^app\\.' AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
     UNION ALL
     SELECT p.oid::regprocedure || ': is LEAKPROOF, so it is shown rows before the policies have seen them' FROM pg_proc p
       WHERE p.proleakproof AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
     UNION ALL
     SELECT p.oid::regprocedure || ': is SECURITY DEFINER' FROM pg_proc p
       WHERE p.prosecdef AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
         AND p.oid::regprocedure::text <> ALL ($2)
     UNION ALL
     SELECT p.oid::regprocedure || ': finds names where its caller says' FROM pg_proc p
       WHERE p.oid::regprocedure::text = ANY ($2)
         AND NOT coalesce(p.proconfig, '{}') && ARRAY['search_path=pg_catalog, pg_temp']
     UNION ALL
     SELECT p.oid::regprocedure || ': may be called by ' || coalesce(nullif(grantee, 0)::regrole::text, 'everyone')
       FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS right_to_call
       WHERE p.oid::regprocedure::text = ANY ($2) AND grantee NOT IN (p.proowner, '${APP}'::regrole)`,
    [SHARED_TABLES, DEFINER_FUNCTIONS],
  );
  return [...faults, ...others.map((row) => row.fault)];
}

describe('every tenant table', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is closed to other tenants by its policy, its keys and the rights on it', async () => {
    expect(await withClient(database.superuserUrl, faultsOf)).toEqual([]);
  });

  const GUARDED = `CREATE TABLE notes (tenant_id uuid, id uuid, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id));
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_isolation ON notes USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`;

  it.each([
    ['is well made', GUARDED, []],
    ['has no policy', GUARDED + 'DROP POLICY tenant_isolation ON notes', ['notes: has 0 policies']],
    [
      'has a second policy',
      GUARDED + 'CREATE POLICY everyone ON notes FOR SELECT USING (true)',
      ['notes: has 2 policies'],
    ],
    [
      'forgets that the setting may be empty',
      GUARDED +
        `ALTER POLICY tenant_isolation ON notes USING (tenant_id = current_setting('app.tenant_id', true)::uuid)`,
      [
        `notes: its policy says (tenant_id = (current_setting('app.tenant_id'::text, true))::uuid), for ALL to {public}`,
      ],
    ],
    [
      'does not bind its owner',
      GUARDED + 'ALTER TABLE notes NO FORCE ROW LEVEL SECURITY',
      ['notes: row-level security does not bind its owner'],
    ],
    [
      'is not protected',
      GUARDED + 'ALTER TABLE notes DISABLE ROW LEVEL SECURITY',
      ['notes: row-level security is not enabled'],
    ],
    [
      'has a key across tenants',
      GUARDED + 'CREATE UNIQUE INDEX one_sku ON notes (id)',
      ['notes: unique key one_sku begins with id'],
    ],
    [
      'refers to rows across tenants',
      GUARDED +
        'CREATE UNIQUE INDEX one_sku ON notes (id); ALTER TABLE notes ADD parent uuid CONSTRAINT up REFERENCES notes (id)',
      ['notes: unique key one_sku begins with id', 'notes: foreign key up looks from parent at notes.id'],
    ],
    [
      'excludes what another tenant has',
      GUARDED + 'ALTER TABLE notes ADD CONSTRAINT one_id EXCLUDE USING btree (id WITH =)',
      ['notes: unique key one_id begins with id'],
    ],
    [
      'numbers the rows of all tenants in one row',
      GUARDED + 'ALTER TABLE notes ADD number bigint GENERATED ALWAYS AS IDENTITY',
      ['notes_number_seq: counts for all tenants alike, so each learns from it what the others do'],
    ],
    [
      'lies in another schema',
      'CREATE SCHEMA aside; CREATE TABLE aside.notes (tenant_id uuid)',
      ['aside.notes: is a table of tenants outside of public'],
    ],
    [
      'is open from the start to whoever connects',
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.platform = ''on''', current_database()); END $$`,
      ['app.platform=on: is set on connections before anybody has said which tenant it is'],
    ],
    [
      'has its rows shown to a function before its policy',
      'CREATE FUNCTION peep(uuid) RETURNS boolean LANGUAGE sql LEAKPROOF AS $$ SELECT true $$',
      ['peep(uuid): is LEAKPROOF, so it is shown rows before the policies have seen them'],
    ],
    ['has no tenant', 'CREATE TABLE notes (id uuid)', ['notes: has no tenant_id and is not known to be shared']],
    ['can be emptied', `${GUARDED} GRANT TRUNCATE ON notes TO ${APP}`, [`notes: ${APP} has TRUNCATE`]],
    [
      'can be referred to by a column',
      `${GUARDED} GRANT REFERENCES (id) ON notes TO ${APP}`,
      [`notes: ${APP} has REFERENCES`],
    ],
    ['lets events be changed', `GRANT UPDATE (effect) ON stock_events TO ${APP}`, [`stock_events: ${APP} has UPDATE`]],
    [
      'has a view on it that asks with its owner’s rights',
      'CREATE VIEW peep AS SELECT * FROM devices',
      ['peep: is a view that is not security_invoker'],
    ],
    [
      'has a function on it that asks with its owner’s rights',
      'CREATE FUNCTION peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM devices $$',
      ['peep(): is SECURITY DEFINER'],
    ],
    [
      'is deleted from by a function that everyone may call',
      'GRANT EXECUTE ON FUNCTION erase_tenant_rows TO PUBLIC',
      ['erase_tenant_rows(integer): may be called by everyone'],
    ],
    [
      'is deleted from by a function that can be led astray',
      'ALTER FUNCTION erase_tenant_rows RESET search_path',
      ['erase_tenant_rows(integer): finds names where its caller says'],
    ],
  ])('would be found out if it were one that %s', async (_what, ddl, faults) => {
    const found = await withClient(database.superuserUrl, async (client) => {
      await client.query(`BEGIN; ${ddl}`);
      const named = await faultsOf(client);
      await client.query('ROLLBACK');
      return named;
    });
    expect(found).toEqual(faults);
  });
});
