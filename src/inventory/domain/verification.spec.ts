import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aPush, aRestock, aSale, deviceId, operationId, productId, TENANT } from '../../../test/support/arbitraries.js';
import { PushLog } from '../../../test/support/push-log.js';
import { lapse } from './lapse.js';
import type { StockLevel } from './ledger.js';
import { INT4_MAX, OPERATION_KINDS, OPERATION_REASONS, PAYMENT_STATUSES } from './operation.js';
import { mendLevels } from './rebuild.js';
import { type Difference, type LoggedEvent, Verification } from './verification.js';

const START = Date.parse('2026-03-01T09:00:00Z');

/** All that a verification reads. */
interface Ledger {
  readonly events: readonly LoggedEvent[];
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly clock: PushLog['clock'];
}

function verify({ events, levels, clock }: Ledger): Difference[] {
  const verification = new Verification(TENANT);
  return [
    ...events.flatMap((event) => verification.check(event)),
    ...[...levels].flatMap(([product, level]) => verification.checkLevel(product, level)),
    ...verification.missingLevels(),
    ...verification.checkClock(clock),
  ];
}

/** The ledger that is behind a log, with three events recorded at a time. */
function ledgerOf(log: PushLog): Ledger {
  const known = new Map(log.events.map((event) => [event.operationId, event]));
  const events = log.events.map((event, index) => ({
    ...event,
    syncedAt: START + Math.floor(index / 3) * 1_000,
    decided: event.kind === 'VOID' || event.kind === 'RELEASE' ? (known.get(event.refOperationId ?? '') ?? null) : null,
  }));
  return {
    events,
    levels: new Map(log.levels),
    clock: { ...log.clock, recordedAt: events.at(-1)?.syncedAt ?? -Infinity },
  };
}

type Step =
  | { readonly what: 'lapse'; readonly back: number }
  | {
      readonly what: 'operation';
      readonly fields: Partial<Parameters<typeof aSale>[0]> & { readonly delta: number };
      /** So many operations ago is the one that it names. */
      readonly back: number | null;
    };

/** What a shop does with reservations, and anything at all. */
const intents = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: 'INCREMENT', reason: 'RESTOCK' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'DECREMENT', reason: 'RESERVATION' } as const) },
  { weight: 3, arbitrary: fc.constant({ kind: 'DECREMENT', reason: 'SALE' } as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'INCREMENT', reason: 'CANCEL' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom(...OPERATION_KINDS), reason: fc.constantFrom(...OPERATION_REASONS) }),
  },
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('lapse' as const), back: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 8,
    arbitrary: fc
      .record({
        intent: intents,
        productId: fc.constantFrom(1, 1, 1, 2).map(productId),
        deviceId: fc.constantFrom(1, 2).map(deviceId),
        delta: fc.oneof(
          { weight: 40, arbitrary: fc.integer({ min: 1, max: 4 }) },
          { weight: 1, arbitrary: fc.constant(INT4_MAX) },
        ),
        paymentStatus: fc.constantFrom(null, ...PAYMENT_STATUSES, 'PAID' as const),
        amount: fc.constantFrom(null, 12.5),
        createdAt: fc.constantFrom(null, '2026-03-01T08:59:59.120Z'),
        back: fc.constantFrom(null, 0, 0, 1, 1, 2, 3),
      })
      .map(({ intent, back, ...fields }) => ({ what: 'operation' as const, fields: { ...fields, ...intent }, back })),
  },
);

/** Logs as pushes and lapsing reservations make them: counts, receipts, sales, reservations that are sold, cancelled or lapse. */
const logs: fc.Arbitrary<PushLog> = fc.array(steps, { minLength: 1, maxLength: 25 }).map((taken) => {
  const log = new PushLog();
  for (const [index, step] of taken.entries()) {
    if (step.what === 'lapse') letLapse(log, operationId(index - step.back));
    else {
      const refOperationId = step.back === null ? null : operationId(index - 1 - step.back);
      const operation = aSale({
        ...step.fields,
        operationId: operationId(index),
        clientLamport: index,
        refOperationId,
      });
      log.push(aPush([operation], { deviceId: operation.deviceId }));
    }
  }
  return log;
});

