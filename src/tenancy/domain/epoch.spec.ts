import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DatabaseIdentity, epochOf } from './epoch.js';

const STORED = '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55';
const IDENTITY: DatabaseIdentity = {
  systemIdentifier: '7575434343434343434',
  timeline: '00000001',
  databaseOid: 16_384,
  clockTableOid: 16_412,
};

const oids = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const identities: fc.Arbitrary<DatabaseIdentity> = fc.record({
  systemIdentifier: fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }).map(String)),
  timeline: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 }).map((id) => id.toString(16).padStart(8, '0'))),
  databaseOid: oids,
  clockTableOid: oids,
});

describe('epochOf', () => {
  it('stays what it is from one version of the service to the next, or every device would believe in a restore', () => {
    expect(epochOf(STORED, IDENTITY)).toBe('faca5d34-5b05-52d0-bbf5-61a6236dcf81');
    expect(epochOf(STORED, { ...IDENTITY, systemIdentifier: null, timeline: null })).toBe(
      '72c2f58d-02b6-5a57-a019-aaa2e54d2e43',
    );
  });

  it.each<[what: string, change: Partial<DatabaseIdentity>]>([
    ['cluster', { systemIdentifier: '7575434343434343435' }],
    ['timeline', { timeline: '00000002' }],
    ['database', { databaseOid: 16_385 }],
    ['table', { clockTableOid: 16_413 }],
  ])('is another in another %s', (_, change) => {
    expect(epochOf(STORED, { ...IDENTITY, ...change })).not.toBe(epochOf(STORED, IDENTITY));
  });

  it('is the same for the same stored epoch and the same database, and another as soon as one part differs', () => {
    const parts = ['systemIdentifier', 'timeline', 'databaseOid', 'clockTableOid'] as const;
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uuid(),
        identities,
        identities,
        fc.constantFrom(...parts),
        (stored, otherStored, identity, other, part) => {
          const epoch = epochOf(stored, identity);
          expect(epochOf(stored, { ...identity })).toBe(epoch);
          expect(epochOf(stored, { ...identity, [part]: other[part] }) === epoch).toBe(identity[part] === other[part]);
          expect(epochOf(otherStored, identity) === epoch).toBe(otherStored === stored);
        },
      ),
    );
  });
});
