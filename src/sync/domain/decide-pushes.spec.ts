import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aPush, aRestock, aSale, deviceId, operationId, productId } from '../../../test/support/arbitraries.js';
import { PushLog } from '../../../test/support/push-log.js';
import {
  aPaymentEdit,
  aPaymentEntry,
  aProductEdit,
  aProductEntry,
  mixedHistories,
  type MixedPush,
  paymentId,
} from '../../../test/support/state-arbitraries.js';
import { MIXED_HISTORIES } from '../../../test/regressions/mixed-histories.js';
import type { Operation } from '../../inventory/domain/operation.js';
import { DEFAULT_SETTINGS, type TenantSettings } from '../../tenancy/domain/tenant-settings.js';
import type { PushPlan } from './decide-push.js';
import { decidePushes, joined, type ReadPush } from './decide-pushes.js';
import type { PushCommand } from './push-command.js';
import type { LogReading, PushContext } from './push-context.js';

type Asked = Pick<MixedPush, 'command' | 'clockSkewMs' | 'lastPulledLamport'>;

/** What is read once for all of them: together, what each of them alone would read. */
function readTogether(
  log: PushLog,
  pushes: readonly Asked[],
): { readonly reads: readonly ReadPush[]; readonly reading: LogReading } {
  const contexts = pushes.map((push) => log.contextFor(push.command, push.clockSkewMs, push.lastPulledLamport));
  const union = <K extends keyof PushContext>(name: K): PushContext[K] =>
    new Map(
      contexts.flatMap((context) => [...(context[name] as ReadonlyMap<string, unknown>)]),
    ) as unknown as PushContext[K];
  return {
    reads: contexts.map(({ rivals, usedLamports, lastPulledLamport, clockSkewMs }, index) => ({
      command: pushes[index]?.command ?? aPush([]),
      own: { rivals, usedLamports, lastPulledLamport, clockSkewMs },
    })),
    reading: {
      clock: log.clock,
      settings: log.settings,
      known: union('known'),
      appended: union('appended'),
      references: union('references'),
      levels: union('levels'),
      catalogue: union('catalogue'),
      products: union('products'),
      payments: union('payments'),
      skuHolders: union('skuHolders'),
      posHolders: union('posHolders'),
      knownEdits: union('knownEdits'),
      knownConflicts: union('knownConflicts'),
      bases: union('bases'),
    },
  };
}

/** Pushes them as the service does: together as far as what was read is good for, and then what is left, read again. */
function pushTogether(
  log: PushLog,
  pushes: readonly Asked[],
): { readonly plans: PushPlan[]; readonly readings: number } {
  const plans: PushPlan[] = [];
  let readings = 0;
  while (plans.length < pushes.length) {
    const { reads, reading } = readTogether(log, pushes.slice(plans.length));
    const decided = decidePushes(reads, reading).map(({ plan }) => plan);
    const [first, ...rest] = decided;
    if (!first) throw new Error('One at least is decided');
    log.record(joined([first, ...rest]));
    plans.push(...decided);
    readings++;
  }
  return { plans, readings };
}

function pushApart(log: PushLog, pushes: readonly Asked[]): PushPlan[] {
  return pushes.map((push) => log.push(push.command, push.clockSkewMs, push.lastPulledLamport));
}

const contentsOf = (log: PushLog): unknown => ({
  ...{ events: log.events, versions: log.versions, conflicts: log.conflicts, clock: log.clock },
  ...{ levels: new Map(log.levels), products: new Map(log.products), payments: new Map(log.payments) },
});

