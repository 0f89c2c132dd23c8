import type { Machine } from './machine.js';
import type { Spread } from './statistics.js';

/** A figure without decimals, with its thousands set apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

export function range({ min, max }: Spread): string {
  return `${whole(min)} to ${whole(max)}`;
}

export function cpu(seconds: number | undefined): string {
  return seconds === undefined ? '?' : seconds.toFixed(3);
}

export function machineLine({ cores, node, postgres, fsyncMs }: Machine): string {
  return `${cores} cores, Node ${node}, PostgreSQL ${postgres}, fsync ${fsyncMs.toFixed(2)} ms`;
}
