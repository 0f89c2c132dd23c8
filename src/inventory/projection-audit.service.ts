import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { TenantRepository } from '../tenancy/persistence/tenant.repository.js';
import { LedgerAuditRepository } from './persistence/ledger-audit.repository.js';

/** A product whose level is not what its last event left. */
export interface Drift {
  readonly tenantId: string;
  readonly productId: string;
}

/**
 * Looks whether the projection still says what the log says (I1); mends nothing. Of each product only the last event is
 * read, so that it can be done every hour: what is in the log itself, a verification tells.
 */
@Injectable()
export class ProjectionAuditService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly audits: LedgerAuditRepository,
  ) {}

  /** One active tenant after another, each in its own transaction; pushes go on meanwhile. */
  async audit(): Promise<{ tenants: number; drifts: readonly Drift[] }> {
    const active = await this.database.platformTransaction((tx) => this.tenants.idsOf(tx, 'ACTIVE'));
    const drifts: Drift[] = [];
    for (const tenantId of active) {
      const productIds = await this.database.transaction(tenantId, (tx) => this.audits.drifted(tx));
      drifts.push(...productIds.map((productId) => ({ tenantId, productId })));
    }
    return { tenants: active.length, drifts };
  }
}
