import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  anEntry,
  aPush,
  aRestock,
  aSale,
  deviceId,
  FOREIGN_TENANT,
  groupId,
  operationId,
  productId,
  TENANT,
} from '../../../test/support/arbitraries.js';
import { PushLog, replay, type ReplayedPush } from '../../../test/support/push-log.js';
import {
  aMixedPush,
  aPaymentEdit,
  aPaymentEntry,
  aProductEdit,
  aProductEntry,
  type MixedHistory,
  mixedHistories,
  paymentId,
  saleId,
} from '../../../test/support/state-arbitraries.js';
import { MIXED_HISTORIES } from '../../../test/regressions/mixed-histories.js';
import { baseOf } from '../../conflicts/domain/concurrency.js';
import { conflictIdOf } from '../../conflicts/domain/state-conflicts.js';
import { lapse } from '../../inventory/domain/lapse.js';
import { EMPTY_LEVEL, type StockLevel } from '../../inventory/domain/ledger.js';
import { openingBalanceId } from '../../inventory/domain/opening-balance.js';
import { INT4_MAX, type Operation } from '../../inventory/domain/operation.js';
import { decideProductEdit } from '../../inventory/domain/product-edit.js';
import type { Product, ProductEdit, ProductFields } from '../../inventory/domain/product.js';
import type { StockEvent } from '../../inventory/domain/stock-event.js';
import { decidePaymentEdit } from '../../payments/domain/payment-edit.js';
import { type Payment, type PaymentEdit, type PaymentFields, UNRECONCILED } from '../../payments/domain/payment.js';
import { standingEdit } from '../../states/domain/merge.js';
import type { Edit, Fields, StateVersion } from '../../states/domain/state.js';
import { LAMPORT_LEAD_MAX } from '../../tenancy/domain/lamport-clock.js';
import { DEFAULT_SETTINGS } from '../../tenancy/domain/tenant-settings.js';
import { decidePush, type PushPlan } from './decide-push.js';
import type { MalformedEntry, PushCommand, PushEntry } from './push-command.js';
import type { PushContext } from './push-context.js';
import { type ConflictNote, type PushOutcome, type RejectionCode, WARNINGS } from './push-outcome.js';

/** Nothing but what is pushed is in the catalogue of these logs. */
const anEmptyLog = (): PushLog => new PushLog(new Set(), DEFAULT_SETTINGS, true);
const replayed = (history: MixedHistory): ReturnType<typeof replay> => replay(history, anEmptyLog());

/** Shrunk failures of the past first, then new histories. */
function holdsForHistories(law: (history: MixedHistory) => void): void {
  fc.assert(fc.property(mixedHistories, law), { numRuns: 100, examples: MIXED_HISTORIES.map((history) => [history]) });
}

/**
 * The same, but that no operation claims to know more than the log had when it came. Such a base is set back to the head,
 * which lies further on for one that comes after others.
 */
function withPossibleBases(history: MixedHistory): MixedHistory {
  const heads = replayed(history).pushes.map(({ context }) => context.clock.lamport);
  return history.map((push, index) => {
    const head = heads[index] ?? 0;
    const entries = push.command.entries.map((entry) => {
      if (!entry.readable || entry.what !== 'OPERATION') return entry;
      if (baseOf(entry.operation, push.lastPulledLamport, Infinity) <= head) return entry;
      return { ...entry, operation: { ...entry.operation, baseLamport: head } };
    });
    return { ...push, command: { ...push.command, entries } };
  });
}

/** `toEqual`, which takes milliseconds where hashes are compared, only to show what differs. */
function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected);
}

const codeOf = (outcome: PushOutcome | undefined): RejectionCode | undefined =>
  outcome?.status === 'rejected' ? outcome.code : undefined;
/** In words: the code of what was rejected, else the status. */
const answers = ({ outcomes }: PushPlan): string[] => outcomes.map((outcome) => codeOf(outcome) ?? outcome.status);
const conflictOf = (outcome: PushOutcome | undefined): ConflictNote | undefined =>
  outcome && 'conflict' in outcome ? outcome.conflict : undefined;
const conflictIdIn = (outcome: PushOutcome | undefined): string | undefined => conflictOf(outcome)?.id;

const PROCESSING_ORDER = ['PRODUCT', 'PAYMENT', 'OPERATION'];

/** The indexes of what is decided together, in the order of decision: a group is where its first line stands. */
function decisionUnits({ entries }: PushCommand): number[][] {
  const units = new Map<string | number, number[]>();
  for (const what of PROCESSING_ORDER) {
    entries.forEach((entry, index) => {
      if (entry.what !== what) return;
      const unit = entry.groupId ?? index;
      units.set(unit, [...(units.get(unit) ?? []), index]);
    });
  }
  return [...units.values()];
}

const pickedBy = <T>(indexes: readonly number[], values: readonly T[]): T[] =>
  indexes.flatMap((index) => values.slice(index, index + 1));

/** The same history with a push for each lone entry and each group, in the order in which they are decided. */
const apart = (history: MixedHistory): MixedHistory =>
  history.flatMap((push) =>
    decisionUnits(push.command).map((unit) => {
      const entries = pickedBy(
        unit.toSorted((a, b) => a - b),
        push.command.entries,
      );
      return { ...push, command: { ...push.command, entries } };
    }),
  );

/** Entries that are alone in their push, with what they were decided on and what they came to. */
function loneEntries(history: MixedHistory): { entry: PushEntry; outcome: PushOutcome; push: ReplayedPush }[] {
  return replayed(apart(history)).pushes.flatMap((push) => {
    const [entry, second] = push.command.entries;
    const [outcome] = push.plan.outcomes;
    return entry && outcome && !second ? [{ entry, outcome, push }] : [];
  });
}

const isOwn = (entry: PushEntry, { deviceId: device }: PushCommand): boolean =>
  entry.readable &&
  entry.tenantId !== FOREIGN_TENANT &&
  (entry.what === 'OPERATION' ? entry.operation : entry.edit).deviceId === device;

const idIn = (entry: PushEntry): string | null =>
  entry.readable ? (entry.what === 'OPERATION' ? entry.operation.operationId : entry.edit.id) : entry.id;

type Written = Pick<PushPlan, 'events' | 'versions' | 'conflicts'>;
/** All that a push or a log wrote, in lamport order, with the lamport that its device gave it: of a conflict it is none. */
const written = ({ events, versions, conflicts }: Written): { lamport: number; clientLamport: number }[] =>
  [...events, ...versions, ...conflicts.map(({ lamport }) => ({ lamport, clientLamport: 0 }))]
    .map(({ lamport, clientLamport }) => ({ lamport, clientLamport }))
    .sort((a, b) => a.lamport - b.lamport);
const WRITES_NOTHING: Omit<PushPlan, 'outcomes' | 'clock' | 'changes'> = {
  ...{ events: [], versions: [], conflicts: [], products: [], payments: [], levels: new Map() },
};
const writesOf = ({ events, versions, conflicts, products, payments, levels }: PushPlan): typeof WRITES_NOTHING => ({
  ...{ events, versions, conflicts, products, payments, levels },
});

/** Order and choice for `shuffled`. */
const keys = fc.array(fc.nat(), { minLength: 40, maxLength: 40 });

const isUnique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;
const named = (fields: object, name: string): unknown => (fields as Record<string, unknown>)[name];
/** What else is said of a product that is to be deleted, and is deleted, nobody misses. */
const isMoot = (said: Partial<ProductFields> | Partial<PaymentFields>, { status }: PushOutcome): boolean =>
  'isDeleted' in said && said.isDeleted && status === 'ignored';
const historyOf = (log: PushLog, id: string): StateVersion[] => log.versions.filter(({ entityId }) => entityId === id);

/** What histories have to reach, or laws about it would hold of nothing. */
const REACHED: readonly string[] = [
  ...['accepted', 'duplicate', 'ignored with conflict', 'ignored without conflict'].flatMap((answer) => [
    `PRODUCT ${answer}`,
    `PAYMENT ${answer}`,
  ]),
  ...['merged with conflict', 'merged without conflict', 'written without conflict'].flatMap((answer) => [
    `PRODUCT ${answer}`,
    `PAYMENT ${answer}`,
  ]),
  ...(['VALIDATION', 'TENANT_MISMATCH', 'DEVICE_MISMATCH', 'LAMPORT_OUT_OF_RANGE', 'GROUP_REJECTED'] as const).flatMap(
    (code: RejectionCode) => [`PRODUCT ${code}`, `PAYMENT ${code}`, `OPERATION ${code}`],
  ),
  ...['PRODUCT PRODUCT_DELETED', 'PRODUCT SKU_TAKEN', 'PRODUCT QUANTITY_OUT_OF_RANGE', 'PAYMENT conflict'],
  ...['OPERATION accepted', 'OPERATION duplicate', 'OPERATION PRODUCT_DELETED', 'OPERATION UNKNOWN_REFERENCE'],
  ...['OPERATION INSUFFICIENT_STOCK', 'OPERATION QUANTITY_OUT_OF_RANGE', 'OPERATION conflict'],
  ...['FIELD_EDIT', 'DUPLICATE_PAYMENT', 'RESERVATION_CLOSED', 'DELETED_PRODUCT', ...WARNINGS],
  ...['opened', 'deleted', 'revived', 'mixed group stood', 'mixed group fell'],
];

