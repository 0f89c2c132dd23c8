import { createHash } from 'node:crypto';
import { canonicalJson } from '../../tenancy/domain/canonical-json.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import type { Edit, Entity, Scalar } from './state.js';

/** Namespace of edit ids (RFC 9562, section 5.5). */
const EDIT_NAMESPACE = '8f0a7d5e-1c3b-4d8a-b1f6-92f2f0b4c6e3';

/**
 * The identity of an edit: UUIDv5 of the SHA-256 over the canonical JSON of all the device said, and when by its own
 * clock. The same edit sent again has the same, so it is known again, whatever became of it.
 * @param besides what the edit says that is no field of the state
 */
export function editIdentity<F extends object>(
  tenantId: string,
  entity: Entity,
  edit: Omit<Edit<F>, 'editId'>,
  besides: Readonly<Record<string, Scalar>>,
): string {
  const { id, deviceId, clientLamport, baseVersion, said } = edit;
  const json = canonicalJson({ ...said, ...besides, tenantId, entity, id, deviceId, clientLamport, baseVersion });
  return uuidV5(EDIT_NAMESPACE, createHash('sha256').update(json).digest('hex'));
}
