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

/** An event that may have no place in the chain yet. */
export type UnchainedEvent = Omit<StockEvent, 'chainHash'> & { chainHash: Uint8Array };
const UNCHAINED = new Uint8Array();

/**
 * The event that an operation becomes. Field by field: where an object of so many is spread, V8 makes a new hidden class for
 * each copy, and that takes it longer than all else that is decided.
 */
export function unchained(
  content: EventContent,
  { lamport, effect, stockAfter, disposition, contentHash }: Omit<StockEvent, keyof EventContent | 'chainHash'>,
): UnchainedEvent {
  return {
    operationId: content.operationId,
    productId: content.productId,
    deviceId: content.deviceId,
    deviceType: content.deviceType,
    kind: content.kind,
    delta: content.delta,
    reason: content.reason,
    paymentStatus: content.paymentStatus,
    amount: content.amount,
    locationLat: content.locationLat,
    locationLng: content.locationLng,
    clientLamport: content.clientLamport,
    baseLamport: content.baseLamport,
    version: content.version,
    groupId: content.groupId,
    refOperationId: content.refOperationId,
    expiresAt: content.expiresAt,
    createdAt: content.createdAt,
    createdBy: content.createdBy,
    updatedBy: content.updatedBy,
    lamport,
    effect,
    stockAfter,
    disposition,
    contentHash,
    chainHash: UNCHAINED,
  };
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
  /** Its JSON text, as `toStockEventWire` says it, in UTF-8. */
  readonly json: Uint8Array;
}

/** Part of a product's ledger, in lamport order. */
export interface EventPage {
  readonly events: readonly RecordedEvent[];
  /** Lamport to go on from; null after the last page. */
  readonly nextCursor: number | null;
}
