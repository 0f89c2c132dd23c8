import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  NOTHING_PENDING,
  optimisticOf,
  type StockChange,
  sumOf,
  withChange,
  withoutChange,
} from './optimistic-stock.js';

const change: fc.Arbitrary<StockChange> = fc.oneof(
  fc.record({ is: fc.constant('MOVEMENT' as const), units: fc.integer({ min: -9, max: 9 }) }),
  fc.record({ is: fc.constant('COUNT' as const), units: fc.nat({ max: 50 }) }),
);

/** One after the other, as somebody at the shelf would. */
function shown(confirmed: number, changes: readonly StockChange[]): number {
  return changes.reduce((stock, { is, units }) => (is === 'COUNT' ? units : stock + units), confirmed);
}

describe('what a device shows of a product', () => {
  it('is what was confirmed, with all that it recorded done to it in order', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(change), (confirmed, changes) => {
        expect(optimisticOf(confirmed, sumOf(changes))).toBe(shown(confirmed, changes));
      }),
    );
  });

  it('is right after any of it was confirmed or refused', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(change, { minLength: 1 }), fc.nat(), (confirmed, changes, which) => {
        const gone = changes[which % changes.length];
        const left = changes.filter((_, index) => index !== which % changes.length);
        if (!gone) return;
        const pending = withoutChange(sumOf(changes), gone) ?? sumOf(left);
        expect(optimisticOf(confirmed, pending)).toBe(shown(confirmed, left));
        expect(pending.entries).toBe(left.length);
      }),
    );
  });

  it('is told from the sum as long as nothing was counted', () => {
    const moved = withChange(withChange(NOTHING_PENDING, { is: 'MOVEMENT', units: -3 }), { is: 'MOVEMENT', units: 5 });
    expect(withoutChange(moved, { is: 'MOVEMENT', units: -3 })).toEqual({ count: null, moved: 5, entries: 1 });
    expect(withoutChange(withChange(moved, { is: 'COUNT', units: 4 }), { is: 'MOVEMENT', units: 5 })).toBeUndefined();
  });
});
