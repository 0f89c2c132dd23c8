import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { aContestant, contestants } from './contestants.fuzz.js';
import { earlierLamport } from './earlier-lamport.scorer.js';

describe('earlierLamport', () => {
  it.each([
    [1, 0.5636],
    [4, 0.7],
    [8, 0.8],
    [20, 0.8875],
    [1_000, 0.9],
  ])('believes a gap of %p by %p', (gap, confidence) => {
    const earlier = aContestant({ clientLamport: 10, delta: 3 });
    const later = aContestant({ clientLamport: 10 + gap, deviceId: deviceId(2) });
    expect(earlierLamport.score(earlier, later)).toEqual({
      ...{ verdict: 'A', confidence },
      reason: `By how much each device had recorded until then, the sale of 3 units by device ${deviceId(1)} came first.`,
    });
  });

  it('looks at nothing but the own clocks of the devices', () => {
    fc.assert(
      fc.property(contestants, contestants, contestants, (a, b, other) => {
        const { clientLamport, deviceId: of, kind, reason, delta } = a;
        const alike = { ...other, clientLamport, deviceId: of, kind, reason, delta };
        expect(earlierLamport.score(alike, b)).toEqual(earlierLamport.score(a, b));
      }),
    );
  });
});
