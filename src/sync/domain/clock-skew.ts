import type { PushContext } from './push-context.js';
import type { Warning } from './push-outcome.js';

/** Beyond this a device's wall clock is worth a warning; never a refusal, for the sale took place. */
export const CLOCK_SKEW_WARNING_MS = 5 * 60_000;

/** The warning that every accepted entry of the push gets, if its device's clock is that far off. */
export function clockSkewWarning({ clockSkewMs }: Pick<PushContext, 'clockSkewMs'>): readonly Warning[] {
  return clockSkewMs !== null && Math.abs(clockSkewMs) > CLOCK_SKEW_WARNING_MS ? ['CLOCK_SKEW'] : [];
}
