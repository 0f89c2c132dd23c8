import { randomNumbers } from './workload.js';

/**
 * When pushes arrive that know nothing of each other: a Poisson process, the same in every run.
 * @returns milliseconds after the start, ascending, all before `seconds` are over
 */
export function arrivalsMs(perSecond: number, seconds: number, seed: number): number[] {
  const random = randomNumbers(seed);
  const arrivals: number[] = [];
  for (let at = 0; ;) {
    at += (-Math.log(1 - random()) / perSecond) * 1_000;
    if (at >= seconds * 1_000) return arrivals;
    arrivals.push(at);
  }
}
