import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { aContestant, afterNoon, MINUTE, NOON } from './contestants.fuzz.js';
import { earlierWallClock } from './earlier-wall-clock.scorer.js';

const at = (minutes: number, uncertaintyMs: number) => aContestant({ at: afterNoon(minutes, uncertaintyMs) });

describe('earlierWallClock', () => {
  it('believes the earlier time by the probability that clocks so uncertain would show it', () => {
    const earlier = aContestant({ delta: 3, at: afterNoon(0, 3 * MINUTE) });
    const later = aContestant({ deviceId: deviceId(2), at: afterNoon(5, 4 * MINUTE) });
    // Three and four minutes make five, so the gap is one standard deviation.
    expect(earlierWallClock.score(earlier, later)).toEqual({
      verdict: 'A',
      confidence: 0.8413,
      reason: `The sale of 3 units by device ${deviceId(1)} was made 5 minutes before the other, give or take 5 minutes.`,
    });
  });

  it.each([
    [40, 5 * MINUTE, 0.999],
    [14, 5 * MINUTE, 0.9761],
    [1, 5 * MINUTE, 0.5562],
    [1, 2_000, 0.999],
    [1 / 60, 2_000, 0.6382],
    [5, 0, 0.999],
    [5, Infinity, 0.5],
  ])('believes %p minutes between two clocks that are each %p ms off by %p', (minutes, uncertaintyMs, confidence) => {
    expect(earlierWallClock.score(at(minutes, uncertaintyMs), at(0, uncertaintyMs))).toMatchObject({
      ...{ verdict: 'B', confidence },
    });
  });

  it('has nothing to say if a time is not known, or both are the same', () => {
    const known = at(0, 2_000);
    const unknown = aContestant({ at: null });
    expect(earlierWallClock.score(known, unknown)).toBeUndefined();
    expect(earlierWallClock.score(unknown, known)).toBeUndefined();
    expect(earlierWallClock.score(known, at(0, 5 * MINUTE))).toBeUndefined();
    expect(earlierWallClock.score(at(0, 0), at(0, 0))).toBeUndefined();
    expect(earlierWallClock.score(at(NaN, 0), known)).toBeUndefined();
    expect(earlierWallClock.score(at(1, NaN), known)).toBeUndefined();
  });

  it('is never less sure of a wider gap, nor surer for being less certain of the clocks', () => {
    const gaps = fc.integer({ min: 1, max: 60 * MINUTE });
    const uncertainties = fc.nat(10 * MINUTE);
    fc.assert(
      fc.property(gaps, fc.nat(MINUTE), uncertainties, fc.nat(MINUTE), (gap, more, uncertaintyMs, less) => {
        const confidenceOf = (ms: number, unsure: number) =>
          earlierWallClock.score(
            aContestant({ at: { ms: NOON, uncertaintyMs } }),
            aContestant({ at: { ms: NOON + ms, uncertaintyMs: unsure } }),
          )?.confidence ?? 0;
        const confidence = confidenceOf(gap, uncertaintyMs);
        expect(confidenceOf(gap + more, uncertaintyMs)).toBeGreaterThanOrEqual(confidence);
        expect(confidenceOf(gap, uncertaintyMs + less)).toBeLessThanOrEqual(confidence);
      }),
    );
  });
});
