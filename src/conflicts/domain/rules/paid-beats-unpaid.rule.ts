import { isClaim, type Rule } from '../rule.js';

/** A paid sale stands against a claim that nobody has paid. Certain: money has changed hands already. */
export const paidBeatsUnpaid: Rule = {
  name: 'paid-beats-unpaid',
  judge(a, b) {
    if (!isClaim(a) || !isClaim(b)) return undefined;
    const aPaid = a.paymentStatus === 'PAID';
    const bPaid = b.paymentStatus === 'PAID';
    // Two paid sales are for people to settle, two unpaid claims for the heuristics.
    if (aPaid === bPaid) return undefined;
    return { verdict: aPaid ? 'A' : 'B', confidence: 1, reason: 'A paid sale beats an unpaid claim.' };
  },
};