function letLapse(log: PushLog, reservationId: string): void {
  const { references } = log.contextFor(aPush([aSale({ refOperationId: reservationId })]));
  const lapsed = lapse(TENANT, log.clock, [...references.values()], log.levels);
  log.events.push(...lapsed.events);
  for (const [product, level] of lapsed.levels) log.levels.set(product, level);
  log.clock = lapsed.clock;
}

const ledgers = logs.map(ledgerOf).filter(({ events }) => events.length > 0);

/** The event at a place that is there. */
function at(events: readonly LoggedEvent[], index: number): LoggedEvent {
  const event = events[index];
  if (event === undefined) throw new Error(`No event ${index}`);
  return event;
}

function replaced<T>(items: readonly T[], index: number, change: (item: T) => T): T[] {
  return items.map((item, place) => (place === index ? change(item) : item));
}

const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 7 ? byte ^ 1 : byte));

/** One field changed to another value that it can have. What it says is covered by the content hash. */
const SAID = {
  operationId: () => operationId(4_711),
  productId: (event: LoggedEvent) => productId(event.productId === productId(1) ? 2 : 1),
  deviceId: () => deviceId(7),
  deviceType: () => 'WEB',
  kind: (event: LoggedEvent) => (event.kind === 'INCREMENT' ? 'DECREMENT' : 'INCREMENT'),
  delta: (event: LoggedEvent) => event.delta + 1,
  reason: (event: LoggedEvent) => (event.reason === 'DAMAGE' ? 'COUNT' : 'DAMAGE'),
  paymentStatus: (event: LoggedEvent) => (event.paymentStatus === 'PAID' ? null : 'PAID'),
  amount: (event: LoggedEvent) => (event.amount === null ? 0 : event.amount + 0.01),
  locationLat: () => -33.4,
  locationLng: () => NaN,
  clientLamport: (event: LoggedEvent) => event.clientLamport + 1,
  baseLamport: () => 3,
  version: () => 2,
  groupId: () => operationId(8),
  refOperationId: (event: LoggedEvent) => (event.refOperationId === null ? operationId(1) : null),
  expiresAt: () => '2026-03-02T00:00:00.000Z',
  createdAt: (event: LoggedEvent) => (event.createdAt === null ? '2026-03-01T08:59:59.120Z' : null),
  createdBy: () => deviceId(9),
  updatedBy: () => deviceId(9),
} as const;

/** What the server made of it. */
const MADE = {
  effect: (event: LoggedEvent) => event.effect + 1,
  stockAfter: (event: LoggedEvent) => event.stockAfter - 3,
  contentHash: (event: LoggedEvent) => flipped(event.contentHash),
  chainHash: (event: LoggedEvent) => flipped(event.chainHash),
} as const;

const tampered = (event: LoggedEvent, field: string, value: unknown): LoggedEvent => ({ ...event, [field]: value });

const indexes = fc.nat();

