import type { DeviceType } from '../../tenancy/domain/device-type.js';

export const INT4_MAX = 2_147_483_647;

/** INCREMENT and DECREMENT move stock by `delta` units, SET states a count. */
export const OPERATION_KINDS = ['INCREMENT', 'DECREMENT', 'SET'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export const OPERATION_REASONS = ['SALE', 'RESERVATION', 'RESTOCK', 'CANCEL', 'DAMAGE', 'COUNT', 'ADJUSTMENT'] as const;
export type OperationReason = (typeof OPERATION_REASONS)[number];

export const PAYMENT_STATUSES = ['PAID', 'PENDING', 'CANCELLED'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** A stock movement as a device recorded it; immutable from then on. Ids are lower-case UUIDs, times ISO 8601 UTC. */
export interface Operation {
  readonly operationId: string;
  readonly productId: string;
  readonly deviceId: string;
  readonly deviceType: DeviceType;
  readonly kind: OperationKind;
  /** Units: at least 1, or 0 for SET. */
  readonly delta: number;
  readonly reason: OperationReason;
  readonly paymentStatus: PaymentStatus | null;
  /** Money, at most two decimals; may be negative (a refund). */
  readonly amount: number | null;
  readonly locationLat: number | null;
  readonly locationLng: number | null;
  /** The device's own clock when it recorded this. */
  readonly clientLamport: number;
  /** Last lamport the device had applied when it recorded this. */
  readonly baseLamport: number | null;
  readonly version: number | null;
  /** Entries of one push that share it are accepted together or not at all. */
  readonly groupId: string | null;
  readonly refOperationId: string | null;
  readonly expiresAt: string | null;
  readonly createdAt: string | null;
  readonly createdBy: string;
  readonly updatedBy: string | null;
}
