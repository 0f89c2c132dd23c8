import { describe, expect, it } from '@jest/globals';
import { type DeviceStatus, lagOf } from './device.js';

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
