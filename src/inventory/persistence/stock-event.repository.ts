import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { arrayOf, arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared, preparedRows } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Disposition, StockLevel } from '../domain/ledger.js';
import { isReservation, type ReferencedOperation } from '../domain/reference.js';
import type { EncodedEvent, RecordedEvent, StockEvent } from '../domain/stock-event.js';
import { StockEventEntity } from './stock-event.entity.js';
import { ENCODED_COLUMNS, toEncodedEvent } from './stock-event.json.js';

const COLUMNS: readonly Column<StockEvent>[] = [
  ['lamport_ts', 'bigint', (event) => event.lamport],
  ['operation_id', 'uuid', (event) => event.operationId],
  ['product_id', 'uuid', (event) => event.productId],
  ['device_id', 'uuid', (event) => event.deviceId],
  ['device_type', 'text', (event) => event.deviceType],
  ['operation', 'text', (event) => event.kind],
  ['delta', 'integer', (event) => event.delta],
  ['reason', 'text', (event) => event.reason],
  ['payment_status', 'text', (event) => event.paymentStatus],
  ['amount', 'numeric', (event) => event.amount],
  ['location_lat', 'double precision', (event) => event.locationLat],
  ['location_lng', 'double precision', (event) => event.locationLng],
  ['client_lamport', 'bigint', (event) => event.clientLamport],
  ['base_lamport', 'bigint', (event) => event.baseLamport],
  ['version', 'bigint', (event) => event.version],
  ['group_id', 'uuid', (event) => event.groupId],
  ['ref_operation_id', 'uuid', (event) => event.refOperationId],
  ['expires_at', 'timestamptz', (event) => event.expiresAt],
  ['created_at', 'timestamptz', (event) => event.createdAt],
  ['created_by', 'uuid', (event) => event.createdBy],
  ['updated_by', 'uuid', (event) => event.updatedBy],
  ['effect', 'bigint', (event) => event.effect],
  ['stock_after', 'integer', (event) => event.stockAfter],
  ['disposition', 'text', (event) => event.disposition],
  ['content_hash', 'bytea', (event) => event.contentHash],
  ['chain_hash', 'bytea', (event) => event.chainHash],
];

const APPEND = `
  INSERT INTO stock_events (tenant_id, synced_at, ${namesOf(COLUMNS)})
  SELECT $1, $2, * FROM ${unnest(COLUMNS, 3)}`;

/** A lamport that a device gave. */
export interface DeviceLamport {
  readonly deviceId: string;
  readonly clientLamport: number;
}

const DEVICE_LAMPORT: readonly Column<DeviceLamport>[] = [
  ['device_id', 'uuid', ({ deviceId }) => deviceId],
  ['client_lamport', 'bigint', ({ clientLamport }) => clientLamport],
];

/** Device by device first: what a device records has higher lamports than all it gave before, unless it is a clone or new. */
const USED_LAMPORTS = `
  WITH asked AS MATERIALIZED (SELECT * FROM ${unnest(DEVICE_LAMPORT, 2)} AS asked (${namesOf(DEVICE_LAMPORT)})),
  again AS MATERIALIZED (
    SELECT device.device_id
    FROM (SELECT device_id, min(client_lamport) AS first FROM asked GROUP BY device_id) AS device, LATERAL (
      SELECT client_lamport FROM stock_events WHERE tenant_id = $1 AND device_id = device.device_id
      ORDER BY client_lamport DESC LIMIT 1) AS last
    WHERE last.client_lamport >= device.first)
  SELECT asked.device_id, asked.client_lamport FROM again JOIN asked USING (device_id), LATERAL (
    SELECT FROM stock_events
    WHERE tenant_id = $1 AND device_id = asked.device_id AND client_lamport = asked.client_lamport
      AND device_type <> 'SERVER' LIMIT 1) AS used`;

/** What became of an operation the first time, and what it said. */
export interface KnownEvent {
  readonly lamport: number;
  readonly effect: number;
  readonly stockAfter: number;
  readonly disposition: Disposition;
  readonly contentHash: Uint8Array;
}

