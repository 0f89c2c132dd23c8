import { describe, expect, it } from '@jest/globals';
import { deviceId } from '../../../../test/support/arbitraries.js';
import { aContestant } from './contestants.fuzz.js';
import { sameDevice } from './same-device.scorer.js';

describe('sameDevice', () => {
  const first = aContestant({ clientLamport: 10, lamport: 60, delta: 2 });

  it("is certain of a device's own order, in whatever order its entries came to the server", () => {
    expect(sameDevice.score(aContestant({ clientLamport: 11, lamport: 50 }), first)).toEqual({
      verdict: 'B',
      confidence: 1,
      reason: `The same device recorded both, the sale of 2 units by device ${deviceId(1)} first.`,
    });
  });

  it('has nothing to say of another device, nor of a lamport used twice', () => {
    expect(sameDevice.score(aContestant({ clientLamport: 11, deviceId: deviceId(2) }), first)).toBeUndefined();
    expect(sameDevice.score(aContestant({ clientLamport: 10 }), first)).toBeUndefined();
  });
});
