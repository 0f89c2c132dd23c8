import { Column, Entity, PrimaryColumn } from 'typeorm';
import { safeInteger } from '../../database/safe-integer.js';
import type { Fields } from '../../states/domain/state.js';
import type {
  ConflictAwaits,
  ConflictEntity as Subject,
  ConflictKind,
  ConflictStatus,
  RecordedConflict,
  Resolution,
  Suggestion,
} from '../domain/conflict.js';
import type { Decision, ResolutionMethod, Verdict } from '../domain/verdict.js';

/** An entry of the conflict log. */
@Entity({ name: 'sync_conflicts' })
export class ConflictEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) readonly tenantId!: string;
  @PrimaryColumn('uuid') readonly id!: string;
  @Column('text') readonly kind!: ConflictKind;
  @Column('text') readonly status!: ConflictStatus;
  @Column('text', { nullable: true }) readonly awaits!: ConflictAwaits | null;
  @Column('text') readonly entity!: Subject;
  @Column('uuid', { name: 'entity_id' }) readonly entityId!: string;
  @Column('text', { array: true }) readonly fields!: string[];
  @Column('uuid', { name: 'a_id' }) readonly aId!: string;
  @Column('uuid', { name: 'a_device_id' }) readonly aDeviceId!: string;
  @Column('jsonb', { name: 'a_payload' }) readonly aPayload!: Fields;
  @Column('uuid', { name: 'b_id' }) readonly bId!: string;
  @Column('uuid', { name: 'b_device_id' }) readonly bDeviceId!: string;
  @Column('jsonb', { name: 'b_payload' }) readonly bPayload!: Fields;
  @Column('integer', { name: 'stock_then', nullable: true }) readonly stockThen!: number | null;
  @Column('text', { nullable: true }) readonly verdict!: Verdict | null;
  @Column('text', { name: 'resolution_method', nullable: true }) readonly resolutionMethod!: ResolutionMethod | null;
  @Column('text', { name: 'resolution_reason', nullable: true }) readonly resolutionReason!: string | null;
  @Column('double precision', { nullable: true }) readonly confidence!: number | null;
  @Column('uuid', { name: 'winner_id', nullable: true }) readonly winnerId!: string | null;
  @Column('uuid', { name: 'resolved_by', nullable: true }) readonly resolvedBy!: string | null;
  @Column('text', { name: 'user_feedback', nullable: true }) readonly userFeedback!: string | null;
  @Column('jsonb', { nullable: true }) readonly suggestion!: Suggestion | null;
  @Column('jsonb') readonly decisions!: readonly StoredDecision[];
  @Column('bigint', { name: 'lamport_ts', transformer: safeInteger }) readonly lamport!: number;
  @Column('bigint', { name: 'detected_lamport', transformer: safeInteger }) readonly detectedLamport!: number;
  @Column('timestamptz', { name: 'detected_at' }) readonly detectedAt!: Date;
  @Column('timestamptz', { name: 'resolved_at', nullable: true }) readonly resolvedAt!: Date | null;
}

/** As JSON has it: the time is a text. */
export interface StoredDecision extends Decision {
  readonly at: string;
}

/** The row as the domain knows it. */
export function toConflict(row: ConflictEntity): RecordedConflict {
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    awaits: row.awaits,
    entity: row.entity,
    entityId: row.entityId,
    fields: row.fields,
    a: { id: row.aId, deviceId: row.aDeviceId, payload: row.aPayload },
    b: { id: row.bId, deviceId: row.bDeviceId, payload: row.bPayload },
    stockThen: row.stockThen,
    resolution: toResolution(row),
    suggestion: row.suggestion,
    decisions: row.decisions.map(({ at, ...decision }) => ({ ...decision, at: new Date(at) })),
    lamport: row.lamport,
    detectedLamport: row.detectedLamport,
    detectedAt: row.detectedAt,
    resolvedAt: row.resolvedAt,
  };
}

function toResolution(row: ConflictEntity): Resolution | null {
  if (row.resolutionMethod === null || row.verdict === null) return null;
  return {
    method: row.resolutionMethod,
    verdict: row.verdict,
    reason: row.resolutionReason ?? '',
    confidence: row.confidence ?? 0,
    winnerId: row.winnerId,
    resolvedBy: row.resolvedBy,
    feedback: row.userFeedback,
  };
}
