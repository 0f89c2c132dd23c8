import { Injectable } from '@nestjs/common';
import { LongReads } from '../database/long-reads.js';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import type { Receiver } from '../downloads/receiver.js';
import { ProblemError } from '../problems/problem.js';
import { AccessService } from '../tenancy/access.service.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import { AuditTrail } from '../tenancy/audit/persistence/audit-trail.js';
import type { OperatorPrincipal, PersonPrincipal } from '../tenancy/domain/principal.js';
import { isKept } from '../tenancy/domain/tenant.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../tenancy/persistence/tenant.repository.js';
import type { ExportPart, ExportType } from './domain/export-part.js';
import { ExportRepository } from './persistence/export.repository.js';

/** Hands out all that a business has. Each time it does so is in the audit log, which the business reads. */
@Injectable()
export class ExportService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly tenants: TenantRepository,
    private readonly clocks: TenantClockRepository,
    private readonly contents: ExportRepository,
    private readonly access: AccessService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * To whoever may have it, for as long as they may enter: the business itself, and the operator, also of a suspended
   * tenant, to hand it over before it is deleted (ADR 0016).
   * @throws ProblemError NOT_FOUND, TENANT_DELETED or TOO_MANY_STREAMS before anything is sent; whatever `receiver`
   * rejects with.
   */
  async send(
    actor: Acting<PersonPrincipal | OperatorPrincipal>,
    tenantId: string,
    receiver: Receiver<ExportPart>,
  ): Promise<void> {
    const cutOff = (reason: Error): void => {
      receiver.cutOff(reason);
    };
    await this.access.whileAdmitted(actor, cutOff, async () => {
      await this.longReads.run(tenantId, async () => {
        await this.database.transaction(tenantId, async (tx) => {
          const tenant = await this.tenants.lock(tx);
          if (tenant === null) throw new ProblemError('NOT_FOUND');
          if (!isKept(tenant)) throw new ProblemError('TENANT_DELETED');
          await this.audit.record(tx, actor, { action: 'tenant.exported' });
        });
        await this.database.snapshot(tenantId, (tx) => this.read(tx, receiver));
      });
      await receiver.end();
    });
  }

  private async read(tx: TenantTransaction, receiver: Receiver<ExportPart>): Promise<void> {
    const counts: Record<ExportType, number> = {
      tenant: 0,
      device: 0,
      product: 0,
      payment: 0,
      version: 0,
      event: 0,
      stock_level: 0,
      conflict: 0,
      audit: 0,
    };
    const clock = await this.clocks.read(tx);
    await receiver.receive({ type: 'header', tenantId: tx.tenantId, clock, at: new Date() });
    for await (const batch of this.contents.batches(tx)) {
      counts[batch.type] += batch.rows.length;
      await receiver.receive(batch);
    }
    await receiver.receive({ type: 'end', counts });
  }
}
