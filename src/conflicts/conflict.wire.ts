import type { ConflictDto, ConflictListDto, ConflictSideDto } from './conflict.dto.js';
import type { ConflictPage, ConflictSide, RecordedConflict } from './domain/conflict.js';

export function toConflictWire(conflict: RecordedConflict): ConflictDto {
  const { resolution } = conflict;
  return {
    id: conflict.id,
    kind: conflict.kind,
    status: conflict.status,
    entity: conflict.entity,
    entity_id: conflict.entityId,
    fields: conflict.fields.map(toSnakeCase),
    a: toSideWire(conflict.a),
    b: toSideWire(conflict.b),
    resolution_method: resolution?.method ?? null,
    resolution_reason: resolution?.reason ?? null,
    confidence: resolution?.confidence ?? null,
    winner_id: resolution?.winnerId ?? null,
    lamport_ts: conflict.lamport,
    detected_at: conflict.detectedAt.toISOString(),
    resolved_at: conflict.resolvedAt?.toISOString() ?? null,
  };
}

export function toConflictListWire(page: ConflictPage): ConflictListDto {
  return { conflicts: page.conflicts.map(toConflictWire), total: page.total, next_cursor: page.nextCursor };
}

/** The payloads of all kinds differ; their names are those of the domain, which the wire writes in snake case. */
function toSideWire({ id, deviceId, payload }: ConflictSide): ConflictSideDto {
  const named = Object.entries(payload).map(([name, value]) => [WIRE_NAMES[name] ?? toSnakeCase(name), value] as const);
  return { id, device_id: deviceId, payload: Object.fromEntries(named) };
}

/** Where the wire has a word of its own. */
const WIRE_NAMES: Readonly<Record<string, string>> = { kind: 'operation', lamport: 'lamport_ts' };

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
