import type { Conflict } from '../../conflicts/domain/conflict.js';
import type { StockLevel } from '../../inventory/domain/ledger.js';
import type { Rivals } from '../../inventory/domain/logged-operation.js';
import type { Product, ProductDeletion } from '../../inventory/domain/product.js';
import type { ReferencedOperation } from '../../inventory/domain/reference.js';
import type { UnchainedEvent } from '../../inventory/domain/stock-event.js';
import type { Payment } from '../../payments/domain/payment.js';
import type { EditBase, KnownEdit } from '../../states/domain/merge.js';
import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { TenantSettings } from '../../tenancy/domain/tenant-settings.js';
import type { RecordedOutcome } from './push-outcome.js';

/** What the log knows of an operation that is pushed again. */
export interface KnownOperation extends RecordedOutcome {
  readonly contentHash: Uint8Array;
}

/** A conflict of the log. */
export type Dispute = Conflict & { readonly detectedLamport: number };

/** What of the log a push is decided on, and may change: of what it names, and no more. */
export interface LogState {
  /** By operation id: events that were appended since the log was read. */
  readonly appended: ReadonlyMap<string, UnchainedEvent>;
  /** By operation id, of those that operations of the push refer to: as read, or as later entries have changed it. */
  readonly references: ReadonlyMap<string, ReferencedOperation>;
  /** By product id; a product without events is missing. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  /** By product id, of those in the catalogue: its deletion, null while it lives. */
  readonly catalogue: ReadonlyMap<string, ProductDeletion | null>;
  /** By id: the products and payments that the push edits, if they are there. */
  readonly products: ReadonlyMap<string, Product>;
  readonly payments: ReadonlyMap<string, Payment>;
  /** By SKU: the living product that has it; null: none any more. */
  readonly skuHolders: ReadonlyMap<string, string | null>;
  /** By POS transaction: the payment that was recorded with it first; null: none any more. */
  readonly posHolders: ReadonlyMap<string, Payment | null>;
  /** By edit id: those of the push that made a version before. */
  readonly knownEdits: ReadonlyMap<string, KnownEdit>;
  /** By conflict id: those that entries of the push led to before. */
  readonly knownConflicts: ReadonlyMap<string, Dispute>;
}

/** What is read of a tenant's log under its clock lock, for all pushes that are decided together. */
export interface LogReading extends LogState {
  readonly clock: TenantClock;
  readonly settings: Pick<TenantSettings, 'conflictDetection'>;
  /**
   * By operation id: those of the pushes, and of what the server may append for them (opening balances, what it takes back),
   * that are in the log already.
   */
  readonly known: ReadonlyMap<string, KnownOperation>;
  /** By edit id: what those of the pushes that need one are to be merged on. */
  readonly bases: ReadonlyMap<string, EditBase>;
}

/** What is read for one push alone, since it depends on its device. */
export interface DeviceReading {
  /** By product id: what other devices did to it that the push may not have known; missing: nothing. */
  readonly rivals: ReadonlyMap<string, Rivals>;
  /** Of the push's client lamports, those that an operation of this device has. */
  readonly usedLamports: ReadonlySet<number>;
  /** How far the device had pulled; null if it never did. */
  readonly lastPulledLamport: number | null;
  /** The device's wall clock minus the server's, in milliseconds; null if it did not say. */
  readonly clockSkewMs: number | null;
}

/** All that a push is decided on. */
export interface PushContext extends LogReading, DeviceReading {}
