import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { EMPTY_LEVEL, type StockLevel } from './domain/ledger.js';
import type { EventPage } from './domain/stock-event.js';
import { ProductRepository } from './persistence/product.repository.js';
import { StockEventRepository } from './persistence/stock-event.repository.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';

/** Of when the stock is asked. */
export type StockInstant = { readonly lamport: number } | { readonly time: Date } | 'NOW';

/** What is in stock, and how it came to be. */
@Injectable()
export class StockService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly levels: StockLevelRepository,
    private readonly events: StockEventRepository,
    private readonly products: ProductRepository,
  ) {}

  /**
   * The product's stock, now or as it was; nothing before its first event.
   * @throws ProblemError NOT_FOUND if the tenant neither moved this product nor has it in the catalogue.
   */
  stockOf(tenantId: string, productId: string, at: StockInstant): Promise<StockLevel> {
    return this.database.transaction(tenantId, async (tx) => {
      const now = await this.levelOf(tx, productId);
      if (at === 'NOW') return now;
      return (await this.events.levelAt(tx, productId, at)) ?? EMPTY_LEVEL;
    });
  }

  /**
   * A page of the product's ledger, oldest first.
   * @throws ProblemError NOT_FOUND if the tenant neither moved this product nor has it in the catalogue.
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
    if ((await this.products.deletionsOf(tx, [productId])).has(productId)) return EMPTY_LEVEL;
    throw new ProblemError('NOT_FOUND', {
      detail: 'The product is not in the catalogue, and no stock of it was ever moved.',
    });
  }
}