/** `toEqual`, which takes milliseconds where hashes are compared, only to show what differs. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

describe.each<TenantSettings['conflictDetection']>(['CONTENTION', 'CONCURRENCY'])(
  'decidePushes, where conflicts are told by %s',
  (conflictDetection) => {
    const settings = { ...DEFAULT_SETTINGS, conflictDetection };
    const seen = { pushes: 0, readings: 0, groups: 0 };

    it('comes to what the pushes come to one after the other, however they are put together', () => {
      fc.assert(
        fc.property(mixedHistories, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }), (history, sizes) => {
          const [together, apart] = [new PushLog(new Set(), settings), new PushLog(new Set(), settings)];
          for (let from = 0, turn = 0; from < history.length; turn++) {
            const group = history.slice(from, (from += sizes[turn % sizes.length] ?? 1));
            const { plans, readings } = pushTogether(together, group);
            expectSame(
              plans.map(({ outcomes }) => outcomes),
              pushApart(apart, group).map(({ outcomes }) => outcomes),
            );
            expectSame(contentsOf(together), contentsOf(apart));
            seen.pushes += group.length;
            seen.readings += readings;
            seen.groups++;
          }
        }),
        { numRuns: 200, examples: MIXED_HISTORIES.map((history) => [history, [3]]) },
      );
    });

    // Or the law would hold of nothing.
    afterAll(() => {
      expect(seen.groups).toBeLessThan(seen.readings);
      expect(seen.readings).toBeLessThan(0.9 * seen.pushes);
    });
  },
);

describe('decidePushes', () => {
  const [PRODUCT, OTHER] = [productId(1), productId(2)];

  function stocked(settings = DEFAULT_SETTINGS): PushLog {
    const log = new PushLog(new Set([PRODUCT, OTHER]), settings);
    const stock = [PRODUCT, OTHER].map((product, index) =>
      aRestock(10, { operationId: operationId(900 + index), productId: product, clientLamport: index + 1 }),
    );
    log.push(aPush(stock));
    return log;
  }
  let last = 0;
  const saleBy = (device: number, fields: Partial<Operation> = {}): PushCommand =>
    aPush(
      [
        aSale({
          operationId: operationId(++last),
          deviceId: deviceId(device),
          productId: PRODUCT,
          delta: 1,
          ...fields,
        }),
      ],
      { deviceId: deviceId(device) },
    );
  const asked = (command: PushCommand): Asked => ({ command, clockSkewMs: null, lastPulledLamport: 2 });
  const readingsOf = (commands: readonly PushCommand[], log = stocked()): number =>
    pushTogether(log, commands.map(asked)).readings;

  it('reads once for sales of one product by many, as long as there is enough', () => {
    const log = stocked();
    const head = log.clock.lamport;
    const { plans, readings } = pushTogether(
      log,
      [2, 3, 4, 5].map((device) => asked(saleBy(device, { delta: 2 }))),
    );
    expect(readings).toBe(1);
    expect(plans.flatMap(({ outcomes }) => outcomes)).toMatchObject(
      [1, 2, 3, 4].map((later) => ({ status: 'accepted', lamport: head + later, warnings: [] })),
    );
    expect(log.levels.get(PRODUCT)).toMatchObject({ quantity: 2, lastLamport: head + 4 });
  });

  it('reads once for the same push twice: the second is a duplicate', () => {
    const command = saleBy(1);
    const { plans, readings } = pushTogether(stocked(), [asked(command), asked(command)]);
    expect(readings).toBe(1);
    const id = operationId(last);
    expect(plans.flatMap(({ outcomes }) => outcomes)).toMatchObject([
      { status: 'accepted', id },
      { status: 'duplicate', id, original: { stockAfter: 9 } },
    ]);
  });

  it('sees that a device gives a lamport again in its next push', () => {
    const commands = [
      saleBy(1, { clientLamport: 50 }),
      saleBy(2, { clientLamport: 50 }),
      saleBy(1, { clientLamport: 50 }),
    ];
    const { plans, readings } = pushTogether(stocked(), commands.map(asked));
    expect(readings).toBe(1);
    expect(plans.map(({ outcomes: [outcome] }) => outcome && 'warnings' in outcome && outcome.warnings)).toEqual([
      [],
      [],
      ['DEVICE_CLOCK_REUSED'],
    ]);
  });

  it.each<readonly [string, number, () => readonly PushCommand[]]>([
    ['is sold, and another is', 1, () => [saleBy(1), saleBy(2, { productId: OTHER, delta: 99 })]],
    ['was sold by others, and there is not enough', 2, () => [saleBy(1), saleBy(2, { delta: 99 })]],
    ['was counted by others', 2, () => [saleBy(1, { kind: 'SET', reason: 'ADJUSTMENT', delta: 5 }), saleBy(2)]],
    [
      'was sold by others, and is counted',
      2,
      () => [saleBy(1), saleBy(2, { kind: 'SET', reason: 'ADJUSTMENT', delta: 5 })],
    ],
    [
      'is counted, and another was sold',
      1,
      () => [saleBy(1, { productId: OTHER }), saleBy(2, { kind: 'SET', reason: 'ADJUSTMENT' })],
    ],
  ])('where a product %s, reads %i time(s)', (_what, times, commands) => {
    expect(readingsOf(commands())).toBe(times);
  });

  it('reads again where whatever is concurrent is a conflict, for a product that others moved', () => {
    const settings: TenantSettings = { ...DEFAULT_SETTINGS, conflictDetection: 'CONCURRENCY' };
    expect(readingsOf([saleBy(1), saleBy(2)], stocked(settings))).toBe(2);
    expect(readingsOf([saleBy(1), saleBy(2, { productId: OTHER })], stocked(settings))).toBe(1);
  });

  it('reads again for an edit of what was written since, and not for one of another', () => {
    const payment = (device: number, id: string): PushCommand =>
      aPush([aPaymentEntry(aPaymentEdit({ id, deviceId: deviceId(device), clientLamport: ++last }))], {
        deviceId: deviceId(device),
      });
    const product = (device: number, name: string): PushCommand =>
      aPush(
        [
          aProductEntry(
            aProductEdit({ id: productId(7), deviceId: deviceId(device), clientLamport: ++last, said: { name } }),
          ),
        ],
        { deviceId: deviceId(device) },
      );
    expect(readingsOf([payment(1, paymentId(1)), payment(2, paymentId(2))])).toBe(1);
    expect(readingsOf([payment(1, paymentId(1)), payment(2, paymentId(1))])).toBe(2);
    expect(readingsOf([product(1, 'Cheese'), product(2, 'Goat cheese')])).toBe(2);
  });

  it('reads again for a payment with a POS transaction that another has given up since', () => {
    const payment = (device: number, id: string, posTransactionId: string): PushCommand => {
      const { said, ...edit } = aPaymentEdit({ id, deviceId: deviceId(device), clientLamport: 60 + ++last });
      return aPush([aPaymentEntry({ ...edit, said: { ...said, posTransactionId } })], { deviceId: deviceId(device) });
    };
    const log = stocked();
    log.push(payment(1, paymentId(1), 'T-0'));
    expect(readingsOf([payment(1, paymentId(1), 'T-1'), payment(2, paymentId(2), 'T-0')], log)).toBe(2);
    expect(readingsOf([payment(1, paymentId(1), 'T-2'), payment(2, paymentId(3), 'T-3')], log)).toBe(1);
  });

  it('lets the next push know of a product that the one before it brought', () => {
    const said = aProductEntry(aProductEdit({ id: productId(7), deviceId: deviceId(1), clientLamport: 60 }));
    const commands = [aPush([said], { deviceId: deviceId(1) }), saleBy(2, { productId: productId(7) })];
    const { plans, readings } = pushTogether(stocked(), commands.map(asked));
    expect(readings).toBe(1);
    expect(plans[1]?.outcomes).toMatchObject([{ warnings: [] }]); // it is not unknown
  });
});
