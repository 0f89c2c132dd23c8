import type { Contestant } from '../scorer.js';

/** What was done and by whom, as the shop would say it, without an article: "sale of 3 units by device …". */
export function describe(contestant: Contestant): string {
  switch (contestant.kind) {
    case 'VOID':
      return `taking back of ${units(contestant.delta)}`;
    case 'RELEASE':
      return `release of ${units(contestant.delta)}`;
    case 'DELETE':
      return `deletion of the product by device ${contestant.deviceId}`;
    case 'SET':
    case 'INCREMENT':
    case 'DECREMENT':
      return `${deed(contestant)} of ${units(contestant.delta)} by device ${contestant.deviceId}`;
  }
}

export function units(count: number): string {
  return counted(count, 'unit');
}

/** A span of time, as exact as people need it. */
export function duration(ms: number): string {
  if (ms < 1_000) return 'less than a second';
  for (const [unit, unitMs, unitsMax] of UNITS_OF_TIME) {
    const count = Math.round(ms / unitMs);
    if (count < unitsMax) return counted(count, unit);
  }
  return counted(Math.round(ms / DAY_MS), 'day');
}

const DAY_MS = 24 * 3_600_000;
const UNITS_OF_TIME = [
  ['second', 1_000, 90],
  ['minute', 60_000, 90],
  ['hour', 3_600_000, 36],
] as const;

function deed({ kind, reason }: Pick<Contestant, 'kind' | 'reason'>): string {
  if (kind === 'SET') return 'count';
  if (reason === 'CANCEL') return 'cancellation';
  if (kind === 'INCREMENT') return reason === 'RESTOCK' ? 'restock' : 'addition';
  if (reason === 'SALE') return 'sale';
  if (reason === 'RESERVATION') return 'reservation';
  return reason === 'DAMAGE' ? 'loss' : 'removal';
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