describe('decidePush, over all histories of products, payments and operations', () => {
  it('keeps the stock of each product the sum of its effects, opening balances too (I1)', () => {
    holdsForHistories((history) => {
      const { log } = replayed(history);
      const summed = new Map<string, StockLevel>();
      for (const { productId: product, effect, stockAfter, lamport, kind, disposition } of log.events) {
        const before = summed.get(product) ?? EMPTY_LEVEL;
        const quantity = before.quantity + effect;
        expect(stockAfter).toBe(quantity);
        expect(Math.abs(quantity)).toBeLessThanOrEqual(INT4_MAX);
        const tracked = before.tracked || (kind !== 'DECREMENT' && disposition === 'APPLIED');
        summed.set(product, { quantity, tracked, lastLamport: lamport });
      }
      expectSame(log.levels, summed);
    });
  });

  it('records an operation once, and an edit once, however often they come (I2)', () => {
    holdsForHistories((history) => {
      const { events, versions } = replayed(history).log;
      expect(isUnique(events.map((event) => event.operationId))).toBe(true);
      expect(isUnique(versions.map((version) => version.editId))).toBe(true);
    });
  });

  it('enters a conflict into the log once, however often its entry comes (I2)', () => {
    holdsForHistories((history) => {
      expect(isUnique(replayed(history).log.conflicts.map((conflict) => conflict.id))).toBe(true);
    });
  });

  it('answers every entry once, where it was sent and under its own id, and records what it says it did (I3)', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replayed(history);
      const places = new Map<number, unknown>([
        ...log.events.map((event) => [event.lamport, event.operationId] as const),
        ...log.versions.map((version) => [version.lamport, version.editId] as const),
      ]);
      const conflicts = new Set(log.conflicts.map((conflict) => conflict.id));
      for (const { command, plan } of pushes) {
        expectSame(
          plan.outcomes.map(({ id }) => id),
          command.entries.map(idIn),
        );
        plan.outcomes.forEach((outcome, index) => {
          const entry = command.entries[index];
          if (!entry?.readable) return;
          const identity = entry.what === 'OPERATION' ? entry.operation.operationId : entry.edit.editId;
          if (outcome.status === 'accepted') expect(places.get(outcome.lamport)).toBe(identity);
          if (outcome.status === 'duplicate') expect(places.get(outcome.original.lamport)).toBe(identity);
          const conflictId = conflictIdIn(outcome);
          if (conflictId !== undefined) {
            expect(conflictId).toBe(conflictIdOf(entry.what === 'OPERATION' ? 'OPERATION' : 'EDIT', identity));
            expect(conflicts).toContain(conflictId);
          }
        });
      }
    });
  });

  it('records nothing that no entry was accepted or held for, but for opening balances (I3)', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replayed(history).pushes) {
        const accepted = command.entries.flatMap((entry, index) => {
          const status = plan.outcomes[index]?.status;
          const kept = status === 'accepted' || (status === 'conflict' && entry.what === 'OPERATION');
          if (!kept || !entry.readable) return [];
          return entry.what === 'OPERATION' ? entry.operation.operationId : entry.edit.editId;
        });
        const recorded = [
          ...plan.events.filter((event) => event.deviceType !== 'SERVER').map((event) => event.operationId),
          ...plan.versions.map((version) => version.editId),
        ];
        expectSame(recorded.sort(), accepted.sort());
      }
    });
  });

  it('gives every write of whatever kind a lamport of its own, growing past all that was seen (I4)', () => {
    holdsForHistories((history) => {
      let last = 0;
      for (const { command, plan } of replayed(history).pushes) {
        for (const { lamport, clientLamport } of written(plan)) {
          last = Math.max(last, command.clientLamport, clientLamport) + 1;
          expect(lamport).toBe(last);
        }
        expect(plan.clock.lamport).toBe(last);
      }
    });
  });

  it('gives lamports in the order of decision: products, payments, operations, each group with its first line', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replayed(history).pushes) {
        const lamports = pickedBy(decisionUnits(command).flat(), plan.outcomes).flatMap((outcome) => {
          if (outcome.status === 'accepted') return outcome.lamport;
          return outcome.status === 'conflict' && outcome.lamport > 0 ? outcome.lamport : [];
        });
        const fresh = new Set(written(plan).map(({ lamport }) => lamport));
        const given = [...new Set(lamports)].filter((lamport) => fresh.has(lamport));
        expectSame(
          given,
          given.toSorted((a, b) => a - b),
        );
      }
    });
  });

  it('makes of the same pushes in the same order the same log (I8)', () => {
    holdsForHistories((history) => {
      const first = replayed(history);
      const second = replayed(structuredClone(history));
      expectSame(second.log, first.log);
      expectSame(
        second.pushes.map(({ plan }) => plan.outcomes),
        first.pushes.map(({ plan }) => plan.outcomes),
      );
    });
  });

  it('decides alone on its arguments, and leaves them as they were', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replayed(history).pushes) {
        const states = [context.products, context.payments, context.posHolders, context.references, context.bases];
        states.forEach((map) => deepFrozen([...map.values()]));
        expectSame(decidePush(deepFrozen(command), context), plan);
      }
    });
  });

  it('lets no rejected entry, nor a group of any kinds that fell, leave a trace, not in the outcomes of others (I9)', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replayed(history).pushes) {
        const entries = command.entries.filter((_, index) => plan.outcomes[index]?.status !== 'rejected');
        expectSame(decidePush({ ...command, entries }, context), {
          ...plan,
          outcomes: plan.outcomes.filter(({ status }) => status !== 'rejected'),
        });
      }
    });
  });

  it('changes nothing at all by a push of which nothing was accepted or disputed (I9)', () => {
    holdsForHistories((history) => {
      for (const { context, plan } of replayed(history).pushes) {
        if (plan.outcomes.some((outcome) => outcome.status === 'accepted' || conflictIdIn(outcome))) continue;
        expect(writesOf(plan)).toEqual(WRITES_NOTHING);
        expect(plan.clock).toEqual(context.clock);
      }
    });
  });

  it('accepts the entries of a group together or not at all, whatever they are, but for those known before', () => {
    holdsForHistories((history) => {
      for (const { command, context, plan } of replayed(history).pushes) {
        const conflictsKnown = [...context.knownConflicts.keys(), ...plan.conflicts.map(({ id }) => id)];
        for (const unit of decisionUnits(command)) {
          const outcomes = pickedBy(unit, plan.outcomes);
          if (outcomes.every(({ status }) => status !== 'rejected')) continue;
          expect(outcomes.map(({ status }) => status)).not.toContain('accepted');
          for (const outcome of outcomes) {
            // Nor a conflict, unless it was in the log before, or another unit of the push has entered it.
            const id = conflictIdIn(outcome);
            if (id !== undefined) expect(conflictsKnown).toContain(id);
          }
        }
      }
    });
  });

  it('answers GROUP_REJECTED only where another entry of the group has a reason of its own', () => {
    holdsForHistories((history) => {
      for (const { command, plan } of replayed(history).pushes) {
        for (const unit of decisionUnits(command)) {
          const reasons = pickedBy(unit, plan.outcomes).map(codeOf);
          if (!reasons.includes('GROUP_REJECTED')) continue;
          expect(reasons.some((code) => code !== undefined && code !== 'GROUP_REJECTED')).toBe(true);
        }
      }
    });
  });

  it('gives what the log lacked as the reason of one line of a group at most: the others may lack it only for that', () => {
    const ofTheLog: readonly (RejectionCode | undefined)[] = [
      ...(['SKU_TAKEN', 'UNKNOWN_REFERENCE', 'INSUFFICIENT_STOCK', 'QUANTITY_OUT_OF_RANGE'] as const),
    ];
    holdsForHistories((history) => {
      for (const { command, plan } of replayed(history).pushes) {
        for (const unit of decisionUnits(command)) {
          const reasons = pickedBy(unit, plan.outcomes).map(codeOf);
          expect(reasons.filter((code) => ofTheLog.includes(code)).length).toBeLessThanOrEqual(1);
        }
      }
    });
  });

  it('decides a push as if its groups and lone entries had been pushed one after the other', () => {
    holdsForHistories((history) => {
      // Apart, those after one far ahead would be measured from a clock that it put forward.
      fc.pre(history.every(({ command }) => lamportsIn(command).every((lamport) => lamport < LAMPORT_LEAD_MAX)));
      const possible = withPossibleBases(history);
      const together = replayed(possible);
      const oneByOne = replayed(apart(possible));
      expectSame(
        oneByOne.pushes.flatMap(({ plan }) => plan.outcomes),
        together.pushes.flatMap(({ command, plan }) =>
          decisionUnits(command).flatMap((unit) =>
            pickedBy(
              unit.toSorted((a, b) => a - b),
              plan.outcomes,
            ),
          ),
        ),
      );
      expectSame(oneByOne.log, together.log);
    });
  });

  it('answers what was recorded or disputed as the first time when any of it comes again, and changes nothing (I2)', () => {
    fc.assert(
      fc.property(mixedHistories, keys, (history, pick) => {
        const { log, pushes } = replayed(history);
        for (const device of new Set(pushes.map(({ command }) => command.deviceId))) {
          const firsts = pushes
            .filter(({ command }) => command.deviceId === device)
            .flatMap(({ command, plan }) =>
              plan.outcomes.flatMap((outcome, index) => {
                const entry = command.entries[index];
                const left = outcome.status === 'accepted' || conflictIdIn(outcome) !== undefined;
                return entry && left ? [{ entry, outcome }] : [];
              }),
            );
          const again = shuffled(firsts, pick).filter((_, index) => (pick[index] ?? 0) % 3 > 0);
          const byKind = PROCESSING_ORDER.flatMap((what) => again.filter(({ entry }) => entry.what === what));
          const command = aPush(
            byKind.map(({ entry }) => entry),
            { deviceId: device, clientLamport: 3 },
          );
          const plan = log.push(command);
          expect(writesOf(plan)).toEqual(WRITES_NOTHING);
          byKind.forEach(({ entry, outcome: first }, index) => {
            const outcome = plan.outcomes[index];
            if (first.status === 'accepted' || (first.status === 'conflict' && entry.what === 'OPERATION')) {
              expect(outcome).toMatchObject({ status: 'duplicate', original: { lamport: first.lamport } });
              if ('version' in first && first.version)
                expect(outcome).toMatchObject({ original: { version: first.version } });
            } else if (first.status === 'ignored' || first.status === 'conflict') {
              expect(outcome).toMatchObject({ status: first.status, conflict: first.conflict });
            }
          });
        }
      }),
      { numRuns: 100, examples: MIXED_HISTORIES.map((history) => [history, [1]]) },
    );
  });

  it('counts the versions of a state up by one, and by its history the state can be made again', () => {
    holdsForHistories((history) => {
      const { log } = replayed(history);
      const states = [...log.products.values(), ...log.payments.values()];
      expect(new Set(log.versions.map(({ entityId }) => entityId))).toEqual(new Set(states.map(({ id }) => id)));
      for (const state of states) {
        const versions = historyOf(log, state.id);
        expectSame(
          versions.map(({ version }) => version),
          versions.map((_, index) => index + 1),
        );
        let fields: Fields = {};
        for (const version of versions) {
          const differing = Object.keys(version.fields).filter((name) => fields[name] !== version.fields[name]);
          expectSame([...version.changed].sort(), differing.sort());
          const changes = version.changed.map((name) => [name, version.fields[name]] as const);
          fields = { ...fields, ...(Object.fromEntries(changes) as Fields) };
        }
        expectSame(fields, { ...state.fields });
        const { version, lamport, editId, deviceId: device } = state;
        expect(versions.at(-1)).toMatchObject({ version, lamport });
        // The edit that stands: after a merge of an older one it is the one before.
        const standing = versions.find((one) => one.editId === editId);
        expect(standing).toMatchObject({ deviceId: device });
      }
    });
  });

  it('writes of each state and level that it changed the last, once', () => {
    holdsForHistories((history) => {
      for (const { plan } of replayed(history).pushes) {
        const lastOf = new Map(plan.versions.map(({ entityId, version }) => [entityId, version]));
        const states = [...plan.products, ...plan.payments];
        expect(isUnique(states.map(({ id }) => id))).toBe(true);
        expectSame(new Map(states.map(({ id, version }) => [id, version])), sorted(lastOf, states));
        expect(new Set(plan.levels.keys())).toEqual(new Set(plan.events.map((event) => event.productId)));
      }
    });
  });

  it('answers an accepted edit the version it made, and an ignored one the version that stands', () => {
    holdsForHistories((history) => {
      for (const { entry, outcome, push } of loneEntries(history)) {
        if (!entry.readable || entry.what === 'OPERATION') continue;
        const states = entry.what === 'PRODUCT' ? push.context.products : push.context.payments;
        const current = states.get(entry.edit.id);
        if (outcome.status === 'accepted') {
          expect(outcome.version).toBe((current?.version ?? 0) + 1);
          expect(push.plan.versions).toMatchObject([{ version: outcome.version, lamport: outcome.lamport }]);
        } else if (outcome.status === 'ignored') {
          expect(outcome).toMatchObject({ version: current?.version, lamport: current?.lamport });
          expect(push.plan).toMatchObject({ versions: [], products: [], payments: [], events: [] });
        }
      }
    });
  });

  it('records of a product what decideProductEdit makes of it, if its SKU is free', () => {
    holdsForHistories((history) => {
      for (const { entry, outcome, push } of loneEntries(history)) {
        const { context, plan } = push;
        if (!entry.readable || entry.what !== 'PRODUCT' || !isOwn(entry, push.command)) continue;
        const { edit } = entry;
        if (isKnown(edit, context) || codeOf(outcome) === 'LAMPORT_OUT_OF_RANGE') continue;
        const current = context.products.get(edit.id);
        const decided = decideProductEdit(current, edit, context.bases.get(edit.editId));
        if (decided.verdict === 'REJECT') {
          expect(outcome).toMatchObject({ status: 'rejected', code: decided.code });
          continue;
        }
        const { fields, changed, contested } = decided.merge;
        expect(conflictIdIn(outcome) !== undefined).toBe(
          outcome.status !== 'rejected' && !!current && contested.length > 0,
        );
        if (decided.verdict === 'IGNORE') {
          expect(outcome.status).toBe('ignored');
          continue;
        }
        const holder = fields.sku === null ? undefined : context.skuHolders.get(fields.sku);
        if (holder !== undefined && holder !== edit.id && !fields.isDeleted) expect(codeOf(outcome)).toBe('SKU_TAKEN');
        else if (outcome.status === 'rejected') {
          // Only an opening balance can leave the range of stock.
          expect(outcome.code).toBe('QUANTITY_OUT_OF_RANGE');
          expect(current).toBeUndefined();
        } else {
          expect(outcome.status).toBe('accepted');
          const { updatedBy } = edit;
          const standing = standingEdit(current, edit, decided.merge, plan.versions[0]?.lamport ?? 0);
          expect(plan.products).toMatchObject([{ id: edit.id, fields, ...standing, updatedBy }]);
          expect(plan.versions[0]).toMatchObject({ editId: edit.editId, deviceId: edit.deviceId });
          expectSame(plan.versions[0]?.changed, changed);
        }
      }
    });
  });

  it('records of a payment what decidePaymentEdit makes of it, if no other has its POS transaction', () => {
    holdsForHistories((history) => {
      for (const { entry, outcome, push } of loneEntries(history)) {
        const { context, plan } = push;
        if (!entry.readable || entry.what !== 'PAYMENT' || !isOwn(entry, push.command)) continue;
        const { edit } = entry;
        if (isKnown(edit, context) || codeOf(outcome) === 'LAMPORT_OUT_OF_RANGE') continue;
        const current = context.payments.get(edit.id);
        const decided = decidePaymentEdit(current, edit, context.bases.get(edit.editId));
        if (decided.verdict === 'REJECT') {
          expect(codeOf(outcome)).toBe('VALIDATION');
          continue;
        }
        if (decided.verdict === 'IGNORE') {
          expect(outcome.status).toBe('ignored');
          continue;
        }
        const { fields } = decided.merge;
        const rival = fields.posTransactionId === null ? undefined : context.posHolders.get(fields.posTransactionId);
        const takesIt = fields.posTransactionId !== current?.fields.posTransactionId;
        if (rival && rival.id !== edit.id && takesIt) {
          expect(outcome).toMatchObject({ status: 'conflict', conflict: { method: null, winnerId: null } });
          expect(writesOf(plan)).toMatchObject({ ...WRITES_NOTHING, conflicts: [{ kind: 'DUPLICATE_PAYMENT' }] });
        } else {
          expect(outcome.status).toBe('accepted');
          const standing = standingEdit(current, edit, decided.merge, plan.versions[0]?.lamport ?? 0);
          expect(plan.payments).toMatchObject([{ id: edit.id, fields, ...standing }]);
        }
      }
    });
  });

  it('has two living products with one SKU at no time', () => {
    holdsForHistories((history) => {
      const { log } = replayed(history);
      const living = new Map<string, Fields>();
      for (const { entity, entityId, fields } of log.versions) {
        if (entity !== 'PRODUCT') continue;
        living.set(entityId, fields);
        const skus = [...living.values()].flatMap(({ sku, isDeleted }) => (isDeleted === true ? [] : (sku ?? [])));
        expect(isUnique(skus)).toBe(true);
      }
    });
  });

  it('has two payments with one POS transaction at no time', () => {
    holdsForHistories((history) => {
      const payments = new Map<string, Fields>();
      for (const { entity, entityId, fields } of replayed(history).log.versions) {
        if (entity !== 'PAYMENT') continue;
        payments.set(entityId, fields);
        expect(isUnique([...payments.values()].flatMap(({ posTransactionId }) => posTransactionId ?? []))).toBe(true);
      }
    });
  });

  it('deletes and revives only by edits that say so, and knows since when a product is deleted', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replayed(history);
      const edits = editsOf(pushes);
      for (const product of log.products.values()) {
        let deletedLamport: number | null = null;
        let first = true;
        for (const { fields, changed, editId, lamport } of historyOf(log, product.id)) {
          const isDeleted = fields['isDeleted'] === true;
          if (changed.includes('isDeleted') && !(first && !isDeleted)) {
            expect(edits.get(editId)?.said).toMatchObject({ isDeleted });
          }
          if (!isDeleted) deletedLamport = null;
          else deletedLamport ??= lamport;
          first = false;
        }
        expect(product.deletedLamport).toBe(deletedLamport);
        expect(product.fields.isDeleted).toBe(deletedLamport !== null);
      }
    });
  });

  it('opens the stock of a product once, when it is new and living, and says when it does not', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replayed(history);
      const warned = new Map(
        pushes.flatMap(({ plan }) =>
          plan.outcomes.flatMap((outcome) =>
            outcome.status === 'accepted' ? [[outcome.lamport, outcome.warnings] as const] : [],
          ),
        ),
      );
      const openings = new Map(
        log.events.filter((event) => event.deviceType === 'SERVER').map((event) => [event.productId, event]),
      );
      const edits = editsOf(pushes);
      for (const { entity, entityId, version, lamport, editId, fields } of log.versions) {
        if (entity !== 'PRODUCT') continue;
        const edit = edits.get(editId) as ProductEdit;
        const opens = version === 1 && fields['isDeleted'] === false && edit.currentStock !== null;
        const opening = openings.get(entityId);
        if (opens) {
          expect(opening).toMatchObject({
            ...{ kind: 'INCREMENT', delta: edit.currentStock, reason: 'ADJUSTMENT', disposition: 'APPLIED' },
            ...{ operationId: openingBalanceId(entityId), lamport: lamport + 1, deviceId: edit.deviceId },
          });
        } else if (version === 1) expect(opening).toBeUndefined();
        expect(warned.get(lamport)?.includes('STOCK_IGNORED')).toBe(edit.currentStock !== null && !opens);
      }
    });
  });

  it('loses no value that an edit said: it stands, or stood, or is in the conflict log', () => {
    holdsForHistories((history) => {
      const { log, pushes } = replayed(history);
      const payloads = new Map(log.conflicts.map(({ id, a }) => [id, a.payload]));
      for (const { command, plan } of pushes) {
        plan.outcomes.forEach((outcome, index) => {
          const entry = command.entries[index];
          if (outcome.status === 'rejected' || !entry?.readable || entry.what === 'OPERATION') return;
          const { id, editId, said } = entry.edit;
          if (isMoot(said, outcome)) return;
          const versions = historyOf(log, id);
          for (const [name, value] of Object.entries(said)) {
            const stood = versions.some(({ fields }) => fields[name] === value);
            const kept = payloads.get(conflictIdOf('EDIT', editId))?.[name] === value;
            expect({ name, value, kept: stood || kept }).toEqual({ name, value, kept: true });
          }
        });
      }
    });
  });

  it('enters into the conflict log what did not become of an edit, beside what stands in its place', () => {
    holdsForHistories((history) => {
      for (const { entry, outcome, push } of loneEntries(history)) {
        const { context, plan } = push;
        if (!entry.readable || entry.what === 'OPERATION' || isKnown(entry.edit, context)) continue;
        if (outcome.status !== 'accepted' && outcome.status !== 'ignored') continue;
        const { edit } = entry;
        const states: ReadonlyMap<string, Product | Payment> =
          entry.what === 'PRODUCT' ? context.products : context.payments;
        const before = states.get(edit.id);
        if (!before) continue;
        const after = [...plan.products, ...plan.payments][0] ?? before;
        const base = context.bases.get(edit.editId);
        if (isMoot(edit.said, outcome)) continue;
        const lost = Object.entries(edit.said).filter(
          ([name, value]) =>
            named(after.fields, name) !== value &&
            base?.fields[name] !== value &&
            !(name === 'isDeleted' && named(before.fields, name) === true), // see product-edit.spec.ts
        );
        const [conflict] = plan.conflicts;
        if (lost.length > 0) expect(conflict?.fields).toEqual(expect.arrayContaining(lost.map(([name]) => name)));
        if (!conflict) continue;
        expect(conflict).toMatchObject({
          ...{ kind: 'FIELD_EDIT', entity: entry.what, entityId: edit.id },
          ...{ a: { id: edit.editId, payload: edit.said }, b: { id: before.editId, payload: { ...before.fields } } },
          resolution: { method: 'HARDCODED' },
        });
        const winner = conflict.resolution?.winnerId === edit.editId ? conflict.a : conflict.b;
        for (const name of conflict.fields) expect(winner.payload[name]).toBe(named(after.fields, name));
      }
    });
  });

  it('comes to the same whatever the order of edits of different products', () => {
    fc.assert(
      fc.property(mixedHistories, keys, (history, pick) => {
        for (const { command, context } of replayed(history).pushes) {
          // One edit of each product; two that want one SKU would not be apart.
          const edits = command.entries.flatMap((entry) => {
            if (!entry.readable || entry.what !== 'PRODUCT') return [];
            return [{ ...entry, groupId: null, edit: { ...entry.edit, said: { ...entry.edit.said, sku: null } } }];
          });
          const entries = [...new Map(edits.map((entry) => [entry.edit.id, entry])).values()];
          if ([...context.products.values()].some(({ fields }) => fields.isDeleted && fields.sku !== null)) continue;
          const order = shuffled([...entries.keys()], pick);
          const forth = decidePush({ ...command, entries }, context);
          const back = decidePush({ ...command, entries: pickedBy(order, entries) }, context);
          expectSame(answers(back), pickedBy(order, answers(forth)));
          expectSame(withoutPlaces(back), withoutPlaces(forth));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('refuses an operation for the deletion of its product if, and only if, its device could know of it', () => {
    holdsForHistories((history) => {
      const deletedAt = new Map<string, number | null>();
      for (const { entry, outcome, push } of loneEntries(history)) {
        push.plan.products.forEach(({ id, deletedLamport }) => deletedAt.set(id, deletedLamport));
        if (!entry.readable || entry.what !== 'OPERATION' || !isOwn(entry, push.command)) continue;
        const { operation } = entry;
        if (push.context.known.has(operation.operationId) || codeOf(outcome) === 'LAMPORT_OUT_OF_RANGE') continue;
        const deleted = push.context.catalogue.get(operation.productId);
        const pulled = push.context.lastPulledLamport ?? Infinity;
        const base = operation.baseLamport ?? Math.min(operation.clientLamport - 1, pulled);
        const isItsOwn = deleted?.deviceId === operation.deviceId && deleted.clientLamport < operation.clientLamport;
        const couldKnow = deleted != null && (deleted.deletedLamport <= base || isItsOwn);
        expect(codeOf(outcome) === 'PRODUCT_DELETED').toBe(couldKnow);
        if (outcome.status === 'accepted') {
          expect(outcome.warnings.includes('UNKNOWN_PRODUCT')).toBe(deleted === undefined);
        }
      }
    });
  });

  it('gives back no more than was taken, confirms a reservation once, and says when it was closed', () => {
    holdsForHistories((history) => {
      const { log } = replayed(history);
      /** By operation: what it has out of stock still, and whether, if it reserved, that was sold. */
      const taken = new Map<string, { readonly event: StockEvent; out: number; sold: boolean }>();
      const closed = new Set<string>();
      for (const event of log.events) {
        const { operationId: id, kind, reason, delta, effect, refOperationId, disposition } = event;
        const ref = refOperationId === null ? undefined : taken.get(refOperationId);
        const cancels = kind === 'INCREMENT' && reason === 'CANCEL' && refOperationId !== null;
        const confirms = kind === 'DECREMENT' && reason === 'SALE' && refOperationId !== null;
        if (cancels || confirms) expect(ref?.event.productId).toBe(event.productId);
        let due = kind === 'DECREMENT' ? -delta : delta;
        if (ref && cancels) {
          expect(ref).toMatchObject({ event: { kind: 'DECREMENT' }, sold: false });
          ref.out -= delta;
          expect(ref.out).toBeGreaterThanOrEqual(0);
        } else if (
          ref?.event.kind === 'DECREMENT' &&
          ref.event.reason === 'RESERVATION' &&
          confirms &&
          disposition === 'APPLIED'
        ) {
          const held = ref.sold || ref.event.disposition === 'HELD' ? 0 : ref.out;
          if (held === 0) closed.add(id);
          due += held;
          ref.sold ||= held > 0;
        }
        if (ref && cancels && ref.event.disposition === 'HELD') due = 0; // nothing of it has left
        if (disposition === 'HELD') due = 0;
        if (kind !== 'SET' || disposition === 'HELD') expect(effect).toBe(due);
        taken.set(id, { event, out: kind === 'DECREMENT' ? delta : 0, sold: false });
      }
      expectSame(
        new Set(log.conflicts.filter(({ kind }) => kind === 'RESERVATION_CLOSED').map(({ a }) => a.id)),
        closed,
      );
    });
  });

  it('is tried with histories that reach all that products, payments and references bring', () => {
    const seen = new Map<string, number>();
    const see = (...what: readonly string[]): void => {
      const key = what.join(' ');
      seen.set(key, (seen.get(key) ?? 0) + 1);
    };
    for (const history of fc.sample(mixedHistories, { numRuns: 400, seed: 1 })) {
      const { log, pushes } = replayed(history);
      for (const { command, plan, context } of pushes) {
        plan.outcomes.forEach((outcome, index) => {
          const entry = command.entries[index];
          const what = entry?.what ?? '';
          see(what, codeOf(outcome) ?? outcome.status);
          if (outcome.status === 'accepted')
            outcome.warnings.forEach((warning) => {
              see(warning);
            });
          if (outcome.status === 'accepted' && entry?.readable && entry.what !== 'OPERATION') {
            const based = context.bases.has(entry.edit.editId) ? 'merged' : 'written';
            see(what, based, outcome.conflict ? 'with conflict' : 'without conflict');
          }
          if (outcome.status === 'ignored')
            see(what, 'ignored', outcome.conflict ? 'with conflict' : 'without conflict');
        });
        for (const unit of decisionUnits(command)) {
          const kinds = new Set(unit.map((index) => command.entries[index]?.what));
          if (kinds.size < 2) continue;
          see(
            'mixed group',
            pickedBy(unit, plan.outcomes).every(({ status }) => status === 'accepted') ? 'stood' : 'fell',
          );
        }
      }
      log.conflicts.forEach(({ kind }) => {
        see(kind);
      });
      for (const { entity, version, changed, fields } of log.versions) {
        if (entity === 'PRODUCT' && version > 1 && changed.includes('isDeleted')) {
          see(fields['isDeleted'] === true ? 'deleted' : 'revived');
        }
      }
      if (log.events.some((event) => event.deviceType === 'SERVER')) see('opened');
    }
    const rare = [...REACHED].filter((what) => (seen.get(what) ?? 0) < 2);
    expect(rare).toEqual([]);
  });
});

const first = deviceId(1);
const second = deviceId(2);

const product = (said: Partial<ProductFields>, fields: Partial<Omit<ProductEdit, 'editId'>> = {}): ProductEdit =>
  aProductEdit({ said, ...fields });
const payment = (said: Partial<PaymentFields>, fields: Partial<Omit<PaymentEdit, 'editId'>> = {}): PaymentEdit =>
  aPaymentEdit({ said, ...fields });
/** A payment of ten by card. */
const byCard = (number: number, posTransactionId: string, fields: Partial<Omit<PaymentEdit, 'editId'>> = {}) =>
  payment(
    { saleId: saleId(number), amount: 10, paymentMethod: 'POS_OFFLINE', posTransactionId },
    { id: paymentId(number), clientLamport: number, ...fields },
  );
const malformed = (what: PushEntry['what'], ofGroup: string | null = null): MalformedEntry => ({
  ...{ what, readable: false, path: 'x[0]', id: null, groupId: ofGroup },
  errors: [{ path: 'x[0].lamport_ts', code: 'IS_INT', message: 'must be an integer' }],
});
const inGroup = (edit: ProductEdit | PaymentEdit, group = 1): PushEntry =>
  'currentStock' in edit
    ? aProductEntry(edit, { groupId: groupId(group) })
    : aPaymentEntry(edit, { groupId: groupId(group) });

/** What a device pushes, all at its lamport 0. */
const by = (device: string, ...entries: Parameters<typeof aMixedPush>[0]): PushCommand =>
  aMixedPush(
    entries.map((entry) => {
      if ('readable' in entry) return entry;
      if ('operationId' in entry) return { ...entry, deviceId: device };
      return 'currentStock' in entry
        ? aProductEdit({ ...entry, deviceId: device })
        : aPaymentEdit({ ...entry, deviceId: device });
    }),
    { deviceId: device },
  );

function aLogOf(...pushes: readonly PushCommand[]): PushLog {
  const log = anEmptyLog();
  for (const push of pushes) {
    const plan = log.push(push);
    if (plan.outcomes.some(({ status }) => status !== 'accepted')) throw new Error(`Only ${answers(plan).join()}`);
  }
  return log;
}

const fieldsOf = (log: PushLog, number = 1): Partial<ProductFields & PaymentFields> | undefined =>
  (log.products.get(productId(number)) ?? log.payments.get(paymentId(number)))?.fields;
const quantityOf = (log: PushLog, number = 1): number | undefined => log.levels.get(productId(number))?.quantity;

describe('decidePush, of products', () => {
  it('puts a new product into the catalogue', () => {
    const updatedBy = 'eeeeeeee-0000-4000-8000-000000000001';
    const log = anEmptyLog();
    const edit = product({ name: 'Honey', price: 2.5, sku: 'H' }, { clientLamport: 7, updatedBy });
    const plan = log.push(by(first, edit));
    expect(plan.outcomes).toEqual([{ status: 'accepted', id: productId(1), lamport: 8, version: 1, warnings: [] }]);
    const fields = { name: 'Honey', price: 2.5, sku: 'H', isDeleted: false };
    const stored = { id: productId(1), version: 1, lamport: 8, deletedLamport: null, updatedBy, clientLamport: 7 };
    expect(plan.products).toMatchObject([{ ...stored, fields }]);
    expect(plan.versions).toMatchObject([
      { entity: 'PRODUCT', entityId: productId(1), version: 1, lamport: 8, fields },
    ]);
    expect(writesOf(plan)).toMatchObject({ events: [], conflicts: [], payments: [] });
  });

  it('refuses a new product without a name, and says where it lacks', () => {
    const plan = anEmptyLog().push(by(first, aProductEntry(product({ price: 1 }), { path: 'products[3]' })));
    expect(plan.outcomes).toEqual([
      {
        status: 'rejected',
        id: productId(1),
        code: 'VALIDATION',
        errors: [{ path: 'products[3].name', code: 'REQUIRED', message: 'is required of a new product' }],
      },
    ]);
  });

  it('decides products before operations, which know them and their stock though they are sent first', () => {
    const log = anEmptyLog();
    const claim = aSale({ operationId: operationId(1), delta: 6, paymentStatus: 'PENDING' });
    const sale = aSale({ operationId: operationId(2), delta: 2 });
    const plan = log.push(by(first, claim, sale, product({ name: 'Honey' }, { currentStock: 5 })));
    expect(plan.outcomes).toMatchObject([
      { code: 'INSUFFICIENT_STOCK', available: 5 },
      { status: 'accepted', lamport: 4, warnings: [] },
      { status: 'accepted', lamport: 2, version: 1, warnings: [] },
    ]);
    expect(plan.events).toMatchObject([
      { lamport: 3, deviceType: 'SERVER', kind: 'INCREMENT', delta: 5, effect: 5, stockAfter: 5 },
      { lamport: 4, operationId: operationId(2), effect: -2, stockAfter: 3 },
    ]);
  });

  it('counts what was sold before a product was known against its opening balance', () => {
    const log = aLogOf(by(second, aSale({ delta: 2 })), by(first, product({ name: 'Honey' }, { currentStock: 5 })));
    expect(log.levels.get(productId(1))).toMatchObject({ quantity: 3, tracked: true });
  });

  it('takes an opening balance of nothing for a baseline', () => {
    const log = aLogOf(by(first, product({ name: 'Honey' }, { currentStock: 0 })));
    expect(log.levels.get(productId(1))).toMatchObject({ quantity: 0, tracked: true });
    expect(answers(log.push(by(first, aSale({ paymentStatus: null }))))).toEqual(['INSUFFICIENT_STOCK']);
  });

  it.each<[what: string, before: PushCommand[], edit: ProductEdit]>([
    [
      'of a product that is there',
      [by(first, product({ name: 'Honey' }))],
      product({ price: 1 }, { currentStock: 5, clientLamport: 9 }),
    ],
    ['of a new product that is deleted', [], product({ name: 'Honey', isDeleted: true }, { currentStock: 5 })],
    [
      'of a product that lives again',
      [by(first, product({ name: 'Honey', isDeleted: true }))],
      product({ isDeleted: false }, { currentStock: 5, clientLamport: 9 }),
    ],
    [
      'of which an operation has taken the identity',
      [by(first, aRestock(2, { operationId: openingBalanceId(productId(1)) }))],
      product({ name: 'Honey' }, { currentStock: 5, clientLamport: 9 }),
    ],
  ])('ignores the stock %s, and says so', (_what, before, edit) => {
    const log = aLogOf(...before);
    const plan = log.push(by(first, edit));
    expect(plan.outcomes).toMatchObject([{ status: 'accepted', warnings: ['STOCK_IGNORED'] }]);
    expect(plan.events).toEqual([]);
  });

  it('opens a product once if two devices bring it', () => {
    const log = aLogOf(by(first, product({ name: 'Honey' }, { currentStock: 5 })));
    const plan = log.push(by(second, product({ name: 'Honey' }, { currentStock: 7, clientLamport: 9 })));
    expect(plan.outcomes).toMatchObject([{ status: 'accepted', version: 2, warnings: ['STOCK_IGNORED'] }]);
    expect(quantityOf(log)).toBe(5);
  });

  it('refuses a product whose opening balance would leave the range of stock, and keeps nothing of it', () => {
    const log = aLogOf(by(first, aRestock(1)));
    const plan = log.push(by(first, product({ name: 'Honey', sku: 'H' }, { currentStock: INT4_MAX })));
    expect(plan.outcomes).toEqual([{ status: 'rejected', id: productId(1), code: 'QUANTITY_OUT_OF_RANGE' }]);
    expect(writesOf(plan)).toEqual(WRITES_NOTHING);
  });

  it('lets the last write win: what has a higher lamport than what stands', () => {
    // It stands since lamport 2.
    const later = (clientLamport: number): PushPlan =>
      aLogOf(by(first, product({ name: 'Honey' }))).push(by(second, product({ name: 'Milk' }, { clientLamport })));
    expect(later(3).outcomes).toMatchObject([{ status: 'accepted', version: 2, lamport: 4 }]);
    expect(later(2).outcomes).toMatchObject([{ status: 'ignored', version: 1, lamport: 2 }]);
    expect(later(1).outcomes).toMatchObject([{ status: 'ignored', version: 1, lamport: 2 }]);
  });

  it('lets the second edit that a device made offline stand, in the same push or in the next', () => {
    const [one, two] = [
      product({ name: 'Honey' }, { clientLamport: 10 }),
      product({ price: 2 }, { clientLamport: 11 }),
    ];
    const stale = product({ price: 3 }, { clientLamport: 9 });
    const together = anEmptyLog().push(by(first, one, two, stale));
    expect(answers(together)).toEqual(['accepted', 'accepted', 'ignored']);
    expect(together.products).toMatchObject([{ version: 2, lamport: 12, fields: { name: 'Honey', price: 2 } }]);
    const log = aLogOf(by(first, one), by(first, two));
    expect(log.products.get(productId(1))).toMatchObject({
      version: 2,
      lamport: 12,
      fields: { name: 'Honey', price: 2 },
    });
  });

  it('says what stands and keeps what was said, where an edit comes too late', () => {
    const log = aLogOf(by(first, product({ name: 'Honey', price: 1 })));
    const edit = { ...product({ name: 'Milk', price: 1 }, { deviceId: second }) };
    const plan = log.push(by(second, edit));
    const winnerId = log.products.get(productId(1))?.editId;
    const note = { method: 'HARDCODED', reason: 'What stands is newer than the edit.', confidence: 1, winnerId };
    expect(plan.outcomes).toEqual([
      {
        ...{ status: 'ignored', warnings: [], id: productId(1), lamport: 2, version: 1 },
        conflict: { id: conflictIdOf('EDIT', edit.editId), ...note },
      },
    ]);
    expect(writesOf(plan)).toEqual({ ...WRITES_NOTHING, conflicts: log.conflicts });
    expect(log.conflicts).toMatchObject([
      {
        ...{ kind: 'FIELD_EDIT', lamport: 3, fields: ['name'], resolution: note },
        ...{ a: { payload: { name: 'Milk' } }, b: { payload: { name: 'Honey', lamport: 2, version: 1 } } },
      },
    ]);
  });

  it('keeps nothing of an edit that comes too late and says only what stands', () => {
    const log = aLogOf(by(first, product({ name: 'Honey', price: 1 })));
    const plan = log.push(by(second, product({ price: 1 })));
    expect(plan.outcomes).toEqual([{ status: 'ignored', warnings: [], id: productId(1), lamport: 2, version: 1 }]);
    expect(writesOf(plan)).toEqual(WRITES_NOTHING);
  });

  it('answers an edit that came too late the same when it comes again, though something else stands by now', () => {
    const log = aLogOf(by(first, product({ name: 'Honey' })));
    const late = by(second, product({ name: 'Milk' }));
    const [before] = log.push(late).outcomes;
    log.push(by(first, product({ name: 'Cheese' }, { clientLamport: 9 })));
    const plan = log.push(late);
    expect(plan.outcomes).toMatchObject([{ status: 'ignored', version: 2, conflict: conflictOf(before) }]);
    expect(writesOf(plan)).toEqual(WRITES_NOTHING);
  });

  it('enters an edit that comes too late twice in one push into the conflict log once', () => {
    const log = aLogOf(by(first, product({ name: 'Honey' })));
    const late = product({ name: 'Milk' });
    const plan = log.push(by(second, late, late));
    expect(plan.conflicts).toHaveLength(1); // the database would refuse the second, and with it the push
    expect(plan.outcomes[1]).toEqual(plan.outcomes[0]);
  });

  it('answers a known edit with the version that it made, whatever stands by now and however far ahead its device is', () => {
    const edit = by(first, product({ name: 'Honey' }));
    const log = aLogOf(edit, by(second, product({ name: 'Milk' }, { clientLamport: 9 })));
    const plan = log.push({ ...edit, clientLamport: Number.MAX_SAFE_INTEGER });
    expect(plan.outcomes).toEqual([{ status: 'duplicate', id: productId(1), original: { lamport: 2, version: 1 } }]);
    expect(writesOf(plan)).toEqual(WRITES_NOTHING);
  });

  it('takes a doubled edit of one push for a duplicate', () => {
    const edit = product({ name: 'Honey' }, { currentStock: 5 });
    const plan = anEmptyLog().push(by(first, edit, edit));
    expect(plan.outcomes).toMatchObject([
      { status: 'accepted', lamport: 2 },
      { status: 'duplicate', original: { lamport: 2, version: 1 } },
    ]);
  });

  describe('merging by field', () => {
    const created = by(first, product({ name: 'Honey', price: 1, category: 'Sweet' })); // stands since lamport 2
    const edit = (said: Partial<ProductFields>, clientLamport: number, baseVersion: number | null = 1): ProductEdit =>
      product(said, { clientLamport, baseVersion });

    it('lets what two devices changed on different fields both stand, whoever comes first', () => {
      const ofOne = by(deviceId(2), edit({ name: 'Milk' }, 3));
      const ofOther = by(deviceId(3), edit({ price: 2, category: null }, 3));
      const [one, other] = [aLogOf(created, ofOne, ofOther), aLogOf(created, ofOther, ofOne)];
      expect(fieldsOf(one)).toMatchObject({ name: 'Milk', price: 2, category: null });
      expect(fieldsOf(other)).toEqual(fieldsOf(one));
      expect([one, other].map(({ conflicts, products }) => [conflicts, products.get(productId(1))?.version])).toEqual([
        [[], 3],
        [[], 3],
      ]);
    });

    it('decides by the lamport what both changed, and keeps the value that is lost', () => {
      const merged = (clientLamport: number): { log: PushLog; plan: PushPlan } => {
        const log = aLogOf(created, by(second, edit({ name: 'Milk' }, 9))); // since lamport 10
        return { log, plan: log.push(by(deviceId(3), edit({ name: 'Cheese', price: 2 }, clientLamport))) };
      };
      const newer = merged(11);
      expect(fieldsOf(newer.log)).toMatchObject({ name: 'Cheese', price: 2 });
      expect(newer.plan.outcomes).toMatchObject([
        { status: 'accepted', version: 3, lamport: 12, conflict: { reason: 'The edit is newer than what stood.' } },
      ]);
      expect(newer.plan.conflicts).toMatchObject([{ lamport: 13, fields: ['name'], b: { payload: { name: 'Milk' } } }]);
      const older = merged(10);
      expect(fieldsOf(older.log)).toMatchObject({ name: 'Milk', price: 2 });
      expect(older.plan.outcomes).toMatchObject([
        { status: 'accepted', version: 3, lamport: 11, conflict: { reason: 'What stands is newer than the edit.' } },
      ]);
      expect(older.plan.conflicts).toMatchObject([
        { lamport: 12, fields: ['name'], a: { payload: { name: 'Cheese' } } },
      ]);
    });

    it('ignores what leaves nothing to take', () => {
      const log = aLogOf(created, by(second, edit({ name: 'Milk' }, 9)));
      expect(log.push(by(deviceId(3), edit({ name: 'Milk', price: 1 }, 20))).outcomes).toEqual([
        { status: 'ignored', warnings: [], id: productId(1), version: 2, lamport: 10 },
      ]);
      expect(log.push(by(deviceId(3), edit({ name: 'Cheese' }, 4))).outcomes).toMatchObject([
        { status: 'ignored', version: 2, conflict: { method: 'HARDCODED' } },
      ]);
    });

    it.each([
      ['names no version', null],
      ['names the version that stands', 2],
      ['names a version that there is not', 9],
    ])('does not merge an edit that %s: the last write wins', (_what, baseVersion) => {
      const later = (clientLamport: number): string[] => {
        const log = aLogOf(created, by(second, edit({ name: 'Milk' }, 9)));
        return answers(log.push(by(deviceId(3), edit({ price: 2 }, clientLamport, baseVersion))));
      };
      expect([later(11), later(10)]).toEqual([['accepted'], ['ignored']]);
    });

    it('does not merge with what the same device did since: its clock tells which came last', () => {
      const log = aLogOf(created, by(first, edit({ name: 'Milk' }, 9)));
      expect(answers(log.push(by(first, edit({ price: 2 }, 8))))).toEqual(['ignored']);
      expect(answers(log.push(by(first, edit({ price: 2 }, 10))))).toEqual(['accepted']);
    });

    it('leaves what the same device said later by its own clock, also if others changed something else', () => {
      const log = aLogOf(created, by(second, edit({ name: 'Milk' }, 3)), by(first, edit({ price: 3 }, 9)));
      expect(answers(log.push(by(first, edit({ price: 2 }, 8))))).toEqual(['ignored']);
    });

    it('measures what others changed by the server’s clock, whatever its device has merged before', () => {
      const other = by(second, edit({ name: 'Milk' }, 9)); // since lamport 10
      const alone = aLogOf(created, other);
      alone.push(by(deviceId(3), edit({ name: 'Cheese' }, 4)));
      expect(fieldsOf(alone)).toMatchObject({ name: 'Milk' });
      const after = aLogOf(created, other, by(deviceId(3), edit({ price: 2 }, 3)));
      after.push(by(deviceId(3), edit({ name: 'Cheese' }, 4)));
      expect(fieldsOf(after)).toMatchObject({ name: 'Milk' });
    });

    it('merges every edit of a push with what others did, not with those before it in the push', () => {
      const log = aLogOf(created, by(second, edit({ name: 'Milk' }, 9)));
      const plan = log.push(by(first, edit({ price: 2 }, 3), edit({ price: 3 }, 4), edit({ category: null }, 5)));
      expect(answers(plan)).toEqual(['accepted', 'accepted', 'accepted']);
      expect(plan.conflicts).toEqual([]);
      expect(fieldsOf(log)).toMatchObject({ name: 'Milk', price: 3, category: null });
    });
  });

  describe('deleted', () => {
    /** Deleted at lamport 10. */
    const aTombstone = (): PushLog =>
      aLogOf(
        by(first, product({ name: 'Honey', sku: 'H', price: 1 })),
        by(first, product({ isDeleted: true }, { clientLamport: 9 })),
      );
    const edit = (
      said: Partial<ProductFields>,
      clientLamport: number,
      baseVersion: number | null = null,
    ): PushCommand => by(second, product(said, { clientLamport, baseVersion }));

    it('stays as a tombstone that says since when', () => {
      expect(aTombstone().products.get(productId(1))).toMatchObject({
        ...{ version: 2, lamport: 10, deletedLamport: 10 },
        fields: { name: 'Honey', sku: 'H', isDeleted: true },
      });
    });

    it('lives again by a newer edit that says so, and can be deleted anew', () => {
      const log = aTombstone();
      expect(log.push(edit({ isDeleted: false, price: 2 }, 11)).outcomes).toMatchObject([
        { status: 'accepted', version: 3 },
      ]);
      expect(log.products.get(productId(1))).toMatchObject({
        deletedLamport: null,
        fields: { price: 2, isDeleted: false },
      });
      log.push(edit({ isDeleted: true }, 20));
      expect(log.products.get(productId(1))).toMatchObject({ deletedLamport: 21 });
    });

    it('refuses a newer edit that does not say whether it lives', () => {
      expect(aTombstone().push(edit({ price: 2 }, 11)).outcomes).toEqual([
        { status: 'rejected', id: productId(1), code: 'PRODUCT_DELETED' },
      ]);
    });

    it.each<[what: string, command: PushCommand]>([
      ['a stale edit', edit({ name: 'Milk' }, 10)],
      ['an edit that was made when it lived', edit({ name: 'Milk' }, 20, 1)],
    ])('stays deleted for %s, whose values are kept', (_what, command) => {
      const log = aTombstone();
      const plan = log.push(command);
      expect(plan.outcomes).toMatchObject([
        { status: 'ignored', version: 2, lamport: 10, conflict: { method: 'HARDCODED' } },
      ]);
      expect(plan.conflicts).toMatchObject([{ a: { payload: { name: 'Milk' } }, fields: ['name'] }]);
      expect(plan.conflicts[0]?.resolution?.winnerId).toBe(log.products.get(productId(1))?.editId);
    });

    it.each([5, 10, 11])('is not deleted again at lamport %i, and nothing is disputed', (clientLamport) => {
      const plan = aTombstone().push(edit({ isDeleted: true }, clientLamport));
      expect(plan.outcomes).toEqual([{ status: 'ignored', warnings: [], id: productId(1), version: 2, lamport: 10 }]);
      expect(writesOf(plan)).toEqual(WRITES_NOTHING);
    });

    it.each<[what: string, isHeld: boolean, operation: Partial<Operation>, lastPulledLamport: number | null]>([
      ['says that it had applied the deletion', false, { baseLamport: 10, clientLamport: 3 }, null],
      ['says that it had not', true, { baseLamport: 9, clientLamport: 30 }, 30],
      ['had pulled the deletion', false, { clientLamport: 30 }, 10],
      ['had not pulled the deletion', true, { clientLamport: 30 }, 9],
      ['recorded it at a lamport before the deletion', true, { clientLamport: 10 }, 30],
      ['recorded it right after the deletion', false, { clientLamport: 11 }, 30],
      ['has never pulled, and recorded it after', false, { clientLamport: 11 }, null],
      ['has never pulled, and recorded it before', true, { clientLamport: 10 }, null],
    ])('holds an operation of a device that %s: %p', (_what, isHeld, operation, lastPulledLamport) => {
      const plan = aTombstone().push(by(second, aSale(operation)), null, lastPulledLamport);
      expect(answers(plan)).toEqual([isHeld ? 'conflict' : 'PRODUCT_DELETED']);
      if (!isHeld) return;
      expect(plan.outcomes).toMatchObject([{ warnings: [] }]); // it is in the catalogue
      expect(plan.events).toMatchObject([{ disposition: 'HELD', effect: 0 }]);
      expect(plan.conflicts).toMatchObject([{ kind: 'DELETED_PRODUCT', awaits: 'HEURISTIC', b: { deviceId: first } }]);
    });

    it('takes the operations of the push that deletes it: they were made before', () => {
      const log = aLogOf(by(first, product({ name: 'Honey' })));
      const deletion = product({ isDeleted: true }, { clientLamport: 9 });
      expect(answers(log.push(by(first, aSale({ clientLamport: 8 }), deletion)))).toEqual(['accepted', 'accepted']);
    });
  });

  describe('with a SKU', () => {
    const numbered = (number: number, said: Partial<ProductFields>, clientLamport: number): ProductEdit =>
      product(said, { id: productId(number), clientLamport });
    /** Products 1 and 2 have SKUs A and B since lamports 2 and 3. */
    const aLog = (): PushLog =>
      aLogOf(by(first, numbered(1, { name: 'Honey', sku: 'A' }, 1), numbered(2, { name: 'Milk', sku: 'B' }, 2)));

    it('refuses one that another living product has, new or not', () => {
      expect(
        aLog().push(by(second, numbered(3, { name: 'Cheese', sku: 'A' }, 9), numbered(2, { sku: 'A' }, 10))).outcomes,
      ).toEqual([
        { status: 'rejected', id: productId(3), code: 'SKU_TAKEN' },
        { status: 'rejected', id: productId(2), code: 'SKU_TAKEN' },
      ]);
    });

    it('refuses the second of two that come in one push', () => {
      const plan = anEmptyLog().push(
        by(first, numbered(1, { name: 'Honey', sku: 'A' }, 1), numbered(2, { name: 'Milk', sku: 'A' }, 2)),
      );
      expect(answers(plan)).toEqual(['accepted', 'SKU_TAKEN']);
    });

    it('leaves a product its own', () => {
      expect(answers(aLog().push(by(second, numbered(1, { sku: 'A', price: 3 }, 9))))).toEqual(['accepted']);
    });

    it('swaps two in one push by way of a third', () => {
      const log = aLog();
      const plan = log.push(
        by(second, numbered(1, { sku: 'C' }, 9), numbered(2, { sku: 'A' }, 10), numbered(1, { sku: 'B' }, 11)),
      );
      expect(answers(plan)).toEqual(['accepted', 'accepted', 'accepted']);
      expect([fieldsOf(log, 1)?.sku, fieldsOf(log, 2)?.sku]).toEqual(['B', 'A']);
      expect(answers(log.push(by(second, numbered(3, { name: 'Cheese', sku: 'C' }, 20))))).toEqual(['accepted']);
    });

    it.each<[what: string, said: Partial<ProductFields>]>([
      ['is deleted', { isDeleted: true }],
      ['gives it up', { sku: null }],
      ['takes another', { sku: 'C' }],
    ])('frees it when its product %s, in the same push or before', (_what, said) => {
      const taker = numbered(3, { name: 'Cheese', sku: 'A' }, 12);
      expect(answers(aLog().push(by(second, numbered(1, said, 9), taker)))).toEqual(['accepted', 'accepted']);
      const log = aLog();
      log.push(by(second, numbered(1, said, 9)));
      expect(answers(log.push(by(second, taker)))).toEqual(['accepted']);
    });

    it('does not free it before its product has let it go', () => {
      expect(
        answers(aLog().push(by(second, numbered(3, { name: 'Cheese', sku: 'A' }, 9), numbered(1, { sku: null }, 10)))),
      ).toEqual(['SKU_TAKEN', 'accepted']);
    });

    it('refuses to revive a product whose SKU another has by now, unless it comes with another', () => {
      const log = aLog();
      log.push(by(first, numbered(1, { isDeleted: true }, 9), numbered(2, { sku: 'A' }, 10)));
      expect(answers(log.push(by(first, numbered(1, { isDeleted: false }, 20))))).toEqual(['SKU_TAKEN']);
      expect(answers(log.push(by(first, numbered(1, { isDeleted: false, sku: 'B' }, 21))))).toEqual(['accepted']);
    });

    it('takes it again for a product that is revived in the same push before another wants it', () => {
      const log = aLog();
      log.push(by(first, numbered(1, { isDeleted: true }, 9)));
      const plan = log.push(by(first, numbered(1, { isDeleted: false }, 20), numbered(2, { sku: 'A' }, 21)));
      expect(answers(plan)).toEqual(['accepted', 'SKU_TAKEN']);
    });

    it('takes any number of tombstones and of products without one', () => {
      const [gone, none] = [{ name: 'Honey', sku: 'A', isDeleted: true }, { name: 'Milk' }];
      const plan = anEmptyLog().push(
        by(first, numbered(1, gone, 1), numbered(2, gone, 2), numbered(3, none, 3), numbered(4, none, 4)),
      );
      expect(answers(plan)).toEqual(Array(4).fill('accepted'));
    });
  });
});

describe('decidePush, of payments', () => {
  it('records a payment that nobody has reconciled', () => {
    const plan = anEmptyLog().push(by(first, byCard(1, 'T-1')));
    expect(plan.outcomes).toEqual([{ status: 'accepted', id: paymentId(1), lamport: 2, version: 1, warnings: [] }]);
    expect(plan.payments).toMatchObject([
      {
        ...{ id: paymentId(1), version: 1, lamport: 2, createdLamport: 2, reconciliation: UNRECONCILED },
        fields: { saleId: saleId(1), amount: 10, paymentMethod: 'POS_OFFLINE', posTransactionId: 'T-1', notes: null },
      },
    ]);
    expect(plan.versions).toMatchObject([{ entity: 'PAYMENT', entityId: paymentId(1), version: 1 }]);
  });

  it.each<[missing: string, said: Partial<PaymentFields>]>([
    ['sale_id', { amount: 10, paymentMethod: 'CASH' }],
    ['amount', { saleId: saleId(1), paymentMethod: 'CASH' }],
    ['payment_method', { saleId: saleId(1), amount: 10 }],
  ])('refuses a new payment without %s, and says where it lacks', (missing, said) => {
    const plan = anEmptyLog().push(by(first, aPaymentEntry(payment(said), { path: 'payments[2]' })));
    expect(plan.outcomes).toEqual([
      {
        ...{ status: 'rejected', id: paymentId(1), code: 'VALIDATION' },
        errors: [{ path: `payments[2].${missing}`, code: 'REQUIRED', message: 'is required of a new payment' }],
      },
    ]);
  });

  it('leaves to the business what it has reconciled, and when the payment was made, whatever is edited', () => {
    const log = aLogOf(by(first, byCard(1, 'T-1')));
    const recorded = log.payments.get(paymentId(1));
    const reconciliation = { status: 'CONFIRMED', notes: null, at: new Date(0), by: first } as const;
    if (recorded) log.payments.set(paymentId(1), { ...recorded, reconciliation });
    const plan = log.push(by(second, payment({ notes: 'In two parts' }, { clientLamport: 9 })));
    expect(plan.payments).toMatchObject([{ version: 2, lamport: 10, createdLamport: 2, reconciliation }]);
  });

  it('merges by field, ignores what comes too late and keeps what it said', () => {
    const log = aLogOf(
      by(first, byCard(1, 'T-1')),
      by(second, payment({ notes: 'Half now' }, { clientLamport: 9, baseVersion: 1 })),
    );
    const late = { clientLamport: 4 };
    const plan = log.push(
      by(
        deviceId(3),
        payment({ amount: 12, notes: 'In full' }, { ...late, baseVersion: 1 }),
        payment({ amount: 15 }, late),
        payment({ amount: 12 }, late),
      ),
    );
    expect(answers(plan)).toEqual(['accepted', 'ignored', 'ignored']);
    expect(fieldsOf(log)).toMatchObject({ amount: 12, notes: 'Half now' });
    expect(log.conflicts).toMatchObject([
      { entity: 'PAYMENT', fields: ['notes'], a: { payload: { notes: 'In full' } } },
      { entity: 'PAYMENT', fields: ['amount'], a: { payload: { amount: 15 } } },
    ]);
  });

  it('answers a known edit with the version that it made', () => {
    const command = by(first, byCard(1, 'T-1'));
    expect(aLogOf(command).push(command).outcomes).toEqual([
      { status: 'duplicate', id: paymentId(1), original: { lamport: 2, version: 1 } },
    ]);
  });

  describe('with a POS transaction', () => {
    it('keeps a second payment of one out of the payments until people decide', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const edit = { ...byCard(2, 'T-1', { deviceId: second }) };
      const plan = log.push(by(second, edit));
      const id = conflictIdOf('EDIT', edit.editId);
      const note = { id, method: null, reason: 'It waits for a decision.', confidence: null, winnerId: null };
      expect(plan.outcomes).toEqual([
        { status: 'conflict', id: paymentId(2), lamport: 3, warnings: [], conflict: note },
      ]);
      expect(writesOf(plan)).toEqual({ ...WRITES_NOTHING, conflicts: log.conflicts });
      expect(log.conflicts).toMatchObject([
        {
          ...{ kind: 'DUPLICATE_PAYMENT', entityId: paymentId(2), resolution: null, lamport: 3 },
          ...{ a: { id: paymentId(2), payload: { amount: 10 } }, b: { id: paymentId(1), payload: { version: 1 } } },
        },
      ]);
    });

    it('answers it the same when it comes again, though the first has let the transaction go', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const command = by(second, byCard(2, 'T-1'));
      const [before] = log.push(command).outcomes;
      log.push(by(first, payment({ posTransactionId: 'T-9' }, { clientLamport: 9 })));
      const plan = log.push(command);
      expect(plan.outcomes).toEqual([before]);
      expect(writesOf(plan)).toEqual(WRITES_NOTHING);
    });

    it('enters it into the conflict log once, though it comes twice in one push', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const plan = log.push(by(second, byCard(2, 'T-1'), byCard(2, 'T-1')));
      expect(plan.conflicts).toHaveLength(1); // the database would refuse the second, and with it the push
      expect(plan.outcomes[1]).toEqual(plan.outcomes[0]);
    });

    it('answers it with the decision once people have taken one, and where it was found', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const command = by(second, byCard(2, 'T-1'));
      log.push(command);
      const context = log.contextFor(command);
      const note = { method: 'MANUAL', reason: 'Charged twice', confidence: 1, winnerId: paymentId(1) } as const;
      const resolution = { ...note, verdict: 'B', resolvedBy: null, feedback: null } as const;
      const decided = [...context.knownConflicts].map(
        ([id, conflict]) => [id, { ...conflict, status: 'RESOLVED_MANUAL', resolution, lamport: 9 }] as const,
      );
      const plan = decidePush(command, { ...context, knownConflicts: new Map(decided) });
      const id = decided[0]?.[0];
      expect(plan.outcomes).toEqual([
        { status: 'conflict', id: paymentId(2), lamport: 3, warnings: [], conflict: { id, ...note } },
      ]);
    });

    it('finds the second of two in one push', () => {
      const plan = anEmptyLog().push(by(first, byCard(1, 'T-1'), byCard(2, 'T-1')));
      expect(answers(plan)).toEqual(['accepted', 'conflict']);
      expect(plan.conflicts).toMatchObject([{ b: { id: paymentId(1) } }]);
    });

    it('finds a payment that would get another’s, and leaves it as it was', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1'), byCard(2, 'T-2')));
      const plan = log.push(by(second, payment({ posTransactionId: 'T-1' }, { id: paymentId(2), clientLamport: 9 })));
      expect(answers(plan)).toEqual(['conflict']);
      expect(plan.payments).toEqual([]);
      expect(plan.conflicts).toMatchObject([{ a: { payload: { posTransactionId: 'T-1', amount: 10 } } }]);
    });

    it('lets a payment keep one that another has too, for people have decided that both stand', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1'), byCard(2, 'T-2')));
      const other = log.payments.get(paymentId(2));
      if (other) log.payments.set(other.id, { ...other, fields: { ...other.fields, posTransactionId: 'T-1' } });
      const again = payment({ posTransactionId: 'T-1', notes: 'x' }, { id: paymentId(2), clientLamport: 9 });
      expect(answers(log.push(by(second, again)))).toEqual(['accepted']);
    });

    it('lets a payment keep its own', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const plan = log.push(by(second, payment({ posTransactionId: 'T-1', notes: 'x' }, { clientLamport: 9 })));
      expect(answers(plan)).toEqual(['accepted']);
    });

    it('frees it when its payment takes another, in the same push or before', () => {
      const other = payment({ posTransactionId: 'T-9' }, { clientLamport: 9 });
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      expect(answers(log.push(by(second, other, byCard(2, 'T-1', { clientLamport: 10 }))))).toEqual([
        'accepted',
        'accepted',
      ]);
      const later = aLogOf(by(first, byCard(1, 'T-1')), by(second, other));
      expect(answers(later.push(by(second, byCard(2, 'T-1'))))).toEqual(['accepted']);
    });

    it('takes any number of payments without one', () => {
      const inCash = (number: number): PaymentEdit =>
        payment({ saleId: saleId(1), amount: 5, paymentMethod: 'CASH' }, { id: paymentId(number) });
      expect(answers(anEmptyLog().push(by(first, inCash(1), inCash(2))))).toEqual(['accepted', 'accepted']);
    });

    it('shows people the first payment as it stands, also if the same push has changed it', () => {
      const log = aLogOf(by(first, byCard(1, 'T-1')));
      const correction = payment({ amount: 99 }, { clientLamport: 9 });
      const plan = log.push(by(first, correction, byCard(2, 'T-1', { clientLamport: 10 })));
      expect(answers(plan)).toEqual(['accepted', 'conflict']);
      expect(plan.conflicts).toMatchObject([{ b: { payload: { amount: 99, version: 2 } } }]);
    });

    it('shows people all that the second said, also what a merge would not have taken', () => {
      const log = aLogOf(
        by(first, byCard(1, 'T-1'), byCard(2, 'T-2')),
        by(second, payment({ notes: 'Half now' }, { id: paymentId(2), clientLamport: 9, baseVersion: 1 })),
      );
      const late = payment(
        { notes: 'In full', posTransactionId: 'T-1' },
        { id: paymentId(2), clientLamport: 4, baseVersion: 1 },
      );
      const plan = log.push(by(deviceId(3), late));
      expect(plan.conflicts).toMatchObject([{ kind: 'DUPLICATE_PAYMENT', a: { payload: { notes: 'In full' } } }]);
    });
  });
});

