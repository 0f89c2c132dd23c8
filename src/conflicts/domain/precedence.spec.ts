import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CLAIM_SCORERS, ORDER_SCORERS } from './precedence.js';
import { LIKELY_MAX } from './weigh.js';
import { MIRROR } from './verdict.js';
import { contestants } from './scorers/contestants.fuzz.js';

/** They know, the others guess. */
const CERTAIN = ['knew-the-other', 'same-device'];

describe.each(CLAIM_SCORERS.map((scorer) => [scorer.name, scorer] as const))('%s', (name, { score }) => {
  const holds = (law: (...sides: Parameters<typeof score>) => void) => {
    fc.assert(fc.property(contestants, contestants, law), { numRuns: 2_000 });
  };

  it('says the same whichever side comes first', () => {
    holds((a, b) => {
      const forth = score(a, b);
      expect(score(b, a)).toEqual(forth && { ...forth, verdict: MIRROR[forth.verdict] });
    });
  });

  it('names one of the two, and is sure of it by one half at least; only what it knows is certain', () => {
    holds((a, b) => {
      const answer = score(a, b);
      if (!answer) return;
      expect(['A', 'B']).toContain(answer.verdict);
      if (CERTAIN.includes(name)) expect(answer.confidence).toBe(1);
      else {
        expect(answer.confidence).toBeGreaterThanOrEqual(0.5);
        expect(answer.confidence).toBeLessThanOrEqual(LIKELY_MAX);
      }
    });
  });

  it('gives its reason as one sentence that speaks of units and devices, never of lamports', () => {
    holds((a, b) => {
      const reason = score(a, b)?.reason;
      if (reason === undefined) return;
      expect(reason).toMatch(/^[A-Z][^.]*\.$/);
      expect(reason).not.toMatch(/lamport|base|undefined|null|NaN|Infinity/i);
    });
  });

  it('has nothing to say of two that are alike', () => {
    holds((a) => {
      expect(score(a, { ...a })).toBeUndefined();
    });
  });
});

describe('the lists', () => {
  it('ask first what is certain, and keep their names for ever', () => {
    expect(ORDER_SCORERS.map(({ name }) => name)).toEqual([...CERTAIN, 'earlier-lamport', 'earlier-wall-clock']);
    expect(CLAIM_SCORERS.map(({ name }) => name)).toEqual([
      ...[...CERTAIN, 'earlier-lamport', 'earlier-wall-clock'],
      'better-informed',
    ]);
  });
});
