import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import { SERVICE } from '../audit/domain/actor.js';
import { AuditTrail } from '../audit/persistence/audit-trail.js';
import { TenantRepository } from '../persistence/tenant.repository.js';

/** So many in one transaction: of events that took 60 ms, a million of them eleven seconds. */
const ROWS_AT_ONCE = 5_000;

/** What became of a look at all tenants that are to be deleted. */
export interface Erasures {
  /** Rows. */
  readonly erased: number;
  /** Tenants whose turn failed; the next sweep goes on with them. */
  readonly failures: readonly { readonly tenantId: string; readonly error: unknown }[];
}

/** Deletes tenants whose deletion was ordered (ADR 0016). */
@Injectable()
export class TenantErasureService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Deletes all rows of the tenant in steps, each of which commits: cut short, it has done a part, and goes on when it is
   * called again. Does nothing to a tenant that is not to be deleted, that is deleted, or that never was.
   * @returns how many rows.
   */
  async erase(tenantId: string): Promise<number> {
    for (let erased = 0; ;) {
      const some = await this.eraseSome(tenantId);
      if (some === 0) return erased;
      erased += some;
    }
  }

  /** Goes on with all that are to be deleted: for what no job of its own was there for. */
  async eraseAll(): Promise<Erasures> {
    const doomed = await this.database.platformTransaction((tx) => this.tenants.idsOf(tx, 'DELETING'));
    let erased = 0;
    const failures: { tenantId: string; error: unknown }[] = [];
    for (const tenantId of doomed) {
      try {
        erased += await this.erase(tenantId);
      } catch (error) {
        failures.push({ tenantId, error });
      }
    }
    return { erased, failures };
  }

  private async eraseSome(tenantId: string): Promise<number> {
    return this.database.transaction(tenantId, async (tx) => {
      const tenant = await this.tenants.lock(tx); // of two at once, one waits for a step of the other
      if (tenant?.status !== 'DELETING') return 0;
      const erased = await this.tenants.eraseSome(tx, ROWS_AT_ONCE);
      if (erased > 0) return erased;
      await this.tenants.markDeleted(tx);
      const changes = { status: { before: tenant.status, after: 'DELETED' } };
      await this.audit.record(tx, SERVICE, { action: 'tenant.deleted', changes });
      return 0;
    });
  }
}
