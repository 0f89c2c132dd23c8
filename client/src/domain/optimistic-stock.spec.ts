import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { optimisticOf, type StockChange, sumOf, withoutChange } from './optimistic-stock.js';

/** In the order of their lamports. */
const history: fc.Arbitrary<StockChange[]> = fc
  .array(
    fc.oneof(
      fc.record({ is: fc.constant('MOVEMENT' as const), units: fc.integer({ min: -9, max: 9 }) }),
      fc.record({ is: fc.constant('COUNT' as const), units: fc.nat({ max: 50 }) }),
    ),
    { minLength: 1 },
  )
  .map((changes) => changes.map((change, index) => ({ ...change, at: 10 * index })));

/** One after the other, as somebody at the shelf would. */
function shown(confirmed: number, changes: readonly StockChange[]): number {
  return changes.reduce((stock, { is, units }) => (is === 'COUNT' ? units : stock + units), confirmed);
}

describe('what a device shows of a product', () => {
  it('is what was confirmed, with all that it recorded done to it in order', () => {
    fc.assert(
      fc.property(fc.integer(), history, (confirmed, changes) => {
        expect(optimisticOf(confirmed, sumOf(changes))).toBe(shown(confirmed, changes));
      }),
    );
  });

  it('is right after any of it was confirmed or refused', () => {
    fc.assert(
      fc.property(fc.integer(), history, fc.nat(), (confirmed, changes, which) => {
        const gone = changes[which % changes.length];
        const left = changes.filter((_, index) => index !== which % changes.length);
        if (!gone) return;
        const pending = withoutChange(sumOf(changes), gone) ?? sumOf(left);
        expect(optimisticOf(confirmed, pending)).toBe(shown(confirmed, left));
        expect(pending.entries).toBe(left.length);
      }),
    );
  });

  it('is told from the sum unless it is the last count that goes', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const sum = sumOf(changes);
        for (const change of changes) {
          expect(withoutChange(sum, change) === undefined).toBe(change.is === 'COUNT' && change.at === sum.countedAt);
        }
      }),
    );
  });
});
