import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_LEVEL, move, type StockLevel } from './ledger.js';
import { INT4_MAX, type Operation, OPERATION_KINDS, OPERATION_REASONS, PAYMENT_STATUSES } from './operation.js';
import { afterUse, type ReferencedOperation, remainingOf } from './reference.js';

type Move = Pick<Operation, 'kind' | 'delta' | 'reason' | 'paymentStatus'>;

const levelAt = (quantity: number, tracked = true): StockLevel => ({ quantity, tracked, lastLamport: 1 });

const quantities = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -INT4_MAX, max: INT4_MAX }),
  fc.constantFrom(-INT4_MAX, INT4_MAX),
);
const levels: fc.Arbitrary<StockLevel> = fc.record({
  quantity: quantities,
  tracked: fc.boolean(),
  lastLamport: fc.constant(1),
});
const moves: fc.Arbitrary<Move> = fc
  .record({
    kind: fc.constantFrom(...OPERATION_KINDS),
    delta: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: INT4_MAX }), fc.constant(INT4_MAX)),
    reason: fc.constantFrom(...OPERATION_REASONS),
    paymentStatus: fc.constantFrom(null, ...PAYMENT_STATUSES),
  })
  .map((operation) => ({ ...operation, delta: operation.kind === 'SET' ? operation.delta : operation.delta || 1 }));

describe('move', () => {
  it('leaves the sum of what was there and its effect, within the range of stock', () => {
    fc.assert(
      fc.property(levels, moves, (level, operation) => {
        const movement = move(level, operation);
        if (!movement.ok) return;
        expect(movement.stockAfter).toBe(level.quantity + movement.effect);
        expect(Math.abs(movement.stockAfter)).toBeLessThanOrEqual(INT4_MAX);
      }),
    );
  });

  it('is refused only for want of stock or of range, and then with the units that were there', () => {
    fc.assert(
      fc.property(levels, moves, (level, operation) => {
        const { kind, delta, paymentStatus } = operation;
        const after = kind === 'SET' ? delta : level.quantity + (kind === 'INCREMENT' ? delta : -delta);
        const lacks = kind === 'DECREMENT' && level.tracked && paymentStatus !== 'PAID' && delta > level.quantity;
        const movement = move(level, operation);
        if (lacks) {
          expect(movement).toEqual({ ok: false, code: 'INSUFFICIENT_STOCK', available: Math.max(0, level.quantity) });
        } else if (Math.abs(after) > INT4_MAX) {
          expect(movement).toEqual({ ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: null });
        } else expect(movement).toMatchObject({ ok: true, stockAfter: after });
      }),
    );
  });

  it('tracks a product from its first INCREMENT or SET on, and for ever', () => {
    fc.assert(
      fc.property(levels, moves, (level, operation) => {
        const movement = move(level, operation);
        if (movement.ok) expect(movement.tracked).toBe(level.tracked || operation.kind !== 'DECREMENT');
      }),
    );
  });

  it('sets stock to the count, whatever it was', () => {
    fc.assert(
      fc.property(levels, fc.integer({ min: 0, max: INT4_MAX }), (level, delta) => {
        expect(move(level, { kind: 'SET', delta, reason: 'COUNT', paymentStatus: null })).toEqual({
          ok: true,
          effect: delta - level.quantity,
          stockAfter: delta,
          tracked: true,
          oversold: false,
        });
      }),
    );
  });

  it('comes to the same in any order, where only paid movements meet and no bound is near', () => {
    const steps = fc.record({
      kind: fc.constantFrom('INCREMENT' as const, 'DECREMENT' as const),
      delta: fc.integer({ min: 1, max: 1_000 }),
      reason: fc.constantFrom(...OPERATION_REASONS),
      paymentStatus: fc.constant('PAID' as const),
    });
    const run = (operations: readonly Move[]): number =>
      operations.reduce((level, operation) => {
        const movement = move(level, operation);
        return movement.ok ? levelAt(movement.stockAfter, movement.tracked) : level;
      }, EMPTY_LEVEL).quantity;
    fc.assert(
      fc.property(fc.array(steps), (operations) => {
        expect(run(operations.toReversed())).toBe(run(operations));
      }),
    );
  });

  it.each([
    ['sells the last unit', 1, 1, 'PENDING', { ok: true, stockAfter: 0, oversold: false }],
    ['refuses one more than there is', 1, 2, 'PENDING', { ok: false, code: 'INSUFFICIENT_STOCK', available: 1 }],
    ['refuses a cancelled claim like an unpaid one', 0, 1, 'CANCELLED', { ok: false, available: 0 }],
    ['records what was paid, and goes below zero', 1, 3, 'PAID', { ok: true, stockAfter: -2, oversold: true }],
    ['says that more was oversold', -2, 1, 'PAID', { ok: true, stockAfter: -3, oversold: true }],
    ['does not go below the range, even paid', 0 - INT4_MAX, 1, 'PAID', { ok: false, code: 'QUANTITY_OUT_OF_RANGE' }],
    ['prefers want of stock to want of range', 0 - INT4_MAX, 1, null, { ok: false, code: 'INSUFFICIENT_STOCK' }],
  ] as const)('%s', (_name, quantity, delta, paymentStatus, expected) => {
    expect(move(levelAt(quantity), { kind: 'DECREMENT', delta, reason: 'SALE', paymentStatus })).toMatchObject(
      expected,
    );
  });

  it('lets stock go below zero without a word while nobody said how much there is', () => {
    expect(move(EMPTY_LEVEL, { kind: 'DECREMENT', delta: 3, reason: 'SALE', paymentStatus: null })).toEqual({
      ok: true,
      effect: -3,
      stockAfter: -3,
      tracked: false,
      oversold: false,
    });
  });

  it('can move stock by its whole range in one step', () => {
    const set = move(levelAt(-INT4_MAX), { kind: 'SET', delta: INT4_MAX, reason: 'COUNT', paymentStatus: null });
    expect(set).toMatchObject({ ok: true, effect: 2 * INT4_MAX, stockAfter: INT4_MAX });
  });
});

