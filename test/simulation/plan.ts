import type { Crash } from './disk.js';
import type { Fate } from './network.js';
import { Random } from './random.js';
import type { Order } from './shop.js';

/** Of the business that is looked at; the neighbour has one more. */
export const OWN_DEVICES = 3;
const DEVICES = OWN_DEVICES + 1;
export const PRODUCTS = 3;

const DEEDS = [
  'RESTOCK',
  'SALE',
  'SALE',
  'SALE',
  'BASKET',
  'BASKET',
  'RESERVE',
  'CONFIRM',
  'CANCEL',
  'COUNT',
  'DAMAGE',
] as const;
export type Deed = (typeof DEEDS)[number];

/** One thing that happens. It has all its chances in it, so that steps can be left out without changing the others. */
export type Step =
  | {
      readonly does: 'record';
      readonly device: number;
      readonly deed: Deed;
      readonly product: number;
      readonly units: number;
      readonly isPaid: boolean;
      /** Which of what was recorded before it confirms or cancels. */
      readonly named: number;
    }
  | {
      readonly does: 'edit';
      readonly device: number;
      readonly product: number;
      readonly price: number;
      readonly isDeleted: boolean;
    }
  | { readonly does: 'pay'; readonly device: number; readonly amount: number; readonly terminal: number }
  | { readonly does: 'sync'; readonly device: number }
  | { readonly does: 'deliver'; readonly which: number; readonly fate: Fate }
  /** Everybody syncs, and all requests reach the servers at once. */
  | { readonly does: 'rush' }
  | ({ readonly does: 'crash'; readonly device: number } & Crash)
  | { readonly does: 'retry' | 'discard'; readonly device: number; readonly which: number }
  | { readonly does: 'revoke' | 'enrol' | 'renew' | 'import'; readonly device: number }
  | { readonly does: 'set-clock'; readonly device: number; readonly skewMinutes: number }
  | { readonly does: 'wait'; readonly minutes: number }
  | { readonly does: 'work' }
  | { readonly does: 'decide'; readonly which: number; readonly order: Order }
  | { readonly does: 'restart'; readonly server: number };

/** Each as often as its weight. */
const WEIGHTS: Readonly<Record<Step['does'], number>> = {
  record: 300,
  edit: 40,
  pay: 30,
  sync: 200,
  deliver: 550,
  rush: 0, // only where servers race
  crash: 40,
  retry: 20,
  discard: 10,
  revoke: 10,
  enrol: 20,
  renew: 10,
  import: 10,
  'set-clock': 10,
  wait: 50,
  work: 40,
  decide: 30,
  restart: 1, // takes as long as hundred others
};
const RACING_WEIGHTS: typeof WEIGHTS = { ...WEIGHTS, rush: 100 };

const SKEWS_MINUTES = [0, 0, 0, -90, 45, 600];

/** What a seed stands for. */
export interface Plan {
  readonly seed: number;
  /** Whether requests reach the servers at once at times: then their order is the database's, and no two runs are alike. */
  readonly isRacing: boolean;
  readonly conflictDetection: 'CONTENTION' | 'CONCURRENCY';
  /** Entries of a push and of a pull, at most. */
  readonly pageMax: number;
  readonly devices: readonly DevicePlan[];
  readonly steps: readonly Step[];
}

export interface DevicePlan {
  /** Minutes that its wall clock is off. */
  readonly skewMinutes: number;
  /** Whether it syncs by itself, too. */
  readonly isBackground: boolean;
}

export function planOf(seed: number, length: number): Plan {
  const random = new Random(seed);
  const isRacing = seed % 4 === 0;
  return {
    seed,
    isRacing,
    conflictDetection: random.pick(['CONTENTION', 'CONCURRENCY']),
    pageMax: random.pick([2, 5, 500]),
    devices: Array.from({ length: DEVICES }, () => ({
      skewMinutes: random.pick(SKEWS_MINUTES),
      isBackground: random.next() < 0.3,
    })),
    steps: Array.from({ length }, () => stepOf(random, random.weighed(isRacing ? RACING_WEIGHTS : WEIGHTS))),
  };
}

function stepOf(random: Random, does: Step['does']): Step {
  const device = random.below(DEVICES);
  const product = random.below(PRODUCTS);
  switch (does) {
    case 'record': {
      const [deed, units] = [random.pick(DEEDS), 1 + random.below(5)];
      return { does, device, deed, product, units, isPaid: random.next() < 0.6, named: random.below(30) };
    }
    case 'edit':
      return { does, device, product, price: random.below(100), isDeleted: random.next() < 0.15 };
    case 'pay':
      return { does, device, amount: random.below(100), terminal: random.below(4) };
    case 'deliver':
      return { does, which: random.below(100), fate: fateOf(random) };
    case 'crash':
      return random.next() < 0.5
        ? { does, device, call: 1 + random.below(16), of: 'CALLS', isDone: random.next() < 0.5 }
        : { does, device, call: 1 + random.below(3), of: 'WRITES', isDone: random.next() < 0.5 };
    case 'retry':
    case 'discard':
      return { does, device, which: random.below(5) };
    case 'set-clock':
      return { does, device, skewMinutes: random.pick(SKEWS_MINUTES) };
    case 'wait':
      return { does, minutes: random.pick([1, 2, 30, 300]) };
    case 'decide':
      return { does, which: random.below(10), order: random.pick(['A', 'B', 'BOTH', 'NEITHER']) };
    case 'sync':
    case 'revoke':
    case 'enrol':
    case 'renew':
    case 'import':
      return { does, device };
    case 'work':
    case 'rush':
      return { does };
    case 'restart':
      return { does, server: random.below(2) };
  }
}

/** Three in four arrive. */
function fateOf(random: Random): Fate {
  if (random.next() < 0.75) return 'DELIVERED';
  return random.pick<Fate>([
    'LOST',
    'DOUBLED',
    'CUT',
    'TRUNCATED',
    'PROXY_ERROR',
    { statement: 1 + random.below(24), isDone: random.next() < 0.5 },
  ]);
}
