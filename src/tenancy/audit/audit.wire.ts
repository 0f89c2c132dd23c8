import { ProblemError } from '../../problems/problem.js';
import { CURSOR_UUID, decodeCursor, encodeCursor } from '../../wire/cursor.js';
import type { AuditEntryDto, AuditListDto, AuditQueryDto } from './audit.dto.js';
import type { AuditFilter, AuditPage, AuditPlace, RecordedEntry } from './domain/audit-entry.js';

const CURSOR_MILLISECONDS = /^\d{1,15}$/;

/** @throws ProblemError VALIDATION if the time would end before it begins. */
export function toAuditFilter(query: AuditQueryDto): AuditFilter {
  const [from, to] = [query.from, query.to].map((time) => (time == null ? null : new Date(time)));
  if (from && to && from > to) {
    throw new ProblemError('VALIDATION', {
      errors: [{ path: 'from', code: 'MAX', message: 'must not be after `to`' }],
    });
  }
  return {
    tenantId: query.tenant_id?.toLowerCase() ?? null,
    action: query.action ?? null,
    userId: query.user_id?.toLowerCase() ?? null,
    from: from ?? null,
    to: to ?? null,
  };
}

/** @throws ProblemError VALIDATION */
export function fromAuditCursor(cursor: string): AuditPlace {
  const [at, id] = decodeCursor(cursor, [CURSOR_MILLISECONDS, CURSOR_UUID]);
  return { at: new Date(Number(at)), id };
}

/** @param forOperator else the entry tells nothing of where an operator was: that is the platform's own. */
export function toAuditEntryWire(entry: RecordedEntry, forOperator: boolean): AuditEntryDto {
  const origin = entry.role === 'operator' && !forOperator ? null : entry.origin;
  return {
    id: entry.id,
    tenant_id: entry.tenantId,
    at: entry.at.toISOString(),
    action: entry.action,
    entity_id: entry.entityId,
    changes: entry.changes,
    role: entry.role,
    user_id: entry.userId,
    ip: origin?.ip ?? null,
    user_agent: origin?.userAgent ?? null,
    request_id: origin?.requestId ?? null,
  };
}

export function toAuditListWire({ entries, next }: AuditPage, forOperator: boolean): AuditListDto {
  return {
    entries: entries.map((entry) => toAuditEntryWire(entry, forOperator)),
    next_cursor: next && encodeCursor([String(next.at.getTime()), next.id]),
  };
}
