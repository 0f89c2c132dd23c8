import fc from 'fast-check';
import { deviceId, operationId } from '../../../../test/support/arbitraries.js';
import { OPERATION_REASONS } from '../../../inventory/domain/operation.js';
import { EVENT_KINDS, SERVER_ID } from '../../../inventory/domain/stock-event.js';
import type { Contestant, Instant } from '../scorer.js';

/** The sale of one unit by the first device, who knows when, unless the test says otherwise. */
export function aContestant(fields: Partial<Contestant> = {}): Contestant {
  return {
    ...{
      id: operationId(1),
      deviceId: deviceId(1),
      kind: 'DECREMENT',
      reason: 'SALE',
      paymentStatus: 'PAID',
      delta: 1,
    },
    ...{ clientLamport: 10, base: 0, lamport: 100, at: null },
    ...fields,
  };
}

export const MINUTE = 60_000;
/** Of 1 March 2026. */
export const NOON = 1_772_366_400_000;

/** So many minutes after noon. */
export function afterNoon(minutes: number, uncertaintyMs = 2_000): Instant {
  return { ms: NOON + minutes * MINUTE, uncertaintyMs };
}

// Few of everything, so that two often are equal, and now and then the widest there is.
const lamports = fc.oneof(fc.nat(12), fc.nat(12), fc.maxSafeNat());
export const instants: fc.Arbitrary<Instant> = fc.record({
  ms: fc.oneof(
    fc.integer({ min: -5, max: 5 }).map((minutes) => NOON + minutes * MINUTE),
    fc.maxSafeInteger(),
  ),
  uncertaintyMs: fc.oneof(fc.nat(10 * MINUTE), fc.constantFrom(0, 1e15)),
});

/** Any at all, also such as can't be. */
export const contestants: fc.Arbitrary<Contestant> = fc.record({
  id: fc.nat(1_000_000).map(operationId),
  deviceId: fc.oneof(fc.nat(2).map(deviceId), fc.constant(SERVER_ID)),
  kind: fc.constantFrom(...EVENT_KINDS, 'DELETE' as const),
  reason: fc.option(fc.constantFrom(...OPERATION_REASONS)),
  paymentStatus: fc.constantFrom('PAID', 'PENDING', null),
  delta: fc.nat(50),
  clientLamport: lamports,
  base: lamports,
  lamport: lamports,
  at: fc.option(instants),
});
