import { Injectable } from '@nestjs/common';
import { readInBatches } from '../../database/row-cursor.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { StockLevel } from '../domain/ledger.js';
import type { LoggedEvent } from '../domain/verification.js';
import { makesTracked } from './stock-event.repository.js';

/*
 * Raw rows, no entities: a verification reads a whole log. And as they are, whatever they are, for it looks for rows that
 * this service did not write: no number is too large to be named, and times are texts, with all that the column can hold.
 */
const LOG = `
  SELECT lamport_ts, operation_id, product_id, device_id, device_type, operation, delta, reason, payment_status, amount,
         location_lat, location_lng, client_lamport, base_lamport, version, group_id, ref_operation_id,
         (expires_at AT TIME ZONE 'UTC')::text AS expires_at, (created_at AT TIME ZONE 'UTC')::text AS created_at,
         created_by, updated_by, effect, stock_after, disposition,
         CASE WHEN operation IN ('VOID', 'RELEASE') THEN (
           SELECT jsonb_build_object('kind', operation, 'reason', reason, 'delta', delta, 'disposition', disposition,
                                     'refOperationId', ref_operation_id)
           FROM stock_events decided
           WHERE decided.tenant_id = event.tenant_id AND decided.operation_id = event.ref_operation_id) END AS decided,
         (extract(epoch FROM synced_at) * 1000)::float8 AS synced_ms, content_hash, chain_hash
  FROM stock_events event WHERE tenant_id = $1 ORDER BY lamport_ts`;

interface LogRow {
  readonly lamport_ts: string;
  readonly operation_id: string;
  readonly product_id: string;
  readonly device_id: string;
  readonly device_type: LoggedEvent['deviceType'];
  readonly operation: LoggedEvent['kind'];
  readonly delta: number;
  readonly reason: LoggedEvent['reason'];
  readonly payment_status: LoggedEvent['paymentStatus'];
  readonly amount: string | null;
  readonly location_lat: number | null;
  readonly location_lng: number | null;
  readonly client_lamport: string;
  readonly base_lamport: string | null;
  readonly version: string | null;
  readonly group_id: string | null;
  readonly ref_operation_id: string | null;
  readonly expires_at: string | null;
  readonly created_at: string | null;
  readonly created_by: string;
  readonly updated_by: string | null;
  readonly effect: string;
  readonly stock_after: number;
  readonly disposition: LoggedEvent['disposition'];
  readonly decided: LoggedEvent['decided'];
  readonly synced_ms: number;
  readonly content_hash: Buffer;
  readonly chain_hash: Buffer;
}

interface LevelRow {
  readonly product_id: string;
  readonly quantity: number;
  readonly tracked: boolean;
  readonly last_lamport: string;
}

interface TotalsRow extends Omit<LevelRow, 'quantity'> {
  /** A sum of bigint is numeric, which pg gives as text. */
  readonly quantity: string;
}

/** Events in one statement of a sum: with a table of a million not in memory, 50,000 took 0.7 s. */
const EVENTS_AT_ONCE = 50_000;

/** What the events that are read, as `event`, amount to: a level, but for the range of stock. */
const TOTALS = `sum(effect) AS quantity, max(lamport_ts) AS last_lamport,
  bool_or(${makesTracked('event')}) AS tracked`;

/** The ledger from its first event to its last, for those who look whether it is right, and mend its projection. */
@Injectable()
export class LedgerAuditRepository {
  /** The whole log in lamport order, in batches of at most `batchSize`. */
  async *log(tx: TenantTransaction, batchSize: number): AsyncGenerator<LoggedEvent[], void, undefined> {
    await avoidSorting(tx);
    for await (const rows of readInBatches<LogRow>(tx, LOG, [tx.tenantId], batchSize)) yield rows.map(toLoggedEvent);
  }

  /** All levels with their product ids, in batches of at most `batchSize`. */
  async *levels(tx: TenantTransaction, batchSize: number): AsyncGenerator<[string, StockLevel][], void, undefined> {
    const query = `SELECT product_id, quantity, tracked, last_lamport FROM stock_levels WHERE tenant_id = $1`;
    for await (const rows of readInBatches<LevelRow>(tx, query, [tx.tenantId], batchSize)) {
      yield rows.map((row) => [row.product_id, toLevel(row)]);
    }
  }

  /** Ids of the next `limit` products after `after` that have events or a level, in their order; null for the first. */
  async productsAfter(tx: TenantTransaction, after: string | null, limit: number): Promise<string[]> {
    // Events name the same product over and over: each step looks for the next other one.
    const rows = await tx.manager.query<{ product_id: string }[]>(
      `WITH RECURSIVE moved (product_id, place) AS (
         (SELECT product_id, 1 FROM stock_events
          WHERE tenant_id = $1 AND ($2::uuid IS NULL OR product_id > $2) ORDER BY product_id LIMIT 1)
         UNION ALL
         SELECT next.product_id, place + 1 FROM moved, LATERAL (
           SELECT product_id FROM stock_events
           WHERE tenant_id = $1 AND product_id > moved.product_id ORDER BY product_id LIMIT 1) AS next
         WHERE place < $3),
       levelled AS (
         SELECT product_id FROM stock_levels
         WHERE tenant_id = $1 AND ($2::uuid IS NULL OR product_id > $2) ORDER BY product_id LIMIT $3)
       SELECT product_id FROM moved UNION SELECT product_id FROM levelled ORDER BY product_id LIMIT $3`,
      [tx.tenantId, after, limit],
    );
    return rows.map((row) => row.product_id);
  }

