import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gapConfidence } from './gap-confidence.js';

const curves = fc.record({
  most: fc.double({ min: 0.55, max: 0.999, noNaN: true }),
  halvedEvery: fc.integer({ min: 1, max: 100 }),
});

describe('gapConfidence', () => {
  it('starts at one half, and gives half of what is missing each time', () => {
    const curve = { most: 0.9, halvedEvery: 4 };
    expect([0, 4, 8, 12, 1_000, Infinity].map((gap) => gapConfidence(gap, curve))).toEqual([
      ...[0.5, 0.7, 0.8, 0.85],
      ...[0.9, 0.9],
    ]);
  });

  it('never falls as the gap grows, and never passes its bound', () => {
    fc.assert(
      fc.property(curves, fc.maxSafeNat(), fc.nat(200), (curve, gap, more) => {
        const confidence = gapConfidence(gap, curve);
        expect(gapConfidence(gap + more, curve)).toBeGreaterThanOrEqual(confidence);
        expect(confidence).toBeLessThanOrEqual(curve.most + 0.0001);
      }),
    );
  });
});
