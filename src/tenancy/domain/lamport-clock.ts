/** Lamports are JSON integers: beyond this a double no longer tells neighbours apart. */
export const LAMPORT_MAX = Number.MAX_SAFE_INTEGER;

/** How far ahead of the tenant's clock an entry may be: one broken clock must not spend everyone's range. */
export const LAMPORT_LEAD_MAX = 1_000_000;

/** Chain hash of an empty log: 32 zero bytes. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32);

/** Kept free at the end of the range: more than one push can give out, so none runs over. */
const LAMPORTS_RESERVED = 10_000;

/** A tenant's logical clock and the head of its hash chain. */
export interface TenantClock {
  /** Of the last entry; 0 before the first. */
  readonly lamport: number;
  /** 32 bytes: chain hash of the last event. */
  readonly chainHash: Uint8Array;
  /** Changes when the database is restored from a backup. */
  readonly epoch: string;
  /** When its last entry was recorded, in milliseconds since 1970; −Infinity before the first. */
  readonly recordedAt: number;
}

/** The rule of Lamport (1978), "Time, Clocks, and the Ordering of Events", IR2: past all that was seen. */
export function nextLamport(current: number, ...seen: readonly number[]): number {
  return Math.max(current, ...seen) + 1;
}

/** Whether `claimed` leads the clock by more than is believed, or leaves no lamport to give. */
export function isLamportOutOfRange(clock: TenantClock, claimed: number): boolean {
  return (
    claimed - clock.lamport > LAMPORT_LEAD_MAX || Math.max(claimed, clock.lamport) > LAMPORT_MAX - LAMPORTS_RESERVED
  );
}

/**
 * The time of an entry recorded now, in milliseconds since 1970: never before the last one's, whatever the wall clocks
 * of several servers say, so that time runs along the log.
 */
export function recordingTime(clock: TenantClock, nowMs: number): number {
  return Math.max(clock.recordedAt, nowMs);
}
