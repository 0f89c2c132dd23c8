import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeSignal, parseSignal, type TenantSignal } from './tenant-signal.js';

const signals: fc.Arbitrary<TenantSignal> = fc.oneof(
  fc.record({ kind: fc.constant('GROWN' as const), tenantId: fc.uuid(), lamport: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('ACCESS_CHANGED' as const), tenantId: fc.uuid() }),
);
const TENANT = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e10';

describe('parseSignal', () => {
  it('reads what encodeSignal wrote', () => {
    fc.assert(
      fc.property(signals, (signal) => {
        expect(parseSignal(encodeSignal(signal))).toEqual(signal);
      }),
    );
  });

  it('takes no other text for a signal, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseSignal(text)).toBeUndefined();
      }),
    );
  });

  it.each([
    '',
    'null',
    '[]',
    `"${TENANT}"`,
    `{"lamport":1}`,
    `{"tenant_id":"${TENANT}"}`,
    `{"tenant_id":"${TENANT.toUpperCase()}","lamport":1}`,
    `{"tenant_id":"${TENANT} ","lamport":1}`,
    `{"tenant_id":["${TENANT}"],"lamport":1}`,
    `{"tenant_id":"${TENANT}","lamport":"1"}`,
    `{"tenant_id":"${TENANT}","lamport":-1}`,
    `{"tenant_id":"${TENANT}","lamport":1.5}`,
    `{"tenant_id":"${TENANT}","lamport":9007199254740992}`,
    `{"tenant_id":"${TENANT}","lamport":1e999}`,
    `{"tenant_id":"${TENANT}","access":"granted"}`,
    `{"tenant_id":"${TENANT}","access":"granted","lamport":1}`,
  ])('drops %s', (text) => {
    expect(parseSignal(text)).toBeUndefined();
  });

  it('ignores fields that a later version may add', () => {
    expect(parseSignal(`{"tenant_id":"${TENANT}","lamport":7,"colour":"green"}`)).toEqual({
      kind: 'GROWN',
      tenantId: TENANT,
      lamport: 7,
    });
  });
});
