import type { Disposition } from '../../inventory/domain/ledger.js';
import type { FieldError } from '../../problems/problem.js';

/**
 * Why an entry was not recorded, with what to tell its device. In order of precedence: where several apply, the first
 * is answered. The last three depend on the stock that others left, so the same entry may be accepted later.
 */
export const REJECTIONS = {
  VALIDATION: 'The entry is not valid.',
  TENANT_MISMATCH: 'The operation names another tenant than the token.',
  DEVICE_MISMATCH: 'The operation names another device than the token.',
  IDEMPOTENCY_MISMATCH: 'This identity is known with other content. A changed operation needs an id of its own.',
  LAMPORT_OUT_OF_RANGE: 'The lamport is too far ahead of the server. Pull, and stamp the operation anew.',
  INSUFFICIENT_STOCK: 'There is not enough in stock for a claim that is not paid.',
  QUANTITY_OUT_OF_RANGE: 'Stock would leave the range of ±2,147,483,647.',
  GROUP_REJECTED: 'Another entry of its group was rejected.',
} as const;
export type RejectionCode = keyof typeof REJECTIONS;
export const REJECTION_CODES = Object.keys(REJECTIONS) as readonly RejectionCode[];

/** What a person should know about an entry that was accepted. */
export const WARNING_MEANINGS = {
  OVERSOLD: 'More was sold than was known to be there: the sale happened, and stock is negative.',
  UNKNOWN_PRODUCT: 'The product is not in the catalogue yet.',
  DEVICE_CLOCK_REUSED: 'The device gave this lamport to another operation before: it may be a clone or a re-install.',
  CLOCK_SKEW: 'The wall clock of the device is more than five minutes off.',
} as const;
export type Warning = keyof typeof WARNING_MEANINGS;
export const WARNINGS = Object.keys(WARNING_MEANINGS) as readonly Warning[];

export interface Accepted {
  readonly status: 'accepted';
  readonly id: string;
  readonly lamport: number;
  readonly warnings: readonly Warning[];
}

/** Known already; `original` is what became of it the first time. */
export interface Duplicate {
  readonly status: 'duplicate';
  readonly id: string;
  readonly original: RecordedOutcome;
}

export interface RecordedOutcome {
  readonly lamport: number;
  readonly effect: number;
  readonly stockAfter: number;
  readonly disposition: Disposition;
}

export interface Rejected {
  readonly status: 'rejected';
  /** Of the operation, product or payment; null if the entry names none that could be read. */
  readonly id: string | null;
  readonly code: RejectionCode;
  /** Units that an unpaid claim could have had. */
  readonly available?: number;
  /** Of an entry that could not be read. */
  readonly errors?: readonly FieldError[];
}

export type PushOutcome = Accepted | Duplicate | Rejected;

/** What became of a push. */
export interface PushReceipt {
  /** One for each entry, in the order of the command. */
  readonly outcomes: readonly PushOutcome[];
  readonly serverLamport: number;
  readonly epoch: string;
  readonly at: Date;
}
