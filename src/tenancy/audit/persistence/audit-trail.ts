import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { PlatformTransaction, TenantTransaction } from '../../../database/tenant-database.js';
import type { Actor, ActorRole } from '../domain/actor.js';
import type {
  AuditAction,
  AuditEntry,
  AuditFilter,
  AuditPlace,
  Changes,
  RecordedEntry,
} from '../domain/audit-entry.js';

export interface AuditRow {
  readonly id: string;
  readonly tenant_id: string;
  readonly recorded_at: Date;
  readonly role: ActorRole;
  readonly user_id: string | null;
  readonly action: AuditAction;
  readonly entity_id: string | null;
  readonly changes: Changes;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
}

/** The columns of AUDIT_COLUMNS are what `toEntry` reads. */
export const AUDIT_COLUMNS =
  'id, tenant_id, recorded_at, role, user_id, action, entity_id, changes, ip, user_agent, request_id';

/** Who has changed what of a business, when, and from where. Append-only: the database refuses the rest. */
@Injectable()
export class AuditTrail {
  /** Records what `tx` does, so that neither is there without the other. */
  async record(tx: TenantTransaction, actor: Actor, ...entries: readonly AuditEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { role, userId, origin } = actor;
    await tx.manager.query(
      `INSERT INTO audit_log (tenant_id, role, user_id, ip, user_agent, request_id, id, action, entity_id, changes)
       SELECT $1, $2, $3, $4, $5, $6, entry.*
       FROM unnest($7::uuid[], $8::text[], $9::uuid[], $10::jsonb[]) AS entry`, // the database says when
      [
        ...[tx.tenantId, role, userId],
        ...[origin?.ip ?? null, origin?.userAgent ?? null, origin?.requestId ?? null],
        entries.map(() => randomUUID()),
        entries.map(({ action }) => action),
        entries.map(({ entityId }) => entityId ?? null),
        entries.map(({ changes }) => JSON.stringify(changes ?? {})),
      ],
    );
  }

  /**
   * At most `limit` entries before `before` (null: from the newest on), the newest first. In a transaction of a tenant
   * all about it, in one of the platform what operators and the service did: the policy of the table sees to that.
   */
  async page(
    tx: TenantTransaction | PlatformTransaction,
    filter: AuditFilter,
    before: AuditPlace | null,
    limit: number,
  ): Promise<RecordedEntry[]> {
    const conditions: string[] = [];
    const parameters: unknown[] = [];
    const where = (condition: (parameter: string) => string, value: unknown): void => {
      conditions.push(condition(`$${parameters.push(value)}`));
    };
    if ('tenantId' in tx) where((own) => `tenant_id = ${own}`, tx.tenantId);
    else conditions.push('by_platform');
    if (filter.tenantId !== null) where((tenant) => `tenant_id = ${tenant}`, filter.tenantId);
    if (filter.action !== null) where((action) => `action = ${action}`, filter.action);
    if (filter.userId !== null) where((user) => `user_id = ${user}`, filter.userId);
    if (filter.from !== null) where((from) => `recorded_at >= ${from}`, filter.from);
    if (filter.to !== null) where((to) => `recorded_at < ${to}`, filter.to);
    if (before !== null) {
      where((at) => `(recorded_at, id) < (${at}, $${parameters.length + 1})`, before.at);
      parameters.push(before.id);
    }
    const rows = await tx.manager.query<AuditRow[]>(
      `SELECT ${AUDIT_COLUMNS} FROM audit_log WHERE ${conditions.join(' AND ')}
       ORDER BY recorded_at DESC, id DESC LIMIT $${parameters.push(limit)}`,
      parameters,
    );
    return rows.map(toEntry);
  }
}

export function toEntry(row: AuditRow): RecordedEntry {
  const { ip, user_agent: userAgent, request_id: requestId } = row;
  return {
    id: row.id,
    tenantId: row.tenant_id,
    at: row.recorded_at,
    action: row.action,
    entityId: row.entity_id,
    changes: row.changes,
    role: row.role,
    userId: row.user_id,
    origin: requestId === null ? null : { ip, userAgent, requestId },
  };
}
