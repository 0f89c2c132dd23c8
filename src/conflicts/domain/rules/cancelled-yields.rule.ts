import { isClaim, type Rule } from '../rule.js';

/** A claim whose payment was cancelled yields to any that still wants the goods. */
export const cancelledYields: Rule = {
  name: 'cancelled-yields',
  judge(a, b) {
    if (!isClaim(a) || !isClaim(b)) return undefined;
    const aCancelled = a.paymentStatus === 'CANCELLED';
    const bCancelled = b.paymentStatus === 'CANCELLED';
    if (aCancelled === bCancelled) return undefined;
    return { verdict: aCancelled ? 'B' : 'A', confidence: 1, reason: 'A cancelled claim yields to one that is not.' };
  },
};
