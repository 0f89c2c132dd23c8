import type { DataSource } from 'typeorm';

/** Why the service won't serve with this database. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

interface RoleFacts {
  readonly role: string;
  readonly superuser: boolean;
  readonly bypassesRls: boolean;
  readonly createsRoles: boolean;
  readonly mightyRoles: string[];
  readonly ownedTables: string[];
  readonly dangerousGrants: string[];
}

/**
 * Row-level security binds neither superusers nor BYPASSRLS, an owner can switch it off, TRUNCATE passes it by, and who
 * may create a foreign key or a trigger can look or act across it. So the service serves only as a role that can do
 * none of this, nor become a role that can.
 * @throws DatabaseRefusedError with every reason.
 */
export async function assertRestrictedRole(source: DataSource): Promise<void> {
  const [facts] = await source.query<RoleFacts[]>(`
    SELECT rolname AS role, rolsuper AS superuser, rolbypassrls AS "bypassesRls", rolcreaterole AS "createsRoles",
           ARRAY(SELECT other.rolname::text FROM pg_roles other
                 WHERE other.rolname <> current_user AND (other.rolsuper OR other.rolbypassrls)
                   AND pg_has_role(current_user, other.oid, 'MEMBER')) AS "mightyRoles",
           ARRAY(SELECT c.oid::regclass::text FROM pg_class c
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
                   AND pg_has_role(current_user, c.relowner, 'MEMBER')) AS "ownedTables",
           ARRAY(SELECT privilege || ' on ' || c.oid::regclass::text
                 FROM pg_class c, unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
                 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                   AND has_table_privilege(current_user, c.oid, privilege)) AS "dangerousGrants"
    FROM pg_roles WHERE rolname = current_user`);
  if (facts === undefined) throw new DatabaseRefusedError('The role of DATABASE_URL is not in pg_roles.');
  const reasons = [
    facts.superuser && 'it is a superuser',
    facts.bypassesRls && 'it has BYPASSRLS',
    facts.createsRoles && 'it has CREATEROLE',
    facts.mightyRoles.length > 0 && `it is a member of ${facts.mightyRoles.join(', ')}`,
    facts.ownedTables.length > 0 && `it owns, or is a member of the owner of, ${facts.ownedTables.join(', ')}`,
    // The other reasons imply these privileges; alone they are news.
    !facts.superuser &&
      facts.ownedTables.length === 0 &&
      facts.dangerousGrants.length > 0 &&
      `it has ${facts.dangerousGrants.join(', ')}`,
  ].filter((reason) => reason !== false);
  if (reasons.length === 0) return;
  throw new DatabaseRefusedError(
    `DATABASE_URL logs in as "${facts.role}", which could bypass row-level security: ${reasons.join('; ')}. ` +
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
