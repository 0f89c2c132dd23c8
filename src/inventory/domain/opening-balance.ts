import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import type { ProductEdit } from './product.js';
import { type EventContent, SERVER_ID } from './stock-event.js';

/** Namespace of the ids of opening balances (RFC 9562, section 5.5). */
const OPENING_NAMESPACE = 'c1d4b1c2-3a3b-4c57-8f0e-6f7f1d2b9a55';

/** A product has one opening balance at most, whoever says it first. */
export function openingBalanceId(productId: string): string {
  return uuidV5(OPENING_NAMESPACE, productId);
}

/**
 * What was there when the product came into the catalogue, as an event: a receipt, so that what others sold of it before
 * it was known still counts. The server writes it for the device, which said so in the product and not in an operation.
 */
export function openingBalance(edit: ProductEdit, units: number): EventContent & { readonly kind: 'INCREMENT' } {
  return {
    operationId: openingBalanceId(edit.id),
    productId: edit.id,
    deviceId: edit.deviceId,
    deviceType: 'SERVER',
    kind: 'INCREMENT',
    delta: units,
    reason: 'ADJUSTMENT',
    paymentStatus: null,
    amount: null,
    locationLat: null,
    locationLng: null,
    clientLamport: edit.clientLamport,
    baseLamport: null,
    version: null,
    groupId: null,
    refOperationId: null,
    expiresAt: null,
    createdAt: null,
    createdBy: edit.updatedBy ?? SERVER_ID,
    updatedBy: null,
  };
}
