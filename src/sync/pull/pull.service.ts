import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../../database/tenant-database.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { PullPage } from '../domain/pull-page.js';

@Injectable()
export class PullService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
  ) {}

  /**
   * The entries after `lastLamport`, at most `limit`. Takes no lock: a push that is under way delays no pull.
   *
   * The clock is read before the log. It is written in the transaction that appends the entries it counts, so
   * everything up to it is visible to the read that follows, and what comes after it waits for the next pull (I4).
   */
  async pull(tenantId: string, lastLamport: number, limit: number): Promise<PullPage> {
    return this.database.transaction(tenantId, async (tx) => {
      const clock = await this.clocks.read(tx);
      // A cursor beyond the head was given before a restore: it is set back, or what is written there would be missed.
      const after = Math.min(lastLamport, clock.lamport);
      const found = await this.events.between(tx, after, clock.lamport, limit + 1);
      const events = found.slice(0, limit);
      const hasMore = found.length > limit;
      const last = events.at(-1);
      return {
        events,
        nextLamport: hasMore && last ? last.lamport : clock.lamport,
        serverLamport: clock.lamport,
        chainHash: hasMore && last ? last.chainHash : clock.chainHash,
        hasMore,
        epoch: clock.epoch,
      };
    });
  }
}
