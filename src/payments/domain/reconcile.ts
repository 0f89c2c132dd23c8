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