interface KnownRow {
  readonly operation_id: string;
  readonly lamport_ts: string;
  readonly effect: string;
  readonly stock_after: number;
  readonly disposition: Disposition;
  readonly content_hash: Buffer;
}

/**
 * Whether an event is a baseline: a receipt or a count, when it takes effect.
 * @param event the alias of its row
 */
export function makesTracked(event: string): string {
  return `(${event}.disposition = 'APPLIED' AND ${event}.operation IN ('INCREMENT', 'SET')
    OR ${event}.operation = 'RELEASE' AND (
      SELECT held.operation <> 'DECREMENT' FROM stock_events held
      WHERE held.tenant_id = ${event}.tenant_id AND held.operation_id = ${event}.ref_operation_id))`;
}

/**
 * What the events that name an operation have made of it. A sale gave back what was held for it only if it took less than
 * it sold: that its effect tells.
 * @param operationId SQL for the id of the operation; the tenant is $1
 */
export function laterUses(operationId: string): string {
  const stands = `(later.disposition = 'APPLIED' OR decision.released) AND NOT decision.voided`;
  const waits = `later.disposition = 'HELD' AND NOT decision.released AND NOT decision.voided`;
  const cancels = `later.operation = 'INCREMENT' AND later.reason = 'CANCEL'`;
  const sells = `later.operation = 'DECREMENT' AND later.reason = 'SALE'`;
  return `
    SELECT coalesce(sum(later.delta) FILTER (WHERE ${cancels} AND ${stands}), 0) AS cancelled,
           coalesce(sum(later.delta) FILTER (WHERE ${cancels} AND ${waits}), 0) AS cancelling,
           coalesce(bool_or(${sells} AND ${stands}), false) AS confirmed,
           coalesce(bool_or(${sells} AND later.disposition = 'APPLIED' AND later.effect > -later.delta), false) AS sold,
           coalesce(bool_or(later.operation = 'VOID'), false) AS voided,
           sum(later.effect) FILTER (WHERE later.operation = 'RELEASE') AS released,
           max(later.lamport_ts) FILTER (WHERE later.operation = 'RELEASE') AS released_lamport
    FROM stock_events later, LATERAL (
      SELECT coalesce(bool_or(operation = 'RELEASE'), false) AS released,
             coalesce(bool_or(operation = 'VOID'), false) AS voided
      FROM stock_events WHERE tenant_id = $1 AND ref_operation_id = later.operation_id) AS decision
    WHERE later.tenant_id = $1 AND later.ref_operation_id = ${operationId}`;
}

const REFERENCED = `
  SELECT named.*, later.* FROM unnest($2::uuid[]) AS asked (operation_id), LATERAL (
    SELECT operation_id, product_id, device_id, operation, reason, delta, disposition, lamport_ts, effect,
           ref_operation_id
    FROM stock_events WHERE tenant_id = $1 AND operation_id = asked.operation_id LIMIT 1) AS named, LATERAL (
    ${laterUses('asked.operation_id')}) AS later`;

/** As `laterUses` says them. */
export interface LaterUses {
  /** A sum of bigint is numeric, which pg gives as text too. */
  readonly cancelled: string;
  readonly cancelling: string;
  readonly confirmed: boolean;
  readonly sold: boolean;
  readonly voided: boolean;
  /** What its release moved, and where in the log; null if it was not released. */
  readonly released: string | null;
  readonly released_lamport: string | null;
}

export interface ReferencedRow extends LaterUses {
  readonly operation_id: string;
  readonly product_id: string;
  readonly device_id: string;
  readonly operation: ReferencedOperation['kind'];
  readonly reason: ReferencedOperation['reason'];
  readonly delta: number;
  readonly disposition: Disposition;
  readonly lamport_ts: string;
  readonly ref_operation_id: string | null;
  readonly effect: string;
}