const aReservation = (fields: Partial<ReferencedOperation> = {}): ReferencedOperation => ({
  operationId: '00000000-0000-4000-8000-000000000001',
  productId: '00000000-0000-4000-8000-000000000002',
  deviceId: '00000000-0000-4000-8000-000000000003',
  kind: 'DECREMENT',
  reason: 'RESERVATION',
  delta: 5,
  disposition: 'APPLIED',
  lamport: 1,
  effectiveLamport: 1,
  effect: -5,
  refOperationId: null,
  cancelled: 0,
  cancelling: 0,
  closedBy: null,
  confirmed: false,
  ...fields,
});
const aSold = (fields: Partial<ReferencedOperation> = {}): ReferencedOperation =>
  aReservation({ reason: 'SALE', ...fields });
const sale = (delta: number, paymentStatus: Move['paymentStatus'] = null): Move => ({
  kind: 'DECREMENT',
  delta,
  reason: 'SALE',
  paymentStatus,
});
const cancellation = (delta: number): Move => ({ kind: 'INCREMENT', delta, reason: 'CANCEL', paymentStatus: null });

describe('move, of what names another operation', () => {
  it.each([
    ['sells what was reserved, in one step', 0, sale(5), aReservation(), { ok: true, effect: 0, stockAfter: 0 }],
    ['gives back what a smaller sale leaves of it', 1, sale(3), aReservation(), { ok: true, effect: 2, stockAfter: 3 }],
    ['takes what a larger sale needs from stock', 2, sale(7), aReservation(), { ok: true, effect: -2, stockAfter: 0 }],
    [
      'refuses an unpaid sale of more than is held and in stock together',
      2,
      sale(8),
      aReservation(),
      { ok: false, code: 'INSUFFICIENT_STOCK', available: 7 },
    ],
    [
      'records a paid one, oversold by what is lacking',
      2,
      sale(8, 'PAID'),
      aReservation(),
      { ok: true, effect: -3, stockAfter: -1, oversold: true },
    ],
    ['finds held only what was not cancelled', 0, sale(4), aReservation({ cancelled: 2 }), { ok: false, available: 3 }],
    [
      'finds nothing held once it has lapsed',
      4,
      sale(5),
      aReservation({ closedBy: 'VOID' }),
      { ok: false, available: 4 },
    ],
    ['finds nothing held once it is sold', 5, sale(5), aReservation({ closedBy: 'SALE' }), { ok: true, effect: -5 }],
    [
      'finds nothing held by one that has not taken effect',
      5,
      sale(5),
      aReservation({ disposition: 'HELD' }),
      { effect: -5 },
    ],
    ['does not take a sale for a reservation', 0, sale(5), aSold(), { ok: false, available: 0 }],
    ['gives back a reservation', 0, cancellation(5), aReservation(), { ok: true, effect: 5, stockAfter: 5 }],
    ['gives back part of a sale', 0, cancellation(2), aSold(), { ok: true, effect: 2, stockAfter: 2 }],
    [
      'refuses to give back more than was sold, and says how much is left',
      9,
      cancellation(4),
      aSold({ cancelled: 2 }),
      { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: 3 },
    ],
    [
      'refuses to give back a reservation that was sold: the sale is what can be cancelled',
      9,
      cancellation(1),
      aReservation({ closedBy: 'SALE' }),
      { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: 0 },
    ],
    [
      'gives back nothing of what the server has taken back already',
      9,
      cancellation(5),
      aReservation({ closedBy: 'VOID' }),
      { ok: true, effect: 0, stockAfter: 9 },
    ],
    [
      'gives back nothing of a sale that was decided against',
      9,
      cancellation(5),
      aSold({ disposition: 'VOIDED' }),
      { ok: true, effect: 0, stockAfter: 9 },
    ],
    [
      'refuses to cancel more than was reserved, lapsed or not',
      9,
      cancellation(6),
      aReservation({ closedBy: 'VOID' }),
      { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: 5 },
    ],
    [
      'gives back nothing of a sale that waits for a decision',
      9,
      cancellation(5),
      aSold({ disposition: 'HELD' }),
      { ok: true, effect: 0, stockAfter: 9 },
    ],
    [
      'refuses to cancel more than was sold, waiting or not',
      9,
      cancellation(4),
      aSold({ disposition: 'HELD', cancelled: 2 }),
      { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: 3 },
    ],
    [
      'does not leave the range of stock for a cancellation',
      INT4_MAX - 1,
      cancellation(2),
      aSold(),
      { ok: false, code: 'QUANTITY_OUT_OF_RANGE', available: null },
    ],
  ] as const)('%s', (_name, quantity, operation, named, expected) => {
    expect(move(levelAt(quantity), operation, named)).toMatchObject(expected);
  });

  it('takes any other reference for a remark', () => {
    fc.assert(
      fc.property(levels, moves, (level, operation) => {
        fc.pre(operation.reason !== 'CANCEL' && operation.reason !== 'SALE');
        expect(move(level, operation, aReservation())).toEqual(move(level, operation));
      }),
    );
  });

  it('never gives back more of a reservation than it took, whoever cancels and confirms it in whatever order', () => {
    const uses = fc.array(
      fc.oneof(
        fc.integer({ min: 1, max: 8 }).map(cancellation),
        fc.record({ delta: fc.integer({ min: 1, max: 8 }), paid: fc.boolean() }).map(({ delta, paid }) => {
          return sale(delta, paid ? 'PAID' : null);
        }),
        fc.constant('LAPSE' as const),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(fc.integer({ min: -3, max: 12 }), uses, (before, steps) => {
        let named = aReservation();
        let quantity = before - named.delta;
        let sold = 0;
        for (const step of steps) {
          if (step === 'LAPSE') {
            quantity += remainingOf(named);
            named = { ...named, closedBy: named.closedBy ?? 'VOID' };
            continue;
          }
          const movement = move(levelAt(quantity), step, named);
          if (!movement.ok) continue;
          quantity = movement.stockAfter;
          if (step.kind === 'DECREMENT') sold += step.delta;
          named = afterUse(named, step);
        }
        // All that is missing was sold, or is held still.
        expect(before - quantity).toBe(sold + remainingOf(named));
      }),
    );
  });
});
