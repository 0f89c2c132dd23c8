import type { Rivals } from '../../inventory/domain/logged-operation.js';
import type { RecordedConflict } from '../../conflicts/domain/conflict.js';
import type { StockLevel } from '../../inventory/domain/ledger.js';
import type { Product, ProductDeletion } from '../../inventory/domain/product.js';
import type { ReferencedOperation } from '../../inventory/domain/reference.js';
import type { Payment } from '../../payments/domain/payment.js';
import type { EditBase, KnownEdit } from '../../states/domain/merge.js';
import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { TenantSettings } from '../../tenancy/domain/tenant-settings.js';
import type { RecordedOutcome } from './push-outcome.js';

/** What the log knows of an operation that is pushed again. */
export interface KnownOperation extends RecordedOutcome {
  readonly contentHash: Uint8Array;
}

/** The state that a push is decided on, read under the tenant's clock lock: of what the push names, and no more. */
export interface PushContext {
  readonly clock: TenantClock;
  readonly settings: Pick<TenantSettings, 'conflictDetection'>;
  /**
   * By operation id: those of the push, and of what the server may append for it (opening balances, what it takes back),
   * that are in the log already.
   */
  readonly known: ReadonlyMap<string, KnownOperation>;
  /** By operation id: those that operations of the push refer to. */
  readonly references: ReadonlyMap<string, ReferencedOperation>;
  /** By product id; a product without events is missing. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  /** By product id: what other devices did to it that the push may not have known; missing: nothing. */
  readonly rivals: ReadonlyMap<string, Rivals>;
  /** By product id, of those in the catalogue: its deletion, null while it lives. */
  readonly catalogue: ReadonlyMap<string, ProductDeletion | null>;
  /** By id: the products and payments that the push edits, if they are there. */
  readonly products: ReadonlyMap<string, Product>;
  readonly payments: ReadonlyMap<string, Payment>;
  /** By SKU: the living product that has it. */
  readonly skuHolders: ReadonlyMap<string, string>;
  /** By POS transaction: the payment that was recorded with it first. */
  readonly posHolders: ReadonlyMap<string, Payment>;
  /** By edit id: those of the push that made a version before. */
  readonly knownEdits: ReadonlyMap<string, KnownEdit>;
  /** By edit id: what those of the push that need one are to be merged on. */
  readonly bases: ReadonlyMap<string, EditBase>;
  /** By conflict id: those that entries of the push led to before. */
  readonly knownConflicts: ReadonlyMap<string, RecordedConflict>;
  /** Of the push's client lamports, those that an operation of this device has. */
  readonly usedLamports: ReadonlySet<number>;
  /** How far the device had pulled; null if it never did. */
  readonly lastPulledLamport: number | null;
  /** The device's wall clock minus the server's, in milliseconds; null if it did not say. */
  readonly clockSkewMs: number | null;
}
