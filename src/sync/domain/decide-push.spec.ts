import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  anEntry,
  aPush,
  aRestock,
  aSale,
  CATALOGUE,
  deviceId,
  FOREIGN_TENANT,
  groupId,
  operationId,
  poisonEntries,
  productId,
  type PushHistory,
  pushHistories,
  TENANT,
} from '../../../test/support/arbitraries.js';
import { PushLog, replay } from '../../../test/support/push-log.js';
import { PUSH_HISTORIES } from '../../../test/regressions/push-histories.js';
import { chainHash, contentHash } from '../../inventory/domain/hash-chain.js';
import { EMPTY_LEVEL, type StockLevel } from '../../inventory/domain/ledger.js';
import { INT4_MAX, type Operation } from '../../inventory/domain/operation.js';
import type { Product } from '../../inventory/domain/product.js';
import { GENESIS_HASH, LAMPORT_LEAD_MAX, LAMPORT_MAX } from '../../tenancy/domain/lamport-clock.js';
import { DEFAULT_SETTINGS } from '../../tenancy/domain/tenant-settings.js';
import { CLOCK_SKEW_WARNING_MS } from './clock-skew.js';
import { decidePush, type PushPlan } from './decide-push.js';
import type { MalformedEntry, PushCommand, PushEntry } from './push-command.js';
import type { PushContext } from './push-context.js';
import { type PushOutcome, REJECTION_CODES, type RejectionCode, type Warning, WARNINGS } from './push-outcome.js';

/** Shrunk failures of the past first, then new histories. */
function holdsForHistories(law: (history: PushHistory) => void): void {
  fc.assert(fc.property(pushHistories, law), { numRuns: 120, examples: PUSH_HISTORIES.map((history) => [history]) });
}

/** `toEqual`, which takes milliseconds where hashes are compared, only to show what differs. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

const statuses = (plan: PushPlan): string[] => plan.outcomes.map((outcome) => outcome.status);
const codeOf = (outcome: PushOutcome | undefined): RejectionCode | undefined =>
  outcome?.status === 'rejected' ? outcome.code : undefined;
const codes = (plan: PushPlan): (RejectionCode | undefined)[] => plan.outcomes.map(codeOf);
const lamportOf = (outcome: PushOutcome): number | undefined =>
  outcome.status === 'accepted' ? outcome.lamport : undefined;
const isRejected = (plan: PushPlan, index: number): boolean => plan.outcomes[index]?.status === 'rejected';
const warningsOf = (outcome: PushOutcome | undefined): readonly Warning[] | undefined =>
  outcome?.status === 'accepted' ? outcome.warnings : undefined;
const quantityOf = (log: PushLog, product = productId(1)): number | undefined => log.levels.get(product)?.quantity;
/** These histories push operations alone. */
const operationOf = (entry: PushEntry | undefined): Operation | undefined =>
  entry?.readable && entry.what === 'OPERATION' ? entry.operation : undefined;

/** The indexes of what is decided together, in the order of decision: a group is where its first line stands. */
function decisionUnits({ entries }: PushCommand): number[][] {
  const units = new Map<string | number, number[]>();
  entries.forEach((entry, index) => {
    const unit = entry.groupId ?? index;
    units.set(unit, [...(units.get(unit) ?? []), index]);
  });
  return [...units.values()];
}

/** The indexes of a push's entries in the order in which they are decided, and so logged if accepted. */
const decisionOrder = (command: PushCommand): number[] => decisionUnits(command).flat();

const pickedBy = <T>(indexes: readonly number[], values: readonly T[]): T[] =>
  indexes.flatMap((index) => values.slice(index, index + 1));

const lamportsOf = ({ clientLamport, entries }: PushCommand): number[] => [
  clientLamport,
  ...entries.flatMap((entry) => operationOf(entry)?.clientLamport ?? []),
];

const STOCK_CODES: readonly RejectionCode[] = ['INSUFFICIENT_STOCK', 'QUANTITY_OUT_OF_RANGE'];

const malformed = (fields: Partial<MalformedEntry> = {}): MalformedEntry => ({
  what: 'OPERATION',
  path: 'operations[0]',
  readable: false,
  id: null,
  groupId: null,
  errors: [{ path: 'operations[0].delta', code: 'IS_INT', message: 'must be an integer' }],
  ...fields,
});

