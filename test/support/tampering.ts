import { type TestDatabase, withClient } from './database.js';

/**
 * Changes an event, or deletes it, as only someone can who has the whole database in his hands: not even its owner may,
 * before he has said so in DDL, and row-level security binds him too.
 * @param change an assignment, or DELETE
 * @param which picks one event of the tenant
 * @returns its operation id.
 */
export async function tamper(
  database: Pick<TestDatabase, 'ownerUrl'>,
  tenantId: string,
  change: string,
  which: string,
): Promise<string> {
  return withClient(database.ownerUrl, async (client) => {
    await client.query('BEGIN');
    await client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
    await client.query('ALTER TABLE stock_events DISABLE TRIGGER immutable');
    const chosen = `(SELECT lamport_ts FROM stock_events WHERE tenant_id = $1 ${which})`;
    const statement = change === 'DELETE' ? 'DELETE FROM stock_events' : `UPDATE stock_events SET ${change}`;
    const { rows } = await client.query<{ operation_id: string }>(
      `${statement} WHERE tenant_id = $1 AND lamport_ts = ${chosen} RETURNING operation_id`,
      [tenantId],
    );
    await client.query('ALTER TABLE stock_events ENABLE TRIGGER immutable');
    await client.query('COMMIT');
    const [row] = rows;
    if (row === undefined || rows.length > 1) throw new Error(`${rows.length} events were changed`);
    return row.operation_id;
  });
}
