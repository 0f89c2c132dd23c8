import type { Edit, State } from '../../states/domain/state.js';

/** What devices edit of a product. */
export interface ProductFields {
  readonly name: string;
  readonly description: string | null;
  /** Money, at most two decimals. */
  readonly price: number | null;
  /** Unique among the tenant's living products. */
  readonly sku: string | null;
  readonly category: string | null;
  /** Units; below this the product is due for a restock. */
  readonly reorderPoint: number | null;
  readonly isDeleted: boolean;
}

/** A product of the catalogue. A deleted one stays as a tombstone. */
export interface Product extends State<ProductFields> {
  /** Position of its deletion; null while it lives. */
  readonly deletedLamport: number | null;
  /** The user whose edit stands. */
  readonly updatedBy: string | null;
}

/** That a product was deleted, and by whom. */
export interface ProductDeletion extends Pick<Product, 'id' | 'deviceId' | 'clientLamport' | 'editId'> {
  readonly name: string;
  readonly deletedLamport: number;
}

/** The product's deletion; null while it lives. */
export function deletionOf(product: Product): ProductDeletion | null {
  const { id, deviceId, clientLamport, editId, deletedLamport, fields } = product;
  return deletedLamport === null ? null : { id, deviceId, clientLamport, editId, deletedLamport, name: fields.name };
}

export interface ProductEdit extends Edit<ProductFields> {
  /** Units that are there when the product is new; null if not said. */
  readonly currentStock: number | null;
  readonly updatedBy: string | null;
}

/** A product as it is read back, with its times. */
export interface RecordedProduct extends Product {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
