import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PAYMENT_METHODS } from '../../../payments/domain/payment.js';
import type { Fields } from '../../../states/domain/state.js';
import { sameCharge } from './same-charge.scorer.js';

const CHARGE: Fields = {
  ...{ saleId: 'one', amount: 25_000, paymentMethod: 'POS_OFFLINE', posTransactionId: 'T-1', posDeviceId: null },
};

const payloads: fc.Arbitrary<Fields> = fc.record(
  {
    saleId: fc.constantFrom('one', 'two', null),
    amount: fc.oneof(fc.constantFrom<(number | string | null)[]>(10, -10, 0.1, 0, null, 'ten', NaN), fc.double()),
    paymentMethod: fc.constantFrom(...PAYMENT_METHODS),
    posTransactionId: fc.constant('T-1'),
    posDeviceId: fc.constantFrom('pos-1', 'pos-2', null),
  },
  { requiredKeys: [] },
);

describe('sameCharge', () => {
  it.each([
    ['the same again', {}, 'B', 0.9],
    ['the same for another sale', { saleId: 'two' }, 'B', 0.75],
    ['the same by another method', { paymentMethod: 'TRANSFER' }, 'B', 0.7],
    ['another amount for the same sale', { amount: 2_500 }, 'BOTH', 0.6],
    ['another amount for another sale', { amount: 2_500, saleId: 'two' }, 'BOTH', 0.7],
    ['a cent more', { amount: 25_000.01 }, 'BOTH', 0.6],
    ['the refund', { amount: -25_000 }, 'BOTH', 0.9],
    ['an amount that is missing', { amount: null }, 'BOTH', 0.5],
    ['an amount that is none', { amount: NaN }, 'BOTH', 0.5],
  ] as const)('of a charge and %s says what likely happened', (_what, fields, verdict, confidence) => {
    expect(sameCharge({ ...CHARGE, ...fields }, CHARGE)).toMatchObject({ verdict, confidence });
  });

  it('doubts that one number of two card terminals is one charge', () => {
    const [one, other] = [
      { ...CHARGE, posDeviceId: 'pos-1' },
      { ...CHARGE, posDeviceId: 'pos-2' },
    ];
    expect(sameCharge(one, other)).toMatchObject({ verdict: 'BOTH', confidence: 0.6 });
    expect(sameCharge(one, { ...other, amount: 1 })).toMatchObject({ verdict: 'BOTH', confidence: 0.9 });
    expect(sameCharge(one, CHARGE)).toMatchObject({ verdict: 'B', confidence: 0.9 });
  });

  it('compares money by the cent, not by what doubles make of it, and takes nothing for no refund', () => {
    expect(sameCharge({ ...CHARGE, amount: 0.1 + 0.2 }, { ...CHARGE, amount: 0.3 })).toMatchObject({ verdict: 'B' });
    expect(sameCharge({ ...CHARGE, amount: 0 }, { ...CHARGE, amount: 0 })).toMatchObject({ verdict: 'B' });
  });

  it('suggests that the first stands or both, whatever the payloads hold, and the same with the sides changed', () => {
    fc.assert(
      fc.property(payloads, payloads, (a, b) => {
        const answer = sameCharge(a, b);
        expect(sameCharge(b, a)).toEqual(answer);
        expect(['B', 'BOTH']).toContain(answer.verdict);
        expect(answer.confidence).toBeGreaterThanOrEqual(0.5);
        expect(answer.confidence).toBeLessThan(1);
      }),
    );
  });
});
