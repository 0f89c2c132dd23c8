import type { AcknowledgedEntry, OutboxEntry, RejectedEntry } from '../domain/entry.js';
import type { PendingStock, StockChange } from '../domain/optimistic-stock.js';
import type { Conflict, Payment, PaymentEdit, Product, ProductEdit } from '../wire.js';
import { type StoreTransaction, type Table, table } from './store.js';

/** What the store as a whole knows: one row. */
export interface Meta {
  /** Of the store's rows: FORMAT, or what a newer version has made of it. */
  readonly format: number;
  readonly tenantId: string;
  readonly deviceId: string;
  /** The device's Lamport clock: the lamport it gave last, or the highest it has heard of. */
  readonly clock: number;
  /** Last lamport of the tenant's log that the replica has. */
  readonly base: number;
  /** Of the server's database; null before the first answer. */
  readonly epoch: string | null;
  /** Chain hash of the log at `base`; null before the first answer. */
  readonly chainHash: string | null;
  /** Which generation of the replica's tables counts: a snapshot fills the next one. */
  readonly generation: number;
  /** Whether the replica must be made anew from a snapshot. */
  readonly wantsSnapshot: boolean;
  /** Entries in the outbox. */
  readonly waiting: number;
  /** Entries in the journal. */
  readonly journaled: number;
}

/** What the server said of a product's stock. */
export interface StockLevel {
  /** Units. */
  readonly quantity: number;
  /** Whether a count or a receipt has set a baseline. */
  readonly tracked: boolean;
  /** Lamport of the last event that changed it. */
  readonly lastLamport: number;
}

/** That this version reads and writes. */
export const FORMAT = 1;
export const META_KEY = 'meta';
export const META: Table<Meta> = table('meta');

/** @throws Error if the store was not opened by a client */
export async function metaOf(tx: StoreTransaction): Promise<Meta> {
  const meta = await tx.get(META, META_KEY);
  if (!meta) throw new Error('The store was never opened');
  return meta;
}

/** By lamport. */
export const OUTBOX: Table<OutboxEntry> = table('outbox');
/** Lamport of the operation in the outbox that has this id. */
export const OPERATIONS: Table<number> = table('operations');
/** By lamport: what the server can't take as it is. */
export const REJECTED: Table<RejectedEntry> = table('rejected');
/** By the server's lamport and that of the device. */
export const ACKNOWLEDGED: Table<AcknowledgedEntry> = table('acknowledged');
/** By lamport: what the server has taken, for the case that it has to be restored from a backup. */
export const JOURNAL: Table<OutboxEntry> = table('journal');

/** By product and lamport: what operations do that the replica doesn't know of yet. */
export const CHANGES: Table<StockChange> = table('changes');
/** By product: what its changes come to. */
export const PENDING: Table<PendingStock> = table('pending');
/** By operation id: units that a reservation holds, as far as the device knows. */
export const HOLDS: Table<number> = table('holds');
/** By product or payment, and lamport: edits that the replica doesn't know of yet. */
export const PRODUCT_EDITS: Table<ProductEdit> = table('product-edits');
export const PAYMENT_EDITS: Table<PaymentEdit> = table('payment-edits');

/** What the server said, in one generation: by id of the product, the payment or the conflict. */
export interface ReplicaTables {
  readonly stock: Table<StockLevel>;
  readonly products: Table<Product>;
  readonly payments: Table<Payment>;
  readonly conflicts: Table<Conflict>;
}

export function replicaTables(generation: number): ReplicaTables {
  return {
    stock: table(`stock-${generation}`),
    products: table(`products-${generation}`),
    payments: table(`payments-${generation}`),
    conflicts: table(`conflicts-${generation}`),
  };
}

/** Digits of 2^53 − 1: so the order of keys is that of lamports. */
const LAMPORT_DIGITS = 16;

export function lamportKey(lamport: number): string {
  return String(lamport).padStart(LAMPORT_DIGITS, '0');
}

/** Of what belongs to something that has an id, in the order of lamports. */
export function lamportKeyOf(id: string, lamport: number): string {
  return `${id}/${lamportKey(lamport)}`;
}

/** All keys of `lamportKeyOf` with that id. */
export function rangeOf(id: string): { readonly from: string; readonly before: string } {
  return { from: `${id}/`, before: `${id}0` }; // "0" comes right after "/"
}

export function entityOfKey(key: string): string {
  return key.slice(0, key.indexOf('/'));
}
