import { readFileSync } from 'node:fs';
import type { Operation } from '../../src/inventory/domain/operation.js';
import type { IdentityClaim } from '../../src/inventory/domain/operation-identity.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';

/** One example of `test/vectors/operation-identity.json`; its `about` says what each member is. */
export interface IdentityVector {
  readonly name: string;
  readonly sent: OperationDto;
  readonly identity_json: string | null;
  readonly operation_id: string;
  readonly content_json: string;
  readonly content_hash: string;
  readonly chain_hash: string;
}

const FILE = new URL('../vectors/operation-identity.json', import.meta.url);
export const { vectors: IDENTITY_VECTORS } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  readonly vectors: readonly IdentityVector[];
};

/** What the service makes of the vector's operation, read from its normal form. */
export function operationOf(vector: IdentityVector): {
  readonly tenantId: string;
  readonly claim: IdentityClaim;
  readonly operation: Operation;
} {
  const said = JSON.parse(vector.content_json) as Required<OperationDto>;
  const { operation_id: operationId, operation_hash: operationHash } = vector.sent;
  return {
    tenantId: said.tenant_id,
    claim: {
      operationId: operationId?.toLowerCase() ?? null,
      operationHash: operationHash?.toLowerCase() ?? null,
    },
    operation: {
      operationId: vector.operation_id,
      productId: said.product_id,
      deviceId: said.device_id,
      deviceType: said.device_type,
      kind: said.operation,
      delta: said.delta,
      reason: said.reason,
      paymentStatus: said.payment_status,
      amount: said.amount,
      locationLat: said.location_lat,
      locationLng: said.location_lng,
      clientLamport: said.lamport_ts,
      baseLamport: said.base_lamport,
      version: said.version,
      groupId: said.group_id,
      refOperationId: said.ref_operation_id,
      expiresAt: said.expires_at,
      createdAt: said.created_at,
      createdBy: said.created_by,
      updatedBy: said.updated_by,
    },
  };
}
