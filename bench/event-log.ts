import { randomUUID } from 'node:crypto';
import type { BenchmarkEnvironment } from './environment.js';
import { withClient } from './filling.js';
import { whole } from './figures.js';
import { PRODUCT_IDS } from './workload.js';

export const EVENTS_MAX = 100_000_000;
/** Inserted in one statement: so many that it is fast, so few that the terminal shows it go on. */
const EVENTS_AT_ONCE = 1_000_000;

/**
 * Gives tenants that have none a log of `events` each, as tills leave it, of paid sales and restocks over the goods that
 * the workload sells. The stock after each event, the levels and the clock are what the service would have made of it, and
 * it goes on from there; only its hashes are of the right length, and chain nothing. Made by SQL and as the superuser:
 * through the service it would take far longer than what is to be measured.
 */
export async function fillWithEvents(
  environment: BenchmarkEnvironment,
  tenantIds: readonly string[],
  events: number,
): Promise<void> {
  process.stderr.write(`making ${whole(events * tenantIds.length)} events\n`);
  await withClient(environment.superuserUrl, async (client) => {
    const step = Math.ceil(EVENTS_AT_ONCE / tenantIds.length);
    for (let first = 1; first <= events; first += step) {
      const last = Math.min(events, first + step - 1);
      await client.query(INSERT_EVENTS, [tenantIds, first, last, PRODUCT_IDS]);
    }
    await client.query(
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport)
       SELECT tenant_id, product_id, sum(effect), true, max(lamport_ts) FROM stock_events
       WHERE tenant_id = ANY ($1::uuid[]) GROUP BY tenant_id, product_id`,
      [tenantIds],
    );
    await client.query(
      `UPDATE tenant_clocks SET lamport = $2, chain_hash = sha256(('chain' || $2::bigint)::bytea), recorded_at = now()
       WHERE tenant_id = ANY ($1::uuid[])`,
      [tenantIds, events],
    );
  });
  await settle(environment);
}

/** `count` tenants beside those that are measured, with a device and a log of `events` each. */
export async function fillWithTenants(environment: BenchmarkEnvironment, count: number, events: number): Promise<void> {
  const tenantIds = Array.from({ length: count }, () => randomUUID());
  await withClient(environment.superuserUrl, async (client) => {
    await client.query(
      `INSERT INTO tenants (id, name, created_at) SELECT id, 'Bench: neighbour', now() FROM unnest($1::uuid[]) AS id`,
      [tenantIds],
    );
    await client.query(
      `INSERT INTO tenant_clocks (tenant_id, chain_hash, epoch)
       SELECT id, sha256('before the first'), gen_random_uuid() FROM unnest($1::uuid[]) AS id`,
      [tenantIds],
    );
    await client.query(
      `INSERT INTO devices (tenant_id, id, name, device_type, created_at)
       SELECT id, id, 'Till', 'DESKTOP', now() FROM unnest($1::uuid[]) AS id`,
      [tenantIds],
    );
  });
  await fillWithEvents(environment, tenantIds, events);
}

/** So that the planner sees what is there, and neither vacuum nor checkpoint of what was just made falls into a turn. */
export async function settle(environment: BenchmarkEnvironment): Promise<void> {
  await withClient(environment.superuserUrl, async (client) => {
    await client.query('VACUUM (ANALYZE)');
    await client.query('CHECKPOINT');
  });
}

/**
 * The goods are visited in turns. Of the visits of each, every fifth brings as much as the four between them take, so that
 * the stock after an event is told by its number alone.
 */
const INSERT_EVENTS = `
  INSERT INTO stock_events (
    tenant_id, lamport_ts, operation_id, product_id, device_id, device_type, operation, delta, reason, payment_status,
    amount, location_lat, location_lng, client_lamport, base_lamport, version, group_id, created_at, created_by, effect,
    stock_after, disposition, synced_at, content_hash, chain_hash)
  SELECT tenant_id, number, uuidv7(), ($4::uuid[])[1 + number % cardinality($4::uuid[])], tenant_id, 'DESKTOP',
         CASE WHEN restock THEN 'INCREMENT' ELSE 'DECREMENT' END, delta, CASE WHEN restock THEN 'RESTOCK' ELSE 'SALE' END,
         CASE WHEN NOT restock THEN 'PAID' END, CASE WHEN NOT restock THEN (number * 37::bigint % 10000000) / 100.0 END, 4.6,
         -74.08, number, number - 1, 1, CASE WHEN NOT restock THEN md5('group' || number / 3)::uuid END,
         date_trunc('milliseconds', now() - interval '1 day'), tenant_id, CASE WHEN restock THEN delta ELSE -delta END,
         8 - 2 * (visit % 5), 'APPLIED', date_trunc('milliseconds', now()), sha256(('content' || number)::bytea),
         sha256(('chain' || number)::bytea)
  FROM unnest($1::uuid[]) AS tenant_id, generate_series($2::integer, $3::integer) AS number,
       LATERAL (SELECT (number - 1) / cardinality($4::uuid[])) AS visited (visit),
       LATERAL (SELECT visit % 5 = 0) AS kind (restock),
       LATERAL (SELECT CASE WHEN restock THEN 8 ELSE 2 END) AS moved (delta)`;
