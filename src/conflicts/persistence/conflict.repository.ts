import { Injectable } from '@nestjs/common';
import { And, Any, type FindOptionsWhere, LessThanOrEqual, MoreThan } from 'typeorm';
import { arrayOf } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Conflict, ConflictAwaits, ConflictChange, RecordedConflict } from '../domain/conflict.js';
import type { Decision } from '../domain/verdict.js';
import { ConflictEntity, type StoredDecision, toConflict } from './conflict.entity.js';

/** Column, its type in `unnest`, and what of the conflict goes into it. */
type Column<T> = readonly [name: string, type: string, value: (conflict: T, at: Date) => unknown];

/** What a decision changes. */
const DECIDED: readonly Column<ConflictChange>[] = [
  ['status', 'text', ({ resolution }) => statusOf(resolution)],
  ['awaits', 'text', ({ awaits }) => awaits],
  ['verdict', 'text', ({ resolution }) => resolution?.verdict ?? null],
  ['resolution_method', 'text', ({ resolution }) => resolution?.method ?? null],
  ['resolution_reason', 'text', ({ resolution }) => resolution?.reason ?? null],
  ['confidence', 'double precision', ({ resolution }) => resolution?.confidence ?? null],
  ['winner_id', 'uuid', ({ resolution }) => resolution?.winnerId ?? null],
  ['resolved_by', 'uuid', ({ resolution }) => resolution?.resolvedBy ?? null],
  ['user_feedback', 'text', ({ resolution }) => resolution?.feedback ?? null],
  ['resolved_at', 'timestamptz', ({ resolution }, at) => (resolution ? at : null)],
  ['suggestion', 'jsonb', ({ suggestion }) => (suggestion ? JSON.stringify(suggestion) : null)],
  ['decisions', 'jsonb', ({ asked }, at) => JSON.stringify(asked.map((decision) => stored(decision, at)))],
  ['lamport_ts', 'bigint', ({ lamport }) => lamport],
];

const FOUND: readonly Column<Conflict>[] = [
  ['id', 'uuid', ({ id }) => id],
  ['kind', 'text', ({ kind }) => kind],
  ['entity', 'text', ({ entity }) => entity],
  ['entity_id', 'uuid', ({ entityId }) => entityId],
  ['fields', 'jsonb', ({ fields }) => JSON.stringify(fields)],
  ['a_id', 'uuid', ({ a }) => a.id],
  ['a_device_id', 'uuid', ({ a }) => a.deviceId],
  ['a_payload', 'jsonb', ({ a }) => JSON.stringify(a.payload)],
  ['b_id', 'uuid', ({ b }) => b.id],
  ['b_device_id', 'uuid', ({ b }) => b.deviceId],
  ['b_payload', 'jsonb', ({ b }) => JSON.stringify(b.payload)],
  ['stock_then', 'integer', ({ stockThen }) => stockThen],
  ['detected_lamport', 'bigint', ({ lamport }) => lamport],
  ['detected_at', 'timestamptz', (_, at) => at],
  ...DECIDED.map(([name, type, value]): Column<Conflict> => [
    name,
    type,
    (conflict, at) => value({ ...conflict, asked: conflict.decisions }, at),
  ]),
];

const INSERT = `
  INSERT INTO sync_conflicts (tenant_id, ${FOUND.map(nameOf).join(', ')})
  SELECT $1, ${FOUND.map(nameOf)
    // A list in a column can't come through unnest, which would flatten it: \`fields\` comes as JSON.
    .map((name) => (name === 'fields' ? 'ARRAY(SELECT jsonb_array_elements_text(row.fields))' : `row.${name}`))
    .join(', ')}
  FROM unnest(${FOUND.map(([, type], index) => `$${index + 2}::${type}[]`).join(', ')})
    AS row (${FOUND.map(nameOf).join(', ')})`;

