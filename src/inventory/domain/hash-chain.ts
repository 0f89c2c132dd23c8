import { hash } from 'node:crypto';
import type { EventContent } from './stock-event.js';

/**
 * SHA-256 over the canonical JSON of all that the device said of the operation. Equal content means the same operation
 * sent again; other content under a known id is a mistake (IDEMPOTENCY_MISMATCH). A replica can compute it from what
 * pull returns, where `lamport_ts` of the hash is pull's `client_lamport`.
 */
export function contentHash(tenantId: string, operation: EventContent): Uint8Array {
  return sha256(contentJson(tenantId, operation));
}

/**
 * The JSON Canonicalization Scheme (RFC 8785) in one template, with the keys in its order: of all that is decided in a push
 * only the hash itself takes as long as a general writer of it would. All texts are ids, times and words of the wire, in
 * which there is nothing to escape.
 */
function contentJson(tenantId: string, said: EventContent): string {
  return `{"amount":${said.amount},"base_lamport":${said.baseLamport},"created_at":${text(said.createdAt)},"created_by":${text(said.createdBy)},"delta":${said.delta},"device_id":${text(said.deviceId)},"device_type":${text(said.deviceType)},"expires_at":${text(said.expiresAt)},"group_id":${text(said.groupId)},"lamport_ts":${said.clientLamport},"location_lat":${said.locationLat},"location_lng":${said.locationLng},"operation":${text(said.kind)},"operation_id":${text(said.operationId)},"payment_status":${text(said.paymentStatus)},"product_id":${text(said.productId)},"reason":${text(said.reason)},"ref_operation_id":${text(said.refOperationId)},"tenant_id":${text(tenantId)},"updated_by":${text(said.updatedBy)},"version":${said.version}}`;
}

function text(value: string | null): string {
  return value === null ? 'null' : `"${value}"`;
}

const CHAINED = new Uint8Array(64);

/** SHA-256 of the bytes of the previous event's chain hash, then of this event's content hash: 32 bytes each. */
export function chainHash(previous: Uint8Array, content: Uint8Array): Uint8Array {
  CHAINED.set(previous);
  CHAINED.set(content, 32);
  return sha256(CHAINED);
}

/** By way of a text: the bytes then come from Node's pool. Memory of its own for each hash takes longer than to hash. */
function sha256(of: string | Uint8Array): Uint8Array {
  return Buffer.from(hash('sha256', of, 'binary'), 'binary');
}
