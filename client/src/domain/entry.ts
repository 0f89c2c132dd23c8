import type { FieldError, Operation, PaymentEdit, ProductEdit, PushResult } from '../wire.js';

/** What a device has recorded: an operation on stock, or an edit of a product or a payment. */
export type Recorded =
  | { readonly kind: 'operation'; readonly body: Operation }
  | { readonly kind: 'product'; readonly body: ProductEdit }
  | { readonly kind: 'payment'; readonly body: PaymentEdit };

/** An entry of the outbox: it stays there until the server has said what became of it. */
export type OutboxEntry = Recorded & {
  /** The device's own clock when it was recorded: orders the outbox, and names the entry. */
  readonly lamport: number;
  /** Length of its body in JSON, in bytes of UTF-8. */
  readonly bytes: number;
};

/** An entry that the server can't take as it is. It is kept, for the app to retry or to discard. */
export type RejectedEntry = OutboxEntry & {
  readonly code: string;
  readonly message: string;
  readonly errors: readonly FieldError[];
  readonly suggestion: PushResult['suggestion'] | null;
  /** By the device's clock, ISO 8601. */
  readonly rejectedAt: string;
};

/** An entry that the server has taken, which a pull has not brought yet. */
export interface AcknowledgedEntry {
  readonly kind: OutboxEntry['kind'];
  readonly lamport: number;
  /** Product or payment that it is about. */
  readonly entityId: string;
}

/** The product or the payment that an entry is about. */
export function entityOf(entry: Recorded): string {
  return entry.kind === 'operation' ? entry.body.product_id : entry.body.id;
}

/** Entries that share it are pushed together; undefined of one that stands alone. */
export function groupOf({ body }: Recorded): string | undefined {
  return body.group_id ?? undefined;
}
