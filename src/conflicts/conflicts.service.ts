import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { EMPTY_LEVEL } from '../inventory/domain/ledger.js';
import { StockLevelRepository } from '../inventory/persistence/stock-level.repository.js';
import { ProblemError } from '../problems/problem.js';
import { DeviceRepository } from '../tenancy/persistence/device.repository.js';
import type { ConflictPage, RecordedConflict } from './domain/conflict.js';
import type { ConflictFilter, ConflictStats, DetailedConflict, DetectionSpan } from './domain/conflict-log.js';
import { ConflictListingRepository } from './persistence/conflict-listing.repository.js';
import { ConflictRepository } from './persistence/conflict.repository.js';

/** The conflict log, for those who read it. */
@Injectable()
export class ConflictsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly conflicts: ConflictRepository,
    private readonly listing: ConflictListingRepository,
    private readonly devices: DeviceRepository,
    private readonly levels: StockLevelRepository,
  ) {}

  /** A page of the log, the newest first; `before` is the page before's `nextCursor`, null for the first. */
  list(tenantId: string, filter: ConflictFilter, before: number | null, limit: number): Promise<ConflictPage> {
    return this.database.snapshot(tenantId, async (tx) => {
      const span = await this.listing.spanOf(tx, filter);
      // One more than asked for tells whether there is a next page.
      const found = await this.listing.page(tx, filter, span, before, limit + 1);
      const conflicts = found.slice(0, limit);
      const nextCursor = found.length > limit ? (conflicts.at(-1)?.detectedLamport ?? null) : null;
      return { conflicts, total: await this.listing.count(tx, filter, span), nextCursor };
    });
  }

  /** @throws ProblemError NOT_FOUND */
  get(tenantId: string, id: string): Promise<DetailedConflict> {
    return this.database.snapshot(tenantId, async (tx) => {
      const conflict = (await this.conflicts.conflictsOf(tx, [id])).get(id);
      const [detailed] = conflict ? await this.complete(tx, [conflict]) : [];
      if (!detailed) throw new ProblemError('NOT_FOUND');
      return detailed;
    });
  }

  /** The conflicts, in this order, with what is known around them now. */
  detail(tenantId: string, conflicts: readonly RecordedConflict[]): Promise<DetailedConflict[]> {
    return this.database.snapshot(tenantId, (tx) => this.complete(tx, conflicts));
  }

  stats(tenantId: string, detected: DetectionSpan): Promise<ConflictStats> {
    return this.database.snapshot(tenantId, async (tx) => {
      const span = await this.listing.spanOf(tx, detected);
      return { counts: await this.listing.counts(tx, span), times: await this.listing.settlingTimes(tx, span) };
    });
  }

  private async complete(tx: TenantTransaction, conflicts: readonly RecordedConflict[]): Promise<DetailedConflict[]> {
    const stocked = conflicts.filter(({ entity }) => entity === 'STOCK').map(({ entityId }) => entityId);
    const levels =
      stocked.length > 0 ? await this.levels.levelsOf(tx, [...new Set(stocked)]) : new Map<string, never>();
    const devices = new Map((await this.devices.list(tx)).map((device) => [device.id, device]));
    return conflicts.map((conflict) => {
      const level = levels.get(conflict.entityId) ?? EMPTY_LEVEL;
      return { conflict, devices, stockNow: conflict.entity === 'STOCK' ? level.quantity : null };
    });
  }
}
