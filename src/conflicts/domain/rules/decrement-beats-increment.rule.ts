import type { Rule } from '../rule.js';

/** Of goods that left and goods that came in the ones that left take precedence: a customer has them. */
export const decrementBeatsIncrement: Rule = {
  name: 'decrement-beats-increment',
  judge(a, b) {
    const reason = 'Goods that left the shop take precedence over goods that came in.';
    if (a.kind === 'DECREMENT' && b.kind === 'INCREMENT') return { verdict: 'A', confidence: 0.95, reason };
    if (a.kind === 'INCREMENT' && b.kind === 'DECREMENT') return { verdict: 'B', confidence: 0.95, reason };
    return undefined;
  },
};
