import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aSale, operations, TENANT, FOREIGN_TENANT } from '../../../test/support/arbitraries.js';
import { IDENTITY_VECTORS, operationOf } from '../../../test/support/identity-vectors.js';
import { canonicalJson } from '../../tenancy/domain/canonical-json.js';
import { GENESIS_HASH } from '../../tenancy/domain/lamport-clock.js';
import { chainHash, contentHash } from './hash-chain.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('contentHash', () => {
  it.each(IDENTITY_VECTORS)('is that of the vector: $name', (vector) => {
    const { tenantId, operation } = operationOf(vector);
    expect(hex(contentHash(tenantId, operation))).toBe(vector.content_hash);
  });

  it('is SHA-256 over the canonical JSON of all that was said', () => {
    fc.assert(
      fc.property(operations, (said) => {
        const json = canonicalJson({
          ...{ tenant_id: TENANT, operation_id: said.operationId, product_id: said.productId },
          ...{ device_id: said.deviceId, device_type: said.deviceType, operation: said.kind, delta: said.delta },
          ...{ reason: said.reason, payment_status: said.paymentStatus, amount: said.amount, version: said.version },
          ...{ location_lat: said.locationLat, location_lng: said.locationLng, lamport_ts: said.clientLamport },
          ...{ base_lamport: said.baseLamport, group_id: said.groupId, ref_operation_id: said.refOperationId },
          ...{ expires_at: said.expiresAt, created_at: said.createdAt },
          ...{ created_by: said.createdBy, updated_by: said.updatedBy },
        });
        expect(hex(contentHash(TENANT, said))).toBe(createHash('sha256').update(json).digest('hex'));
      }),
    );
  });

  it('is equal for equal content, whatever order the fields stand in', () => {
    fc.assert(
      fc.property(operations, (operation) => {
        const reordered = Object.fromEntries(Object.entries(operation).reverse()) as unknown as typeof operation;
        expect(hex(contentHash(TENANT, reordered))).toBe(hex(contentHash(TENANT, operation)));
      }),
    );
  });

  it('differs as soon as any one field does', () => {
    const names = Object.keys(aSale()) as (keyof ReturnType<typeof aSale>)[];
    fc.assert(
      fc.property(operations, operations, fc.constantFrom(...names), (operation, other, name) => {
        const changed = { ...operation, [name]: other[name] };
        const same = Object.is(operation[name], other[name]) || operation[name] === other[name];
        expect(hex(contentHash(TENANT, changed)) === hex(contentHash(TENANT, operation))).toBe(same);
      }),
      { numRuns: 500 },
    );
  });

  it('differs between tenants', () => {
    expect(hex(contentHash(FOREIGN_TENANT, aSale()))).not.toBe(hex(contentHash(TENANT, aSale())));
  });
});

describe('chainHash', () => {
  const hashes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const chainOf = (contents: readonly Uint8Array[]): string => hex(contents.reduce(chainHash, GENESIS_HASH));

  it('is SHA-256 over the 64 bytes of both hashes', () => {
    fc.assert(
      fc.property(hashes, hashes, (previous, content) => {
        const digest = createHash('sha256')
          .update(Buffer.concat([previous, content]))
          .digest('hex');
        expect(hex(chainHash(previous, content))).toBe(digest);
      }),
    );
  });

  it('tells when an event was changed, left out, doubled or moved', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(hashes, { minLength: 2, maxLength: 8, selector: hex }),
        fc.nat(),
        fc.nat(),
        hashes,
        (contents, first, second, other) => {
          const at = first % contents.length;
          const to = second % contents.length;
          const head = chainOf(contents);
          const moved = contents.toSpliced(at, 1).toSpliced(to, 0, contents[at] ?? other);
          expect(chainOf(contents.toSpliced(at, 1))).not.toBe(head);
          expect(chainOf(contents.toSpliced(at, 0, contents[at] ?? other))).not.toBe(head);
          expect(chainOf(contents.with(at, other)) === head).toBe(hex(contents[at] ?? other) === hex(other));
          expect(chainOf(moved) === head).toBe(at === to);
        },
      ),
    );
  });

  it('leads through the vectors in their order', () => {
    let chain = GENESIS_HASH;
    for (const vector of IDENTITY_VECTORS) {
      chain = chainHash(chain, Buffer.from(vector.content_hash, 'hex'));
      expect(hex(chain)).toBe(vector.chain_hash);
    }
  });
});
