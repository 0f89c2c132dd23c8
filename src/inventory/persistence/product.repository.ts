import { Injectable } from '@nestjs/common';
import { And, Any, LessThanOrEqual, MoreThan } from 'typeorm';
import { arrayOf, arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Product, ProductDeletion, RecordedProduct } from '../domain/product.js';
import { ProductEntity, toProduct } from './product.entity.js';

const COLUMNS: readonly Column<Product>[] = [
  ['id', 'uuid', (product) => product.id],
  ['name', 'text', (product) => product.fields.name],
  ['description', 'text', (product) => product.fields.description],
  ['price', 'numeric', (product) => product.fields.price],
  ['sku', 'text', (product) => product.fields.sku],
  ['category', 'text', (product) => product.fields.category],
  ['reorder_point', 'integer', (product) => product.fields.reorderPoint],
  ['deleted_lamport', 'bigint', (product) => product.deletedLamport],
  ['version', 'bigint', (product) => product.version],
  ['lamport_ts', 'bigint', (product) => product.lamport],
  ['client_lamport', 'bigint', (product) => product.clientLamport],
  ['device_id', 'uuid', (product) => product.deviceId],
  ['edit_id', 'uuid', (product) => product.editId],
  ['updated_by', 'uuid', (product) => product.updatedBy],
];

const SAVE = `
  INSERT INTO products (tenant_id, created_at, updated_at, ${namesOf(COLUMNS)})
  SELECT $1, $2, $2, * FROM ${unnest(COLUMNS, 3)}
  ON CONFLICT (tenant_id, id) DO UPDATE
  SET updated_at = excluded.updated_at,
      ${COLUMNS.flatMap(([name]) => (name === 'id' ? [] : `${name} = excluded.${name}`)).join(', ')}`;

interface DeletionRow {
  readonly id: string;
  readonly name: string;
  readonly deleted_lamport: string | null;
  readonly device_id: string;
  readonly client_lamport: string;
  readonly edit_id: string;
}

function toDeletion(row: DeletionRow): ProductDeletion | null {
  if (row.deleted_lamport === null) return null;
  return {
    id: row.id,
    name: row.name,
    deletedLamport: toSafeInteger(row.deleted_lamport),
    deviceId: row.device_id,
    clientLamport: toSafeInteger(row.client_lamport),
    editId: row.edit_id,
  };
}

@Injectable()
export class ProductRepository {
  /** Those of the products that are in the catalogue, tombstones too, by id. */
  async productsOf(tx: TenantTransaction, productIds: readonly string[]): Promise<Map<string, RecordedProduct>> {
    if (productIds.length === 0) return new Map();
    const rows = await tx.manager.findBy(ProductEntity, { tenantId: tx.tenantId, id: Any([...productIds]) });
    return new Map(rows.map((row) => [row.id, toProduct(row)]));
  }

  /** Of those of the products that are in the catalogue: its deletion, null while it lives. */
  async deletionsOf(
    tx: TenantTransaction,
    productIds: readonly string[],
  ): Promise<Map<string, ProductDeletion | null>> {
    if (productIds.length === 0) return new Map();
    const rows = await prepared<DeletionRow>(
      tx,
      'deletions of products',
      `SELECT found.* FROM unnest($2::uuid[]) AS asked (id), LATERAL (
         SELECT id, name, deleted_lamport, device_id, client_lamport, edit_id
         FROM products WHERE tenant_id = $1 AND id = asked.id LIMIT 1) AS found`,
      [tx.tenantId, arrayOf('uuid', productIds)],
    );
    return new Map(rows.map((row) => [row.id, toDeletion(row)]));
  }

  /** Which living product has which SKU: of those named, and of those that the products named have or had. */
  async skuHolders(
    tx: TenantTransaction,
    skus: readonly string[],
    productIds: readonly string[],
  ): Promise<Map<string, string>> {
    if (productIds.length === 0) return new Map();
    const rows = await prepared<{ sku: string; id: string }>(
      tx,
      'holders of SKUs',
      `WITH asked AS (
         SELECT unnest($2::text[]) AS sku
         UNION SELECT had.sku FROM unnest($3::uuid[]) AS edited (id), LATERAL (
           SELECT sku FROM products WHERE tenant_id = $1 AND id = edited.id LIMIT 1) AS had WHERE had.sku IS NOT NULL)
       SELECT holder.* FROM asked, LATERAL (
         SELECT living_sku AS sku, id FROM products
         WHERE tenant_id = $1 AND living_sku = asked.sku LIMIT 1) AS holder`,
      [tx.tenantId, arrayOf('text', skus), arrayOf('uuid', productIds)],
    );
    return new Map(rows.map((row) => [row.sku, row.id]));
  }

  /**
   * Writes products, new ones and changed ones, in one statement.
   * @throws QueryFailedError 23505, at the commit, if two living products had one SKU: the caller did not look.
   */
  async save(tx: TenantTransaction, products: readonly Product[], at: Date): Promise<void> {
    if (products.length === 0) return;
    await prepared(tx, 'save products', SAVE, [tx.tenantId, at, ...arraysOf(COLUMNS, products)]);
  }

  /** At most `limit` products whose last change has a lamport in (`after`, `upTo`], in lamport order. */
  async between(tx: TenantTransaction, after: number, upTo: number, limit: number): Promise<RecordedProduct[]> {
    const rows = await tx.manager.find(ProductEntity, {
      where: { tenantId: tx.tenantId, lamport: And(MoreThan(after), LessThanOrEqual(upTo)) },
      order: { lamport: 'ASC' },
      take: limit,
    });
    return rows.map(toProduct);
  }
}
