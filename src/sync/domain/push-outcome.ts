import type { ResolutionMethod } from '../../conflicts/domain/verdict.js';
import type { Disposition } from '../../inventory/domain/ledger.js';
import type { FieldError } from '../../problems/problem.js';
import type { KnownEdit } from '../../states/domain/merge.js';

/**
 * Why an entry was not recorded, with what to tell its device. In order of precedence: where several apply, the first
 * is answered. Those after LAMPORT_OUT_OF_RANGE depend on what others left, so the same entry may be accepted later.
 */
export const REJECTIONS = {
  VALIDATION: 'The entry is not valid.',
  TENANT_MISMATCH: 'The entry names another tenant than the token.',
  DEVICE_MISMATCH: 'The entry names another device than the token.',
  IDEMPOTENCY_MISMATCH: 'This identity is known with other content. A changed operation needs an id of its own.',
  LAMPORT_OUT_OF_RANGE: 'The lamport is too far ahead of the server. Pull, and stamp the entry anew.',
  PRODUCT_DELETED:
    'The product was deleted, and the device could know it. A newer edit with `is_deleted: false` restores it.',
  SKU_TAKEN: 'Another living product has this SKU.',
  UNKNOWN_REFERENCE:
    'The operation that `ref_operation_id` names is not in the log of this product, or took nothing that could be cancelled.',
  INSUFFICIENT_STOCK: 'There is not enough in stock for a claim that is not paid.',
  QUANTITY_OUT_OF_RANGE: 'Stock would leave the range of ±2,147,483,647, or more would be cancelled than was taken.',
  GROUP_REJECTED: 'Another entry of its group was rejected.',
} as const;
export type RejectionCode = keyof typeof REJECTIONS;
export const REJECTION_CODES = Object.keys(REJECTIONS) as readonly RejectionCode[];

/** What a person should know about an entry that was accepted. */
export const WARNING_MEANINGS = {
  OVERSOLD: 'More was sold than was known to be there: the sale happened, and stock is negative.',
  UNKNOWN_PRODUCT: 'The product is not in the catalogue yet.',
  STOCK_IGNORED: 'The product is not new, so its `current_stock` was ignored: stock changes through operations only.',
  DEVICE_CLOCK_REUSED: 'The device gave this lamport to another operation before: it may be a clone or a re-install.',
  CLOCK_SKEW: 'The wall clock of the device is more than five minutes off.',
} as const;
export type Warning = keyof typeof WARNING_MEANINGS;
export const WARNINGS = Object.keys(WARNING_MEANINGS) as readonly Warning[];

/** The entry of the conflict log that an entry of the push led to. */
export interface ConflictNote {
  readonly id: string;
  /** null while it waits for a decision. */
  readonly method: ResolutionMethod | null;
  readonly reason: string;
  readonly confidence: number | null;
  readonly winnerId: string | null;
}

export interface Accepted {
  readonly status: 'accepted';
  readonly id: string;
  readonly lamport: number;
  /** Of a product or payment. */
  readonly version?: number;
  readonly warnings: readonly Warning[];
  readonly conflict?: ConflictNote;
}

/** Known already; `original` is what became of it the first time. */
export interface Duplicate {
  readonly status: 'duplicate';
  readonly id: string;
  readonly original: RecordedOutcome | KnownEdit;
  /** The conflict that an operation led to, as it stands now. */
  readonly conflict?: ConflictNote;
}

/** Of an operation. */
export interface RecordedOutcome {
  readonly lamport: number;
  readonly effect: number;
  readonly stockAfter: number;
  readonly disposition: Disposition;
}

/** Competes with another entry: settled against it, or waiting for a decision. */
export interface InConflict {
  readonly status: 'conflict';
  readonly id: string;
  /** Of the operation; of a payment, which is not recorded before it is decided, that of the conflict. */
  readonly lamport: number;
  readonly warnings: readonly Warning[];
  readonly conflict: ConflictNote;
}

/** An edit that what stands has overtaken. */
export interface Ignored {
  readonly status: 'ignored';
  readonly id: string;
  /** Of what stands. */
  readonly lamport: number;
  readonly version: number;
  readonly warnings: readonly Warning[];
  /** If it said anything that is not said otherwise. */
  readonly conflict?: ConflictNote;
}

export interface Rejected {
  readonly status: 'rejected';
  /** Of the operation, product or payment; null if the entry names none that could be read. */
  readonly id: string | null;
  readonly code: RejectionCode;
  /** Units that could have been taken, or given back. */
  readonly available?: number;
  /** With VALIDATION. */
  readonly errors?: readonly FieldError[];
}

export type PushOutcome = Accepted | Duplicate | InConflict | Ignored | Rejected;

/** What became of a push. */
export interface PushReceipt {
  /** One for each entry, in the order of the command. */
  readonly outcomes: readonly PushOutcome[];
  readonly serverLamport: number;
  readonly epoch: string;
  readonly at: Date;
}
