/** The middle of several measurements, and how far they lie apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: quantile(values, 0), max: quantile(values, 1) };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Interpolated between neighbours, so that the median of two is their mean.
 * @param fraction 0 for the least, 1 for the greatest
 * @throws RangeError without values: there is no such figure, and 0 would pass for one.
 */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError('There is no quantile of nothing');
  return below + (above - below) * (position - Math.floor(position));
}
