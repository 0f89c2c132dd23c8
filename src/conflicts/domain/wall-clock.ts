import type { Device } from '../../tenancy/domain/device.js';
import type { Instant } from './scorer.js';

/**
 * How far off a measured skew is: `sent_at` is compared with the arrival, so the time that the push was under way counts
 * as skew. On a rural connection that is a second or two, with a new connection to open and a body to send.
 */
const LATENCY_MS = 2_000;

/**
 * How far a clock may have drifted between the entry and the measurement, per unit of time: 50 ppm, four seconds a day.
 * A good clock keeps to 15 ppm (PHI in RFC 5905), but a phone lies in the sun, and may have been set right by its network
 * as it came back, just before its skew was measured.
 */
const DRIFT = 50e-6;

/** Of a clock that nobody has measured: as much as a device's clock may be off before it is warned of. */
const UNMEASURED_MS = 5 * 60_000;

/** Devices are offline for hours or days. What says a year stands at the day it was made, or at 1970. */
const OFFLINE_MAX_MS = 365 * 24 * 3_600_000;

/**
 * When something was done, by the server's clock.
 * @param said when it was, by the device's clock: ms since 1970; null if it did not say
 * @param device its clock minus the server's
 * @param recordedAt when the server recorded it, by its own clock: ms since 1970
 * @returns null if the device did not say, or what it says can't be true
 */
export function correctedInstant(
  said: number | null,
  { clockSkewMs }: Pick<Device, 'clockSkewMs'>,
  recordedAt: number,
): Instant | null {
  const skew = clockSkewMs !== null && Number.isFinite(clockSkewMs) ? clockSkewMs : null;
  const ms = said === null ? NaN : said - (skew ?? 0);
  const agoMs = recordedAt - ms;
  if (!Number.isFinite(agoMs) || agoMs > OFFLINE_MAX_MS) return null;
  const uncertaintyMs = skew === null ? UNMEASURED_MS : Math.hypot(LATENCY_MS, DRIFT * agoMs);
  // Nothing is recorded before it was done. A clock that says so was off by that much, whatever was measured of it since.
  return agoMs < 0 ? { ms: recordedAt, uncertaintyMs: Math.max(uncertaintyMs, -agoMs) } : { ms, uncertaintyMs };
}