describe('a verification', () => {
  it('finds nothing in a log that pushes and lapsing reservations made', () => {
    fc.assert(
      fc.property(logs.map(ledgerOf), (ledger) => {
        expect(verify(ledger)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('has seen reservations that were sold, cancelled and lapsed, and cancellations of lapsed ones', () => {
    const seen = new Set<string>();
    for (const log of fc.sample(logs, { numRuns: 200, seed: 7 })) {
      for (const event of log.events) {
        const named = log.events.find(({ operationId: id }) => id === event.refOperationId);
        if (named?.reason === 'RESERVATION') seen.add(`${event.kind} ${event.reason} ${Math.sign(event.effect)}`);
      }
    }
    const expected = ['DECREMENT SALE 0', 'DECREMENT SALE -1', 'DECREMENT SALE 1', 'INCREMENT CANCEL 0'];
    expect([...seen]).toEqual(expect.arrayContaining([...expected, 'INCREMENT CANCEL 1', 'VOID RESERVATION 1']));
  });

  it.each(Object.entries(SAID))('names the event when its %s was changed', (field, change) => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const events = replaced(ledger.events, index, (event) => tampered(event, field, change(event)));
        const before = at(ledger.events, index);
        fc.pre(change(before) !== before[field as keyof LoggedEvent]);
        const [first, ...others] = verify({ ...ledger, events });
        expect(first).toMatchObject({ kind: 'CONTENT', field: 'contentHash', lamport: events[index]?.lamport });
        // What another product, a reservation or the baseline has to do with it may not fit any more, here and there.
        const farReaching = ['productId', 'operationId', 'kind', 'reason', 'refOperationId'].includes(field);
        expect(others.length).toBeLessThanOrEqual(farReaching ? 6 : 0);
      }),
      { numRuns: 50 },
    );
  });

  it.each(Object.entries(MADE))('names %s, and nothing else, when it was changed', (field, change) => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const events = replaced(ledger.events, index, (event) => tampered(event, field, change(event)));
        const { lamport, operationId: id, productId: product } = at(events, index);
        expect(verify({ ...ledger, events })).toEqual([
          expect.objectContaining({ lamport, operationId: id, productId: product, field }),
        ]);
      }),
    );
  });

  it('says what should stand where something was changed', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(10, { operationId: operationId(1) }), aSale({ operationId: operationId(2), delta: 3 })]));
    const ledger = ledgerOf(log);
    const events = replaced(ledger.events, 1, (event) => ({ ...event, effect: -4 }));
    expect(verify({ ...ledger, events })).toEqual([
      {
        ...{ kind: 'EFFECT', lamport: 3, operationId: operationId(2), productId: productId(1) },
        ...{ field: 'effect', expected: -3, found: -4 },
      },
    ]);
  });

  it('names an effect and its balance as one when they were changed together', () => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const events = replaced(ledger.events, index, (event) => ({
          ...event,
          effect: event.effect + 1,
          stockAfter: event.stockAfter + 1,
        }));
        const found = verify({ ...ledger, events });
        expect(found).toEqual([expect.objectContaining({ kind: 'EFFECT', lamport: events[index]?.lamport })]);
      }),
    );
  });

  it('asks what effect it should have even of an event whose content hash was changed, if the chain vouches for the content', () => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const events = replaced(ledger.events, index, (event) => ({
          ...event,
          effect: event.effect + 1,
          contentHash: flipped(event.contentHash),
        }));
        expect(verify({ ...ledger, events }).map(({ kind }) => kind)).toEqual(['CONTENT', 'EFFECT']);
      }),
    );
  });

  it('names a disposition that was changed of an event that had an effect', () => {
    fc.assert(
      fc.property(
        ledgers,
        indexes,
        fc.constantFrom('HELD' as const, 'VOIDED' as const),
        (ledger, chosen, disposition) => {
          const index = chosen % ledger.events.length;
          fc.pre(ledger.events[index]?.effect !== 0);
          const events = replaced(ledger.events, index, (event) => ({ ...event, disposition }));
          expect(verify({ ...ledger, events })).toContainEqual(
            expect.objectContaining({ kind: 'EFFECT', expected: 0, lamport: events[index]?.lamport }),
          );
        },
      ),
    );
  });

  it('names a time that runs backwards', () => {
    fc.assert(
      fc.property(ledgers, indexes, fc.constantFrom(-1_000_000, 1_000_000, NaN), (ledger, chosen, shift) => {
        const index = chosen % ledger.events.length;
        fc.pre(!(index === 0 && shift < 0)); // it is after nothing
        const events = replaced(ledger.events, index, (event) => ({ ...event, syncedAt: event.syncedAt + shift }));
        const found = verify({ ...ledger, events });
        expect(found.length).toBeGreaterThanOrEqual(1);
        expect(found.every(({ kind, field }) => kind === 'TIME' || field === 'recordedAt')).toBe(true);
      }),
    );
  });

  it('names where an event is missing, once for the chain and once for the product', () => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const events = ledger.events.filter((_, place) => place !== index);
        const gone = at(ledger.events, index);
        const found = verify({ ...ledger, events });
        const after = events[index];
        expect(found).toContainEqual(
          after
            ? expect.objectContaining({ kind: 'CHAIN', lamport: after.lamport })
            : expect.objectContaining({ kind: 'CLOCK', field: 'chainHash' }),
        );
        // However much comes after it. More only where others name it: what confirmed or cancelled a reservation.
        const named = ledger.events.filter(({ refOperationId }) => refOperationId === gone.operationId).length;
        expect(found.length).toBeLessThanOrEqual(4 + 3 * named);
      }),
    );
  });

  it('names a doubled event and events that changed places', () => {
    fc.assert(
      fc.property(ledgers, indexes, (ledger, chosen) => {
        const index = chosen % ledger.events.length;
        const doubled = ledger.events.flatMap((event, place) => (place === index ? [event, event] : [event]));
        expect(verify({ ...ledger, events: doubled })[0]).toMatchObject({
          lamport: ledger.events[index]?.lamport,
          kind: 'CHAIN',
        });
        const [here, next] = ledger.events.slice(index, index + 2);
        fc.pre(here !== undefined && next !== undefined);
        const swapped = ledger.events.map((event, place) =>
          place === index
            ? { ...next, lamport: event.lamport }
            : place === index + 1
              ? { ...here, lamport: event.lamport }
              : event,
        );
        const found = verify({ ...ledger, events: swapped });
        expect(found).toContainEqual(expect.objectContaining({ kind: 'CHAIN', lamport: here.lamport }));
      }),
    );
  });

  it('names a lamport that is not after the one before it, or not after what the device had seen', () => {
    const log = new PushLog();
    log.push(
      aPush([aRestock(5, { operationId: operationId(1), clientLamport: 7 }), aSale({ operationId: operationId(2) })]),
    );
    const ledger = ledgerOf(log);
    expect(ledger.events.map(({ lamport }) => lamport)).toEqual([8, 9]);
    const found = (lamports: readonly number[]): Difference[] =>
      verify({
        ...ledger,
        events: ledger.events.map((event, index) => ({ ...event, lamport: lamports[index] ?? 0 })),
        levels: new Map(
          [...ledger.levels].map(([product, level]) => [product, { ...level, lastLamport: lamports[1] ?? 0 }]),
        ),
      });
    expect(found([9, 9])).toEqual([expect.objectContaining({ kind: 'ORDER', lamport: 9, expected: 10, found: 9 })]);
    expect(found([7, 9])).toEqual([expect.objectContaining({ kind: 'ORDER', lamport: 7, expected: 8, found: 7 })]);
    expect(found([8, 10])).toEqual([
      expect.objectContaining({ kind: 'CLOCK', field: 'lamport', expected: 10, found: 9 }),
    ]);
  });

  it('goes on after a lost event, however many come after it', () => {
    const log = new PushLog();
    const sales = Array.from({ length: 200 }, (_, index) => aSale({ operationId: operationId(index + 2), delta: 2 }));
    log.push(aPush([aRestock(1_000, { operationId: operationId(1) }), ...sales]));
    const ledger = ledgerOf(log);
    const events = ledger.events.filter((_, index) => index !== 100);
    const place = { lamport: events[100]?.lamport };
    expect(verify({ ...ledger, events })).toEqual([
      expect.objectContaining({ kind: 'CHAIN', ...place }),
      expect.objectContaining({ kind: 'BALANCE', ...place, expected: 800, found: 798 }),
    ]);
  });

  it.each([
    ['quantity', (level: StockLevel) => ({ ...level, quantity: level.quantity + 1 })],
    ['tracked', (level: StockLevel) => ({ ...level, tracked: !level.tracked })],
    ['lastLamport', (level: StockLevel) => ({ ...level, lastLamport: level.lastLamport - 1 })],
  ] as const)('names the %s of a level that was changed, and nothing else', (field, change) => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        const [[product, level] = ['', undefined]] = ledger.levels;
        fc.pre(level !== undefined);
        const levels = new Map(ledger.levels).set(product, change(level));
        expect(verify({ ...ledger, levels })).toEqual([
          {
            ...{ kind: 'LEVEL', lamport: null, operationId: null, productId: product, field },
            ...{ expected: level[field], found: change(level)[field] },
          },
        ]);
      }),
    );
  });

  it('names a level that is missing and one that no event accounts for, but for one that says nothing', () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        const [[product, level] = ['', undefined], ...others] = ledger.levels;
        fc.pre(level !== undefined);
        expect(verify({ ...ledger, levels: new Map(others) })).toEqual([
          expect.objectContaining({ kind: 'LEVEL_MISSING', productId: product, expected: level.quantity, found: null }),
        ]);
        const more = (extra: StockLevel): Ledger => ({
          ...ledger,
          levels: new Map(ledger.levels).set(productId(9), extra),
        });
        expect(verify(more({ quantity: 0, tracked: false, lastLamport: 0 }))).toEqual([]);
        expect(verify(more({ quantity: 0, tracked: true, lastLamport: 0 }))).toEqual([
          expect.objectContaining({ kind: 'LEVEL_SURPLUS', productId: productId(9), expected: null, found: 0 }),
        ]);
      }),
    );
  });

  it('names a clock that is behind its log or has another chain, and takes one that is ahead', () => {
    fc.assert(
      fc.property(ledgers, (ledger) => {
        const { clock, events } = ledger;
        const last = at(events, events.length - 1);
        const withClock = (fields: Partial<Ledger['clock']>): Difference[] =>
          verify({ ...ledger, clock: { ...clock, ...fields } });
        expect(withClock({ lamport: last.lamport + 5, recordedAt: last.syncedAt + 5 })).toEqual([]);
        expect(withClock({ recordedAt: -Infinity })).toEqual([]);
        expect(withClock({ lamport: last.lamport - 1 })).toMatchObject([{ kind: 'CLOCK', field: 'lamport' }]);
        expect(withClock({ chainHash: flipped(clock.chainHash) })).toMatchObject([
          { kind: 'CLOCK', field: 'chainHash' },
        ]);
        expect(withClock({ recordedAt: last.syncedAt - 1 })).toMatchObject([{ kind: 'CLOCK', field: 'recordedAt' }]);
      }),
    );
  });
});

