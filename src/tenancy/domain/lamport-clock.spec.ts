import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  GENESIS_HASH,
  isLamportOutOfRange,
  LAMPORT_LEAD_MAX,
  LAMPORT_MAX,
  nextLamport,
  type TenantClock,
} from './lamport-clock.js';

const clockAt = (lamport: number): TenantClock => ({
  lamport,
  chainHash: GENESIS_HASH,
  recordedAt: -Infinity,
  epoch: '',
});
const lamports = fc.integer({ min: 0, max: LAMPORT_MAX });

describe('nextLamport', () => {
  it('is the first past all that was seen, in any order', () => {
    fc.assert(
      fc.property(lamports, fc.array(lamports), (current, seen) => {
        const next = nextLamport(current, ...seen);
        expect(next).toBe(nextLamport(current, ...seen.toReversed()));
        expect([current, ...seen].every((lamport) => lamport < next)).toBe(true);
        expect([current, ...seen]).toContain(next - 1);
      }),
    );
  });
});

describe('isLamportOutOfRange', () => {
  it('never holds for what the clock has passed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAMPORT_MAX - 20_000 }), fc.nat(), (lamport, behind) => {
        expect(isLamportOutOfRange(clockAt(lamport), Math.max(0, lamport - behind))).toBe(false);
      }),
    );
  });

  it('believes a lead of a million, and not one more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LAMPORT_MAX - 2 * LAMPORT_LEAD_MAX }), (lamport) => {
        expect(isLamportOutOfRange(clockAt(lamport), lamport + 1_000_000)).toBe(false);
        expect(isLamportOutOfRange(clockAt(lamport), lamport + 1_000_001)).toBe(true);
      }),
    );
  });

  it('keeps more lamports free at the end than one push can give', () => {
    expect(isLamportOutOfRange(clockAt(LAMPORT_MAX - 20_000), LAMPORT_MAX)).toBe(true);
    expect(isLamportOutOfRange(clockAt(LAMPORT_MAX - 20_000), LAMPORT_MAX - 10_000)).toBe(false);
    expect(isLamportOutOfRange(clockAt(LAMPORT_MAX - 9_999), 1)).toBe(true);
  });
});

describe('GENESIS_HASH', () => {
  it('is 32 zero bytes', () => {
    expect(Buffer.from(GENESIS_HASH).toString('hex')).toBe('0'.repeat(64));
  });
});