describe('decidePush, of operations that name another', () => {
  const RESERVED = operationId(1);
  const named = (fields: Partial<Operation>): Operation =>
    aSale({ operationId: operationId(2), clientLamport: 9, refOperationId: RESERVED, ...fields });
  const confirmation = (delta: number, fields: Partial<Operation> = {}): Operation => named({ delta, ...fields });
  const cancellation = (delta: number, fields: Partial<Operation> = {}): Operation =>
    named({ kind: 'INCREMENT', reason: 'CANCEL', paymentStatus: null, delta, ...fields });
  /** Of 9 units, 5 are reserved. */
  const aLog = (): PushLog =>
    aLogOf(
      by(first, product({ name: 'Honey' }, { currentStock: 9 })),
      by(first, aSale({ operationId: RESERVED, reason: 'RESERVATION', paymentStatus: null, delta: 5 })),
    );
  const lapsed = (log: PushLog): PushLog => {
    const due = log.contextFor(by(first, confirmation(1))).references;
    const { events, levels, clock } = lapse(TENANT, log.clock, [...due.values()], log.levels);
    log.events.push(...events);
    for (const [id, level] of levels) log.levels.set(id, level);
    log.clock = clock;
    return log;
  };

  it('confirms a reservation: what it held is given back and sold in one step', () => {
    const plan = aLog().push(by(second, confirmation(3)));
    expect(plan.outcomes).toEqual([{ status: 'accepted', id: operationId(2), lamport: 10, warnings: [] }]);
    expect(plan.events).toMatchObject([{ effect: 2, stockAfter: 6 }]);
  });

  it('cancels a reservation, in parts, and then no more than is left of it', () => {
    const log = aLog();
    const part = (number: number, delta: number): Operation =>
      cancellation(delta, { operationId: operationId(number) });
    const plan = log.push(by(second, part(2, 2), part(3, 4), part(4, 3), part(5, 1)));
    expect(plan.outcomes).toMatchObject([
      { status: 'accepted' },
      { code: 'QUANTITY_OUT_OF_RANGE', available: 3 },
      { status: 'accepted' },
      { code: 'QUANTITY_OUT_OF_RANGE', available: 0 },
    ]);
    expect(quantityOf(log)).toBe(9);
  });

  it('cancels a sale, of this push or of one before, and no more of it than was sold', () => {
    const log = aLog();
    const sale = aSale({ operationId: operationId(2), delta: 3 });
    const cancel = (number: number, delta: number): Operation =>
      cancellation(delta, { operationId: operationId(number), refOperationId: operationId(2) });
    expect(answers(log.push(by(first, sale, cancel(3, 1))))).toEqual(['accepted', 'accepted']);
    expect(log.push(by(first, cancel(4, 3))).outcomes).toMatchObject([{ code: 'QUANTITY_OUT_OF_RANGE', available: 2 }]);
    expect(answers(log.push(by(first, cancel(5, 2))))).toEqual(['accepted']);
    expect(quantityOf(log)).toBe(4);
  });

  it.each<[what: string, code: string, operation: Operation]>([
    ['confirms what is not in the log', 'UNKNOWN_REFERENCE', confirmation(1, { refOperationId: operationId(9) })],
    ['cancels what is not in the log', 'UNKNOWN_REFERENCE', cancellation(1, { refOperationId: operationId(9) })],
    ['cancels itself', 'UNKNOWN_REFERENCE', cancellation(1, { refOperationId: operationId(2) })],
    ['confirms a reservation of another product', 'UNKNOWN_REFERENCE', confirmation(1, { productId: productId(2) })],
    ['cancels a reservation of another product', 'UNKNOWN_REFERENCE', cancellation(1, { productId: productId(2) })],
    [
      'cancels what took nothing',
      'UNKNOWN_REFERENCE',
      cancellation(1, { refOperationId: openingBalanceId(productId(1)) }),
    ],
    ['cancels more than was taken', 'QUANTITY_OUT_OF_RANGE', cancellation(6)],
    [
      'only says that it comes from what is not in the log',
      'accepted',
      aRestock(1, { operationId: operationId(2), refOperationId: operationId(9) }),
    ],
  ])('answers an operation that %s: %s', (_what, answer, operation) => {
    const plan = aLog().push(by(first, operation));
    expect(answers(plan)).toEqual([answer]);
    if (answer !== 'accepted') expect(writesOf(plan)).toEqual(WRITES_NOTHING);
  });

  it('knows no reference that comes after it, or that was refused', () => {
    const log = aLog();
    const claim = aSale({ operationId: operationId(3), delta: 99, paymentStatus: null });
    const cancelClaim = cancellation(1, { operationId: operationId(4), refOperationId: operationId(3) });
    const sale = aSale({ operationId: operationId(5), delta: 1 });
    const cancelSale = cancellation(1, { operationId: operationId(6), refOperationId: operationId(5) });
    expect(answers(log.push(by(first, claim, cancelClaim, cancelSale, sale)))).toEqual([
      'INSUFFICIENT_STOCK',
      'UNKNOWN_REFERENCE',
      'UNKNOWN_REFERENCE',
      'accepted',
    ]);
  });

  it.each<[how: string, close: (log: PushLog) => unknown, left: number]>([
    ['been sold already', (log) => log.push(by(first, confirmation(5, { operationId: operationId(3) }))), 3],
    ['been cancelled', (log) => log.push(by(first, cancellation(5, { operationId: operationId(3) }))), 8],
    ['lapsed or been taken back', lapsed, 8],
  ])(
    'takes the confirmation of a reservation that had %s for an ordinary sale, and says so in the log',
    (how, close, left) => {
      const log = aLog();
      close(log);
      const plan = log.push(by(second, confirmation(1, { clientLamport: 20 })));
      const reason = `The reservation had ${how}, so the sale was recorded as an ordinary one.`;
      const note = {
        id: conflictIdOf('OPERATION', operationId(2)),
        method: 'HARDCODED',
        reason,
        confidence: 1,
        winnerId: null,
      };
      expect(plan.outcomes).toEqual([
        { status: 'accepted', id: operationId(2), lamport: 21, warnings: [], conflict: note },
      ]);
      expect(plan.conflicts).toMatchObject([{ kind: 'RESERVATION_CLOSED', entity: 'STOCK', lamport: 22 }]);
      expect(plan.events).toMatchObject([{ lamport: 21, effect: -1, stockAfter: left }]);
      expect(answers(log.push(by(second, confirmation(1, { clientLamport: 20 }))))).toEqual(['duplicate']);
    },
  );

  it('enters it under an id of its own, also if the operation bears the id of an edit that was disputed', () => {
    const log = aLog();
    const late = product({ name: 'Milk' }, { deviceId: second });
    const sale = confirmation(1, { operationId: late.editId, delta: 5 });
    const again = confirmation(5, { operationId: operationId(3), clientLamport: 8 });
    const plan = log.push(by(second, again, sale, late));
    expect(answers(plan)).toEqual(['accepted', 'accepted', 'ignored']);
    expect(isUnique(plan.conflicts.map(({ id }) => id))).toBe(true); // the database would refuse the push
  });

  it('sees what operations of the same push have done to a reservation', () => {
    const again = (number: number): Operation => confirmation(2, { operationId: operationId(number) });
    const plan = aLog().push(by(first, again(3), again(4)));
    expect(plan.outcomes.map(conflictIdIn)).toEqual([undefined, conflictIdOf('OPERATION', operationId(4))]);
    expect(plan.events.map(({ effect }) => effect)).toEqual([3, -2]);
  });

  it('lets a fallen group neither confirm nor cancel', () => {
    const log = aLog();
    const line = confirmation(5, { operationId: operationId(3), groupId: groupId(1) });
    const plan = log.push(by(first, line, malformed('OPERATION', groupId(1)), confirmation(5)));
    expect(answers(plan)).toEqual(['GROUP_REJECTED', 'VALIDATION', 'accepted']);
    expect(log.conflicts).toEqual([]);
    expect(quantityOf(log)).toBe(4);
  });
});

