import { expect, it } from '@jest/globals';
import { arrivalsMs } from './arrivals.js';
import { quantile } from './statistics.js';

it('pushes arrive in order, within their time, as often as asked for, and the same in every run', () => {
  const arrivals = arrivalsMs(50, 100, 7);
  expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
  expect(arrivals.at(-1)).toBeLessThan(100_000);
  expect(arrivals.length).toBeGreaterThan(4_700);
  expect(arrivals.length).toBeLessThan(5_300);
  expect(arrivalsMs(50, 100, 7)).toEqual(arrivals);
});

it('pushes arrive in bunches and gaps, as those of tills that know nothing of each other', () => {
  const arrivals = arrivalsMs(50, 100, 7);
  const gaps = arrivals.slice(1).map((arrival, index) => arrival - (arrivals[index] ?? 0));
  // Of an exponential distribution with a mean of 20 ms.
  expect(quantile(gaps, 0.5)).toBeCloseTo(20 * Math.LN2, -0.5);
  expect(quantile(gaps, 0.99)).toBeGreaterThan(75);
});
