import { createHash } from 'node:crypto';
import { canonicalJson } from '../../tenancy/domain/canonical-json.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
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
