import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { type Alert, ALERT_KINDS, type AlertKind, type AlertPlace } from './domain/alert.js';
import { EMPTY_LEVEL, type StockLevel } from './domain/ledger.js';
import type { RecordedProduct } from './domain/product.js';
import { AlertRepository } from './persistence/alert.repository.js';
import {
  type ProductFilter,
  ProductListingRepository,
  type ProductPlace,
} from './persistence/product-listing.repository.js';
import { ProductRepository } from './persistence/product.repository.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';

/** A product with what is there of it. */
export interface StockedProduct {
  readonly product: RecordedProduct;
  readonly level: StockLevel;
}

/** Part of a list; `next` is where the next part starts, null after the last. */
export interface Page<Entry, Place> {
  readonly entries: readonly Entry[];
  readonly next: Place | null;
}

/** The catalogue, for those who read it. */
@Injectable()
export class CatalogueService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly products: ProductRepository,
    private readonly listing: ProductListingRepository,
    private readonly levels: StockLevelRepository,
    private readonly alerts: AlertRepository,
  ) {}

  list(
    tenantId: string,
    filter: ProductFilter,
    after: ProductPlace | null,
    limit: number,
  ): Promise<Page<StockedProduct, ProductPlace>> {
    return this.database.transaction(tenantId, async (tx) => {
      const found = await this.listing.page(tx, filter, after, limit + 1);
      const { entries, next } = cut(found, limit);
      const levels = await this.levels.levelsOf(
        tx,
        entries.map(({ product }) => product.id),
      );
      return {
        entries: entries.map(({ product }) => ({ product, level: levels.get(product.id) ?? EMPTY_LEVEL })),
        next: next?.place ?? null,
      };
    });
  }

  /**
   * A product of the catalogue, or its tombstone.
   * @throws ProblemError NOT_FOUND
   */
  get(tenantId: string, id: string): Promise<StockedProduct> {
    return this.database.transaction(tenantId, async (tx) => {
      const product = (await this.products.productsOf(tx, [id])).get(id);
      if (!product) throw new ProblemError('NOT_FOUND');
      return { product, level: (await this.levels.levelsOf(tx, [id])).get(id) ?? EMPTY_LEVEL };
    });
  }

  /** By kind, in the order of `ALERT_KINDS`, then by product; of one kind, or of all. */
  listAlerts(
    tenantId: string,
    kind: AlertKind | null,
    after: AlertPlace | null,
    limit: number,
  ): Promise<Page<Alert, AlertPlace>> {
    const kinds = ALERT_KINDS.slice(after ? ALERT_KINDS.indexOf(after.kind) : 0).filter(
      (name) => name === (kind ?? name),
    );
    return this.database.transaction(tenantId, async (tx) => {
      const found: Alert[] = [];
      for (const name of kinds) {
        const start = name === after?.kind ? after.productId : null;
        found.push(...(await this.alerts.ofKind(tx, name, start, limit + 1 - found.length)));
        if (found.length > limit) break;
      }
      return cut(found, limit);
    });
  }
}

/** @param found one more than `limit`, if there are more: it tells that there is a next page. */
function cut<Entry>(found: readonly Entry[], limit: number): { entries: readonly Entry[]; next: Entry | null } {
  const entries = found.slice(0, limit);
  return { entries, next: found.length > limit ? (entries.at(-1) ?? null) : null };
}
