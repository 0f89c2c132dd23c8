import type { Operation } from '../../inventory/domain/operation.js';
import type { ProductEdit } from '../../inventory/domain/product.js';
import type { PaymentEdit } from '../../payments/domain/payment.js';
import type { FieldError } from '../../problems/problem.js';

interface Entry {
  /** Where it stands in the request, such as `products[3]`. */
  readonly path: string;
  /** Entries of one push that share it are recorded together or not at all. */
  readonly groupId: string | null;
}

interface ReadableEntry extends Entry {
  readonly readable: true;
  /** Whose it says it is: it may not be the sender's to push. null if it doesn't say. */
  readonly tenantId: string | null;
}

/** An entry that could be read. */
export interface OperationEntry extends ReadableEntry {
  readonly what: 'OPERATION';
  readonly operation: Operation;
}
export interface ProductEntry extends ReadableEntry {
  readonly what: 'PRODUCT';
  readonly edit: ProductEdit;
}
export interface PaymentEntry extends ReadableEntry {
  readonly what: 'PAYMENT';
  readonly edit: PaymentEdit;
}

/** An entry that could not be read, with what of it could. */
export interface MalformedEntry extends Entry {
  readonly readable: false;
  readonly what: 'OPERATION' | 'PRODUCT' | 'PAYMENT';
  readonly id: string | null;
  readonly errors: readonly FieldError[];
}

export type PushEntry = OperationEntry | ProductEntry | PaymentEntry | MalformedEntry;

/** What of a push could be read. */
export interface PushContent {
  readonly operations: readonly Operation[];
  readonly products: readonly ProductEdit[];
  readonly payments: readonly PaymentEdit[];
}

export function contentOf({ entries }: Pick<PushCommand, 'entries'>): PushContent {
  const operations: Operation[] = [];
  const products: ProductEdit[] = [];
  const payments: PaymentEdit[] = [];
  for (const entry of entries) {
    if (!entry.readable) continue;
    if (entry.what === 'OPERATION') operations.push(entry.operation);
    else if (entry.what === 'PRODUCT') products.push(entry.edit);
    else payments.push(entry.edit);
  }
  return { operations, products, payments };
}

/** A device's push, read from the wire: each entry on its own, in the order sent. */
export interface PushCommand {
  readonly tenantId: string;
  readonly deviceId: string;
  /** The device's clock when it pushed. */
  readonly clientLamport: number;
  /** The device's wall clock when it pushed, ISO 8601 UTC. */
  readonly sentAt: string | null;
  /** Operations, then products, then payments, each in the order sent. */
  readonly entries: readonly PushEntry[];
}
