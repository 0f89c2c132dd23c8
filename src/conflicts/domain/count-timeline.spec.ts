import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceId, operationId } from '../../../test/support/arbitraries.js';
import { EVENT_KINDS } from '../../inventory/domain/stock-event.js';
import { type Movement, placeCount } from './count-timeline.js';
import { aContestant, afterNoon, contestants } from './scorers/contestants.fuzz.js';

const TILL = deviceId(2);

/** The count of 12 units by the first device at noon, who knew the log up to 40. */
const COUNT = aContestant({
  ...{ id: operationId(99), kind: 'SET', reason: 'COUNT', delta: 12, clientLamport: 50, base: 40, lamport: 90 },
  at: afterNoon(0),
});

/** Of the till, which had not heard of the count. */
function aMovement(number: number, effect: number, fields: Partial<Movement> = {}): Movement {
  const sign =
    effect < 0 ? ({ kind: 'DECREMENT', reason: 'SALE' } as const) : ({ kind: 'INCREMENT', reason: 'RESTOCK' } as const);
  return {
    ...aContestant({ ...sign, id: operationId(number), delta: Math.abs(effect), deviceId: TILL }),
    // By the lamports alone nothing could be told.
    ...{ clientLamport: COUNT.clientLamport, base: 0, lamport: 40 + number, effect },
    ...fields,
  };
}

const soldAt = (number: number, units: number, minutes: number) =>
  aMovement(number, -units, { at: afterNoon(minutes) });

const movements: fc.Arbitrary<Movement> = fc
  .tuple(contestants, fc.constantFrom(...EVENT_KINDS), fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer()))
  .map(([contestant, kind, effect]) => ({ ...contestant, kind, effect }));
const logs = fc.uniqueArray(movements, { maxLength: 12, selector: ({ id }) => id });
const counts = contestants.map((contestant) => ({ ...contestant, kind: 'SET' as const }));