export function toReferencedOperation(row: ReferencedRow): ReferencedOperation {
  return {
    operationId: row.operation_id,
    productId: row.product_id,
    deviceId: row.device_id,
    kind: row.operation,
    reason: row.reason,
    delta: row.delta,
    disposition: row.released === null ? row.disposition : 'APPLIED',
    lamport: toSafeInteger(row.lamport_ts),
    effectiveLamport: toSafeInteger(row.released_lamport ?? row.lamport_ts),
    effect: toSafeInteger(row.released ?? row.effect),
    refOperationId: row.ref_operation_id,
    cancelled: toSafeInteger(row.cancelled),
    cancelling: toSafeInteger(row.cancelling),
    closedBy: row.voided ? 'VOID' : row.sold ? 'SALE' : null,
    // Only a reservation is confirmed by the sale that names it.
    confirmed: row.confirmed && isReservation({ kind: row.operation, reason: row.reason }),
  };
}

/**
 * Lamport of the last event of product $2 that was recorded by the time $3, 0 before its first. Time never runs backwards
 * along the log, so this halves the range until one lamport is left: some 20 look-ups, at most 53. Reading past the newer
 * events took 63 ms for a product of 49,000, against 1 ms.
 */
const LAMPORT_AT_TIME = `(
  WITH RECURSIVE search (low, high) AS (
    (SELECT 0::bigint, lamport_ts FROM stock_events WHERE tenant_id = $1 AND product_id = $2
     ORDER BY lamport_ts DESC LIMIT 1)
    UNION ALL
    SELECT CASE WHEN event.synced_at <= $3 THEN event.lamport_ts ELSE search.low END,
           CASE WHEN event.synced_at <= $3 THEN search.high ELSE (search.low + search.high + 1) / 2 - 1 END
    FROM search, LATERAL (
      SELECT lamport_ts, synced_at FROM stock_events
      WHERE tenant_id = $1 AND product_id = $2 AND lamport_ts >= (search.low + search.high + 1) / 2
      ORDER BY lamport_ts LIMIT 1) AS event
    WHERE search.low < search.high)
  SELECT max(low) FROM search)`;

/*
 * The look-ups by key ask for each key on its own (LATERAL with LIMIT), not for "any of these": before the first
 * ANALYZE of a new table the planner takes a tenant for a handful of rows, reads its whole log through some other index
 * and filters. At 32,000 events that took 12 ms under the clock lock, against 0.3 ms (bench/push).
 */
@Injectable()
export class StockEventRepository {
  /**
   * Appends `events`, in lamport order, in one statement whatever their number.
   * @throws QueryFailedError 23505 if a lamport is taken: the caller did not hold the tenant's clock lock.
   */
  async append(tx: TenantTransaction, events: readonly StockEvent[], syncedAt: Date): Promise<void> {
    if (events.length === 0) return;
    await prepared(tx, 'append events', APPEND, [tx.tenantId, syncedAt, ...arraysOf(COLUMNS, events)]);
  }

  /** Those of `operationIds` that are in the log, by id. */
  async known(tx: TenantTransaction, operationIds: readonly string[]): Promise<Map<string, KnownEvent>> {
    if (operationIds.length === 0) return new Map();
    const rows = await prepared<KnownRow>(
      tx,
      'known operations',
      `SELECT known.* FROM unnest($2::uuid[]) AS asked (operation_id), LATERAL (
         SELECT operation_id, lamport_ts, effect, stock_after, disposition, content_hash
         FROM stock_events WHERE tenant_id = $1 AND operation_id = asked.operation_id LIMIT 1) AS known`,
      [tx.tenantId, arrayOf('uuid', operationIds)],
    );
    return new Map(
      rows.map((row) => [
        row.operation_id,
        {
          lamport: toSafeInteger(row.lamport_ts),
          effect: toSafeInteger(row.effect),
          stockAfter: row.stock_after,
          disposition: row.disposition,
          contentHash: row.content_hash,
        },
      ]),
    );
  }

  /** Those of `operationIds` that are in the log, by id, with what later events that name them have made of them. */
  async referenced(tx: TenantTransaction, operationIds: readonly string[]): Promise<Map<string, ReferencedOperation>> {
    if (operationIds.length === 0) return new Map(); // few operations name another
    const rows = await prepared<ReferencedRow>(tx, 'referenced operations', REFERENCED, [
      tx.tenantId,
      arrayOf('uuid', operationIds),
    ]);
    return new Map(rows.map((row) => [row.operation_id, toReferencedOperation(row)]));
  }

