import type pg from 'pg';
import { BenchmarkError } from './environment.js';

/** What a tenant has: the number of its events, and the stock by product. */
export interface TenantContents {
  readonly events: number;
  readonly levels: ReadonlyMap<string, number>;
}

/** @param client of the restricted role; its tenant is as before afterwards */
export async function readContents(client: pg.Client, tenantId: string): Promise<TenantContents> {
  await client.query('BEGIN');
  try {
    await client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
    const events = await client.query<{ count: string }>('SELECT count(*) FROM stock_events');
    const levels = await client.query<{ product_id: string; quantity: number }>(
      'SELECT product_id, quantity FROM stock_levels',
    );
    return {
      events: Number(events.rows[0]?.count),
      levels: new Map(levels.rows.map((row) => [row.product_id, row.quantity])),
    };
  } finally {
    await client.query('COMMIT');
  }
}

/** @throws BenchmarkError if they differ: then something was lost or doubled, and no speed counts. */
export function compareContents(found: TenantContents, expected: TenantContents): void {
  if (found.events !== expected.events) {
    throw new BenchmarkError(`A log has ${found.events} events where ${expected.events} were written.`);
  }
  const productIds = new Set([...found.levels.keys(), ...expected.levels.keys()]);
  const wrong = [...productIds].filter((id) => found.levels.get(id) !== expected.levels.get(id));
  if (wrong.length > 0) {
    throw new BenchmarkError(`The stock of ${wrong.length} products is not the sum of what was written.`);
  }
}
