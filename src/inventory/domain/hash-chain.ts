import { hash } from 'node:crypto';
import { canonicalJsonOf } from '../../tenancy/domain/canonical-json.js';
import type { EventContent } from './stock-event.js';

const contentJson = canonicalJsonOf<{ readonly tenantId: string; readonly operation: EventContent }>({
  tenant_id: ({ tenantId }) => tenantId,
  operation_id: ({ operation }) => operation.operationId,
  product_id: ({ operation }) => operation.productId,
  device_id: ({ operation }) => operation.deviceId,
  device_type: ({ operation }) => operation.deviceType,
  operation: ({ operation }) => operation.kind,
  delta: ({ operation }) => operation.delta,
  reason: ({ operation }) => operation.reason,
  payment_status: ({ operation }) => operation.paymentStatus,
  amount: ({ operation }) => operation.amount,
  location_lat: ({ operation }) => operation.locationLat,
  location_lng: ({ operation }) => operation.locationLng,
  lamport_ts: ({ operation }) => operation.clientLamport,
  base_lamport: ({ operation }) => operation.baseLamport,
  version: ({ operation }) => operation.version,
  group_id: ({ operation }) => operation.groupId,
  ref_operation_id: ({ operation }) => operation.refOperationId,
  expires_at: ({ operation }) => operation.expiresAt,
  created_at: ({ operation }) => operation.createdAt,
  created_by: ({ operation }) => operation.createdBy,
  updated_by: ({ operation }) => operation.updatedBy,
});

/**
 * SHA-256 over the canonical JSON of all that the device said of the operation. Equal content means the same operation
 * sent again; other content under a known id is a mistake (IDEMPOTENCY_MISMATCH). A replica can compute it from what
 * pull returns, where `lamport_ts` of the hash is pull's `client_lamport`.
 */
export function contentHash(tenantId: string, operation: EventContent): Uint8Array {
  return hash('sha256', contentJson({ tenantId, operation }), 'buffer');
}

const CHAINED = new Uint8Array(64);

/** SHA-256 of the bytes of the previous event's chain hash, then of this event's content hash: 32 bytes each. */
export function chainHash(previous: Uint8Array, content: Uint8Array): Uint8Array {
  CHAINED.set(previous);
  CHAINED.set(content, 32);
  return hash('sha256', CHAINED, 'buffer');
}
