import type { DeviceType } from './device-type.js';

/** Stands for the server where an entry names its device, so no device may have it. The nil UUID (RFC 9562). */
export const SERVER_ID = '00000000-0000-0000-0000-000000000000';

/** A device that was enrolled, and may have been revoked since. */
export interface Device extends DeviceStatus {
  readonly id: string;
  readonly name: string;
  readonly deviceType: DeviceType;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** What its pushes and pulls told of a device; null: nothing yet. */
export interface DeviceStatus {
  /** Of its last push, or of its last pull, give or take a minute. */
  readonly lastSeenAt: Date | null;
  /** The highest that an entry it pushed was given. */
  readonly lastPushedLamport: number | null;
  /** How far the last answer to a pull of it reached. */
  readonly lastPulledLamport: number | null;
  /** Its wall clock minus the server's, in milliseconds, when it last said what time it had. */
  readonly clockSkewMs: number | null;
  /** When it last used a lamport of its own clock for a second operation: a clone, or a re-install. */
  readonly clockReusedAt: Date | null;
}

/** What a push tells of the device that recorded it. */
export interface PushNote {
  /** When the device was here; null if somebody else brought what it had recorded: keeps what was known. */
  readonly at: Date | null;
  /** The highest that an entry of the push was given; null if none was recorded: keeps what was known. */
  readonly lamport: number | null;
  /** null if the push did not say: keeps what was known. */
  readonly clockSkewMs: number | null;
  readonly clockReused: boolean;
}

/** What two pushes of a device tell of it, the later one second. */
export function bothNotes(first: PushNote, second: PushNote): PushNote {
  return {
    at: second.at ?? first.at,
    lamport: second.lamport ?? first.lamport,
    clockSkewMs: second.clockSkewMs ?? first.clockSkewMs,
    clockReused: first.clockReused || second.clockReused,
  };
}

/** What a pull tells of the device it came from. */
export interface PullNote {
  readonly at: Date;
  /** How far the answer reaches. */
  readonly lamport: number;
}

/**
 * How many lamports a device has yet to pull, which is how many entries at most: lamports have gaps. null if it never
 * pulled. A cursor beyond the clock, as may be after a restore, is no lag.
 */
export function lagOf({ lastPulledLamport }: DeviceStatus, serverLamport: number): number | null {
  return lastPulledLamport === null ? null : Math.max(0, serverLamport - lastPulledLamport);
}

/** What a business calls a device. */
export type DeviceIdentity = Pick<Device, 'id' | 'name' | 'deviceType'>;

/** What is to change of it; undefined: stays. */
export type DeviceChange = { readonly [field in 'name' | 'deviceType']: DeviceIdentity[field] | undefined };

/** What an admin is told of a device that was enrolled or given another token, once. */
export interface Enrolment extends DeviceIdentity {
  /** null if an identity provider signs the tokens. */
  readonly token: string | null;
  /** The tenant's clock: a device whose own goes on from here gives no lamport a second time. */
  readonly lamport: number;
}

/** Whether a device may be let in, whatever becomes of its tenant. */
export interface DeviceAccess {
  readonly revoked: boolean;
  /** Its tokens were replaced then, for the last time; null: never. */
  readonly tokensValidFrom: Date | null;
}

/**
 * Whether a token was issued before those of its device were replaced. One that doesn't say when it was issued can be
 * told from no other, so all such are replaced at once.
 *
 * @param issuedAt in milliseconds since 1970
 */
export function isReplaced(issuedAt: number | undefined, { tokensValidFrom }: DeviceAccess): boolean {
  return tokensValidFrom !== null && (issuedAt === undefined || issuedAt < tokensValidFrom.getTime());
}
