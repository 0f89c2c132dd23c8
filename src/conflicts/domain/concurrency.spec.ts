import { describe, expect, it } from '@jest/globals';
import { baseOf } from './concurrency.js';

describe('baseOf', () => {
  it.each([
    ['what the device says', { baseLamport: 5, clientLamport: 9 }, 7, 20, 5],
    ['what it had pulled, if it does not say', { baseLamport: null, clientLamport: 9 }, 7, 20, 7],
    ['what was before its own clock, if that is less', { baseLamport: null, clientLamport: 4 }, 7, 20, 3],
    ['what was before its own clock, if it never pulled', { baseLamport: null, clientLamport: 9 }, null, 20, 8],
    ['no more than there was, whatever it says', { baseLamport: 2 ** 53 - 1, clientLamport: 9 }, 7, 20, 20],
  ] as const)('is %s', (_name, operation, lastPulled, head, base) => {
    expect(baseOf(operation, lastPulled, head)).toBe(base);
  });
});
