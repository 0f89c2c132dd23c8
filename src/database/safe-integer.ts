import type { ValueTransformer } from 'typeorm';

/**
 * pg returns bigint as text, since a double can't hold all of it. Lamports and effects stay within what it can.
 * @throws RangeError beyond 2^53 − 1: such a row was not written by this service.
 */
export function toSafeInteger(text: string | number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is no safe integer`);
  return value;
}

/** For bigint columns, null included. */
export const safeInteger: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : toSafeInteger(value)),
};
