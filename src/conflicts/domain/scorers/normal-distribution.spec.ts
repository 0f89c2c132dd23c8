import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalProbability } from './normal-distribution.js';

describe('normalProbability', () => {
  // As the tables have them.
  it.each([
    [0, 0.5],
    [0.1, 0.539827837277029],
    [0.5, 0.691462461274013],
    [1, 0.841344746068543],
    [1.959963984540054, 0.975],
    [3, 0.99865010196837],
    [4.5, 0.999996602326875],
    [Infinity, 1],
  ])('of %p is %p', (z, probability) => {
    expect(normalProbability(z)).toBeCloseTo(probability, 14);
    expect(normalProbability(-z)).toBeCloseTo(1 - probability, 14);
  });

  it('grows with z, and is a probability', () => {
    const zs = fc.double({ min: -40, max: 40, noNaN: true });
    fc.assert(
      fc.property(zs, zs, (one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)].map(normalProbability) as [number, number];
        expect(more - less).toBeGreaterThanOrEqual(-1e-14);
        expect(Math.abs(more - 0.5)).toBeLessThanOrEqual(0.5 + 1e-14);
      }),
    );
  });

  it('is no number of what is none', () => {
    expect(normalProbability(NaN)).toBeNaN();
  });
});
