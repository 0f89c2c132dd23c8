import { describe, expect, it } from '@jest/globals';
import { bestForm, ratios } from './best-form.js';

describe('the best form of the bare store', () => {
  const steady = { connections: 1, rates: [10, 10, 10] };
  const lucky = { connections: 1, rates: [9, 9, 30] };
  const many = { connections: 8, rates: [12, 11, 13] };

  it('is the fastest in the middle of its rounds, not the one with the fastest round', () => {
    expect(bestForm([lucky, steady])).toBe(steady);
  });

  it('is one that takes no more connections than it may', () => {
    expect(bestForm([many, steady])).toBe(many);
    expect(bestForm([many, steady], 1)).toBe(steady);
    expect(() => bestForm([many], 1)).toThrow(RangeError);
  });

  it('is compared with round by round', () => {
    expect(ratios([5, 12, 26], many.rates)).toEqual([5 / 12, 12 / 11, 2]);
  });
});
