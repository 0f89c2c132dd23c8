import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MINUTE, NOON } from './scorers/contestants.fuzz.js';
import { correctedInstant } from './wall-clock.js';

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNMEASURED = { clockSkewMs: null };

describe('correctedInstant', () => {
  it('takes off what the clock is ahead, and is then a few seconds off at most', () => {
    const instant = correctedInstant(NOON + 10 * MINUTE, { clockSkewMs: 10 * MINUTE }, NOON + MINUTE);
    expect(instant?.ms).toBe(NOON);
    expect(instant?.uncertaintyMs).toBeCloseTo(2_000, 0);
  });

  it('adds what the clock is behind', () => {
    expect(correctedInstant(NOON, { clockSkewMs: -3 * HOUR }, NOON + DAY)?.ms).toBe(NOON + 3 * HOUR);
  });

  it('is less sure of a clock the longer it may have drifted: some 4 s a day', () => {
    const uncertainties = [0, 1, 7].map(
      (days) => correctedInstant(NOON - days * DAY, { clockSkewMs: 0 }, NOON)?.uncertaintyMs,
    );
    expect(uncertainties.map((ms) => Math.round((ms ?? NaN) / 100) / 10)).toEqual([2, 4.8, 30.3]);
  });

  it.each([[null], [NaN], [Infinity]])('believes a clock whose skew is %p by five minutes', (clockSkewMs) => {
    expect(correctedInstant(NOON, { clockSkewMs }, NOON + DAY)).toEqual({ ms: NOON, uncertaintyMs: 5 * MINUTE });
  });

  it('takes what would be later than its arrival as done then, and off by as much as that', () => {
    expect(correctedInstant(NOON + MINUTE, UNMEASURED, NOON)).toEqual({ ms: NOON, uncertaintyMs: 5 * MINUTE });
    expect(correctedInstant(NOON + 3 * HOUR, UNMEASURED, NOON)).toEqual({ ms: NOON, uncertaintyMs: 3 * HOUR });
    expect(correctedInstant(NOON + HOUR, { clockSkewMs: 0 }, NOON)).toEqual({ ms: NOON, uncertaintyMs: HOUR });
  });

  it('believes a device that was offline for a year, and no clock that stands at its first day', () => {
    expect(correctedInstant(NOON - 365 * DAY, UNMEASURED, NOON)).not.toBeNull();
    expect(correctedInstant(NOON - 365 * DAY - 1, UNMEASURED, NOON)).toBeNull();
    expect(correctedInstant(0, UNMEASURED, NOON)).toBeNull();
    expect(correctedInstant(Date.parse('0001-01-01T00:00:00Z'), UNMEASURED, NOON)).toBeNull();
    // …unless that is known of it.
    expect(correctedInstant(0, { clockSkewMs: -NOON }, NOON)?.ms).toBe(NOON);
  });

  it('knows nothing of the year 9999 but that it was recorded', () => {
    const instant = correctedInstant(Date.parse('9999-12-31T23:59:59.999Z'), UNMEASURED, NOON);
    expect(instant?.ms).toBe(NOON);
    expect(instant?.uncertaintyMs).toBeGreaterThan(7_000 * 365 * DAY);
  });

  it.each([
    ['is not said', null, NOON],
    ['is no time', NaN, NOON],
    ['never was', -Infinity, NOON],
    ['never will be', Infinity, NOON],
    ['was recorded nobody knows when', NOON, NaN],
  ])('has no time for what %s', (_what, said, recordedAt) => {
    expect(correctedInstant(said, { clockSkewMs: 0 }, recordedAt)).toBeNull();
  });

  it('is finite, no later than the arrival, and never certain, whatever is said', () => {
    const times = fc.oneof(
      fc.double(),
      fc.integer({ min: -9 * DAY, max: 9 * DAY }).map((ms) => NOON + ms),
    );
    fc.assert(
      fc.property(fc.option(times), fc.option(fc.oneof(fc.double(), fc.integer())), times, (said, skew, recordedAt) => {
        const instant = correctedInstant(said, { clockSkewMs: skew }, recordedAt);
        if (!instant) return;
        expect(instant.ms).toBeLessThanOrEqual(recordedAt);
        expect(Number.isFinite(instant.ms)).toBe(true);
        expect(instant.uncertaintyMs).toBeGreaterThanOrEqual(2_000);
        expect(Number.isFinite(instant.uncertaintyMs)).toBe(true);
      }),
    );
  });
});
