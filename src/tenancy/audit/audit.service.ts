import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import type { OperatorPrincipal, PersonPrincipal } from '../domain/principal.js';
import type { Acting } from './domain/actor.js';
import {
  type AuditEntry,
  type AuditFilter,
  type AuditPage,
  type AuditPlace,
  PLATFORM_ID,
} from './domain/audit-entry.js';
import { AuditTrail } from './persistence/audit-trail.js';

/** The audit log, for those who read it. */
@Injectable()
export class AuditService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly trail: AuditTrail,
  ) {}

  /** Writes down what an operator is about to do to the platform as a whole: beside the database, so it comes first. */
  note(operator: Acting<OperatorPrincipal>, entry: AuditEntry): Promise<void> {
    return this.database.transaction(PLATFORM_ID, (tx) => this.trail.record(tx, operator, entry));
  }

  /** A page, the newest first: all about the reader's own business, or for an operator what the platform did to all. */
  async list(
    reader: PersonPrincipal | OperatorPrincipal,
    filter: AuditFilter,
    before: AuditPlace | null,
    limit: number,
  ): Promise<AuditPage> {
    // One more than asked for tells whether there is a next page.
    const found =
      reader.role === 'operator'
        ? await this.database.platformTransaction((tx) => this.trail.page(tx, filter, before, limit + 1))
        : await this.database.transaction(reader.tenantId, (tx) => this.trail.page(tx, filter, before, limit + 1));
    const entries = found.slice(0, limit);
    return { entries, next: found.length > limit ? (entries.at(-1) ?? null) : null };
  }
}
