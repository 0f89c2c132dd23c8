import { type FieldError, ProblemError } from '../problems/problem.js';
import type {
  ConflictDetailDto,
  ConflictDto,
  ConflictFilterDto,
  ConflictListDto,
  ConflictSideDto,
  ConflictSuggestionDto,
  DecisionDto,
  DetectionSpanDto,
  LabelledConflictDto,
  LabelledSideDto,
} from './conflict.dto.js';
import { type ConflictPage, type ConflictSide, type RecordedConflict, winnerOf } from './domain/conflict.js';
import type { ConflictFilter, DetailedConflict, DetectionSpan, LabelledConflict } from './domain/conflict-log.js';

export function toConflictWire(conflict: RecordedConflict): ConflictDto {
  const { resolution } = conflict;
  return {
    id: conflict.id,
    kind: conflict.kind,
    status: conflict.status,
    awaits: conflict.awaits,
    entity: conflict.entity,
    entity_id: conflict.entityId,
    fields: conflict.fields.map(toSnakeCase),
    a: toSideWire(conflict.a),
    b: toSideWire(conflict.b),
    stock_then: conflict.stockThen,
    verdict: resolution?.verdict ?? null,
    resolution_method: resolution?.method ?? null,
    resolution_reason: resolution?.reason ?? null,
    confidence: resolution?.confidence ?? null,
    winner_id: resolution?.winnerId ?? null,
    resolved_by: resolution?.resolvedBy ?? null,
    user_feedback: resolution?.feedback ?? null,
    suggestion: toSuggestionWire(conflict),
    lamport_ts: conflict.lamport,
    detected_at: conflict.detectedAt.toISOString(),
    resolved_at: conflict.resolvedAt?.toISOString() ?? null,
  };
}

export function toLabelledConflictWire({ conflict, devices }: LabelledConflict): LabelledConflictDto {
  const labelled = (side: ConflictSideDto): LabelledSideDto => {
    const device = devices.get(side.device_id);
    return { ...side, device: { name: device?.name ?? null, device_type: device?.deviceType ?? null } };
  };
  const wire = toConflictWire(conflict);
  return {
    ...wire,
    a: labelled(wire.a),
    b: labelled(wire.b),
    decisions: conflict.decisions.map(({ tier, name, answer, at }): DecisionDto => ({
      ...{ tier, name, verdict: answer?.verdict ?? null, confidence: answer?.confidence ?? null },
      ...{ reason: answer?.reason ?? null, at: at.toISOString() },
    })),
  };
}

export function toConflictDetailWire(detailed: DetailedConflict): ConflictDetailDto {
  return { ...toLabelledConflictWire(detailed), stock_now: detailed.stockNow };
}

export function toConflictListWire(page: ConflictPage): ConflictListDto {
  return { conflicts: page.conflicts.map(toConflictWire), total: page.total, next_cursor: page.nextCursor };
}

/** @throws ProblemError VALIDATION if the time would end before it begins. */
export function toConflictFilter(filter: ConflictFilterDto, span: DetectionSpanDto): ConflictFilter {
  return {
    ...toDetectionSpan(span),
    status: filter.status ?? null,
    awaits: filter.awaits ?? null,
    kind: filter.kind ?? null,
    method: filter.method ?? null,
    productId: filter.product_id?.toLowerCase() ?? null,
    deviceId: filter.device_id?.toLowerCase() ?? null,
  };
}

/** @throws ProblemError VALIDATION if it would end before it begins. */
export function toDetectionSpan({ from, to }: DetectionSpanDto): DetectionSpan {
  const span = { from: from == null ? null : new Date(from), to: to == null ? null : new Date(to) };
  if (span.from && span.to && span.from > span.to) {
    const error: FieldError = { path: 'from', code: 'MAX', message: 'must not be after `to`' };
    throw new ProblemError('VALIDATION', { errors: [error] });
  }
  return span;
}

function toSuggestionWire(conflict: RecordedConflict): ConflictSuggestionDto | null {
  if (!conflict.suggestion) return null;
  const { verdict, confidence, reason, reasons } = conflict.suggestion;
  return { verdict, winner_id: winnerOf(conflict, verdict), confidence, reason, reasons: [...reasons] };
}

/** The payloads of all kinds differ; their names are those of the domain, which the wire writes in snake case. */
function toSideWire({ id, deviceId, payload }: ConflictSide): ConflictSideDto {
  const named = Object.entries(payload).map(([name, value]) => [wireNameOf(name), value] as const);
  return { id, device_id: deviceId, payload: Object.fromEntries(named) };
}

/** Of fields: at first where the wire has a word of its own. There are some dozens, and a log of 100,000 has millions. */
const WIRE_NAMES = new Map([
  ['kind', 'operation'],
  ['lamport', 'lamport_ts'],
]);

function wireNameOf(name: string): string {
  const known = WIRE_NAMES.get(name);
  if (known !== undefined) return known;
  const wireName = toSnakeCase(name);
  WIRE_NAMES.set(name, wireName);
  return wireName;
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
