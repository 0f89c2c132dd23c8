import type { Fields, StateVersion } from '../../states/domain/state.js';
import { type Payment, PAYMENT_METHODS, type PaymentFields, UNRECONCILED } from './payment.js';

/** A payment that waited for a decision, as its device said it. */
export interface DisputedPayment {
  readonly id: string;
  readonly deviceId: string;
  /** All its fields, and what else the device said. */
  readonly payload: Fields;
}

/** What to write. */
export interface PaymentChange {
  readonly payment: Payment;
  readonly version: StateVersion;
}

/**
 * A payment that people have admitted beside another with the same POS transaction, or instead of it.
 * @param before as it stands, if the dispute is about a change of it
 * @param editId of the decision
 * @param lamport the position of the change
 */
export function admit(
  { id, deviceId, payload }: DisputedPayment,
  before: Payment | undefined,
  editId: string,
  lamport: number,
): PaymentChange {
  const fields = fieldsOf(payload);
  const { clientLamport } = payload;
  const payment: Payment = {
    ...{ id, fields, deviceId, editId, lamport },
    clientLamport: typeof clientLamport === 'number' ? clientLamport : lamport,
    version: (before?.version ?? 0) + 1,
    createdLamport: before?.createdLamport ?? lamport,
    reconciliation: before?.reconciliation ?? UNRECONCILED,
    updatedBy: before?.updatedBy ?? null,
  };
  return { payment, version: versionOf(payment, Object.keys(fields)) };
}

/** A version of the payment as it is. */
export function versionOf(payment: Payment, changed: readonly string[]): StateVersion {
  const { id: entityId, version, lamport, editId, deviceId, clientLamport, fields } = payment;
  return {
    ...{ entity: 'PAYMENT', entityId, version, lamport, editId, deviceId, clientLamport, changed },
    fields: fields as unknown as Fields,
  };
}

/** The payload was checked when it was pushed; what the conflict log kept of it since is looked at all the same. */
function fieldsOf(payload: Fields): PaymentFields {
  const text = (name: string): string | null => {
    const value = payload[name];
    return typeof value === 'string' ? value : null;
  };
  const saleId = text('saleId');
  const { amount } = payload;
  const paymentMethod = PAYMENT_METHODS.find((method) => method === payload['paymentMethod']);
  if (saleId === null || typeof amount !== 'number' || !paymentMethod) {
    throw new Error('A payment in the conflict log has all that a payment needs');
  }
  return {
    ...{ saleId, amount, paymentMethod },
    posTransactionId: text('posTransactionId'),
    posDeviceId: text('posDeviceId'),
    receiptPhoto: text('receiptPhoto'),
    notes: text('notes'),
  };
}
