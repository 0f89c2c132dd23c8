import { BenchmarkError } from './environment.js';

/**
 * The value of an option that counts something.
 * @throws BenchmarkError with the usage if it is no whole number from `min` to `max`.
 */
export function wholeNumber(option: string, text: string, max: number, usage: string, min = 1): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new BenchmarkError(`${option} must be a whole number from ${min} to ${max}.\n\n${usage}`);
}