describe('decidePush, of groups of several kinds', () => {
  const G = groupId(1);
  const honey = product({ name: 'Honey', sku: 'H' }, { currentStock: 5, clientLamport: 1 });
  const card = byCard(1, 'T-1', { clientLamport: 2 });
  const sale = aSale({ clientLamport: 3, groupId: G });

  it('records a sale with its new product and its payment, all or nothing', () => {
    const stood = anEmptyLog();
    expect(answers(stood.push(by(first, sale, inGroup(honey), inGroup(card))))).toEqual(Array(3).fill('accepted'));
    expect([stood.products.size, stood.payments.size, quantityOf(stood)]).toEqual([1, 1, 4]);
    const fell = anEmptyLog();
    const plan = fell.push(by(first, { ...sale, delta: 6, paymentStatus: null }, inGroup(honey), inGroup(card)));
    expect(answers(plan)).toEqual(['INSUFFICIENT_STOCK', 'GROUP_REJECTED', 'GROUP_REJECTED']);
    expect(writesOf(plan)).toEqual(WRITES_NOTHING);
    expect(plan.clock).toEqual(anEmptyLog().clock);
  });

  it('leaves of a fallen group neither product, stock, SKU, POS transaction, identity nor conflict to those after it', () => {
    const log = aLogOf(by(second, product({ name: 'Milk' }, { id: productId(3), clientLamport: 1 })));
    const disputed = product({ name: 'Cheese' }, { id: productId(3), clientLamport: 1 });
    const group = [inGroup(honey), inGroup(disputed), inGroup(card), malformed('PAYMENT', G)];
    const after = [
      aSale({ operationId: operationId(2), clientLamport: 4 }), // its product is unknown, and not tracked
      product({ name: 'Milk', sku: 'H' }, { id: productId(2), clientLamport: 5 }),
      byCard(2, 'T-1', { clientLamport: 6 }),
    ];
    const plan = log.push(by(first, ...group, ...after));
    expect(plan.outcomes).toMatchObject([
      { status: 'accepted', warnings: ['UNKNOWN_PRODUCT'], lamport: 8 },
      { code: 'GROUP_REJECTED' },
      { code: 'GROUP_REJECTED' },
      { status: 'accepted', version: 1, lamport: 6 },
      { code: 'GROUP_REJECTED' },
      { code: 'VALIDATION' },
      { status: 'accepted', version: 1, lamport: 7 },
    ]);
    expect(plan.conflicts).toEqual([]);
    expect(answers(log.push(by(first, honey, card)))).toEqual(['SKU_TAKEN', 'conflict']); // neither is known
  });

  it('decides a group where the first of its lines stands in the order of decision', () => {
    const other = product({ name: 'Milk', sku: 'H' }, { id: productId(2), clientLamport: 9 });
    const plan = anEmptyLog().push(by(first, sale, inGroup(honey), other, inGroup(card)));
    expect(answers(plan)).toEqual(['accepted', 'accepted', 'SKU_TAKEN', 'accepted']);
    // The product and its opening balance, the payment, the sale.
    expect(plan.outcomes).toMatchObject([{ lamport: 5 }, { lamport: 2 }, {}, { lamport: 4 }]);
    expect(plan.events.map(({ lamport }) => lamport)).toEqual([3, 5]);
  });

  it('falls as a whole if its products are well and its operation is another tenant’s', () => {
    const plan = anEmptyLog().push(by(first, anEntry(sale, FOREIGN_TENANT), inGroup(honey)));
    expect(answers(plan)).toEqual(['TENANT_MISMATCH', 'GROUP_REJECTED']);
  });

  it('keeps the answer of a line that was recorded or disputed before, whatever becomes of its group', () => {
    const log = aLogOf(by(first, honey, card));
    const late = product({ name: 'Milk' }, { deviceId: second });
    const twice = byCard(2, 'T-1', { deviceId: second });
    log.push(by(second, late, twice));
    const plan = log.push(aMixedPush([inGroup(late), inGroup(twice), malformed('PRODUCT', G)], { deviceId: second }));
    expect(answers(plan)).toEqual(['ignored', 'VALIDATION', 'conflict']);
    const known = log.push(by(first, inGroup(honey), inGroup(card), malformed('PRODUCT', G)));
    expect(answers(known)).toEqual(['duplicate', 'VALIDATION', 'duplicate']);
  });

  it('lets a group stand of which an edit comes too late, or a payment is there twice: nothing was refused', () => {
    const log = aLogOf(by(first, honey, card));
    const late = product({ name: 'Milk' }, { deviceId: second });
    const twice = byCard(2, 'T-1', { deviceId: second });
    const line = aSale({ deviceId: second, groupId: G });
    const plan = log.push(aMixedPush([inGroup(late), inGroup(twice), line], { deviceId: second }));
    expect(answers(plan)).toEqual(['accepted', 'ignored', 'conflict']);
  });

  it('keeps the answer of an edit that the same push has recorded before its group', () => {
    const command = by(first, honey, inGroup(honey), malformed('PRODUCT', G));
    expect(answers(anEmptyLog().push(command))).toEqual(['accepted', 'duplicate', 'VALIDATION']);
  });

  it('says of a line only that its group fell, if what it lacks is what a refused line would have brought', () => {
    const log = aLogOf(by(second, product({ name: 'Milk', sku: 'H' }, { id: productId(2) })));
    const price = product({ price: 2 }, { clientLamport: 2 });
    expect(answers(log.push(by(first, inGroup(honey), inGroup(price))))).toEqual(['SKU_TAKEN', 'GROUP_REJECTED']);
  });

  it('says the same of a line that finds its product deleted, which a refused line would have revived', () => {
    const log = aLogOf(
      by(first, product({ name: 'Honey', sku: 'H', isDeleted: true })),
      by(first, product({ name: 'Milk', sku: 'H' }, { id: productId(2) })),
    );
    const revival = product({ isDeleted: false }, { clientLamport: 9 });
    const price = product({ price: 2 }, { clientLamport: 10 });
    expect(answers(log.push(by(first, inGroup(revival), inGroup(price))))).toEqual(['SKU_TAKEN', 'GROUP_REJECTED']);
  });
});

