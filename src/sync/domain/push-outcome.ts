import type { Disposition } from '../../inventory/domain/ledger.js';
import type { FieldError } from '../../problems/problem.js';

/**
 * Why an entry was not recorded. In order of precedence: where several apply, the first is answered. The last three
 * depend on the stock that the entries before it left, so a device may try again later.
 */
export const REJECTION_CODES = [
  'VALIDATION',
  'TENANT_MISMATCH',
  'DEVICE_MISMATCH',
  'IDEMPOTENCY_MISMATCH',
  'LAMPORT_OUT_OF_RANGE',
  'INSUFFICIENT_STOCK',
  'QUANTITY_OUT_OF_RANGE',
  'GROUP_REJECTED',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/** What a person should know about an entry that was accepted. */
export const WARNINGS = ['OVERSOLD', 'UNKNOWN_PRODUCT', 'DEVICE_CLOCK_REUSED', 'CLOCK_SKEW'] as const;
export type Warning = (typeof WARNINGS)[number];

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
