import { describe, expect, it } from '@jest/globals';
import {
  afterDecision,
  afterUse,
  cancellableOf,
  isWithoutEffect,
  type ReferencedOperation,
  remainingOf,
  useOf,
} from './reference.js';

const reservation: ReferencedOperation = {
  operationId: '00000000-0000-4000-8000-000000000001',
  productId: '00000000-0000-4000-8000-000000000002',
  deviceId: '00000000-0000-4000-8000-000000000003',
  kind: 'DECREMENT',
  reason: 'RESERVATION',
  delta: 5,
  disposition: 'APPLIED',
  lamport: 1,
  effectiveLamport: 1,
  refOperationId: null,
  cancelled: 0,
  cancelling: 0,
  closedBy: null,
  effect: -5,
  confirmed: false,
};
const sold: ReferencedOperation = { ...reservation, reason: 'SALE' };
const confirmation = { kind: 'DECREMENT', reason: 'SALE', delta: 5 } as const;
const cancellationOf = (delta: number) => ({ kind: 'INCREMENT', reason: 'CANCEL', delta }) as const;

describe('a reference', () => {
  it.each([
    ['confirms a reservation, as a sale', confirmation, reservation, 'CONFIRM'],
    ['is a remark, from a sale to a sale', confirmation, sold, 'NONE'],
    ['cancels a reservation', cancellationOf(1), reservation, 'CANCEL'],
    ['cancels a sale', cancellationOf(1), sold, 'CANCEL'],
    ['is a remark, from a restock', { kind: 'INCREMENT', reason: 'RESTOCK' }, reservation, 'NONE'],
    ['is a remark, from a reservation', { kind: 'DECREMENT', reason: 'RESERVATION' }, reservation, 'NONE'],
    ['is a remark, from a count', { kind: 'SET', reason: 'CANCEL' }, sold, 'NONE'],
  ] as const)('%s', (_name, operation, named, expected) => {
    expect(useOf(operation, named)).toBe(expected);
  });

  it('takes from what remains of a reservation, cancellation by cancellation', () => {
    const once = afterUse(reservation, cancellationOf(2));
    expect([remainingOf(once), cancellableOf(once)]).toEqual([3, 3]);
    const twice = afterUse(once, cancellationOf(3));
    expect([remainingOf(twice), cancellableOf(twice)]).toEqual([0, 0]);
  });

  it('closes an open reservation as a sale, and leaves the sale to be cancelled instead', () => {
    const confirmed = afterUse(reservation, confirmation);
    expect(confirmed).toEqual({ ...reservation, closedBy: 'SALE', confirmed: true });
    expect([remainingOf(confirmed), cancellableOf(confirmed)]).toEqual([0, 0]);
    expect(afterUse(confirmed, confirmation)).toEqual(confirmed);
  });

  it.each([
    ['has lapsed', { closedBy: 'VOID' }],
    ['waits for a decision', { disposition: 'HELD' }],
    ['was decided against', { disposition: 'VOIDED' }],
  ] as const)('finds nothing held by what %s, and counts its cancellations all the same', (_name, state) => {
    const named: ReferencedOperation = { ...reservation, ...state, cancelled: 2 };
    expect(isWithoutEffect(named)).toBe(true);
    expect([remainingOf(named), cancellableOf(named)]).toEqual([0, 3]);
    expect(afterUse(named, confirmation)).toEqual({ ...named, confirmed: true });
    expect(cancellableOf(afterUse(named, cancellationOf(3)))).toBe(0);
  });

  it('is not used up by a sale that is held itself, but by a cancellation that is', () => {
    expect(afterUse(reservation, confirmation, 'HELD')).toEqual(reservation);
    const cancelling = afterUse(reservation, cancellationOf(2), 'HELD');
    expect([remainingOf(cancelling), cancellableOf(cancelling)]).toEqual([5, 3]);
    expect(afterUse(reservation, cancellationOf(2), 'VOIDED')).toEqual(reservation);
  });

  it('holds again what a decision releases, less what was cancelled meanwhile', () => {
    const held = afterUse({ ...reservation, disposition: 'HELD', effect: 0 }, cancellationOf(2));
    expect(remainingOf(afterDecision(held, { kind: 'RELEASE', effect: -3, lamport: 9 }))).toBe(3);
    expect(remainingOf(afterDecision(reservation, { kind: 'VOID', effect: 5, lamport: 9 }))).toBe(0);
  });

  it('closes nothing where all was cancelled: such a sale is an ordinary one', () => {
    const cancelled = afterUse(reservation, cancellationOf(5));
    expect(afterUse(cancelled, confirmation)).toEqual({ ...cancelled, confirmed: true });
  });
});
