import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GENESIS_HASH, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import { chainHash, contentHash } from './hash-chain.js';
import { lapse } from './lapse.js';
import { EMPTY_LEVEL, type StockLevel } from './ledger.js';
import { INT4_MAX } from './operation.js';
import { type ReferencedOperation, remainingOf } from './reference.js';
import { serverEventId } from './server-event.js';
import { SERVER_ID } from './stock-event.js';

const TENANT = 'aaaaaaaa-0000-4000-8000-000000000001';
const operationId = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
const productId = (number: number): string => `bbbbbbbb-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
const CLOCK: TenantClock = { lamport: 40, chainHash: GENESIS_HASH, epoch: TENANT, recordedAt: 7 };

const reservations: fc.Arbitrary<readonly ReferencedOperation[]> = fc
  .array(
    fc.record({
      productId: fc.integer({ min: 1, max: 3 }).map(productId),
      deviceId: fc.constant(TENANT),
      kind: fc.constantFrom('DECREMENT' as const, 'DECREMENT' as const, 'INCREMENT' as const),
      reason: fc.constantFrom('RESERVATION' as const, 'RESERVATION' as const, 'SALE' as const),
      delta: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(INT4_MAX)),
      disposition: fc.constantFrom('APPLIED' as const, 'APPLIED' as const, 'HELD' as const, 'VOIDED' as const),
      lamport: fc.integer({ min: 1, max: 40 }),
      effectiveLamport: fc.constant(40),
      refOperationId: fc.constant(null),
      cancelled: fc.constantFrom(0, 0, 1, 9),
      cancelling: fc.constantFrom(0, 1),
      closedBy: fc.constantFrom(null, null, 'SALE' as const, 'VOID' as const),
      effect: fc.constant(0), // of a DECREMENT what remains counts
      confirmed: fc.boolean(),
    }),
    { maxLength: 8 },
  )
  .map((drafts) => drafts.map((draft, index) => ({ ...draft, operationId: operationId(index + 1) })));
const levelsOfAll: fc.Arbitrary<ReadonlyMap<string, StockLevel>> = fc
  .array(
    fc.record({ quantity: fc.integer({ min: -20, max: 20 }), tracked: fc.boolean(), lastLamport: fc.constant(9) }),
    {
      maxLength: 3,
    },
  )
  .map((levels) => new Map(levels.map((level, index) => [productId(index + 1), level])));

const holdsStill = (operation: ReferencedOperation): boolean =>
  operation.kind === 'DECREMENT' && operation.reason === 'RESERVATION' && remainingOf(operation) > 0;

const voidIdOf = (id: string): string =>
  serverEventId({ kind: 'VOID', units: 1 }, { operationId: id, kind: 'DECREMENT' });

describe('lapse', () => {
  it('gives back what each open reservation holds, and touches no other', () => {
    fc.assert(
      fc.property(reservations, levelsOfAll, (due, levels) => {
        const { events } = lapse(TENANT, CLOCK, due, levels);
        expect(events).toMatchObject(
          due.filter(holdsStill).map((reservation) => ({
            operationId: voidIdOf(reservation.operationId),
            refOperationId: reservation.operationId,
            productId: reservation.productId,
            kind: 'VOID',
            reason: 'RESERVATION',
            delta: remainingOf(reservation),
            disposition: 'APPLIED',
            deviceType: 'SERVER',
            deviceId: SERVER_ID,
            createdBy: SERVER_ID,
          })),
        );
      }),
    );
  });

  it('keeps stock the sum of its effects, on each event and in the projection (I1)', () => {
    fc.assert(
      fc.property(reservations, levelsOfAll, (due, levels) => {
        const { events, levels: changed } = lapse(TENANT, CLOCK, due, levels);
        const sums = new Map<string, StockLevel>();
        for (const event of events) {
          const before = sums.get(event.productId) ?? levels.get(event.productId) ?? EMPTY_LEVEL;
          const quantity = before.quantity + event.effect;
          expect(event.stockAfter).toBe(quantity);
          expect(quantity).toBeLessThanOrEqual(INT4_MAX);
          sums.set(event.productId, { quantity, tracked: before.tracked, lastLamport: event.lamport });
        }
        expect(changed).toEqual(sums);
      }),
    );
  });

  it('goes on in the log where the clock stands: lamports without a gap, each hash chained to the one before (I4)', () => {
    fc.assert(
      fc.property(reservations, levelsOfAll, (due, levels) => {
        const { events, clock } = lapse(TENANT, CLOCK, due, levels);
        let head = CLOCK.chainHash;
        events.forEach((event, index) => {
          expect([event.lamport, event.clientLamport]).toEqual([41 + index, 41 + index]);
          expect(event.contentHash).toEqual(contentHash(TENANT, event));
          head = chainHash(head, event.contentHash);
          expect(event.chainHash).toEqual(head);
        });
        expect(clock).toEqual({ ...CLOCK, lamport: 40 + events.length, chainHash: head });
      }),
    );
  });

  it('does nothing more for what it has voided (I2)', () => {
    fc.assert(
      fc.property(reservations, levelsOfAll, (due, levels) => {
        const first = lapse(TENANT, CLOCK, due, levels);
        const voided = new Set(first.events.map((event) => event.refOperationId));
        const later = due.map((operation): ReferencedOperation => {
          return voided.has(operation.operationId) ? { ...operation, closedBy: 'VOID' } : operation;
        });
        const second = lapse(TENANT, first.clock, later, first.levels);
        expect(second).toEqual({ events: [], levels: new Map(), clock: first.clock });
      }),
    );
  });

  it('gives each reservation one id to lapse under, its own', () => {
    expect(voidIdOf(operationId(1))).toBe(voidIdOf(operationId(1)));
    expect(voidIdOf(operationId(1))).not.toBe(voidIdOf(operationId(2)));
  });

  it('gives up what would leave the range of stock, rather than never to lapse', () => {
    const [reservation] = fc.sample(
      reservations.filter((due) => due.some(holdsStill)),
      { numRuns: 1, seed: 1 },
    );
    const open = reservation?.find(holdsStill);
    if (!open) throw new Error('None is open');
    const full = new Map([[open.productId, { quantity: INT4_MAX - 1, tracked: true, lastLamport: 9 }]]);
    const { events } = lapse(TENANT, CLOCK, [{ ...open, delta: 5, cancelled: 0 }], full);
    expect(events).toMatchObject([{ delta: 5, effect: 1, stockAfter: INT4_MAX }]);
  });
});
