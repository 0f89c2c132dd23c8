import { createFrom, type EditBase, type Merge, mergeEdit } from '../../states/domain/merge.js';
import type { Product, ProductEdit, ProductFields } from './product.js';

/** Of a new product, before the device has its say. */
const BLANK: Omit<ProductFields, 'name'> = {
  description: null,
  price: null,
  sku: null,
  category: null,
  reorderPoint: null,
  isDeleted: false,
};

export type ProductVerdict =
  | { readonly verdict: 'WRITE' | 'IGNORE'; readonly merge: Merge<ProductFields> }
  | { readonly verdict: 'REJECT'; readonly code: 'PRODUCT_DELETED' }
  /** A new product needs a name. */
  | { readonly verdict: 'REJECT'; readonly code: 'VALIDATION'; readonly missing: 'name' };

/** What an edit makes of the product that stands, if it is there. */
export function decideProductEdit(
  current: Product | undefined,
  edit: ProductEdit,
  base: EditBase | undefined,
): ProductVerdict {
  if (!current) {
    const { name } = edit.said;
    if (name === undefined) return { verdict: 'REJECT', code: 'VALIDATION', missing: 'name' };
    return { verdict: 'WRITE', merge: createFrom({ ...BLANK, ...edit.said, name }) };
  }
  const merge = mergeEdit(current, edit, base);
  if (!current.fields.isDeleted) return { verdict: merge.takes ? 'WRITE' : 'IGNORE', merge };
  // Of a tombstone only a newer edit that says so makes a product again; a merge never does, for the device edited
  // what it took for alive.
  if (merge.newer && !base && edit.said.isDeleted === undefined) return { verdict: 'REJECT', code: 'PRODUCT_DELETED' };
  if (merge.newer && !base && edit.said.isDeleted === false) return { verdict: 'WRITE', merge };
  return { verdict: 'IGNORE', merge: withoutEffect(current, merge, edit) };
}

/** On a tombstone every value that it lacks is lost, but for the deletion, which is there already. */
function withoutEffect(current: Product, merge: Merge<ProductFields>, edit: ProductEdit): Merge<ProductFields> {
  const lost = [...new Set([...merge.changed, ...merge.contested])];
  return {
    fields: current.fields,
    changed: [],
    contested: edit.said.isDeleted === true ? [] : lost,
    newer: false,
    takes: false,
  };
}