describe('decidePush, over all histories', () => {
  it('keeps the stock of each product the sum of its effects, at every lamport and in the projection (I1)', () => {
    holdsForHistories((history) => {
      const { log } = replay(history);
      const summed = new Map<string, StockLevel>();
      const sums = log.events.map(({ productId: product, effect, lamport, kind }) => {
        const before = summed.get(product) ?? EMPTY_LEVEL;
        const quantity = before.quantity + effect;
        summed.set(product, { quantity, tracked: before.tracked || kind !== 'DECREMENT', lastLamport: lamport });
        return quantity;
      });
      expectSame(
        log.events.map((event) => event.stockAfter),
        sums,
      );
      expectSame(log.levels, summed);
      expect(sums.every((sum) => Math.abs(sum) <= INT4_MAX)).toBe(true);
    });
  });

  it('gives each event the effect of its kind', () => {
    holdsForHistories((history) => {
      const { events } = replay(history).log;
      expectSame(
        events.map(({ kind, effect, stockAfter, disposition }) => [disposition, kind === 'SET' ? stockAfter : effect]),
        events.map(({ kind, delta }) => ['APPLIED', kind === 'DECREMENT' ? -delta : delta]),
      );
    });
  });

  it('answers every entry once, in the order sent, under its own id, and logs the accepted ones only, as decided (I3)', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replay(history).pushes) {
        expectSame(
          plan.outcomes.map(({ id }) => id),
          command.entries.map((entry) => (entry.readable ? operationOf(entry)?.operationId : entry.id)),
        );
        const accepted = decisionOrder(command).flatMap((index) => {
          const entry = command.entries[index];
          const outcome = plan.outcomes[index];
          if (outcome?.status !== 'accepted') return [];
          return [{ ...operationOf(entry), lamport: outcome.lamport }];
        });
        expectSame(
          plan.events,
          accepted.map((said, index) => ({ ...plan.events[index], ...said })),
        );
      }
    });
  });

  it('logs an identity once, however often and in whatever push it comes again (I2)', () => {
    holdsForHistories((history) => {
      const ids = replay(history).log.events.map((event) => event.operationId);
      expect(new Set(ids).size).toBe(ids.length);
    });
  });

  it('answers what has the identity of an entry recorded before it as duplicate or mismatch, whatever else is wrong (I2)', () => {
    holdsForHistories((history) => {
      const recorded = new Map<string, string>();
      for (const { command, plan } of replay(history).pushes) {
        decisionOrder(command).forEach((index) => {
          const entry = command.entries[index];
          const operation = operationOf(entry);
          if (!entry?.readable || entry.tenantId !== TENANT || operation?.deviceId !== command.deviceId) return;
          const outcome = plan.outcomes[index];
          const { operationId: id } = operation;
          const content = Buffer.from(contentHash(TENANT, operation)).toString('hex');
          const before = recorded.get(id);
          if (before !== undefined) {
            expect(codeOf(outcome) ?? outcome?.status).toBe(before === content ? 'duplicate' : 'IDEMPOTENCY_MISMATCH');
          } else if (outcome?.status === 'accepted') recorded.set(id, content);
          else expect(outcome?.status).toBe('rejected');
        });
      }
    });
  });

  it('answers what was recorded before with its first outcome, whole, in part or in another push (I2)', () => {
    const picks = fc.infiniteStream(fc.nat());
    fc.assert(
      fc.property(
        pushHistories,
        picks,
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        (history, pick, kept) => {
          const { log, pushes } = replay(history);
          const eventOf = new Map(log.events.map((event) => [event.operationId, event]));
          for (const device of new Set(pushes.map(({ command }) => command.deviceId))) {
            const recorded = pushes
              .filter(({ command }) => command.deviceId === device)
              .flatMap(({ command, plan }) =>
                command.entries.filter((_, index) => plan.outcomes[index]?.status === 'accepted'),
              );
            const again = shuffled(recorded, pick).filter((_, index) => kept[index]);
            const clockBefore = log.clock;
            const plan = log.push(aPush(again, { deviceId: device, clientLamport: 3 }));
            expect(plan.events).toEqual([]);
            expect(plan.levels.size).toBe(0);
            expect(plan.clock).toEqual(clockBefore);
            for (const outcome of plan.outcomes) {
              const event = eventOf.get(outcome.id ?? '');
              expect(outcome).toEqual({
                status: 'duplicate',
                id: event?.operationId,
                original: {
                  lamport: event?.lamport,
                  effect: event?.effect,
                  stockAfter: event?.stockAfter,
                  disposition: 'APPLIED',
                },
              });
            }
          }
        },
      ),
    );
  });

  it('records nothing twice when a whole push is sent again, and still answers first outcomes (I2)', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replay(history);
      for (const { command, plan: first } of pushes) {
        const knownIds = new Set(log.events.map((event) => event.operationId));
        const plan = log.push(command);
        expect(plan.events.filter((event) => knownIds.has(event.operationId))).toEqual([]);
        const recordedAt = ({ outcomes }: PushPlan): (number | undefined)[] =>
          outcomes
            .filter((_, index) => first.outcomes[index]?.status !== 'rejected')
            .map((outcome) => (outcome.status === 'duplicate' ? outcome.original.lamport : lamportOf(outcome)));
        expectSame(recordedAt(plan), recordedAt(first));
        expect(plan.outcomes.every(({ status }, index) => status === 'duplicate' || isRejected(first, index))).toBe(
          true,
        );
      }
    });
  });

  it('gives unique, growing lamports, past all that the push and its entries have seen (I4)', () => {
    holdsForHistories((history) => {
      let last = 0;
      for (const { command, plan } of replay(history).pushes) {
        const due = plan.events.map((event) => {
          last = Math.max(last, command.clientLamport, event.clientLamport) + 1;
          return last;
        });
        expectSame(
          plan.events.map((event) => event.lamport),
          due,
        );
        expect(plan.clock.lamport).toBe(last);
        expect(last).toBeLessThanOrEqual(LAMPORT_MAX);
      }
    });
  });

  it('makes of the same pushes in the same order the same log (I8)', () => {
    holdsForHistories((history) => {
      const first = replay(history);
      const second = replay(structuredClone(history));
      expectSame(second.log, first.log);
      expectSame(
        second.pushes.map(({ plan }) => plan.outcomes),
        first.pushes.map(({ plan }) => plan.outcomes),
      );
    });
  });

  it('decides alone on its arguments, and leaves them as they were', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replay(history).pushes) {
        expectSame(decidePush(deepFrozen(command), context), plan);
      }
    });
  });

  it('lets no rejected entry, nor a group that fell, leave a trace in log, stock, clock or the outcomes of others (I9)', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replay(history).pushes) {
        const entries = command.entries.filter((_, index) => !isRejected(plan, index));
        expectSame(decidePush({ ...command, entries }, context), {
          ...plan,
          outcomes: plan.outcomes.filter(({ status }) => status !== 'rejected'),
        });
      }
    });
  });

  it('changes nothing at all by a push of which nothing is accepted (I9)', () => {
    holdsForHistories((history) => {
      for (const { context, plan } of replay(history).pushes) {
        if (plan.outcomes.some(({ status }) => status === 'accepted')) continue;
        expect(plan).toMatchObject({ events: [], clock: context.clock });
        expect(plan.levels.size).toBe(0);
      }
    });
  });

  it('lands the neighbours of a poison entry as if it were not there', () => {
    fc.assert(
      fc.property(
        pushHistories,
        fc.array(fc.tuple(fc.nat({ max: 7 }), poisonEntries(deviceId(1))), { minLength: 1, maxLength: 3 }),
        (history, poisons) => {
          for (const { command, context, plan } of replay(history).pushes) {
            if (command.deviceId !== deviceId(1)) continue;
            const entries: { entry: PushEntry; poison: boolean }[] = command.entries.map((entry) => ({
              entry,
              poison: false,
            }));
            for (const [at, entry] of poisons) entries.splice(at, 0, { entry, poison: true });
            const poisoned = decidePush({ ...command, entries: entries.map(({ entry }) => entry) }, context);
            expectSame(
              { ...poisoned, outcomes: poisoned.outcomes.filter((_, index) => !entries[index]?.poison) },
              plan,
            );
            expect(entries.every(({ poison }, index) => !poison || isRejected(poisoned, index))).toBe(true);
          }
        },
      ),
    );
  });

  it('accepts the entries of a group together or not at all, but for those in the log before', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replay(history).pushes) {
        for (const group of [groupId(1), groupId(2)]) {
          const ofGroup = command.entries.flatMap((entry, index) =>
            entry.groupId === group ? [plan.outcomes[index]?.status] : [],
          );
          expect(ofGroup.includes('accepted') && ofGroup.includes('rejected')).toBe(false);
        }
      }
    });
  });

  it('answers GROUP_REJECTED only where another entry of the group has a reason of its own', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replay(history).pushes) {
        for (const unit of decisionUnits(command)) {
          const reasons = pickedBy(unit, plan.outcomes).map(codeOf);
          if (!reasons.includes('GROUP_REJECTED')) continue;
          expect(reasons.some((code) => code !== undefined && code !== 'GROUP_REJECTED')).toBe(true);
        }
      }
    });
  });

  it('gives the stock that lacked as the reason of one line of a group at most', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replay(history).pushes) {
        for (const unit of decisionUnits(command)) {
          const reasons = pickedBy(unit, plan.outcomes).map(codeOf);
          expect(reasons.filter((code) => code && STOCK_CODES.includes(code)).length).toBeLessThanOrEqual(1);
        }
      }
    });
  });

  it('decides a push as if its groups and lone entries had been pushed one after the other', () => {
    holdsForHistories((history) => {
      // Apart, those after one far ahead would be measured from a clock that it put forward.
      fc.pre(history.every(({ command }) => lamportsOf(command).every((lamport) => lamport < LAMPORT_LEAD_MAX)));
      const apart = new PushLog(CATALOGUE, DEFAULT_SETTINGS, true);
      const { log, pushes } = replay(history);
      history.forEach(({ command, clockSkewMs }, at) => {
        for (const unit of decisionUnits(command)) {
          const plan = apart.push({ ...command, entries: pickedBy(unit, command.entries) }, clockSkewMs);
          expectSame(plan.outcomes, pickedBy(unit, pushes[at]?.plan.outcomes ?? []));
        }
      });
      expectSame(apart, log);
    });
  });

  it('decides a push as if the lines of each group had been sent together, where its first one stood', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replay(history).pushes) {
        const order = decisionOrder(command);
        const together = decidePush({ ...command, entries: pickedBy(order, command.entries) }, context);
        expectSame(together, { ...plan, outcomes: pickedBy(order, plan.outcomes) });
      }
    });
  });

  it('never lets an unpaid claim take a tracked product below zero, and says how much was there', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replay(history);
      const tracked = new Set<string>();
      for (const event of log.events) {
        if (event.kind !== 'DECREMENT') tracked.add(event.productId);
        else if (event.paymentStatus !== 'PAID' && tracked.has(event.productId)) {
          expect(event.stockAfter).toBeGreaterThanOrEqual(0);
        }
      }
      for (const { command, plan } of pushes) {
        plan.outcomes.forEach((outcome, index) => {
          if (outcome.status !== 'rejected' || outcome.code !== 'INSUFFICIENT_STOCK') return;
          const operation = operationOf(command.entries[index]);
          if (!operation) throw new Error('What could not be read has no want of stock.');
          expect(operation.kind).toBe('DECREMENT');
          expect(operation.paymentStatus).not.toBe('PAID');
          expect(outcome.available).toBeGreaterThanOrEqual(0);
          expect(outcome.available).toBeLessThan(operation.delta);
        });
      }
    });
  });

  it('warns of what a person should know, and of nothing else', () => {
    holdsForHistories((history) => {
      const tracked = new Set<string>();
      const lamportsOf = new Map<string, Set<number>>();
      for (const { command, context, plan } of replay(history).pushes) {
        const given = lamportsOf.get(command.deviceId) ?? new Set();
        lamportsOf.set(command.deviceId, given);
        const warned = pickedBy(decisionOrder(command), plan.outcomes)
          .map(warningsOf)
          .filter((warnings) => warnings !== undefined);
        const expected = plan.events.map((event) => {
          const due: Warning[] = [];
          const oversold = tracked.has(event.productId) && event.kind === 'DECREMENT' && event.stockAfter < 0;
          if (oversold) due.push('OVERSOLD');
          if (!CATALOGUE.has(event.productId)) due.push('UNKNOWN_PRODUCT');
          if (given.has(event.clientLamport)) due.push('DEVICE_CLOCK_REUSED');
          if (Math.abs(context.clockSkewMs ?? 0) > CLOCK_SKEW_WARNING_MS) due.push('CLOCK_SKEW');
          if (event.kind !== 'DECREMENT') tracked.add(event.productId);
          given.add(event.clientLamport);
          return due;
        });
        expect(warned).toEqual(expected);
      }
    });
  });

  it('chains the events so that the chain can be made again from their contents', () => {
    holdsForHistories((history) => {
      const { log } = replay(history);
      let chain = GENESIS_HASH;
      const chains = log.events.map((event) => (chain = chainHash(chain, contentHash(TENANT, event))));
      expectSame(
        log.events.map((event) => event.chainHash),
        chains,
      );
      expectSame(log.clock.chainHash, chain);
    });
  });

  it('is tried with histories in which groups stand, and fall by stock, that have other lines between theirs', () => {
    let stood = 0;
    let fell = 0;
    for (const history of fc.sample(pushHistories, { numRuns: 120, seed: 1 })) {
      for (const { command, plan } of replay(history).pushes) {
        for (const unit of decisionUnits(command)) {
          const isTogether = (unit.at(-1) ?? 0) - (unit[0] ?? 0) < unit.length;
          if (isTogether) continue;
          const reasons = pickedBy(unit, plan.outcomes).map(codeOf);
          if (reasons.some((code) => code && STOCK_CODES.includes(code))) fell += 1;
          if (reasons.every((code) => code === undefined)) stood += 1;
        }
      }
    }
    expect(Math.min(stood, fell)).toBeGreaterThanOrEqual(5);
  });

  it('is tried with histories that reach every status, code and warning', () => {
    const seen = new Set<string>();
    for (const history of fc.sample(pushHistories, { numRuns: 300, seed: 1 })) {
      for (const outcome of replay(history).pushes.flatMap(({ plan }) => plan.outcomes)) {
        seen.add(outcome.status);
        if (outcome.status === 'rejected') seen.add(outcome.code);
        if (outcome.status === 'accepted') outcome.warnings.forEach((warning) => seen.add(warning));
      }
    }
    // What products, payments and references add has histories of its own, in decide-push.states.spec.ts.
    const elsewhere = ['PRODUCT_DELETED', 'SKU_TAKEN', 'UNKNOWN_REFERENCE', 'STOCK_IGNORED'];
    const here = [...REJECTION_CODES, ...WARNINGS].filter((code) => !elsewhere.includes(code));
    expect([...seen].sort()).toEqual(['accepted', 'duplicate', 'rejected', ...here].sort());
  });
});

