import type { Scorer } from '../scorer.js';
import { describe } from './wording.js';

/**
 * What a device had already heard of when it recorded its own came first. Certain, if the base is: it is what the device
 * had applied, and the hub gives a total order.
 */
export const knewTheOther: Scorer = {
  name: 'knew-the-other',
  score(a, b) {
    const aKnewB = a.base >= b.lamport;
    const bKnewA = b.base >= a.lamport;
    // Each after the other: one of the devices says what can't be.
    if (aKnewB === bKnewA) return undefined;
    const [first, second] = aKnewB ? [b, a] : [a, b];
    return {
      verdict: aKnewB ? 'B' : 'A',
      confidence: 1,
      reason: `The ${describe(second)} was recorded when the ${describe(first)} was already known there.`,
    };
  },
};
