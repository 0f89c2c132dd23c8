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
