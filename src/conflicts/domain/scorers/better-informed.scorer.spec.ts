import { describe, expect, it } from '@jest/globals';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { betterInformed } from './better-informed.scorer.js';
import { aContestant } from './contestants.fuzz.js';

describe('betterInformed', () => {
  it.each([
    [1, 0.5064],
    [16, 0.575],
    [32, 0.6125],
    [10_000, 0.65],
  ])('believes the claim that was made knowing %p more by %p: not by much', (more, confidence) => {
    const one = aContestant({ base: 40 });
    const other = aContestant({ base: 40 + more, deviceId: deviceId(2), delta: 2 });
    expect(betterInformed.score(one, other)).toEqual({
      ...{ verdict: 'B', confidence },
      reason: `The sale of 2 units by device ${deviceId(2)} was made knowing more of what other devices had done.`,
    });
  });
});
