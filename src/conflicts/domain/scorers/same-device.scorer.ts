import type { Scorer } from '../scorer.js';
import { describe } from './wording.js';

/** One device's lamports grow strictly. Two of the same are a clone's or a re-install's, and tell nothing. */
export const sameDevice: Scorer = {
  name: 'same-device',
  score(a, b) {
    if (a.deviceId !== b.deviceId || a.clientLamport === b.clientLamport) return undefined;
    const isA = a.clientLamport < b.clientLamport;
    return {
      verdict: isA ? 'A' : 'B',
      confidence: 1,
      reason: `The same device recorded both, the ${describe(isA ? a : b)} first.`,
    };
  },
};
