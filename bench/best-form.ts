import { median } from './statistics.js';

/** One way to write, and how fast it was in each round. */
export interface MeasuredWay {
  readonly connections: number;
  readonly rates: readonly number[];
}

/**
 * The fastest in the middle of its rounds, of those that use at most so many connections: chosen once for all rounds, since
 * the fastest of each single round would be a limit that nothing reaches.
 * @throws RangeError if there is none
 */
export function bestForm<T extends MeasuredWay>(ways: readonly T[], connectionsMax = Infinity): T {
  const [first, ...rest] = ways.filter((way) => way.connections <= connectionsMax);
  if (first === undefined) throw new RangeError('There is no best of nothing');
  return rest.reduce((best, way) => (median(way.rates) > median(best.rates) ? way : best), first);
}

/** Round by round: what is slow for both sides is slow in neither's favour. */
export function ratios(rates: readonly number[], limits: readonly number[]): number[] {
  return rates.map((rate, round) => rate / (limits[round] ?? NaN));
}
