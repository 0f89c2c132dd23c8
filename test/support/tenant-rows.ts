import { randomBytes, randomUUID } from 'node:crypto';

/** Runs a statement as whoever sees past the policies. @returns its rows. */
export type Query = <Row>(statement: string, parameters?: unknown[]) => Promise<Row[]>;

/** A table whose rows belong to a tenant, with the column that says to which. */
export interface TenantTable {
  readonly name: string;
  readonly key: 'tenant_id' | 'id';
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** From the catalogue, so that a new table is among them by itself. */
export async function tenantTables(query: Query): Promise<TenantTable[]> {
  return query<TenantTable>(
    `SELECT c.relname AS name, a.attname AS key FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
       AND a.attname = CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
     ORDER BY c.relname`,
  );
}

/** All rows of the tenant, as JSON, by table. */
export async function rowsOf(query: Query, tenantId: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { name, key } of await tenantTables(query)) {
    const [row] = await query<{ rows: string }>(
      `SELECT coalesce(string_agg(to_jsonb(t)::text, E'\\n' ORDER BY to_jsonb(t)::text), '') AS rows
       FROM ${name} t WHERE ${key} = $1`,
      [tenantId],
    );
    found.set(name, row?.rows ?? '');
  }
  return found;
}

/**
 * What only the tenant's rows hold: every id, hash and marked text in them that stands in no row of `others`.
 * @param mark what all texts of the tenant's own begin with
 */
export async function secretsOf(
  query: Query,
  tenantId: string,
  mark: string,
  others: readonly string[],
): Promise<string[]> {
  const textOf = async (id: string): Promise<string> => [...(await rowsOf(query, id)).values()].join('\n');
  const theirs = await textOf(tenantId);
  const elsewhere = new Set<string>();
  for (const id of others) for (const value of idsAndHashes(await textOf(id))) elsewhere.add(value);
  return [mark, ...new Set(idsAndHashes(theirs).filter((value) => !elsewhere.has(value)))];
}

/** bytea is shown as \x and hex digits; of a hash its hex digits alone are looked for. */
function idsAndHashes(rows: string): string[] {
  return [...(rows.match(UUID) ?? []), ...(rows.match(/(?<=\\x)[0-9a-f]{64}/g) ?? [])];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** Values that a check allows, if it lists them. */
  readonly allowed: string[] | null;
  /** The table that a foreign key looks the column up in, and under which name. */
  readonly refers_to: string | null;
  readonly refers_as: string | null;
}

/**
 * Puts a made-up row of the tenant into each table in which it has none, so that a table that no test has heard of is
 * attacked like the others.
 * @throws Error if no such row can be made: then whatever fills the tenant must learn of the table.
 */
export async function fillEmptyTables(query: Query, tenantId: string, mark: string): Promise<void> {
  const tables = await tenantTables(query);
  // Twice: one may refer to another that comes after it.
  for (const isLast of [false, true]) {
    for (const { name, key } of tables) {
      const present = await query(`SELECT FROM ${name} WHERE ${key} = $1 LIMIT 1`, [tenantId]);
      if (present.length > 0) continue;
      const faults = await insertMadeUp(query, name, tenantId, mark);
      if (faults.length > 0 && isLast) throw new Error(`No row could be made up for ${name}: ${faults.join('; ')}`);
    }
  }
}

/** With all its columns, or if the table takes no such row with those it must have. @returns why neither was taken. */
async function insertMadeUp(query: Query, table: string, tenantId: string, mark: string): Promise<string[]> {
  const columns = await query<Column>(
    `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AND NOT a.atthasdef AS required,
       (SELECT array_agg(m[1]) FROM pg_constraint k, regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::text', 'g') m
        WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS allowed,
       f.confrelid::regclass::text AS refers_to,
       (SELECT attname FROM pg_attribute
        WHERE attrelid = f.confrelid AND attnum = f.confkey[array_position(f.conkey, a.attnum)]) AS refers_as
     FROM pg_attribute a
     LEFT JOIN LATERAL (
       SELECT confrelid, conkey, confkey FROM pg_constraint
       WHERE conrelid = a.attrelid AND contype = 'f' AND a.attnum = ANY (conkey) LIMIT 1) AS f ON true
     WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''`,
    [table],
  );
  const faults: string[] = [];
  for (const isWanted of [() => true, ({ required }: Column) => required]) {
    const wanted = columns.filter(isWanted);
    const values: unknown[] = [];
    for (const column of wanted) values.push(await madeUp(query, column, tenantId, mark));
    try {
      await query(
        `INSERT INTO ${table} (${wanted.map(({ name }) => name).join(', ')})
         VALUES (${wanted.map((_, index) => `$${index + 1}`).join(', ')})`,
        values,
      );
      return [];
    } catch (error) {
      faults.push(String(error));
    }
  }
  return faults;
}

async function madeUp(query: Query, column: Column, tenantId: string, mark: string): Promise<unknown> {
  if (column.name === 'tenant_id') return tenantId;
  if (column.refers_to !== null) {
    const [row] = await query<{ value: unknown }>(
      `SELECT ${column.refers_as} AS value FROM ${column.refers_to} WHERE tenant_id = $1 LIMIT 1`,
      [tenantId],
    );
    return row?.value ?? null;
  }
  if (column.allowed) return column.allowed[0];
  switch (column.type) {
    case 'uuid':
      return randomUUID();
    case 'text':
    case 'character varying':
      return `${mark} ${column.name}`;
    case 'text[]':
      return [`${mark} ${column.name}`];
    case 'json':
    case 'jsonb':
      return JSON.stringify({ made: mark });
    case 'bytea':
      return randomBytes(32);
    case 'boolean':
      return true;
    case 'smallint':
    case 'integer':
    case 'bigint':
      return 1 + Math.floor(Math.random() * 30_000);
    case 'numeric':
    case 'double precision':
    case 'real':
      return 0.5;
    case 'date':
    case 'timestamp with time zone':
      return new Date();
    default:
      throw new Error(`${column.name} is a ${column.type}, which nothing is made up for yet`);
  }
}
