import { Injectable, Logger } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import { ProblemError } from '../../problems/problem.js';
import type { PersonPrincipal } from '../../tenancy/domain/principal.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushReceipt } from '../domain/push-outcome.js';
import { PushService } from '../push/push.service.js';

/** What devices recorded and an admin brings. */
@Injectable()
export class OutboxService {
  private readonly logger = new Logger(OutboxService.name);

  constructor(
    private readonly database: TenantDatabase,
    private readonly devices: DeviceRepository,
    private readonly pushes: PushService,
  ) {}

  /**
   * Records it as if the device had pushed it, revoked or not.
   * @throws ProblemError NOT_FOUND if the tenant has never had the device.
   */
  async import(admin: PersonPrincipal, command: PushCommand): Promise<PushReceipt> {
    const { tenantId, deviceId } = command;
    const device = await this.database.transaction(tenantId, (tx) => this.devices.find(tx, deviceId));
    if (!device) throw new ProblemError('NOT_FOUND');
    const receipt = await this.pushes.import(command);
    const recorded = receipt.outcomes.filter(({ status }) => status === 'accepted' || status === 'conflict').length;
    this.logger.log(
      { tenantId, deviceId, userId: admin.userId, entries: command.entries.length, recorded },
      'An outbox was imported',
    );
    return receipt;
  }
}
