import type { ValueTransformer } from 'typeorm';

/** pg returns numeric as text; an amount has at most 14 digits, which a double holds exactly enough to print back. */
export const amount: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};
