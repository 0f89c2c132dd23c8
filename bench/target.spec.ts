import { describe, expect, it } from '@jest/globals';
import { isMet, TARGET_HEADINGS, targetRow } from './target.js';

describe('a target', () => {
  it.each([
    [{ atLeast: 0.5 }, 0.5, true],
    [{ atLeast: 0.5 }, 0.49, false],
    [{ atMost: 5 }, 5, true],
    [{ atMost: 5 }, 5.1, false],
    [{ atMost: 5 }, undefined, undefined],
  ])('of %j at %p is met: %p', (aim, reached, met) => {
    expect(isMet({ aim, reached })).toBe(met);
  });

  it('is a row under its headings, whether it was measured or not', () => {
    const spread = { median: 0.4, min: 0.31, max: 0.52 };
    expect(targetRow({ name: 'push', aim: { atLeast: 0.5 }, reached: 0.4, spread, note: 'over cte' })).toEqual([
      ...['push', '≥ 0.5', '0.40', '0.31 to 0.52', 'NOT met', 'over cte'],
    ]);
    const unknown = targetRow({ name: 'memory', aim: { atMost: 1.05 }, reached: undefined, note: 'no /proc' });
    expect(unknown).toEqual(['memory', '≤ 1.05', '?', '', '', 'no /proc']);
    expect(unknown).toHaveLength(TARGET_HEADINGS.length);
  });
});