describe('placeCount', () => {
  it('puts what came after the count on top of it, and takes what came before it as counted', () => {
    // 20 were there; 3 were sold before the count, which finds 12: 5 are missing. Then 2 more were sold.
    expect(placeCount(COUNT, 20, [soldAt(1, 3, -40), soldAt(2, 2, 40)])).toMatchObject({
      ...{ effect: 12 - (20 - 3), before: [operationId(1)], after: [operationId(2)] },
      ...{ overtakenBy: null, confidence: 0.999 },
    });
  });

  it('is certain of a count that nothing came between, and has nothing to tell of it', () => {
    expect(placeCount(COUNT, 20, [])).toEqual({
      ...{ effect: -8, after: [], before: [], overtakenBy: null, confidence: 1, reasons: [], decisions: [] },
    });
  });

  it('is as sure as it is of the smallest gap', () => {
    const unsure = aMovement(2, -1, { at: afterNoon(-0.05) });
    const { confidence, reasons } = placeCount(COUNT, 20, [soldAt(1, 3, -40), unsure, soldAt(3, 1, 9)]);
    expect(confidence).toBe(0.8556); // 3 s between two clocks that are 2 s off each: Φ(1.06)
    expect(reasons).toEqual([
      `The sale of 1 unit by device ${TILL} came 3 seconds before the count, give or take 3 seconds: it is taken as counted.`,
      `The sale of 3 units by device ${TILL} came 40 minutes before the count, give or take 3 seconds: it is taken as counted.`,
      `The sale of 1 unit by device ${TILL} came 9 minutes after the count, give or take 3 seconds: 1 unit taken off the count.`,
    ]);
  });

  it('takes what nothing tells of as after, so that no sale is swallowed, and is not sure of it', () => {
    expect(placeCount(COUNT, 20, [aMovement(1, -3)])).toMatchObject({
      ...{ effect: -8, after: [operationId(1)], confidence: 0.5 },
      reasons: [
        `Nothing tells whether the sale of 3 units by device ${TILL} came before the count or after it; ` +
          'after is assumed: 3 units taken off the count.',
      ],
    });
  });

  it('knows what its own device did before it, and what was done by those who knew of it', () => {
    const own = aMovement(1, -3, { deviceId: COUNT.deviceId, clientLamport: 49, at: afterNoon(40) });
    const later = aMovement(60, 5, { base: 95, lamport: 100, at: afterNoon(-40) });
    expect(placeCount(COUNT, 20, [own, later])).toMatchObject({
      ...{ effect: 12 - (20 - 3), before: [own.id], after: [later.id], confidence: 1 },
      reasons: [
        `The sale of 3 units by device ${deviceId(1)} certainly came before the count: it is taken as counted.`,
        `The restock of 5 units by device ${TILL} certainly came after the count: 5 units added to the count.`,
      ],
    });
  });

  it('goes by what the devices recorded, where they did not say when, and says that it is likely', () => {
    const early = aMovement(1, -3, { clientLamport: 42 });
    expect(placeCount(COUNT, 20, [early])).toMatchObject({
      ...{ before: [early.id], confidence: 0.8 },
      reasons: [`The sale of 3 units by device ${TILL} probably came before the count: it is taken as counted.`],
    });
  });

  it('does not quote clocks that were outvoted', () => {
    const early = aMovement(1, -3, { clientLamport: 42, at: afterNoon(0.01) });
    expect(placeCount(COUNT, 20, [early]).reasons).toEqual([
      `The sale of 3 units by device ${TILL} probably came before the count: it is taken as counted.`,
    ]);
  });

  it('does not quote clocks that show no difference', () => {
    const early = aMovement(1, -3, { clientLamport: 42, at: afterNoon(0) });
    expect(placeCount(COUNT, 20, [early]).reasons).toEqual([
      `The sale of 3 units by device ${TILL} probably came before the count: it is taken as counted.`,
    ]);
  });

  it('is not troubled by what moves nothing, wherever it belongs', () => {
    const cancelled = aMovement(1, 0, { kind: 'DECREMENT', reason: 'SALE', delta: 4 });
    expect(placeCount(COUNT, 20, [cancelled, soldAt(2, 2, 40)])).toMatchObject({
      ...{ effect: -8, after: [operationId(1), operationId(2)], confidence: 0.999 },
      reasons: [expect.stringContaining('came 40 minutes after the count')],
    });
  });

  describe('with another count', () => {
    const aCount = (number: number, minutes: number, effect: number, uncertaintyMs?: number): Movement =>
      aMovement(number, effect, { kind: 'SET', reason: 'COUNT', delta: 15, at: afterNoon(minutes, uncertaintyMs) });

    it('changes nothing if the other came after it, and is as sure as it is of that', () => {
      const other = aCount(3, 2, -5, 60_000);
      expect(placeCount(COUNT, 20, [soldAt(1, 1, 0), soldAt(2, 2, 40), other])).toMatchObject({
        ...{ effect: 0, overtakenBy: other.id, confidence: 0.9772, after: [operationId(1), operationId(2), other.id] },
        reasons: [
          `The count of 15 units by device ${TILL} came 2 minutes after this one, give or take 60 seconds: it says what is there.`,
        ],
      });
    });

    it('changes nothing even if the other found what was expected', () => {
      expect(placeCount(COUNT, 20, [aCount(3, 40, 0)])).toMatchObject({ effect: 0, overtakenBy: operationId(3) });
    });

    it('leaves it to people if nothing tells which came first', () => {
      expect(placeCount(COUNT, 20, [aMovement(3, -5, { kind: 'SET', reason: 'COUNT', delta: 15 })])).toMatchObject({
        ...{ effect: 0, overtakenBy: operationId(3), confidence: 0.5 },
        reasons: [
          `Nothing tells whether the count of 15 units by device ${TILL} came before this one or after it; ` +
            'after is assumed: it says what is there.',
        ],
      });
    });

    it('names the one that surely came after it', () => {
      const [likely, sure] = [aCount(1, 2, -5, 60_000), aCount(2, 60, -5)];
      for (const both of [
        [likely, sure],
        [sure, likely],
      ]) {
        expect(placeCount(COUNT, 20, both)).toMatchObject({ overtakenBy: sure.id, confidence: 0.999 });
      }
    });

    it('is the newer one if the other came before it, also one that had found what was expected', () => {
      const [earlier, expected] = [aCount(1, -40, -5), aCount(2, -0.05, 0)];
      // What the other put right is counted: 20 - 5 were thought to be there.
      expect(placeCount(COUNT, 20, [earlier, expected])).toMatchObject({
        ...{ effect: 12 - 15, overtakenBy: null, confidence: 0.8556 },
        reasons: [
          expect.stringContaining(
            'came 3 seconds before this one, give or take 3 seconds: this count is the newer one.',
          ),
          expect.stringContaining('came 40 minutes before'),
        ],
      });
    });
  });

  it('tells of the five that are least sure, and how many more there are', () => {
    const day = Array.from({ length: 9 }, (_, index) => soldAt(index + 1, index + 1, 0.1 - index * 0.01));
    const { reasons, decisions } = placeCount(COUNT, 20, day);
    expect(reasons).toHaveLength(6);
    expect(reasons[0]).toContain('sale of 9 units');
    expect(reasons[4]).toContain('sale of 5 units');
    expect(reasons[5]).toBe('… and 4 more.');
    expect(decisions).toHaveLength(20);
    expect(decisions.slice(0, 4).map(({ name, answer }) => [name, answer?.verdict])).toEqual([
      ['knew-the-other', undefined],
      ['same-device', undefined],
      ['earlier-lamport', undefined],
      ['earlier-wall-clock', 'A'],
    ]);
  });

  it('keeps the trail of those that it tells of, and of no more', () => {
    const own = Array.from({ length: 9 }, (_, index) =>
      aMovement(index + 1, -1, { deviceId: COUNT.deviceId, clientLamport: 40 + index }),
    );
    expect(placeCount(COUNT, 20, own).decisions.map(({ name }) => name)).toEqual(
      Array.from({ length: 5 }, () => ['knew-the-other', 'same-device']).flat(),
    );
  });

  it('has five reasons without a word of more', () => {
    const { reasons } = placeCount(
      COUNT,
      20,
      Array.from({ length: 5 }, (_, index) => soldAt(index + 1, 1, 40)),
    );
    expect(reasons).toHaveLength(5);
    expect(reasons.join()).not.toContain('more');
  });

  it('leaves as many units as were counted, with what came after them', () => {
    fc.assert(
      fc.property(counts, fc.integer(), logs, (count, stockAtBase, unseen) => {
        const { effect, after, overtakenBy } = placeCount(count, stockAtBase, unseen);
        const sum = (of: readonly Movement[]) => of.reduce((units, movement) => units + movement.effect, 0);
        if (overtakenBy !== null) {
          expect(effect).toBe(0);
          return;
        }
        const onTop = unseen.filter(({ id }) => after.includes(id));
        expect(count.delta + sum(onTop)).toBe(stockAtBase + sum(unseen) + effect);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a place for each, is overtaken only by a count after it, and says nothing that is no number', () => {
    fc.assert(
      fc.property(counts, fc.integer(), logs, (count, stockAtBase, unseen) => {
        const placement = placeCount(count, stockAtBase, unseen);
        expect([...placement.before, ...placement.after].toSorted()).toEqual(unseen.map(({ id }) => id).toSorted());
        const later = unseen.filter(({ id, kind }) => kind === 'SET' && placement.after.includes(id));
        if (placement.overtakenBy === null) expect(later).toEqual([]);
        else expect(later.map(({ id }) => id)).toContain(placement.overtakenBy);
        expect(placement.confidence).toBeGreaterThanOrEqual(0.5);
        expect(placement.confidence).toBeLessThanOrEqual(1);
        expect(placement.decisions.length).toBeLessThanOrEqual(20);
        expect(placement.reasons.length).toBeLessThanOrEqual(6);
        expect(JSON.stringify(placement)).not.toMatch(/NaN|undefined|Infinity|null units/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not mind the order in which it is told', () => {
    const shuffled = logs.chain((log) =>
      fc.tuple(fc.constant(log), fc.shuffledSubarray(log, { minLength: log.length })),
    );
    fc.assert(
      fc.property(counts, fc.integer(), shuffled, (count, stockAtBase, [one, other]) => {
        expect(placeCount(count, stockAtBase, other)).toEqual(placeCount(count, stockAtBase, one));
      }),
      { numRuns: 1_000 },
    );
  });

  it('takes a busy week of five thousand sales in its stride', () => {
    const week = Array.from({ length: 5_000 }, (_, index) => soldAt(index + 1, 1, index - 4_000.5));
    const placement = placeCount(COUNT, 20_000, week);
    expect(placement).toMatchObject({ effect: 12 - (20_000 - 4_001), confidence: 0.999 });
    expect(placement.after).toHaveLength(999);
  });

  it('names them in the order of the log', () => {
    const [third, second, first] = [soldAt(1, 1, 40), soldAt(2, 1, 30), soldAt(3, 1, 50)].map((movement, index) => ({
      ...movement,
      lamport: 60 - index,
    })) as [Movement, Movement, Movement];
    expect(placeCount(COUNT, 20, [third, first, second]).after).toEqual([first.id, second.id, third.id]);
  });
});