  /** Those of the lamports that an operation of their device has, by device: an opening balance is none. */
  async usedLamports(
    tx: TenantTransaction,
    lamports: readonly DeviceLamport[],
  ): Promise<Map<string, ReadonlySet<number>>> {
    const used = new Map<string, Set<number>>();
    if (lamports.length === 0) return used;
    const rows = await prepared<{ device_id: string; client_lamport: string }>(tx, 'used lamports', USED_LAMPORTS, [
      tx.tenantId,
      ...arraysOf(DEVICE_LAMPORT, lamports),
    ]);
    for (const { device_id: deviceId, client_lamport: lamport } of rows) {
      const ofDevice = used.get(deviceId) ?? new Set();
      used.set(deviceId, ofDevice.add(toSafeInteger(lamport)));
    }
    return used;
  }

  /**
   * At most `limit` events with a lamport above `after`, in lamport order, as a pull hands them out: nothing is made of them
   * but their JSON text.
   */
  async encodedAfter(tx: TenantTransaction, after: number, limit: number): Promise<EncodedEvent[]> {
    const events: EncodedEvent[] = [];
    await preparedRows(
      tx,
      'encoded events after',
      `SELECT ${ENCODED_COLUMNS.join(', ')} FROM stock_events
       WHERE tenant_id = $1 AND lamport_ts > $2 ORDER BY lamport_ts LIMIT $3`,
      [tx.tenantId, after, limit],
      (row) => events.push(toEncodedEvent(row)),
    );
    return events;
  }

  /** Chain hash of the last event with a lamport of `upTo` at most, in hex; null before the first. */
  async chainHashAt(tx: TenantTransaction, upTo: number): Promise<string | null> {
    const [row] = await prepared<{ chain_hash: string }>(
      tx,
      'chain hash at',
      `SELECT encode(chain_hash, 'hex') AS chain_hash FROM stock_events
       WHERE tenant_id = $1 AND lamport_ts <= $2 ORDER BY lamport_ts DESC LIMIT 1`,
      [tx.tenantId, upTo],
    );
    return row?.chain_hash ?? null;
  }

  /**
   * The product's level as it was: after its last event with a lamport of at most `at.lamport`, or recorded by
   * `at.time`. null before its first.
   */
  async levelAt(
    tx: TenantTransaction,
    productId: string,
    at: { readonly lamport: number } | { readonly time: Date },
  ): Promise<StockLevel | null> {
    const [upTo, instant] = 'lamport' in at ? ['$3', at.lamport] : [LAMPORT_AT_TIME, at.time];
    const [row] = await tx.manager.query<{ lamport_ts: string; stock_after: number; tracked: boolean }[]>(
      // In order, up to the first: of EXISTS the planner may gather all events before it looks at one.
      `SELECT last.lamport_ts, last.stock_after, coalesce((
         SELECT true FROM stock_events event
         WHERE tenant_id = $1 AND product_id = $2 AND lamport_ts <= last.lamport_ts AND ${makesTracked('event')}
         ORDER BY lamport_ts LIMIT 1), false) AS tracked
       FROM stock_events last WHERE tenant_id = $1 AND product_id = $2 AND lamport_ts <= ${upTo}
       ORDER BY lamport_ts DESC LIMIT 1`,
      [tx.tenantId, productId, instant],
    );
    return row ? { quantity: row.stock_after, tracked: row.tracked, lastLamport: toSafeInteger(row.lamport_ts) } : null;
  }

  /** At most `limit` events of the product with a lamport above `after`, in lamport order. */
  ofProduct(tx: TenantTransaction, productId: string, after: number, limit: number): Promise<RecordedEvent[]> {
    return tx.manager.find(StockEventEntity, {
      where: { tenantId: tx.tenantId, productId, lamport: MoreThan(after) },
      order: { lamport: 'ASC' },
      take: limit,
    });
  }
}
