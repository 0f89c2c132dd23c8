import { describe, expect, it } from '@jest/globals';
import { type DeviceStatus, isReplaced, lagOf } from './device.js';

const pulledTo = (lastPulledLamport: number | null): DeviceStatus => ({
  lastSeenAt: null,
  lastPushedLamport: null,
  lastPulledLamport,
  clockSkewMs: null,
  clockReusedAt: null,
});

describe('the lag of a device', () => {
  it.each([
    ['is what the clock has moved on since it pulled', 40, 43, 3],
    ['is all of the log if it began anew', 0, 43, 43],
    ['is none if it has all', 43, 43, 0],
    ['is none if it has more than the log, which was restored', 50, 43, 0],
    ['is unknown if it never pulled', null, 43, null],
  ])('%s', (_, pulled, head, lag) => {
    expect(lagOf(pulledTo(pulled), head)).toBe(lag);
  });
});

describe('a token of a device', () => {
  it.each([
    ['holds while none was ever replaced', 1_000, null, false],
    ['holds while none was ever replaced, though it does not say when it was issued', undefined, null, false],
    ['is replaced by one that was issued later', 1_000, 1_001, true],
    ['is the one that replaced the others', 1_001, 1_001, false],
    ['holds if it was issued after that', 1_002, 1_001, false],
    ['is replaced if it does not say when it was issued', undefined, 1_001, true],
  ])('%s', (_, issuedAt, validFrom, replaced) => {
    const tokensValidFrom = validFrom === null ? null : new Date(validFrom);
    expect(isReplaced(issuedAt, { revoked: false, tokensValidFrom })).toBe(replaced);
  });
});
