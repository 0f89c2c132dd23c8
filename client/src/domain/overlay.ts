import type { Payment, PaymentEdit, Product, ProductEdit } from '../wire.js';

/** As the server has it, or as it will: what the device has recorded laid over what was pulled. */
export type LocalProduct = Pick<
  Product,
  'id' | 'name' | 'description' | 'price' | 'sku' | 'category' | 'reorder_point' | 'is_deleted'
> & {
  /** As the server counts them; null before the server knows it. */
  readonly version: number | null;
  /** Whether some of it is not confirmed by the server yet. */
  readonly pending: boolean;
};

export type LocalPayment = Pick<
  Payment,
  | 'id'
  | 'sale_id'
  | 'amount'
  | 'payment_method'
  | 'pos_transaction_id'
  | 'pos_device_id'
  | 'receipt_photo'
  | 'notes'
  | 'reconciliation_status'
> & { readonly version: number | null; readonly pending: boolean };

/** @param edits in the order recorded */
export function productAsEdited(
  id: string,
  confirmed: Product | undefined,
  edits: readonly ProductEdit[],
): LocalProduct {
  let product: LocalProduct = {
    ...{ id, name: '', description: null, price: null, sku: null, category: null, reorder_point: null },
    ...{ is_deleted: false, ...confirmed, version: confirmed?.version ?? null, pending: edits.length > 0 },
  };
  for (const { name, description, price, sku, category, reorder_point, is_deleted } of edits) {
    product = {
      ...product,
      ...given({ description, price, sku, category, reorder_point }),
      ...(name != null && { name }),
      ...(is_deleted != null && { is_deleted }),
    };
  }
  return product;
}

/** @param edits in the order recorded */
export function paymentAsEdited(
  id: string,
  confirmed: Payment | undefined,
  edits: readonly PaymentEdit[],
): LocalPayment {
  let payment: LocalPayment = {
    ...{ id, sale_id: '', amount: 0, payment_method: 'CASH', pos_transaction_id: null, pos_device_id: null },
    ...{ receipt_photo: null, notes: null, reconciliation_status: 'PENDING' },
    ...{ ...confirmed, version: confirmed?.version ?? null, pending: edits.length > 0 },
  };
  for (const { sale_id, amount, payment_method, pos_transaction_id, pos_device_id, receipt_photo, notes } of edits) {
    payment = {
      ...payment,
      ...given({ pos_transaction_id, pos_device_id, receipt_photo, notes }),
      ...(sale_id != null && { sale_id }),
      ...(amount != null && { amount }),
      ...(payment_method != null && { payment_method }),
    };
  }
  return payment;
}

/** Without what was left out: that stays as it was. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/**
 * Two lists that are in the order of their ids, as one: everything that is in either, once.
 * @param edits several may have one id
 */
export async function* merged<T, E>(
  confirmed: AsyncIterable<readonly [id: string, T]>,
  edits: AsyncIterable<readonly [id: string, E]>,
): AsyncGenerator<readonly [id: string, T | undefined, readonly E[]]> {
  const [left, right] = [confirmed[Symbol.asyncIterator](), edits[Symbol.asyncIterator]()];
  try {
    let [here, edit] = [await left.next(), await right.next()];
    while (!here.done || !edit.done) {
      const id =
        edit.done || (!here.done && here.value[0] <= edit.value[0])
          ? (here.value as readonly [string, T])[0]
          : edit.value[0];
      const own: E[] = [];
      for (; !edit.done && edit.value[0] === id; edit = await right.next()) own.push(edit.value[1]);
      const found = !here.done && here.value[0] === id ? here.value[1] : undefined;
      yield [id, found, own];
      if (found !== undefined) here = await left.next();
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}
