import { Injectable } from '@nestjs/common';
import { LongReads } from '../database/long-reads.js';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import type { Receiver } from '../downloads/receiver.js';
import { AccessService } from '../tenancy/access.service.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import { AuditTrail } from '../tenancy/audit/persistence/audit-trail.js';
import type { PersonPrincipal } from '../tenancy/domain/principal.js';
import { DeviceRepository } from '../tenancy/persistence/device.repository.js';
import type { ConflictFilter, LabelledConflict } from './domain/conflict-log.js';
import { ConflictListingRepository } from './persistence/conflict-listing.repository.js';

/** Some 150 kB of lines. */
const CONFLICTS_AT_ONCE = 50;

/** Hands out the conflict log, however long it is. */
@Injectable()
export class ConflictExportService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly listing: ConflictListingRepository,
    private readonly devices: DeviceRepository,
    private readonly access: AccessService,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Sends all conflicts that pass the filter as they are at one instant, the newest first, some at a time: none at all
   * once, if there are none.
   * @throws ProblemError TOO_MANY_STREAMS before anything is sent; whatever `receiver` rejects with.
   */
  async send(
    person: Acting<PersonPrincipal>,
    filter: ConflictFilter,
    receiver: Receiver<readonly LabelledConflict[]>,
  ): Promise<void> {
    const { tenantId } = person;
    const cutOff = (reason: Error): void => {
      receiver.cutOff(reason);
    };
    await this.access.whileAdmitted(person, cutOff, async () => {
      await this.longReads.run(tenantId, async () => {
        await this.database.transaction(tenantId, (tx) =>
          this.audit.record(tx, person, { action: 'conflicts.exported' }),
        );
        await this.database.snapshot(tenantId, (tx) => this.read(tx, filter, receiver));
      });
      await receiver.end();
    });
  }

  /** Page by page, not by a cursor: for that, the planner would first sort the whole log, payloads and all. */
  private async read(
    tx: TenantTransaction,
    filter: ConflictFilter,
    receiver: Receiver<readonly LabelledConflict[]>,
  ): Promise<void> {
    const devices = new Map((await this.devices.list(tx)).map((device) => [device.id, device]));
    const span = await this.listing.spanOf(tx, filter);
    for (let before: number | null = null; ;) {
      const conflicts = await this.listing.page(tx, filter, span, before, CONFLICTS_AT_ONCE);
      const last = conflicts.at(-1);
      if (last || before === null) await receiver.receive(conflicts.map((conflict) => ({ conflict, devices })));
      if (!last || conflicts.length < CONFLICTS_AT_ONCE) return;
      before = last.detectedLamport;
    }
  }
}
