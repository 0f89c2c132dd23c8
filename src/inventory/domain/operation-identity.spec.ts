import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aSale, FOREIGN_TENANT, operations, TENANT } from '../../../test/support/arbitraries.js';
import { IDENTITY_VECTORS, operationOf } from '../../../test/support/identity-vectors.js';
import { canonicalJson } from '../../tenancy/domain/canonical-json.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import { OPERATION_NAMESPACE, operationIdentity } from './operation-identity.js';

const NOTHING = { operationId: null, operationHash: null };
const HASH = createHash('sha256').update('made by a device').digest('hex');

describe('operationIdentity', () => {
  it('has a namespace that never changes, for clients compute with it', () => {
    expect(OPERATION_NAMESPACE).toBe('a6b7f1de-53e4-4b0c-9f4a-3d1f0f6c7a21');
  });

  it.each(IDENTITY_VECTORS)('is that of the vector: $name', (vector) => {
    const { tenantId, claim, operation } = operationOf(vector);
    expect(operationIdentity(tenantId, claim, operation)).toBe(vector.operation_id);
  });

  it.each(IDENTITY_VECTORS.filter((vector) => vector.identity_json !== null))(
    'is made from the canonical JSON that the vector shows: $name',
    (vector) => {
      const json = vector.identity_json ?? '';
      const hash = createHash('sha256').update(json).digest('hex');
      expect(canonicalJson(JSON.parse(json) as Record<string, string>)).toBe(json);
      expect(uuidV5(OPERATION_NAMESPACE, hash)).toBe(vector.operation_id);
    },
  );

  it('is the id that the device gave, before anything else', () => {
    fc.assert(
      fc.property(operations, fc.uuid(), fc.constantFrom(null, HASH), (operation, operationId, operationHash) => {
        expect(operationIdentity(TENANT, { operationId, operationHash }, operation)).toBe(operationId);
      }),
    );
  });

  it('is else made of the hash that the device gave, whatever the fields say', () => {
    fc.assert(
      fc.property(operations, operations, (a, b) => {
        const claim = { operationId: null, operationHash: HASH };
        expect(operationIdentity(TENANT, claim, a)).toBe(uuidV5(OPERATION_NAMESPACE, HASH));
        expect(operationIdentity(TENANT, claim, b)).toBe(uuidV5(OPERATION_NAMESPACE, HASH));
      }),
    );
  });

  it('is else the same for the same fields, and another as soon as one of them differs', () => {
    const counted = [
      'deviceId',
      'clientLamport',
      'productId',
      'kind',
      'delta',
      'reason',
      'paymentStatus',
      'amount',
      'createdAt',
    ] as const;
    fc.assert(
      fc.property(operations, operations, fc.constantFrom(...counted), (operation, other, name) => {
        const changed = { ...other, ...Object.fromEntries(counted.map((field) => [field, operation[field]])) };
        const identity = operationIdentity(TENANT, NOTHING, operation);
        expect(operationIdentity(TENANT, NOTHING, changed)).toBe(identity);
        const differs = operation[name] !== other[name];
        expect(operationIdentity(TENANT, NOTHING, { ...operation, [name]: other[name] }) !== identity).toBe(differs);
      }),
      { numRuns: 300 },
    );
  });

  it('differs between tenants', () => {
    const [one, other] = [TENANT, FOREIGN_TENANT].map((tenant) => operationIdentity(tenant, NOTHING, aSale()));
    expect(other).not.toBe(one);
  });
});
