import type { Fields } from '../../../states/domain/state.js';
import type { Judgement } from '../verdict.js';

/**
 * Of two payments with one card transaction: a single charge that was entered twice, of which the first (B) stands, or two
 * (BOTH) of which one has a mistyped number. Only a suggestion: money decides by people (design, section 7).
 * @param a the payload of the later payment, `b` of the first; with the sides changed the answer is the same
 */
export function sameCharge(a: Fields, b: Fields): Judgement {
  const [ofA, ofB] = [centsOf(a), centsOf(b)];
  if (ofA === undefined || ofB === undefined) {
    return both(0.5, 'An amount is missing, so nothing tells whether this is one charge or two.');
  }
  if (ofA === -ofB && ofA !== 0) {
    return both(0.9, 'One gives back what the other charged: a charge and its refund.');
  }
  if (differ(a, b, 'posDeviceId')) {
    const confidence = ofA === ofB ? 0.6 : 0.9;
    return both(confidence, 'They were made on two card terminals, which may give the same number to two charges.');
  }
  if (ofA !== ofB) {
    return differ(a, b, 'saleId')
      ? both(0.7, 'The amounts and the sales differ: two charges, one with a mistyped number.')
      : both(0.6, 'The amounts differ: more likely a mistyped number than one charge entered twice.');
  }
  if (differ(a, b, 'paymentMethod')) {
    return theFirst(0.7, 'The amounts are the same, though not the methods: likely one charge entered twice.');
  }
  return differ(a, b, 'saleId')
    ? theFirst(0.75, 'Amount and method are the same: likely one charge, entered for two sales.')
    : theFirst(0.9, 'Amount and method are the same: one charge entered twice.');
}

function theFirst(confidence: number, reason: string): Judgement {
  return { verdict: 'B', confidence, reason };
}

function both(confidence: number, reason: string): Judgement {
  return { verdict: 'BOTH', confidence, reason };
}

/** Money has two decimals: as whole cents 0.1 + 0.2 is 0.3. */
function centsOf({ amount }: Fields): number | undefined {
  return typeof amount === 'number' && Number.isFinite(amount) ? Math.round(amount * 100) : undefined;
}

/** What one of them leaves out is no difference. */
function differ(a: Fields, b: Fields, field: string): boolean {
  const [ofA, ofB] = [a[field] ?? null, b[field] ?? null];
  return ofA !== null && ofB !== null && ofA !== ofB;
}
