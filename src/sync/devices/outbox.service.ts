import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import { ProblemError } from '../../problems/problem.js';
import type { Acting } from '../../tenancy/audit/domain/actor.js';
import { AuditTrail } from '../../tenancy/audit/persistence/audit-trail.js';
import type { PersonPrincipal } from '../../tenancy/domain/principal.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushReceipt } from '../domain/push-outcome.js';
import { PushService } from '../push/push.service.js';

/** What devices recorded and an admin brings. */
@Injectable()
export class OutboxService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly devices: DeviceRepository,
    private readonly pushes: PushService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Records it as if the device had pushed it, revoked or not.
   * @throws ProblemError NOT_FOUND if the tenant has never had the device.
   */
  async import(admin: Acting<PersonPrincipal>, command: PushCommand): Promise<PushReceipt> {
    const { tenantId, deviceId } = command;
    const device = await this.database.transaction(tenantId, (tx) => this.devices.find(tx, deviceId));
    if (!device) throw new ProblemError('NOT_FOUND');
    return this.pushes.push(admin, command, (tx, outcomes) => {
      const entries = outcomes.filter(({ status }) => status === 'accepted' || status === 'conflict').length;
      const changes = { entries: { before: null, after: entries } };
      return this.audit.record(tx, admin, { action: 'device.outbox_imported', entityId: deviceId, changes });
    });
  }
}
