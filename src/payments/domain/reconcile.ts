import { SERVER_ID } from '../../inventory/domain/stock-event.js';
import type { Fields, StateVersion } from '../../states/domain/state.js';
import type { Payment, Reconciliation } from './payment.js';

/** What a person decided about a payment: whether its money arrived. */
export interface ReconciliationDecision {
  readonly status: Exclude<Reconciliation['status'], 'PENDING'>;
  readonly notes: string | null;
}

/**
 * The payment after the decision; null if it says so already. A later decision may be another: a mistake must be mendable,
 * and each is a version of its own.
 * @param by the user who decided, at `at`
 * @param lamport the position of the change
 */
export function reconcile(
  payment: Payment,
  { status, notes }: ReconciliationDecision,
  by: string,
  at: Date,
  lamport: number,
): Payment | null {
  const { reconciliation } = payment;
  if (reconciliation.status === status && reconciliation.notes === notes) return null;
  return { ...payment, reconciliation: { status, notes, by, at }, version: payment.version + 1, lamport };
}

/** The version that a decision made: the history keeps each, the payment only the last. */
export function reconciledVersion(payment: Payment, editId: string): StateVersion {
  const { id: entityId, version, lamport, fields, reconciliation } = payment;
  const { status: reconciliationStatus, notes: reconciliationNotes, by: reconciledBy } = reconciliation;
  return {
    ...{ entity: 'PAYMENT', entityId, version, lamport, editId, deviceId: SERVER_ID, clientLamport: lamport },
    changed: ['reconciliation'],
    fields: { ...(fields as unknown as Fields), reconciliationStatus, reconciliationNotes, reconciledBy },
  };
}
