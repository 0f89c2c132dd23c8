import { Injectable } from '@nestjs/common';
import { arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import {
  type CountQuery,
  NO_RIVALS,
  type LoggedOperation,
  type PastEvent,
  type ProductHistory,
  type RivalQuery,
  type Rivals,
} from '../domain/logged-operation.js';
import type { EventContent } from '../domain/stock-event.js';
import { laterUses, type LaterUses, type ReferencedRow, toReferencedOperation } from './stock-event.repository.js';

/** So many events of a product are looked back at. */
const EVENTS_MAX = 1_000;

interface ContentRow extends Omit<ReferencedRow, keyof LaterUses> {
  readonly device_type: EventContent['deviceType'];
  readonly payment_status: EventContent['paymentStatus'];
  readonly amount: string | null;
  readonly location_lat: number | null;
  readonly location_lng: number | null;
  readonly client_lamport: string;
  readonly base_lamport: string | null;
  readonly version: string | null;
  readonly group_id: string | null;
  readonly expires_at: Date | null;
  readonly created_at: Date | null;
  readonly created_by: string;
  readonly updated_by: string | null;
}

type EventRow = ContentRow & ReferencedRow;
type HistoryRow = ContentRow & { readonly synced_at: Date; readonly decided: PastEvent['decided'] };

type CountRow = EventRow & { readonly push: number };
type RivalRow = CountRow & { readonly role: 'MOVEMENT' | 'TAKEN_BACK' | 'CLAIM' };

/** Of `EventRow`. */
const EVENT_COLUMNS = [
  ...['operation_id', 'product_id', 'device_id', 'device_type', 'operation', 'delta', 'reason', 'payment_status'],
  ...['amount', 'location_lat', 'location_lng', 'client_lamport', 'base_lamport', 'version', 'group_id'],
  ...[
    'ref_operation_id',
    'expires_at',
    'created_at',
    'created_by',
    'updated_by',
    'disposition',
    'lamport_ts',
    'effect',
  ],
];
const LATER_COLUMNS: readonly (keyof LaterUses)[] = [
  ...(['cancelled', 'cancelling', 'confirmed', 'sold', 'voided', 'released', 'released_lamport'] as const),
];

const OF_OTHERS = `event.tenant_id = $1 AND event.product_id = asked.product_id AND event.device_id <> asked.device_id
  AND event.lamport_ts > asked.after`;

/** The last of others that has an effect: it was applied or released, and not taken back. */
function last(condition: string): string {
  return `
    FROM stock_events event, LATERAL (${laterUses('event.operation_id')}) AS later
    WHERE ${condition} AND ${OF_OTHERS}
      AND (event.disposition = 'APPLIED' OR later.released IS NOT NULL) AND NOT later.voided
    ORDER BY event.lamport_ts DESC LIMIT 1`;
}

/** So many events of others are looked at for claims, the newest first. */
const CLAIMS_READ_MAX = 5_000;

/**
 * Claims that are out still, each with its units.
 * @param events SQL for the rows among which they are, as `event`
 */
function claims(events: string, condition: string): string {
  return `
    SELECT event, (event).delta - later.cancelled AS units
    FROM (
      SELECT event FROM ${events} WHERE asked.claimed > 0 AND event.operation = 'DECREMENT' AND ${condition}
      ORDER BY event.lamport_ts DESC LIMIT ${CLAIMS_READ_MAX}) AS taken,
      LATERAL (${laterUses('(event).operation_id')}) AS later
    WHERE ((event).disposition = 'APPLIED' OR later.released IS NOT NULL) AND NOT later.voided
      AND NOT later.sold AND (event).delta > later.cancelled`;
}

/** What rules may treat alike: what nobody was promised, and claims that were paid, were cancelled, or are open. */
const STANDING = `
  CASE WHEN (event).reason NOT IN ('SALE', 'RESERVATION') THEN 'NO CLAIM'
       WHEN (event).payment_status IN ('PAID', 'CANCELLED') THEN (event).payment_status
       ELSE 'OPEN' END`;

/** The newest, of each standing until they come to the units that are asked for: none hides those of another. */
const CLAIMS = `
  SELECT (claim.event).* FROM (
    SELECT event, units, sum(units) OVER (PARTITION BY ${STANDING} ORDER BY (event).lamport_ts DESC) AS so_far
    FROM (
      ${claims('stock_events event', OF_OTHERS)}
      UNION ALL
      -- What is older and was released only since is as new as its release.
      ${claims(
        `stock_events release
         JOIN stock_events event ON event.tenant_id = $1 AND event.operation_id = release.ref_operation_id`,
        `release.tenant_id = $1 AND release.product_id = asked.product_id AND release.operation = 'RELEASE'
         AND release.lamport_ts > asked.after AND event.lamport_ts <= asked.after AND event.device_id <> asked.device_id`,
      )}) AS taken) AS claim
  WHERE so_far - units < asked.claimed`;

/** Of whom one push asks something. */
interface Asking {
  readonly push: number;
  readonly deviceId: string;
}

const COUNT_QUESTIONS: readonly Column<CountQuery & Asking>[] = [
  ['push', 'integer', ({ push }) => push],
  ['device_id', 'uuid', ({ deviceId }) => deviceId],
  ['product_id', 'uuid', ({ productId }) => productId],
  ['applied', 'bigint', ({ appliedLamport }) => appliedLamport],
  ['unsaid', 'bigint', ({ unsaidLamport }) => unsaidLamport],
];

/** What is null is the least of nothing. */
const COUNTS = `
  SELECT asked.push, ${[...EVENT_COLUMNS, ...LATER_COLUMNS].map((name) => `rival.${name}`).join(', ')}
  FROM (
    SELECT push, device_id, product_id, least(applied, unsaid, CASE WHEN unsaid IS NOT NULL THEN (
      SELECT last_pulled_lamport FROM devices WHERE tenant_id = $1 AND id = question.device_id) END) AS after
    FROM ${unnest(COUNT_QUESTIONS, 2)} AS question (${namesOf(COUNT_QUESTIONS)})) AS asked,
  LATERAL (SELECT event.*, later.* ${last("event.operation = 'SET'")}) AS rival`;

const RIVAL_QUESTIONS: readonly Column<RivalQuery & Asking>[] = [
  ['push', 'integer', ({ push }) => push],
  ['device_id', 'uuid', ({ deviceId }) => deviceId],
  ['product_id', 'uuid', ({ productId }) => productId],
  ['after', 'bigint', ({ after }) => after],
  ['movement', 'boolean', ({ movement }) => movement],
  ['taken_back', 'boolean', ({ takenBack }) => takenBack],
  ['claimed', 'bigint', ({ claimedUnits }) => claimedUnits],
];

const RIVALS = `
  SELECT asked.push, rival.role, ${EVENT_COLUMNS.map((name) => `rival.${name}`).join(', ')}, later.*
  FROM ${unnest(RIVAL_QUESTIONS, 2)} AS asked (${namesOf(RIVAL_QUESTIONS)}),
  LATERAL (
    (SELECT 'MOVEMENT' AS role, event.* ${last("asked.movement AND event.operation IN ('INCREMENT', 'DECREMENT')")})
    UNION ALL
    (SELECT 'TAKEN_BACK', event.* FROM stock_events event
     WHERE asked.taken_back AND event.operation = 'VOID' AND event.effect <> 0 AND ${OF_OTHERS}
       AND asked.after >= (SELECT lamport_ts FROM stock_events older
                           WHERE older.tenant_id = $1 AND older.operation_id = event.ref_operation_id)
     ORDER BY event.lamport_ts DESC LIMIT 1)
    UNION ALL
    (SELECT 'CLAIM', claim.* FROM (${CLAIMS}) AS claim)
  ) AS rival,
  LATERAL (${laterUses('rival.operation_id')}) AS later`;

const LOGGED = `
  SELECT event.*, later.* FROM unnest($2::uuid[]) AS asked (operation_id),
  LATERAL (SELECT * FROM stock_events WHERE tenant_id = $1 AND operation_id = asked.operation_id LIMIT 1) AS event,
  LATERAL (${laterUses('asked.operation_id')}) AS later`;

/** Of a decision what it is about, with the units that nobody had cancelled or, of a reservation, sold by then. */
const DECIDED = `
  SELECT jsonb_build_object('kind', decided.operation, 'units', CASE WHEN EXISTS (
    SELECT FROM stock_events sale
    WHERE sale.tenant_id = $1 AND sale.ref_operation_id = decided.operation_id AND decided.reason = 'RESERVATION'
      AND sale.operation = 'DECREMENT' AND sale.reason = 'SALE'
      AND sale.disposition = 'APPLIED' AND sale.lamport_ts < event.lamport_ts) THEN 0
    ELSE decided.delta - coalesce((
    SELECT sum(cancelling.delta) FROM stock_events cancelling
    WHERE cancelling.tenant_id = $1 AND cancelling.ref_operation_id = decided.operation_id
      AND cancelling.operation = 'INCREMENT' AND cancelling.reason = 'CANCEL'
      AND cancelling.disposition = 'APPLIED' AND cancelling.lamport_ts < event.lamport_ts), 0) END)
  FROM stock_events decided WHERE decided.tenant_id = $1 AND decided.operation_id = event.ref_operation_id`;

const HISTORIES = `
  SELECT event.*, CASE WHEN event.operation IN ('VOID', 'RELEASE') THEN (${DECIDED}) END AS decided
  FROM unnest($2::uuid[], $3::bigint[]) AS asked (product_id, after), LATERAL (
    SELECT * FROM stock_events
    WHERE tenant_id = $1 AND product_id = asked.product_id AND lamport_ts > asked.after
    ORDER BY lamport_ts DESC LIMIT ${EVENTS_MAX + 1}) AS event`;

/** Operations of the log as conflicts look at them: in full, with what became of each. */
@Injectable()
export class RivalRepository {
  /**
   * The last count of each product that each push asks for, by a device other than its own, of what stands: of `asked[i]` the
   * i-th, by product id. One statement.
   */
  async countsOf(
    tx: TenantTransaction,
    asked: readonly { readonly deviceId: string; readonly queries: readonly CountQuery[] }[],
  ): Promise<ReadonlyMap<string, LoggedOperation>[]> {
    const found = asked.map(() => new Map<string, LoggedOperation>());
    const questions = questionsOf(asked);
    if (questions.length === 0) return found;
    const rows = await prepared<CountRow>(tx, 'counts of others', COUNTS, [
      tx.tenantId,
      ...arraysOf(COUNT_QUESTIONS, questions),
    ]);
    for (const row of rows) found[row.push]?.set(row.product_id, toLoggedOperation(row));
    return found;
  }

  /** As `countsOf`, whatever else devices other than its own did. */
  async rivalsOf(
    tx: TenantTransaction,
    asked: readonly { readonly deviceId: string; readonly queries: readonly RivalQuery[] }[],
  ): Promise<ReadonlyMap<string, Omit<Rivals, 'count'>>[]> {
    const found = asked.map(() => new Map<string, { -readonly [K in Exclude<keyof Rivals, 'count'>]: Rivals[K] }>());
    const questions = questionsOf(asked);
    if (questions.length === 0) return found;
    const rows = await prepared<RivalRow>(tx, 'rivals', RIVALS, [tx.tenantId, ...arraysOf(RIVAL_QUESTIONS, questions)]);
    for (const row of rows) {
      const of = found[row.push];
      if (!of) throw new Error('An answer to a question that nobody asked');
      const rival = toLoggedOperation(row);
      const rivals = of.get(row.product_id) ?? { ...NO_RIVALS };
      of.set(row.product_id, rivals);
      switch (row.role) {
        case 'MOVEMENT':
          rivals.movement = rival;
          break;
        case 'TAKEN_BACK':
          rivals.takenBack = rival;
          break;
        case 'CLAIM':
          rivals.claims = [...rivals.claims, rival];
          break;
      }
    }
    for (const rivals of found.flatMap((of) => [...of.values()])) {
      rivals.claims = [...rivals.claims].sort((a, b) => b.state.effectiveLamport - a.state.effectiveLamport);
    }
    return found;
  }

  /** Those of the operations that are in the log, by id. */
  async operationsOf(tx: TenantTransaction, operationIds: readonly string[]): Promise<Map<string, LoggedOperation>> {
    if (operationIds.length === 0) return new Map();
    const rows = await tx.manager.query<EventRow[]>(LOGGED, [tx.tenantId, operationIds]);
    return new Map(rows.map((row) => [row.operation_id, toLoggedOperation(row)]));
  }

  /** What happened to the products after a lamport each, by product id; of the newest events if there are very many. */
  async historiesOf(tx: TenantTransaction, after: ReadonlyMap<string, number>): Promise<Map<string, ProductHistory>> {
    if (after.size === 0) return new Map();
    const rows = await tx.manager.query<HistoryRow[]>(HISTORIES, [tx.tenantId, [...after.keys()], [...after.values()]]);
    const found = new Map<string, PastEvent[]>();
    for (const row of rows) {
      const events = found.get(row.product_id) ?? [];
      found.set(row.product_id, events);
      events.push(toPastEvent(row));
    }
    return new Map(
      [...after.keys()].map((productId) => {
        const events = (found.get(productId) ?? []).sort((a, b) => b.lamport - a.lamport);
        return [
          productId,
          { events: events.slice(0, EVENTS_MAX).reverse(), complete: events.length <= EVENTS_MAX },
        ] as const;
      }),
    );
  }
}

function questionsOf<Query>(
  asked: readonly { readonly deviceId: string; readonly queries: readonly Query[] }[],
): (Query & Asking)[] {
  return asked.flatMap(({ deviceId, queries }, push) => queries.map((query) => ({ push, deviceId, ...query })));
}

function toPastEvent(row: HistoryRow): PastEvent {
  return {
    content: toContent(row),
    lamport: toSafeInteger(row.lamport_ts),
    effect: toSafeInteger(row.effect),
    disposition: row.disposition,
    decided: row.decided,
    recordedAt: row.synced_at.valueOf(),
  };
}

function toLoggedOperation(row: EventRow): LoggedOperation {
  return { content: toContent(row), state: toReferencedOperation(row) };
}

function toContent(row: ContentRow): EventContent {
  return {
    operationId: row.operation_id,
    productId: row.product_id,
    deviceId: row.device_id,
    deviceType: row.device_type,
    kind: row.operation,
    delta: row.delta,
    reason: row.reason,
    paymentStatus: row.payment_status,
    amount: row.amount === null ? null : Number(row.amount),
    locationLat: row.location_lat,
    locationLng: row.location_lng,
    clientLamport: toSafeInteger(row.client_lamport),
    baseLamport: row.base_lamport === null ? null : toSafeInteger(row.base_lamport),
    version: row.version === null ? null : toSafeInteger(row.version),
    groupId: row.group_id,
    refOperationId: row.ref_operation_id,
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at?.toISOString() ?? null,
    createdBy: row.created_by,
    updatedBy: row.updated_by,
  };
}
