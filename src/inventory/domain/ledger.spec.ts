import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY_LEVEL, move, type StockLevel } from './ledger.js';
import { INT4_MAX, type Operation, OPERATION_KINDS, PAYMENT_STATUSES } from './operation.js';

type Move = Pick<Operation, 'kind' | 'delta' | 'paymentStatus'>;

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
        } else if (Math.abs(after) > INT4_MAX) expect(movement).toEqual({ ok: false, code: 'QUANTITY_OUT_OF_RANGE' });
        else expect(movement).toMatchObject({ ok: true, stockAfter: after });
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
        expect(move(level, { kind: 'SET', delta, paymentStatus: null })).toEqual({
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
    expect(move(levelAt(quantity), { kind: 'DECREMENT', delta, paymentStatus })).toMatchObject(expected);
  });

  it('lets stock go below zero without a word while nobody said how much there is', () => {
    expect(move(EMPTY_LEVEL, { kind: 'DECREMENT', delta: 3, paymentStatus: null })).toEqual({
      ok: true,
      effect: -3,
      stockAfter: -3,
      tracked: false,
      oversold: false,
    });
  });

  it('can move stock by its whole range in one step', () => {
    const set = move(levelAt(-INT4_MAX), { kind: 'SET', delta: INT4_MAX, paymentStatus: null });
    expect(set).toMatchObject({ ok: true, effect: 2 * INT4_MAX, stockAfter: INT4_MAX });
  });
});