describe('decidePush, where several codes apply', () => {
  // Each makes one code apply to an operation that is well but for it.
  const refused = { operationId: operationId(20) } as const;
  const FAULTS: Partial<Record<RejectionCode, (operation: Operation) => Operation>> = {
    DEVICE_MISMATCH: (operation) => ({ ...operation, deviceId: deviceId(2) }),
    IDEMPOTENCY_MISMATCH: (operation) => ({ ...operation, operationId: operationId(1) }),
    LAMPORT_OUT_OF_RANGE: (operation) => ({ ...operation, clientLamport: 9 + LAMPORT_LEAD_MAX }),
    PRODUCT_DELETED: (operation) => ({ ...operation, baseLamport: LAMPORT_MAX }),
    UNKNOWN_REFERENCE: (operation) => ({ ...operation, reason: 'CANCEL', refOperationId: operationId(30) }),
    INSUFFICIENT_STOCK: (operation) => ({
      ...operation,
      kind: 'DECREMENT',
      reason: 'SALE',
      delta: 7,
      productId: productId(1),
    }),
    QUANTITY_OUT_OF_RANGE: (operation) => ({
      ...operation,
      kind: 'DECREMENT',
      reason: 'SALE',
      delta: INT4_MAX,
      productId: productId(2),
    }),
    GROUP_REJECTED: (operation) => ({ ...operation, groupId: groupId(9) }),
  };

  // No operation has a SKU.
  const faultSets = fc.subarray(
    REJECTION_CODES.filter((code: RejectionCode): boolean => code !== 'SKU_TAKEN'),
    { minLength: 1 },
  );

  function withFaults(faults: readonly RejectionCode[]): PushEntry {
    if (faults.includes('VALIDATION')) {
      return malformed({ groupId: faults.includes('GROUP_REJECTED') ? groupId(9) : null });
    }
    const paymentStatus = faults.includes('INSUFFICIENT_STOCK') ? 'PENDING' : 'PAID';
    const operation = faults.reduce(
      (faulty, fault) => FAULTS[fault]?.(faulty) ?? faulty,
      aRestock(1, { ...refused, paymentStatus, clientLamport: 2 }),
    );
    return anEntry(operation, faults.includes('TENANT_MISMATCH') ? FOREIGN_TENANT : undefined);
  }

  /**
   * Product 1 has 6 units; product 2, tracked, is oversold by 1, so that both stock codes can apply to it at once. Both
   * are deleted where an operation is to find that, which says that it knew so.
   */
  function aLog(isDeleted: boolean): PushLog {
    const log = new PushLog();
    log.push(
      aPush([
        aRestock(6, { operationId: operationId(1), clientLamport: 3 }),
        aRestock(1, { operationId: operationId(2), clientLamport: 4, productId: productId(2) }),
        aSale({ operationId: operationId(3), clientLamport: 5, productId: productId(2), delta: 2 }),
      ]),
    );
    if (isDeleted) for (const id of [productId(1), productId(2)]) log.products.set(id, aTombstone(id, 9));
    return log;
  }

  it('answers the first in the order of REJECTION_CODES', () => {
    fc.assert(
      fc.property(faultSets, (faults) => {
        const plan = aLog(faults.includes('PRODUCT_DELETED')).push(
          aPush([malformed({ groupId: groupId(9) }), withFaults(faults)]),
        );
        expect(codeOf(plan.outcomes[1])).toBe(REJECTION_CODES.find((code) => faults.includes(code)));
      }),
      { numRuns: 400 },
    );
  });

  it('keeps that order when the identity was taken by an entry of the same push that is decided before', () => {
    fc.assert(
      fc.property(
        faultSets.filter((faults) => faults.includes('IDEMPOTENCY_MISMATCH')),
        (faults) => {
          const first = aRestock(6, { operationId: operationId(1), clientLamport: 3 });
          const plan = new PushLog().push(aPush([first, malformed({ groupId: groupId(9) }), withFaults(faults)]));
          expect(codeOf(plan.outcomes[2])).toBe(REJECTION_CODES.find((code) => faults.includes(code)));
        },
      ),
      { numRuns: 200 },
    );
  });

  describe('gives an identity that a lone entry and a line of a group have', () => {
    const lone = aSale({ operationId: operationId(3), delta: 5, paymentStatus: null });
    const line = { ...lone, groupId: groupId(1) };
    const firstLine = aSale({ operationId: operationId(2), delta: 3, groupId: groupId(1) });
    const pushAfterRestock = (units: number, entries: Operation[]): PushPlan => {
      const log = new PushLog();
      log.push(aPush([aRestock(units)]));
      return log.push(aPush(entries));
    };

    it('to the group that stands, if its first line was sent before', () => {
      const plan = pushAfterRestock(9, [firstLine, lone, line]);
      expect(codes(plan)).toEqual([undefined, 'IDEMPOTENCY_MISMATCH', undefined]);
    });

    it('to the lone entry, if the group falls for want of stock, which is then what its line answers', () => {
      const plan = pushAfterRestock(5, [firstLine, lone, line]);
      expect(codes(plan)).toEqual(['GROUP_REJECTED', undefined, 'INSUFFICIENT_STOCK']);
    });

    it('to the lone entry, if it was sent before the group, and then says so rather than that stock lacks', () => {
      const plan = pushAfterRestock(5, [lone, firstLine, line]);
      expect(codes(plan)).toEqual([undefined, 'GROUP_REJECTED', 'IDEMPOTENCY_MISMATCH']);
    });
  });
});

