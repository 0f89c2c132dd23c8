import type { DeviceType } from '../../tenancy/domain/device-type.js';
import type { Disposition } from './ledger.js';
import { OPERATION_KINDS, type Operation } from './operation.js';

/** What the server itself appends: a decision on an operation before, named by `refOperationId`. */
export const SYSTEM_EVENT_KINDS = ['RELEASE', 'VOID'] as const;
export const EVENT_KINDS = [...OPERATION_KINDS, ...SYSTEM_EVENT_KINDS] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export { SERVER_ID } from '../../tenancy/domain/device.js';

/** What an event says; of it its content hash is made. */
export interface EventContent extends Omit<Operation, 'kind' | 'deviceType'> {
  readonly kind: EventKind;
  readonly deviceType: DeviceType | 'SERVER';
}

/** One entry of a tenant's log: an operation, its place in the order, and what it did to stock. */
export interface StockEvent extends EventContent {
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

/** An event as a pull hands it out. */
export interface EncodedEvent {
  readonly lamport: number;
  /** In hex. */
  readonly chainHash: string;
  /** Its JSON text, as `toStockEventWire` says it. */
  readonly json: string;
}

/** Part of a product's ledger, in lamport order. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Lamport to go on from; null after the last page. */
  readonly nextCursor: number | null;
}
