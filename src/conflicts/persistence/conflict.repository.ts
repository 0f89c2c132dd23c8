import { Injectable } from '@nestjs/common';
import { And, Any, type FindOptionsWhere, LessThan, LessThanOrEqual, MoreThan, Not } from 'typeorm';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Conflict, ConflictKind, ConflictStatus, RecordedConflict } from '../domain/conflict.js';
import { ConflictEntity, toConflict } from './conflict.entity.js';

const COLUMNS: readonly (readonly [name: string, type: string, value: (conflict: Conflict) => unknown])[] = [
  ['id', 'uuid', (conflict) => conflict.id],
  ['kind', 'text', (conflict) => conflict.kind],
  ['status', 'text', (conflict) => (conflict.resolution ? 'RESOLVED_AUTO' : 'PENDING')],
  ['entity', 'text', (conflict) => conflict.entity],
  ['entity_id', 'uuid', (conflict) => conflict.entityId],
  ['fields', 'jsonb', (conflict) => JSON.stringify(conflict.fields)],
  ['a_id', 'uuid', (conflict) => conflict.a.id],
  ['a_device_id', 'uuid', (conflict) => conflict.a.deviceId],
  ['a_payload', 'jsonb', (conflict) => JSON.stringify(conflict.a.payload)],
  ['b_id', 'uuid', (conflict) => conflict.b.id],
  ['b_device_id', 'uuid', (conflict) => conflict.b.deviceId],
  ['b_payload', 'jsonb', (conflict) => JSON.stringify(conflict.b.payload)],
  ['resolution_method', 'text', (conflict) => conflict.resolution?.method ?? null],
  ['resolution_reason', 'text', (conflict) => conflict.resolution?.reason ?? null],
  ['confidence', 'double precision', (conflict) => conflict.resolution?.confidence ?? null],
  ['winner_id', 'uuid', (conflict) => conflict.resolution?.winnerId ?? null],
  ['lamport_ts', 'bigint', (conflict) => conflict.lamport],
];
const NAMES = COLUMNS.map(([name]) => name);

/** Which conflicts of the log to list. */
export interface ConflictFilter {
  readonly status?: ConflictStatus;
  readonly kind?: ConflictKind;
  /** Conflicts about the product itself, or its stock. */
  readonly productId?: string;
}

function whereOf(tenantId: string, { productId, ...rest }: ConflictFilter): FindOptionsWhere<ConflictEntity> {
  return { tenantId, ...rest, ...(productId !== undefined && { entityId: productId, entity: Not('PAYMENT') }) };
}

@Injectable()
export class ConflictRepository {
  /** Adds what a push has found, in one statement whatever the number. */
  async insert(tx: TenantTransaction, conflicts: readonly Conflict[], at: Date): Promise<void> {
    if (conflicts.length === 0) return;
    // A list in a column can't come through unnest, which would flatten it: `fields` comes as JSON.
    const columns = NAMES.map((name) =>
      name === 'fields' ? 'ARRAY(SELECT jsonb_array_elements_text(row.fields))' : `row.${name}`,
    );
    await tx.manager.query(
      `INSERT INTO sync_conflicts (tenant_id, detected_at, resolved_at, detected_lamport, ${NAMES.join(', ')})
       SELECT $1, $2::timestamptz, CASE WHEN row.resolution_method IS NOT NULL THEN $2::timestamptz END, row.lamport_ts, ${columns.join(', ')}
       FROM unnest(${COLUMNS.map(([, type], index) => `$${index + 3}::${type}[]`).join(', ')})
         AS row (${NAMES.join(', ')})`,
      [tx.tenantId, at, ...COLUMNS.map(([, , value]) => conflicts.map(value))],
    );
  }

  /** Those of the conflicts that are in the log, by id. */
  async conflictsOf(tx: TenantTransaction, ids: readonly string[]): Promise<Map<string, RecordedConflict>> {
    if (ids.length === 0) return new Map();
    const rows = await tx.manager.findBy(ConflictEntity, { tenantId: tx.tenantId, id: Any([...ids]) });
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

  /** At most `limit` conflicts that were detected before `before` (null: from the newest on), the newest first. */
  async newest(
    tx: TenantTransaction,
    filter: ConflictFilter,
    before: number | null,
    limit: number,
  ): Promise<RecordedConflict[]> {
    const rows = await tx.manager.find(ConflictEntity, {
      where: {
        ...whereOf(tx.tenantId, filter),
        ...(before !== null && { detectedLamport: LessThan(before) }),
      },
      order: { detectedLamport: 'DESC' },
      take: limit,
    });
    return rows.map(toConflict);
  }

  count(tx: TenantTransaction, filter: ConflictFilter): Promise<number> {
    return tx.manager.countBy(ConflictEntity, whereOf(tx.tenantId, filter));
  }
}