describe('decidePush, of an edit with several faults', () => {
  it.each<[code: string, entry: PushEntry]>([
    ['TENANT_MISMATCH', aProductEntry(product({}, { deviceId: second }), { tenantId: FOREIGN_TENANT })],
    ['DEVICE_MISMATCH', aProductEntry(product({ name: 'x' }, { deviceId: second, clientLamport: 9_999_999 }))],
    ['DEVICE_MISMATCH', aPaymentEntry(payment({}, { deviceId: second }))],
    ['LAMPORT_OUT_OF_RANGE', aProductEntry(product({ sku: 'H' }, { clientLamport: 9_999_999 }))],
    ['LAMPORT_OUT_OF_RANGE', aPaymentEntry(byCard(2, 'T-1', { clientLamport: 9_999_999 }))],
    ['PRODUCT_DELETED', aProductEntry(product({ sku: 'H' }, { clientLamport: 99 }))],
    ['SKU_TAKEN', aProductEntry(product({ name: 'x', sku: 'H' }, { id: productId(3), currentStock: INT4_MAX }))],
  ])('answers %s before what comes after it in the order of the codes', (code, entry) => {
    // The first product is a tombstone, the second has SKU H, and the third is unknown and has stock.
    const log = aLogOf(
      by(first, product({ name: 'Honey' })),
      by(first, product({ isDeleted: true }, { clientLamport: 9 })),
      by(first, product({ name: 'Milk', sku: 'H' }, { id: productId(2) }), aRestock(1, { productId: productId(3) })),
      by(first, byCard(1, 'T-1')),
    );
    expect(answers(log.push(aMixedPush([entry])))).toEqual([code]);
  });

  it('warns with every accepted edit of a device whose wall clock is far off', () => {
    const plan = anEmptyLog().push(by(first, product({ name: 'Honey' }), byCard(1, 'T-1')), 300_001);
    expect(plan.outcomes).toMatchObject([{ warnings: ['CLOCK_SKEW'] }, { warnings: ['CLOCK_SKEW'] }]);
  });
});

