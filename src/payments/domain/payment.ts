import type { Edit, State } from '../../states/domain/state.js';

export const PAYMENT_METHODS = ['CASH', 'POS_OFFLINE', 'TRANSFER'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export const RECONCILIATION_STATUSES = ['PENDING', 'CONFIRMED', 'FAILED'] as const;
export type ReconciliationStatus = (typeof RECONCILIATION_STATUSES)[number];

/** What devices edit of a payment. Whether the money arrived is not theirs to say: see Reconciliation. */
export interface PaymentFields {
  readonly saleId: string;
  /** Money, at most two decimals; may be negative (a refund). */
  readonly amount: number;
  readonly paymentMethod: PaymentMethod;
  /** As the card terminal gave it. Two payments with the same are one charge entered twice. */
  readonly posTransactionId: string | null;
  readonly posDeviceId: string | null;
  /** Address or key of the photo, which is kept elsewhere. */
  readonly receiptPhoto: string | null;
  readonly notes: string | null;
}

/** Set by people of the business alone. */
export interface Reconciliation {
  readonly status: ReconciliationStatus;
  readonly notes: string | null;
  readonly at: Date | null;
  /** The user who decided; null while PENDING. */
  readonly by: string | null;
}

export const UNRECONCILED: Reconciliation = { status: 'PENDING', notes: null, at: null, by: null };

export interface Payment extends State<PaymentFields> {
  /** Position at which it was first recorded. */
  readonly createdLamport: number;
  readonly reconciliation: Reconciliation;
  /** The user whose edit stands. */
  readonly updatedBy: string | null;
}

export interface PaymentEdit extends Edit<PaymentFields> {
  readonly updatedBy: string | null;
}

/** A payment as it is read back, with its times. */
export interface RecordedPayment extends Payment {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Part of the payments, the newest first. */
export interface PaymentPage {
  readonly payments: readonly RecordedPayment[];
  /** Where to go on; null after the last page. */
  readonly nextCursor: number | null;
}

/** Which payments to list. */
export interface PaymentFilter {
  readonly reconciliationStatus?: ReconciliationStatus;
  readonly saleId?: string;
  readonly paymentMethod?: PaymentMethod;
  readonly posTransactionId?: string;
}
