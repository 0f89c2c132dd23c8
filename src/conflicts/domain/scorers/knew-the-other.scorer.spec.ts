import { describe, expect, it } from '@jest/globals';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { aContestant } from './contestants.fuzz.js';
import { knewTheOther } from './knew-the-other.scorer.js';

describe('knewTheOther', () => {
  const known = aContestant({ base: 0, lamport: 40, delta: 2 });
  const later = (base: number) => aContestant({ base, lamport: 60, deviceId: deviceId(2) });

  it('is certain that what a device knew of came first', () => {
    expect(knewTheOther.score(later(41), known)).toEqual({
      verdict: 'B',
      confidence: 1,
      reason:
        `The sale of 1 unit by device ${deviceId(2)} was recorded when ` +
        `the sale of 2 units by device ${deviceId(1)} was already known there.`,
    });
  });

  it('counts the last that it had applied as known, and the next as not', () => {
    expect(knewTheOther.score(later(40), known)).toMatchObject({ verdict: 'B' });
    expect(knewTheOther.score(later(39), known)).toBeUndefined();
  });

  it('believes neither of two that each claim to have known the other', () => {
    expect(knewTheOther.score(later(41), { ...known, base: 60 })).toBeUndefined();
  });
});