const UPDATE = `
  UPDATE sync_conflicts AS conflict
  SET ${DECIDED.map(nameOf)
    .map((name) => `${name} = ${name === 'decisions' ? 'conflict.decisions || row.decisions' : `row.${name}`}`)
    .join(', ')}
  FROM unnest($2::uuid[], ${DECIDED.map(([, type], index) => `$${index + 3}::${type}[]`).join(', ')})
    AS row (id, ${DECIDED.map(nameOf).join(', ')})
  WHERE conflict.tenant_id = $1 AND conflict.id = row.id`;

@Injectable()
export class ConflictRepository {
  /** Adds what a push has found, in one statement whatever the number. */
  async insert(tx: TenantTransaction, conflicts: readonly Conflict[], at: Date): Promise<void> {
    if (conflicts.length === 0) return;
    const columns = FOUND.map(([, , value]) => conflicts.map((conflict) => value(conflict, at)));
    await tx.manager.query(INSERT, [tx.tenantId, ...columns]);
  }

  /** Writes decisions, in one statement whatever the number. */
  async update(tx: TenantTransaction, changes: readonly ConflictChange[], at: Date): Promise<void> {
    if (changes.length === 0) return;
    const columns = DECIDED.map(([, , value]) => changes.map((change) => value(change, at)));
    await tx.manager.query(UPDATE, [tx.tenantId, changes.map(({ id }) => id), ...columns]);
  }

  /** Those of the conflicts that are in the log, by id. */
  async conflictsOf(tx: TenantTransaction, ids: readonly string[]): Promise<Map<string, RecordedConflict>> {
    if (ids.length === 0) return new Map();
    // Of the entries of a push hardly any is in a conflict. Which ones, each is asked for on its own, as in the ledger:
    // for "any of these" the planner would read the whole log of a tenant that was never analysed.
    const known = await prepared<{ id: string }>(
      tx,
      'known conflicts',
      `SELECT known.id FROM unnest($2::uuid[]) AS asked (id), LATERAL (
         SELECT id FROM sync_conflicts WHERE tenant_id = $1 AND id = asked.id LIMIT 1) AS known`,
      [tx.tenantId, arrayOf('uuid', ids)],
    );
    if (known.length === 0) return new Map();
    const rows = await tx.manager.findBy(ConflictEntity, { tenantId: tx.tenantId, id: Any(known.map(({ id }) => id)) });
    return new Map(rows.map((row) => [row.id, toConflict(row)]));
  }

  /** At most `limit` conflicts whose last change has a lamport in (`after`, `upTo`], in lamport order. */
  async between(tx: TenantTransaction, after: number, upTo: number, limit: number): Promise<RecordedConflict[]> {
    const rows = await tx.manager.find(ConflictEntity, {
      where: { tenantId: tx.tenantId, lamport: And(MoreThan(after), LessThanOrEqual(upTo)) },
      order: { lamport: 'ASC' },
      take: limit,
    });
    return rows.map(toConflict);
  }

  /** At most `limit` conflicts that wait for `awaits`, the oldest first. */
  async awaiting(tx: TenantTransaction, awaits: ConflictAwaits, limit: number): Promise<RecordedConflict[]> {
    const where: FindOptionsWhere<ConflictEntity> = { tenantId: tx.tenantId, awaits };
    const rows = await tx.manager.find(ConflictEntity, { where, order: { detectedLamport: 'ASC' }, take: limit });
    return rows.map(toConflict);
  }
}

function nameOf([name]: readonly [string, ...unknown[]]): string {
  return name;
}

function statusOf(resolution: Conflict['resolution']): RecordedConflict['status'] {
  if (!resolution) return 'PENDING';
  return resolution.method === 'MANUAL' ? 'RESOLVED_MANUAL' : 'RESOLVED_AUTO';
}

function stored(decision: Decision, at: Date): StoredDecision {
  return { ...decision, at: at.toISOString() };
}
