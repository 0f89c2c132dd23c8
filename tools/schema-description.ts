import type { ClientBase } from 'pg';

/**
 * The tables of a schema with all that protects them, as text: columns, constraints, indexes, triggers, row-level
 * security, policies and grants; and the functions. Reads the catalogue, since the embedded PostgreSQL brings no pg_dump.
 */
export async function describeSchema(client: ClientBase, schema: string): Promise<string> {
  const { rows: tables } = await client.query<{
    oid: number;
    name: string;
    forced: boolean;
    enabled: boolean;
    options: string[] | null;
  }>(
    `SELECT oid, relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced, reloptions AS options
     FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') ORDER BY relname`,
    [schema],
  );
  const parts = [`-- Generated from the migrations by "npm run generate".`];
  for (const table of tables) {
    const columns = await lines(
      client,
      `SELECT format('  %I %s%s%s', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END,
                     coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')) AS line
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
       WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      table.oid,
    );
    const constraints = await lines(
      client,
      // Not-null constraints stand with their columns.
      `SELECT format('  CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) AS line
       FROM pg_constraint WHERE conrelid = $1 AND contype <> 'n' ORDER BY contype DESC, conname`,
      table.oid,
    );
    const options = table.options ? ` WITH (${table.options.join(', ')})` : '';
    parts.push(`CREATE TABLE ${table.name} (\n${[...columns, ...constraints].join(',\n')}\n)${options};`);
    parts.push(
      ...(await lines(
        client,
        `SELECT pg_get_indexdef(indexrelid) || ';' AS line FROM pg_index
         WHERE indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = $1)
         ORDER BY indexrelid::regclass::text`,
        table.oid,
      )),
      ...(await lines(
        client,
        `SELECT pg_get_triggerdef(oid) || ';' AS line FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal ORDER BY tgname`,
        table.oid,
      )),
      ...(table.enabled ? [`ALTER TABLE ${table.name} ENABLE ROW LEVEL SECURITY;`] : []),
      ...(table.forced ? [`ALTER TABLE ${table.name} FORCE ROW LEVEL SECURITY;`] : []),
      ...(await lines(
        client,
        `SELECT format('CREATE POLICY %I ON %s USING %s%s;', polname, polrelid::regclass, pg_get_expr(polqual, polrelid),
                       coalesce(' WITH CHECK ' || pg_get_expr(polwithcheck, polrelid), '')) AS line
         FROM pg_policy WHERE polrelid = $1 ORDER BY polname`,
        table.oid,
      )),
      ...(await lines(
        client,
        `SELECT format('GRANT %s ON %s TO %s;', string_agg(privilege_type, ', ' ORDER BY privilege_type), $1::regclass, grantee::regrole) AS line
         FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = $1 AND grantee <> relowner GROUP BY grantee ORDER BY grantee::regrole::text`,
        table.oid,
      )),
    );
  }
  const { rows: functions } = await client.query<{ line: string }>(
    `SELECT pg_get_functiondef(oid) || ';' || coalesce(
       (SELECT string_agg(format(E'\nGRANT EXECUTE ON FUNCTION %s TO %s;', oid::regprocedure, grantee::regrole), '')
        FROM aclexplode(proacl) WHERE grantee <> proowner), '') AS line
     FROM pg_proc WHERE pronamespace = $1::regnamespace ORDER BY proname`,
    [schema],
  );
  const described = functions.map(({ line }) => line).join('\n\n');
  return `${parts
    .join('\n\n')
    .replaceAll(';\n\n', ';\n')
    .replaceAll(/;\n(?=CREATE TABLE)/g, ';\n\n')}\n\n${described}\n`;
}

async function lines(client: ClientBase, query: string, oid: number): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(query, [oid]);
  return rows.map((row) => row.line);
}
