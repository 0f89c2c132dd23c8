import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { RecordedProduct } from '../domain/product.js';
import { ProductEntity, toProduct } from './product.entity.js';

/** Which products of the catalogue to list. */
export interface ProductFilter {
  /** Text that the name, the SKU or the description has in it, in either case. */
  readonly search: string | null;
  readonly category: string | null;
  readonly sku: string | null;
  readonly withDeleted: boolean;
}

/** Where a product stands in the list. */
export interface ProductPlace {
  /** In small letters, as the database writes them. */
  readonly name: string;
  readonly id: string;
}

export interface ListedProduct {
  readonly product: RecordedProduct;
  readonly place: ProductPlace;
}

@Injectable()
export class ProductListingRepository {
  /** At most `limit` products after `after`, by name, then by id. */
  async page(
    tx: TenantTransaction,
    filter: ProductFilter,
    after: ProductPlace | null,
    limit: number,
  ): Promise<ListedProduct[]> {
    const query = tx.manager
      .createQueryBuilder(ProductEntity, 'product')
      .addSelect('product.name_key', 'place')
      .where('product.tenant_id = :tenantId', { tenantId: tx.tenantId })
      .orderBy('product.name_key')
      .addOrderBy('product.id')
      .limit(limit);
    if (after) query.andWhere('(product.name_key, product.id) > (:name, :id)', after);
    if (!filter.withDeleted) query.andWhere('product.deleted_lamport IS NULL');
    if (filter.category !== null) query.andWhere('product.category = :category', { category: filter.category });
    if (filter.sku !== null) {
      query.andWhere('product.sku = :sku', { sku: filter.sku });
      if (!filter.withDeleted) query.andWhere('product.living_sku = :sku'); // the same, and has the index
    }
    if (filter.search !== null) {
      const pattern = `%${filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
      query.andWhere(
        '(product.name ILIKE :pattern OR product.sku ILIKE :pattern OR product.description ILIKE :pattern)',
        { pattern },
      );
    }
    const { entities, raw } = await query.getRawAndEntities<{ place: string }>();
    return entities.map((row, index) => ({
      product: toProduct(row),
      place: { name: raw[index]?.place ?? '', id: row.id },
    }));
  }
}