describe('a rebuild', () => {
  const levels = fc.record({
    quantity: fc.integer({ min: -9, max: 9 }),
    tracked: fc.boolean(),
    lastLamport: fc.nat({ max: 9 }),
  });
  const planted = fc.array(fc.tuple(fc.constantFrom(1, 2, 3).map(productId), fc.option(levels)), { maxLength: 3 });

  /** As the database sums them up. */
  function totals(events: readonly LoggedEvent[]): Map<string, StockLevel> {
    const found = new Map<string, StockLevel>();
    for (const { productId: product, effect, kind, lamport, disposition, decided } of events) {
      const before = found.get(product);
      const took = kind === 'RELEASE' ? decided : disposition === 'APPLIED' ? kind : null;
      const tracked = (before?.tracked ?? false) || took === 'INCREMENT' || took === 'SET';
      found.set(product, { quantity: (before?.quantity ?? 0) + effect, tracked, lastLamport: lamport });
    }
    return found;
  }

  it('makes every level one that a verification finds right, even where effects were changed', () => {
    fc.assert(
      fc.property(ledgers, planted, indexes, indexes, fc.constantFrom(0, 1), (ledger, plants, chosen, cut, shift) => {
        const index = chosen % ledger.events.length;
        const events = replaced(ledger.events, index, (event) => ({ ...event, effect: event.effect + shift }));
        const stored = new Map(ledger.levels);
        for (const [product, level] of plants) {
          if (level) stored.set(product, level);
          else stored.delete(product);
        }
        const head = cut % events.length;
        const products = [1, 2, 3].map(productId);
        const mending = mendLevels(products, totals(events.slice(0, head)), totals(events.slice(head)), stored);
        fc.pre(mending.outOfRange.length === 0);
        const mended = new Map([...stored, ...mending.levels]);
        expect(verify({ ...ledger, events, levels: mended }).filter(({ kind }) => kind.startsWith('LEVEL'))).toEqual(
          [],
        );
        expect(mendLevels(products, totals(events), new Map(), mended).levels.size).toBe(0);
      }),
    );
  });

  it('writes only what differs', () => {
    const right = { quantity: 5, tracked: true, lastLamport: 3 };
    const wrong = { ...right, quantity: 6 };
    const both = new Map([
      [productId(1), right],
      [productId(2), right],
    ]);
    const stored = new Map(both).set(productId(2), wrong);
    expect(mendLevels([...both.keys()], both, new Map(), stored).levels).toEqual(new Map([[productId(2), right]]));
  });

  it('leaves a product alone whose effects come to more than stock can be, and says so', () => {
    const huge = new Map([[productId(1), { quantity: INT4_MAX + 1, tracked: true, lastLamport: 3 }]]);
    expect(mendLevels([productId(1)], huge, new Map(), new Map())).toEqual({
      levels: new Map(),
      outOfRange: [productId(1)],
    });
  });
});
