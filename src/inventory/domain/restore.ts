import type { StateVersion } from '../../states/domain/state.js';
import type { Product } from './product.js';
import { SERVER_ID } from './stock-event.js';

/**
 * A deleted product as it is after people have decided that it was not to be deleted: a change like any other.
 * @param editId of the decision
 * @param lamport the position of the change
 */
export function restore(
  product: Product,
  editId: string,
  userId: string,
  lamport: number,
): { readonly product: Product; readonly version: StateVersion } {
  const fields = { ...product.fields, isDeleted: false };
  const version = product.version + 1;
  const edited = { deviceId: SERVER_ID, clientLamport: lamport, editId };
  return {
    product: { ...product, ...edited, fields, version, lamport, deletedLamport: null, updatedBy: userId },
    version: {
      ...{ entity: 'PRODUCT', entityId: product.id, version, lamport, ...edited, changed: ['isDeleted'] },
      fields,
    },
  };
}
