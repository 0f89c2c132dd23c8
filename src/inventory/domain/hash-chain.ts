import { hash } from 'node:crypto';
import { canonicalJson } from '../../tenancy/domain/canonical-json.js';
import type { EventContent } from './stock-event.js';

/**
 * SHA-256 over the canonical JSON of all that the device said of the operation. Equal content means the same operation
 * sent again; other content under a known id is a mistake (IDEMPOTENCY_MISMATCH). A replica can compute it from what
 * pull returns, where `lamport_ts` of the hash is pull's `client_lamport`.
 */
export function contentHash(tenantId: string, operation: EventContent): Uint8Array {
  const json = canonicalJson({
    tenant_id: tenantId,
    operation_id: operation.operationId,
    product_id: operation.productId,
    device_id: operation.deviceId,
    device_type: operation.deviceType,
    operation: operation.kind,
    delta: operation.delta,
    reason: operation.reason,
    payment_status: operation.paymentStatus,
    amount: operation.amount,
    location_lat: operation.locationLat,
    location_lng: operation.locationLng,
    lamport_ts: operation.clientLamport,
    base_lamport: operation.baseLamport,
    version: operation.version,
    group_id: operation.groupId,
    ref_operation_id: operation.refOperationId,
    expires_at: operation.expiresAt,
    created_at: operation.createdAt,
    created_by: operation.createdBy,
    updated_by: operation.updatedBy,
  });
  return hash('sha256', json, 'buffer');
}

/** SHA-256 of the bytes of the previous event's chain hash, then of this event's content hash. */
export function chainHash(previous: Uint8Array, content: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([previous, content]), 'buffer');
}