/** What a push makes of states and stock, wherever it stands in the log. */
function withoutPlaces({ products, levels }: PushPlan): unknown {
  return {
    products: new Map(products.map(({ id, fields, version, editId }) => [id, { fields, version, editId }])),
    levels: new Map([...levels].map(([id, { quantity, tracked }]) => [id, { quantity, tracked }])),
  };
}

/** In the order of `states`. */
const sorted = (versions: ReadonlyMap<string, number>, states: readonly { readonly id: string }[]) =>
  new Map(states.map(({ id }) => [id, versions.get(id)]));

const isKnown = (edit: Edit<object>, context: PushContext): boolean =>
  context.knownEdits.has(edit.editId) || context.knownConflicts.has(conflictIdOf('EDIT', edit.editId));

const lamportsIn = ({ clientLamport, entries }: PushCommand): number[] => [
  clientLamport,
  ...entries.flatMap((entry) =>
    entry.readable ? (entry.what === 'OPERATION' ? entry.operation : entry.edit).clientLamport : [],
  ),
];

/** All edits that were pushed, by id. */
const editsOf = (pushes: readonly ReplayedPush[]): Map<string, ProductEdit | PaymentEdit> =>
  new Map(
    pushes.flatMap(({ command }) =>
      command.entries.flatMap((entry) =>
        entry.readable && entry.what !== 'OPERATION' ? [[entry.edit.editId, entry.edit] as const] : [],
      ),
    ),
  );

function shuffled<T>(values: readonly T[], pick: readonly number[]): T[] {
  return values
    .map((value, index) => ({ value, key: pick[index % pick.length] ?? 0 }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFrozen);
  }
  return value;
}
