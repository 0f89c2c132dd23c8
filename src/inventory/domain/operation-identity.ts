import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import type { Operation } from './operation.js';

/** Namespace of derived operation ids (RFC 9562, section 5.5). Clients compute the same: never change it. */
export const OPERATION_NAMESPACE = 'a6b7f1de-53e4-4b0c-9f4a-3d1f0f6c7a21';

/** What a device sent to tell its operation from others; the first that is there counts. */
export interface IdentityClaim {
  readonly operationId: string | null;
  /** SHA-256 in lower-case hex, made by the device over whatever it takes for the operation's identity. */
  readonly operationHash: string | null;
}

type IdentityFields = Pick<
  Operation,
  'deviceId' | 'clientLamport' | 'productId' | 'kind' | 'delta' | 'reason' | 'paymentStatus' | 'amount' | 'createdAt'
>;

/**
 * The id under which an operation takes effect at most once: the one given, else UUIDv5 of the hash given, else UUIDv5
 * of the SHA-256 over the canonical JSON of the fields below. `test/vectors/operation-identity.json` has examples.
 */
export function operationIdentity(tenantId: string, claim: IdentityClaim, fields: IdentityFields): string {
  return claim.operationId ?? uuidV5(OPERATION_NAMESPACE, claim.operationHash ?? identityHash(tenantId, fields));
}

function identityHash(tenantId: string, fields: IdentityFields): string {
  const json = canonicalJson({
    tenant_id: tenantId,
    device_id: fields.deviceId,
    lamport_ts: fields.clientLamport,
    product_id: fields.productId,
    operation: fields.kind,
    delta: fields.delta,
    reason: fields.reason,
    payment_status: fields.paymentStatus,
    amount: fields.amount,
    created_at: fields.createdAt,
  });
  return createHash('sha256').update(json).digest('hex');
}

/** Name-based UUID of RFC 9562, section 5.5; `name` is hashed as UTF-8. */
export function uuidV5(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