describe('decidePush', () => {
  it('records a sale and answers its place in the log', () => {
    const log = new PushLog();
    const plan = log.push(aPush([aSale({ clientLamport: 42 })], { clientLamport: 40 }));
    expect(plan.outcomes).toEqual([{ status: 'accepted', id: operationId(1), lamport: 43, warnings: [] }]);
    expect(plan.events).toMatchObject([{ lamport: 43, clientLamport: 42, effect: -1, stockAfter: -1 }]);
    expect(log.levels.get(productId(1))).toEqual({ quantity: -1, tracked: false, lastLamport: 43 });
  });

  it('shows each operation the stock that those before it in the push left', () => {
    const log = new PushLog();
    const claim = { delta: 1, paymentStatus: 'PENDING' } as const;
    const plan = log.push(
      aPush([
        aRestock(1, { operationId: operationId(1) }),
        aSale({ operationId: operationId(2), ...claim }),
        aSale({ operationId: operationId(3), ...claim }),
      ]),
    );
    expect(plan.outcomes[2]).toEqual({
      status: 'rejected',
      id: operationId(3),
      code: 'INSUFFICIENT_STOCK',
      available: 0,
    });
    expect(quantityOf(log)).toBe(0);
  });

  it('records a paid sale beyond the stock, for it happened, and warns', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(2)]));
    const plan = log.push(aPush([aSale({ operationId: operationId(2), clientLamport: 2, delta: 5 })]));
    expect(warningsOf(plan.outcomes[0])).toEqual(['OVERSOLD']);
    expect(quantityOf(log)).toBe(-3);
  });

  it('offers nothing, not less than nothing, where stock is below zero', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(2), aSale({ operationId: operationId(2), delta: 5 })]));
    const plan = log.push(aPush([aSale({ operationId: operationId(3), paymentStatus: null })]));
    expect(plan.outcomes).toMatchObject([{ code: 'INSUFFICIENT_STOCK', available: 0 }]);
  });

  it('does not warn of OVERSOLD before anyone said how much there is', () => {
    const plan = new PushLog().push(aPush([aSale({ delta: 5, paymentStatus: null })]));
    expect(plan.outcomes).toMatchObject([{ status: 'accepted', warnings: [] }]);
  });

  it('warns that a product is not in the catalogue', () => {
    const plan = new PushLog().push(aPush([aSale({ productId: productId(3) })]));
    expect(warningsOf(plan.outcomes[0])).toEqual(['UNKNOWN_PRODUCT']);
  });

  it('warns of a lamport that the device gave before, in another push or in the same', () => {
    const log = new PushLog();
    log.push(aPush([aSale({ operationId: operationId(1), clientLamport: 7 })]));
    const plan = log.push(
      aPush([
        aSale({ operationId: operationId(2), clientLamport: 7 }),
        aSale({ operationId: operationId(3), clientLamport: 8 }),
        aSale({ operationId: operationId(4), clientLamport: 8 }),
      ]),
    );
    expect(plan.outcomes.map(warningsOf)).toEqual([['DEVICE_CLOCK_REUSED'], [], ['DEVICE_CLOCK_REUSED']]);
  });

  it('does not take the lamport of a rejected line for one that was given', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(1)]));
    const plan = log.push(
      aPush([
        aSale({ operationId: operationId(2), clientLamport: 8, delta: 9, paymentStatus: null }),
        aSale({ operationId: operationId(3), clientLamport: 8 }),
      ]),
    );
    expect(warningsOf(plan.outcomes[1])).toEqual([]);
  });

  it('takes neither identity nor lamport of a line for given whose group fell', () => {
    const line = aSale({ clientLamport: 8, groupId: groupId(1) });
    const plan = new PushLog().push(aPush([line, malformed({ groupId: groupId(1) }), { ...line, groupId: null }]));
    expect(codes(plan)).toEqual(['GROUP_REJECTED', 'VALIDATION', undefined]);
    expect(plan.outcomes[2]).toMatchObject({ lamport: 9, warnings: [] });
  });

  it('lets two devices give the same lamport', () => {
    const log = new PushLog();
    log.push(aPush([aSale({ clientLamport: 7 })]));
    const other = aSale({ operationId: operationId(2), deviceId: deviceId(2), clientLamport: 7 });
    expect(warningsOf(log.push(aPush([other], { deviceId: deviceId(2) })).outcomes[0])).toEqual([]);
  });

  it.each([
    [null, false],
    [CLOCK_SKEW_WARNING_MS, false],
    [-CLOCK_SKEW_WARNING_MS, false],
    [CLOCK_SKEW_WARNING_MS + 1, true],
    [-CLOCK_SKEW_WARNING_MS - 1, true],
  ])('a wall clock that is %p ms off is worth a warning: %p', (clockSkewMs, warned) => {
    const plan = new PushLog().push(aPush([aSale()]), clockSkewMs);
    expect(warningsOf(plan.outcomes[0])).toEqual(warned ? ['CLOCK_SKEW'] : []);
  });

  it.each(['clientLamport of the entry', 'clientLamport of the push'])(
    'accepts a %s a million ahead of the clock, and not one more',
    (where) => {
      const log = new PushLog();
      log.push(aPush([aRestock(9, { clientLamport: 4 })]));
      const attempt = (lamport: number): PushPlan =>
        decide(
          log,
          where === 'clientLamport of the push'
            ? aPush([aSale({ operationId: operationId(2) })], { clientLamport: lamport })
            : aPush([aSale({ operationId: operationId(2), clientLamport: lamport })]),
        );
      expect(attempt(5 + 1_000_000).events).toMatchObject([{ lamport: 1_000_006 }]);
      expect(attempt(5 + 1_000_001).outcomes).toEqual([
        { status: 'rejected', id: operationId(2), code: 'LAMPORT_OUT_OF_RANGE' },
      ]);
    },
  );

  it('measures the lead from the clock before the push, not from neighbours that are ahead themselves', () => {
    const plan = new PushLog().push(
      aPush([
        aSale({ operationId: operationId(1), clientLamport: 1_000_000 }),
        aSale({ operationId: operationId(2), clientLamport: 1_000_001 }),
      ]),
    );
    expect(codes(plan)).toEqual([undefined, 'LAMPORT_OUT_OF_RANGE']);
  });

  it('answers a recorded operation though the device that sends it again is far ahead by now', () => {
    const log = new PushLog();
    log.push(aPush([aSale()]));
    expect(statuses(log.push(aPush([aSale()], { clientLamport: LAMPORT_MAX })))).toEqual(['duplicate']);
  });

  it('takes a doubled line for a duplicate, and the same id with other content for a mistake', () => {
    const log = new PushLog();
    const plan = log.push(aPush([aSale(), aSale(), aSale({ delta: 2 })]));
    expect(plan.outcomes).toMatchObject([
      { status: 'accepted', lamport: 2 },
      { status: 'duplicate', original: { lamport: 2, effect: -1, stockAfter: -1, disposition: 'APPLIED' } },
      { status: 'rejected', code: 'IDEMPOTENCY_MISMATCH' },
    ]);
    const again = log.push(aPush([aSale({ delta: 2 }), aSale()]));
    expect(again.outcomes).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }, { status: 'duplicate' }]);
    expect(quantityOf(log)).toBe(-1);
  });

  it('tells any two operations apart that differ in a single field', () => {
    const first = aSale({ amount: 1, locationLat: 1, createdAt: '2026-03-01T09:30:00.000Z' });
    const log = new PushLog();
    log.push(aPush([first]));
    const changes: Partial<Operation>[] = [
      { productId: productId(2) },
      { deviceType: 'WEB' },
      { kind: 'INCREMENT' },
      { delta: 2 },
      { reason: 'DAMAGE' },
      { paymentStatus: null },
      { amount: 1.01 },
      { locationLat: null },
      { locationLng: 1 },
      { clientLamport: 2 },
      { baseLamport: 0 },
      { version: 1 },
      { groupId: groupId(1) },
      { refOperationId: operationId(9) },
      { expiresAt: '2026-03-01T09:30:00.000Z' },
      { createdAt: null },
      { createdBy: deviceId(1) },
      { updatedBy: deviceId(1) },
    ];
    const plan = log.push(aPush(changes.map((change) => ({ ...first, ...change }))));
    expect(new Set(codes(plan))).toEqual(new Set(['IDEMPOTENCY_MISMATCH']));
  });

  it('lets a rejected identity come again, mended', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(1)]));
    const claim = aSale({ operationId: operationId(2), delta: 5, paymentStatus: 'PENDING' });
    expect(statuses(log.push(aPush([claim])))).toEqual(['rejected']);
    expect(statuses(log.push(aPush([{ ...claim, delta: 1 }])))).toEqual(['accepted']);
  });

  it('gives back what a fallen group had taken, so that a line between still gets it', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(5, { operationId: operationId(1) })]));
    const plan = log.push(
      aPush([
        aSale({ operationId: operationId(2), delta: 4, groupId: groupId(1) }),
        aSale({ operationId: operationId(3), delta: 5, paymentStatus: null }),
        aSale({ operationId: operationId(4), delta: 2, paymentStatus: null, groupId: groupId(1) }),
      ]),
    );
    expect(codes(plan)).toEqual(['GROUP_REJECTED', undefined, 'INSUFFICIENT_STOCK']);
    expect(plan.events).toMatchObject([{ operationId: operationId(3), lamport: 3, stockAfter: 0 }]);
  });

  it('takes back what a fallen group had brought, from lines that counted on it', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(5, { operationId: operationId(1) })]));
    const plan = log.push(
      aPush([
        aRestock(3, { operationId: operationId(2), groupId: groupId(1) }),
        aSale({ operationId: operationId(3), delta: 6, paymentStatus: null }),
        malformed({ groupId: groupId(1) }),
      ]),
    );
    expect(codes(plan)).toEqual(['GROUP_REJECTED', 'INSUFFICIENT_STOCK', 'VALIDATION']);
    expect(quantityOf(log)).toBe(5);
  });

  it('lets one group fall and the next stand', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(5, { operationId: operationId(1) })]));
    const unpaid = (number: number, delta: number, group: number): Operation =>
      aSale({ operationId: operationId(number), delta, paymentStatus: null, groupId: groupId(group) });
    const plan = log.push(aPush([unpaid(2, 4, 1), unpaid(3, 4, 1), unpaid(4, 4, 2), unpaid(5, 1, 2)]));
    expect(codes(plan)).toEqual(['GROUP_REJECTED', 'INSUFFICIENT_STOCK', undefined, undefined]);
    expect(quantityOf(log)).toBe(0);
  });

  it('logs the lines of a group together, where the first of them stands', () => {
    const log = new PushLog();
    const line = (number: number, group?: number): Operation =>
      aSale({ operationId: operationId(number), clientLamport: number, groupId: group ? groupId(group) : null });
    const plan = log.push(aPush([line(1), line(2, 1), line(3), line(4, 2), line(5, 1), line(6, 2)]));
    expect(plan.events.map((event) => event.operationId)).toEqual([1, 2, 5, 3, 4, 6].map(operationId));
    expect(plan.events.map((event) => event.stockAfter)).toEqual([-1, -2, -3, -4, -5, -6]);
    // The line with lamport 5 comes before that with 3, which is therefore past it.
    expect(plan.outcomes.map(lamportOf)).toEqual([2, 3, 7, 8, 6, 9]);
  });

  it('gives a group what another had taken that fell, though the fallen one began before', () => {
    const log = new PushLog();
    const [p, q] = [productId(1), productId(2)];
    log.push(
      aPush([
        aRestock(5, { operationId: operationId(1), productId: p }),
        aRestock(0, { operationId: operationId(2), productId: q, kind: 'SET' }),
      ]),
    );
    const unpaid = { paymentStatus: null } as const;
    const plan = log.push(
      aPush([
        aSale({ ...unpaid, operationId: operationId(3), productId: p, delta: 5, groupId: groupId(2) }),
        aSale({ ...unpaid, operationId: operationId(4), productId: p, delta: 5, groupId: groupId(1) }),
        aSale({ ...unpaid, operationId: operationId(5), productId: q, groupId: groupId(2) }),
      ]),
    );
    expect(codes(plan)).toEqual(['GROUP_REJECTED', undefined, 'INSUFFICIENT_STOCK']);
    expect(plan.events).toMatchObject([{ operationId: operationId(4), stockAfter: 0 }]);
    expect([quantityOf(log, p), quantityOf(log, q)]).toEqual([0, 0]);
  });

  it('says of the first line only that stock refused it, of the others of its group that the group fell', () => {
    const log = new PushLog();
    log.push(aPush([aRestock(5, { operationId: operationId(1) })]));
    const claim = (number: number, delta: number): Operation =>
      aSale({ operationId: operationId(number), delta, paymentStatus: null, groupId: groupId(1) });
    const plan = log.push(aPush([claim(2, 4), claim(3, 3), claim(4, 6), malformed({ groupId: groupId(1) })]));
    expect(plan.outcomes).toMatchObject([
      { code: 'GROUP_REJECTED' },
      { code: 'INSUFFICIENT_STOCK', available: 1 },
      { code: 'GROUP_REJECTED' },
      { code: 'VALIDATION' },
    ]);
    expect(plan.outcomes[2]).not.toHaveProperty('available');
    expect(quantityOf(log)).toBe(5);
  });

  it('answers a line that is in the log as a duplicate, even if its group falls now', () => {
    const log = new PushLog();
    const line = aSale({ groupId: groupId(1) });
    log.push(aPush([line]));
    const plan = log.push(
      aPush([line, aSale({ operationId: operationId(2), groupId: groupId(1) }), malformed({ groupId: groupId(1) })]),
    );
    expect(plan.outcomes.map((outcome) => codeOf(outcome) ?? outcome.status)).toEqual([
      'duplicate',
      'GROUP_REJECTED',
      'VALIDATION',
    ]);
  });

  it.each([
    ['an INCREMENT', { kind: 'INCREMENT', delta: 1 }, INT4_MAX],
    ['a paid DECREMENT', { kind: 'DECREMENT', delta: 1 }, -INT4_MAX],
  ] as const)('refuses %s that would leave the range of stock', (_name, operation, quantity) => {
    const context: PushContext = {
      ...new PushLog().contextFor(aPush([])),
      levels: new Map([[productId(1), { quantity, tracked: true, lastLamport: 0 }]]),
    };
    const plan = decidePush(aPush([aSale(operation), aSale({ kind: 'SET', delta: 0 })]), context);
    expect(codes(plan)).toEqual(['QUANTITY_OUT_OF_RANGE', undefined]);
    expect(plan.events).toMatchObject([{ effect: -quantity, stockAfter: 0 }]);
  });

  it('decides on an empty push that nothing happens', () => {
    const context = new PushLog().contextFor(aPush([]));
    const { changes, ...plan } = decidePush(aPush([]), context);
    expect(Object.values(changes).filter((changed: ReadonlyMap<string, unknown>) => changed.size > 0)).toEqual([]);
    expect(plan).toEqual({
      outcomes: [],
      events: [],
      levels: new Map(),
      products: [],
      payments: [],
      versions: [],
      conflicts: [],
      clock: context.clock,
    });
  });
});

/** A product that was deleted at `lamport`. */
function aTombstone(id: string, lamport: number): Product {
  const fields = { description: null, price: null, sku: null, category: null, reorderPoint: null };
  return {
    id,
    fields: { ...fields, name: 'Gone', isDeleted: true },
    deletedLamport: lamport,
    updatedBy: null,
    version: 2,
    lamport,
    deviceId: deviceId(1),
    clientLamport: 1,
    editId: operationId(99),
  };
}

function decide(log: PushLog, command: PushCommand): PushPlan {
  return decidePush(command, log.contextFor(command));
}

function shuffled<T>(values: readonly T[], pick: fc.Stream<number> | Iterator<number>): T[] {
  const left = [...values];
  const mixed: T[] = [];
  while (left.length > 0) {
    const next = pick.next();
    mixed.push(...left.splice((next.done ? 0 : next.value) % left.length, 1));
  }
  return mixed;
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFrozen);
  }
  return value;
}
