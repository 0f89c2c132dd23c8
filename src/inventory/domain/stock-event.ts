import type { Disposition } from './ledger.js';
import type { Operation } from './operation.js';

/** One entry of a tenant's log: an operation, its place in the order, and what it did to stock. */
export interface StockEvent extends Operation {
  /** Position in the tenant's log. */
  readonly lamport: number;
  /** Signed change to stock, in units; a SET can span the whole range, so up to 2^32. */
  readonly effect: number;
  /** Stock of the product right after, in units. */
  readonly stockAfter: number;
  readonly disposition: Disposition;
  /** 32 bytes. */
  readonly contentHash: Uint8Array;
  /** 32 bytes. */
  readonly chainHash: Uint8Array;
}

/** An event as it is read back from the log, with its times as instants. */
export interface RecordedEvent extends Omit<StockEvent, 'expiresAt' | 'createdAt'> {
  readonly expiresAt: Date | null;
  readonly createdAt: Date | null;
  /** When the server recorded it. */
  readonly syncedAt: Date;
}

/** Part of a product's ledger, in lamport order. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Lamport to go on from; null after the last page. */
  readonly nextCursor: number | null;
}
