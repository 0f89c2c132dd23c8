import { expect, describe as suite, it } from '@jest/globals';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { aContestant } from './contestants.fuzz.js';
import { describe, duration } from './wording.js';

const HOUR = 3_600_000;

suite('describe', () => {
  const by = ` by device ${deviceId(1)}`;

  it.each([
    [{ kind: 'DECREMENT', reason: 'SALE', delta: 3 }, `sale of 3 units${by}`],
    [{ kind: 'DECREMENT', reason: 'RESERVATION', delta: 1 }, `reservation of 1 unit${by}`],
    [{ kind: 'DECREMENT', reason: 'DAMAGE', delta: 2 }, `loss of 2 units${by}`],
    [{ kind: 'DECREMENT', reason: 'ADJUSTMENT', delta: 2 }, `removal of 2 units${by}`],
    [{ kind: 'DECREMENT', reason: 'RESTOCK', delta: 2 }, `removal of 2 units${by}`],
    [{ kind: 'INCREMENT', reason: 'RESTOCK', delta: 2 }, `restock of 2 units${by}`],
    [{ kind: 'INCREMENT', reason: 'CANCEL', delta: 2 }, `cancellation of 2 units${by}`],
    [{ kind: 'INCREMENT', reason: 'SALE', delta: 2 }, `addition of 2 units${by}`],
    [{ kind: 'SET', reason: 'COUNT', delta: 0 }, `count of 0 units${by}`],
    [{ kind: 'SET', reason: 'CANCEL', delta: 5 }, `count of 5 units${by}`],
    [{ kind: 'VOID', reason: 'SALE', delta: 4 }, 'taking back of 4 units'],
    [{ kind: 'RELEASE', reason: 'SALE', delta: 4 }, 'release of 4 units'],
    [{ kind: 'DELETE', reason: null, delta: 0 }, `deletion of the product${by}`],
  ] as const)('of %j says %p', (fields, words) => {
    expect(describe(aContestant(fields))).toBe(words);
  });
});

suite('duration', () => {
  it.each([
    [0, 'less than a second'],
    [999, 'less than a second'],
    [1_000, '1 second'],
    [89_000, '89 seconds'],
    [90_000, '2 minutes'],
    [40 * 60_000, '40 minutes'],
    [89 * 60_000, '89 minutes'],
    [2 * HOUR, '2 hours'],
    [35 * HOUR, '35 hours'],
    [36 * HOUR, '2 days'],
    [240 * HOUR, '10 days'],
  ])('of %p ms is %p', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });
});