  /**
   * What the events up to lamport `head` of the products come to, by product id; products without events are missing.
   * Of products between those that are named, too, if they have such events.
   * @param productIds in their order
   */
  async totalsUpTo(
    tx: TenantTransaction,
    productIds: readonly string[],
    head: number,
  ): Promise<Map<string, StockLevel>> {
    await avoidSorting(tx);
    const totals = new Map<string, StockLevel>();
    let [product, lamport] = [productIds[0], Number.MIN_SAFE_INTEGER];
    while (product !== undefined) {
      const rows = await tx.manager.query<TotalsRow[]>(
        `SELECT product_id, ${TOTALS} FROM (
           SELECT tenant_id, product_id, lamport_ts, effect, disposition, operation, ref_operation_id FROM stock_events
           WHERE tenant_id = $1 AND (product_id, lamport_ts) > ($2, $3) AND product_id <= $4 AND lamport_ts <= $5
           ORDER BY product_id, lamport_ts LIMIT ${EVENTS_AT_ONCE}) AS event
         GROUP BY product_id ORDER BY product_id`,
        [tx.tenantId, product, lamport, productIds.at(-1), head],
      );
      for (const row of rows) totals.set(row.product_id, add(totals.get(row.product_id), row));
      const last = rows.at(-1);
      [product, lamport] = [last?.product_id, last ? toSafeInteger(last.last_lamport) : 0];
    }
    return totals;
  }

  /** What the events after lamport `head` of the products come to, by product id; products without are missing. */
  async totalsAfter(
    tx: TenantTransaction,
    productIds: readonly string[],
    head: number,
  ): Promise<Map<string, StockLevel>> {
    const rows = await tx.manager.query<TotalsRow[]>(
      `SELECT product_id, ${TOTALS} FROM stock_events event
       WHERE tenant_id = $1 AND lamport_ts > $3 AND product_id = ANY($2::uuid[]) GROUP BY product_id`,
      [tx.tenantId, productIds, head],
    );
    return new Map(rows.map((row) => [row.product_id, add(undefined, row)]));
  }

  /**
   * Products whose level differs from the balance of their last event. One statement, so it sees no push half done. A
   * level that says "nothing, never moved" is right without any event: a rebuild leaves it where one was left over.
   */
  async drifted(tx: TenantTransaction): Promise<string[]> {
    const rows = await tx.manager.query<{ product_id: string }[]>(
      `SELECT level.product_id FROM stock_levels AS level
       LEFT JOIN LATERAL (
         SELECT lamport_ts, stock_after FROM stock_events
         WHERE tenant_id = $1 AND product_id = level.product_id ORDER BY lamport_ts DESC LIMIT 1) AS last ON true
       WHERE level.tenant_id = $1
         AND (level.last_lamport, level.quantity) IS DISTINCT FROM (coalesce(lamport_ts, 0), coalesce(stock_after, 0))`,
      [tx.tenantId],
    );
    return rows.map((row) => row.product_id);
  }
}

/**
 * For the rest of the transaction: rows in the order of an index are read by that index. Where the planner takes a tenant
 * for a handful of rows, as before the first ANALYZE, it would sort the whole log, for each page of it anew, and of ten
 * million events that takes longer than a statement may.
 */
async function avoidSorting(tx: TenantTransaction): Promise<void> {
  await tx.manager.query(`SELECT set_config('enable_sort', 'off', true)`);
}

function add(before: StockLevel | undefined, row: TotalsRow): StockLevel {
  return {
    quantity: (before?.quantity ?? 0) + Number(row.quantity),
    tracked: (before?.tracked ?? false) || row.tracked,
    lastLamport: toSafeInteger(row.last_lamport),
  };
}

function toLevel(row: LevelRow): StockLevel {
  return { quantity: row.quantity, tracked: row.tracked, lastLamport: Number(row.last_lamport) };
}

function toLoggedEvent(row: LogRow): LoggedEvent {
  return {
    lamport: Number(row.lamport_ts),
    operationId: row.operation_id,
    productId: row.product_id,
    deviceId: row.device_id,
    deviceType: row.device_type,
    kind: row.operation,
    delta: row.delta,
    reason: row.reason,
    paymentStatus: row.payment_status,
    amount: number(row.amount),
    locationLat: row.location_lat,
    locationLng: row.location_lng,
    clientLamport: Number(row.client_lamport),
    baseLamport: number(row.base_lamport),
    version: number(row.version),
    groupId: row.group_id,
    refOperationId: row.ref_operation_id,
    expiresAt: instant(row.expires_at),
    createdAt: instant(row.created_at),
    createdBy: row.created_by,
    updatedBy: row.updated_by,
    effect: Number(row.effect),
    stockAfter: row.stock_after,
    disposition: row.disposition,
    decided: row.decided,
    syncedAt: row.synced_ms,
    contentHash: row.content_hash,
    chainHash: row.chain_hash,
  };
}

function number(text: string | null): number | null {
  return text === null ? null : Number(text);
}

const TIME_OF_OURS = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?$/;

/** As the content hash has it, ISO 8601 to the millisecond; what has more, or is no such time, stays as it is. */
function instant(text: string | null): string | null {
  if (text === null) return null;
  const [, date, time, fraction = ''] = TIME_OF_OURS.exec(text) ?? [];
  return date === undefined ? text : `${date}T${time}.${fraction.padEnd(3, '0')}Z`;
}
