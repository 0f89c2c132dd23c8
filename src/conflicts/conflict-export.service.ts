import { Injectable } from '@nestjs/common';
import { LongReads } from '../database/long-reads.js';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { DeviceRepository } from '../tenancy/persistence/device.repository.js';
import type { ConflictFilter, LabelledConflict } from './domain/conflict-log.js';
import { ConflictListingRepository } from './persistence/conflict-listing.repository.js';

/**
 * Some 150 kB of lines. A reader on a slow link must have taken a whole batch within the seconds for which the database
 * waits to be asked for the next one.
 */
const CONFLICTS_AT_ONCE = 50;

/** Takes some of the conflicts; resolves when it is ready for more, rejects if it takes no more. */
export type ConflictReceiver = (conflicts: readonly LabelledConflict[]) => Promise<void>;

/** Hands out the conflict log, however long it is. */
@Injectable()
export class ConflictExportService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly listing: ConflictListingRepository,
    private readonly devices: DeviceRepository,
  ) {}

  /**
   * Sends all conflicts that pass the filter as they are at one instant, the newest first, some at a time: none at all
   * once, if there are none.
   * @throws ProblemError TOO_MANY_STREAMS before anything is sent; whatever `receive` rejects with.
   */
  async send(tenantId: string, filter: ConflictFilter, receive: ConflictReceiver): Promise<void> {
    await this.longReads.run(tenantId, () => this.database.snapshot(tenantId, (tx) => this.read(tx, filter, receive)));
  }

  /** Page by page, not by a cursor: for that, the planner would first sort the whole log, payloads and all. */
  private async read(tx: TenantTransaction, filter: ConflictFilter, receive: ConflictReceiver): Promise<void> {
    const devices = new Map((await this.devices.list(tx)).map((device) => [device.id, device]));
    const span = await this.listing.spanOf(tx, filter);
    for (let before: number | null = null; ;) {
      const conflicts = await this.listing.page(tx, filter, span, before, CONFLICTS_AT_ONCE);
      const last = conflicts.at(-1);
      if (last || before === null) await receive(conflicts.map((conflict) => ({ conflict, devices })));
      if (!last || conflicts.length < CONFLICTS_AT_ONCE) return;
      before = last.detectedLamport;
    }
  }
}
