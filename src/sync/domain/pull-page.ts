import type { RecordedConflict } from '../../conflicts/domain/conflict.js';
import type { RecordedProduct } from '../../inventory/domain/product.js';
import type { EncodedEvent } from '../../inventory/domain/stock-event.js';
import type { RecordedPayment } from '../../payments/domain/payment.js';

/** Entries of a tenant, each list in lamport order. Products, payments and conflicts are as they stand now. */
export interface Entries {
  readonly events: readonly EncodedEvent[];
  readonly products: readonly RecordedProduct[];
  readonly payments: readonly RecordedPayment[];
  readonly conflicts: readonly RecordedConflict[];
}

/** What a pull hands out. */
export interface PullPage extends Entries {
  /** The page holds every entry in (cursor asked for, nextLamport]. */
  readonly nextLamport: number;
  readonly serverLamport: number;
  /** Of the log at `nextLamport`, in hex. */
  readonly chainHash: string;
  readonly hasMore: boolean;
  readonly epoch: string;
}

/** The first entries of all kinds together. */
export interface Cut extends Entries {
  /** Lamport of the last entry that is in, if others were cut off; null if all are in. */
  readonly cutAt: number | null;
}

/**
 * The first `limit` entries in the one order that all kinds share.
 * @param found of each kind the first `limit` + 1, or all there are: so what is missing comes after what is cut off
 */
export function cutPage(found: Entries, limit: number): Cut {
  const lamports = [found.events, found.products, found.payments, found.conflicts]
    .flatMap((entries) => entries.map((entry: { readonly lamport: number }) => entry.lamport))
    .sort((a, b) => a - b);
  const last = lamports[limit - 1];
  if (last === undefined || lamports.length <= limit) return { ...found, cutAt: null };
  const upTo = <T extends { readonly lamport: number }>(entries: readonly T[]): T[] =>
    entries.filter((entry) => entry.lamport <= last);
  return {
    events: upTo(found.events),
    products: upTo(found.products),
    payments: upTo(found.payments),
    conflicts: upTo(found.conflicts),
    cutAt: last,
  };
}
