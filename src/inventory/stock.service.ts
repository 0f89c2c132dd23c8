import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import type { StockLevel } from './domain/ledger.js';
import type { EventPage } from './domain/stock-event.js';
import { StockEventRepository } from './persistence/stock-event.repository.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';

/** What is in stock, and how it came to be. */
@Injectable()
export class StockService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly levels: StockLevelRepository,
    private readonly events: StockEventRepository,
  ) {}

  /** @throws ProblemError NOT_FOUND if the tenant never moved this product. */
  stockOf(tenantId: string, productId: string): Promise<StockLevel> {
    return this.database.transaction(tenantId, (tx) => this.levelOf(tx, productId));
  }

  /**
   * A page of the product's ledger, oldest first.
   * @throws ProblemError NOT_FOUND if the tenant never moved this product.
   */
  eventsOf(tenantId: string, productId: string, page: { after: number; limit: number }): Promise<EventPage> {
    return this.database.transaction(tenantId, async (tx) => {
      await this.levelOf(tx, productId);
      // One more than asked for tells whether there is a next page.
      const found = await this.events.ofProduct(tx, productId, page.after, page.limit + 1);
      const events = found.slice(0, page.limit);
      return { events, nextCursor: found.length > page.limit ? (events.at(-1)?.lamport ?? null) : null };
    });
  }

  private async levelOf(tx: TenantTransaction, productId: string): Promise<StockLevel> {
    const level = (await this.levels.levelsOf(tx, [productId])).get(productId);
    if (level) return level;
    throw new ProblemError('NOT_FOUND', { detail: 'No stock of this product was ever moved.' });
  }
}
