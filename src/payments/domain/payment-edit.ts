import { createFrom, type EditBase, type Merge, mergeEdit } from '../../states/domain/merge.js';
import type { Payment, PaymentEdit, PaymentFields } from './payment.js';

export type PaymentVerdict =
  | { readonly verdict: 'WRITE' | 'IGNORE'; readonly merge: Merge<PaymentFields> }
  /** What a new payment can't be without. */
  | { readonly verdict: 'REJECT'; readonly missing: 'saleId' | 'amount' | 'paymentMethod' };

/** What an edit makes of the payment that stands, if it is there. */
export function decidePaymentEdit(
  current: Payment | undefined,
  edit: PaymentEdit,
  base: EditBase | undefined,
): PaymentVerdict {
  if (current) {
    const merge = mergeEdit(current, edit, base);
    return { verdict: merge.takes ? 'WRITE' : 'IGNORE', merge };
  }
  const { saleId, amount, paymentMethod, ...rest } = edit.said;
  if (saleId === undefined) return { verdict: 'REJECT', missing: 'saleId' };
  if (amount === undefined) return { verdict: 'REJECT', missing: 'amount' };
  if (paymentMethod === undefined) return { verdict: 'REJECT', missing: 'paymentMethod' };
  const blank = { posTransactionId: null, posDeviceId: null, receiptPhoto: null, notes: null };
  return { verdict: 'WRITE', merge: createFrom({ ...blank, ...rest, saleId, amount, paymentMethod }) };
}
