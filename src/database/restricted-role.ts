import type { DataSource } from 'typeorm';

/** Why the service won't serve with this database. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

/** What PostgreSQL says of the role and the schema; `reason` completes "…, which could bypass row-level security:". */
const CHECKS: readonly { readonly reason: string; readonly query: string }[] = [
  {
    reason: 'it has',
    query: `SELECT attribute FROM pg_roles, unnest(
              ARRAY['SUPERUSER', 'BYPASSRLS', 'CREATEROLE', 'REPLICATION'],
              ARRAY[rolsuper, rolbypassrls, rolcreaterole, rolreplication]) AS held (attribute, given)
            WHERE rolname = current_user AND given`,
  },
  {
    reason: 'it is a member of',
    query: `SELECT rolname FROM pg_roles
            WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')
              AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication
                   OR rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                                  'pg_execute_server_program'))`,
  },
  {
    reason: 'it owns, or is a member of the owner of,',
    query: `SELECT oid::regclass::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
              AND pg_has_role(current_user, relowner, 'MEMBER')
            UNION ALL SELECT 'the schema public' FROM pg_namespace
            WHERE nspname = 'public' AND pg_has_role(current_user, nspowner, 'MEMBER')
            UNION ALL SELECT 'the database' FROM pg_database
            WHERE datname = current_database() AND pg_has_role(current_user, datdba, 'MEMBER')`,
  },
  {
    reason: 'it may',
    query: `SELECT 'create in the schema public' WHERE has_schema_privilege(current_user, 'public', 'CREATE')
            UNION ALL SELECT 'set session_replication_role' -- which switches triggers off
            WHERE has_parameter_privilege(current_user, 'session_replication_role', 'SET')`,
  },
  {
    reason: 'it has been granted',
    query: `SELECT privilege || ' on ' || oid::regclass FROM pg_class, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND has_table_privilege(current_user, oid, privilege)
            UNION ALL SELECT privilege || ' on ' || kept
            FROM unnest(ARRAY['UPDATE', 'DELETE']) AS privilege, unnest(ARRAY['stock_events', 'audit_log']) AS kept
            WHERE has_table_privilege(current_user, to_regclass('public.' || kept), privilege)`,
  },
  {
    reason: 'row-level security is not forced on',
    query: `SELECT oid::regclass::text FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
              AND NOT (relrowsecurity AND relforcerowsecurity)
              AND (relname = 'tenants' OR EXISTS (
                    SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'tenant_id' AND NOT attisdropped))`,
  },
];

/**
 * Row-level security binds neither superusers nor BYPASSRLS, an owner can switch it off, TRUNCATE passes it by, who
 * replicates or reads the server's files reads every tenant, and who may create a foreign key or a trigger can look or
 * act across it. So the service serves only as a role that can do none of this, nor become a role that can.
 * @throws DatabaseRefusedError with every reason.
 */
export async function assertRestrictedRole(source: DataSource): Promise<void> {
  const reasons: string[] = [];
  for (const { reason, query } of CHECKS) {
    const rows = await source.query<Record<string, string>[]>(query);
    const found = rows.flatMap((row) => Object.values(row));
    if (found.length > 0) reasons.push(`${reason} ${found.join(', ')}`);
  }
  if (reasons.length === 0) return;
  const [{ role }] = await source.query<[{ role: string }]>('SELECT current_user AS role');
  throw new DatabaseRefusedError(
    `DATABASE_URL logs in as "${role}", which could bypass row-level security: ${reasons.join('; ')}. ` +
      'Let it log in as a role that only has what the migrations grant, such as agrotour_app.',
  );
}

/** @throws DatabaseRefusedError if migrations are still to run: half a schema must not take sales. */
export async function assertMigrated(source: DataSource): Promise<void> {
  const hint = 'Set DATABASE_OWNER_URL so that the service migrates at start, or run "npm run migration:run".';
  const [table] = await source.query<[{ present: boolean }]>(
    `SELECT to_regclass('public.schema_migrations') IS NOT NULL AS present`,
  );
  if (!table.present) throw new DatabaseRefusedError(`The database has no schema yet. ${hint}`);
  if (await source.showMigrations()) throw new DatabaseRefusedError(`The database lacks some migrations. ${hint}`);
}
