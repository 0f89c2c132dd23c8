import type { Machine } from './machine.js';
import type { Spread } from './statistics.js';

export interface TargetOptions {
  /** Turns that service and bare store take for each figure. */
  readonly rounds: number;
  /** Of each turn of the service. */
  readonly seconds: number;
  /** Pushed to see whether memory grows. */
  readonly operations: number;
  /** In the log that is pulled from. */
  readonly events: number;
}

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** A figure, and what it is to be. */
export interface Target {
  readonly name: string;
  readonly aim: Aim;
  /** undefined if it could not be measured here. */
  readonly reached: number | undefined;
  /** Of `reached`, where it was taken round by round. */
  readonly spread?: Spread;
  /** What else there is to say, such as what it is a ratio of. */
  readonly note: string;
}

export interface TargetFindings {
  readonly machine: Machine;
  readonly targets: readonly Target[];
  /** What else there is to show of what was measured for them. */
  readonly table?: string;
  /** All that was measured for them. */
  readonly details: unknown;
}

/** undefined if there is no figure. */
export function isMet({ aim, reached }: Pick<Target, 'aim' | 'reached'>): boolean | undefined {
  if (reached === undefined) return undefined;
  return 'atLeast' in aim ? reached >= aim.atLeast : reached <= aim.atMost;
}

/** As a row of the table that `TARGET_HEADINGS` is the first of. */
export function targetRow(target: Target): string[] {
  const { name, aim, reached, spread, note } = target;
  const met = isMet(target);
  return [
    name,
    'atLeast' in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`,
    reached === undefined ? '?' : reached.toFixed(2),
    spread ? `${spread.min.toFixed(2)} to ${spread.max.toFixed(2)}` : '',
    met === undefined ? '' : met ? 'met' : 'NOT met',
    note,
  ];
}

export const TARGET_HEADINGS: readonly string[] = ['', 'aim', 'reached', 'least to most', '', ''];
