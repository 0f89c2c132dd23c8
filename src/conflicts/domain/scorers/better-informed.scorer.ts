import { type Scorer, UNKNOWN_BASE } from '../scorer.js';
import { gapConfidence } from './gap-confidence.js';
import { describe } from './wording.js';

/**
 * Weak: it speaks for the care with which a claim was made, not for its time. A day of a small shop is some dozens of
 * entries, so who has pulled within the last hours and who has not are sixteen or more apart.
 */
const CURVE = { most: 0.65, halvedEvery: 16 } as const;

/** Of two claims the one whose device had seen more of the log: it was made knowing better what was left. */
export const betterInformed: Scorer = {
  name: 'better-informed',
  score(a, b) {
    if (a.base === UNKNOWN_BASE || b.base === UNKNOWN_BASE) return undefined;
    const gap = Math.abs(a.base - b.base);
    if (!(gap > 0)) return undefined;
    const isA = a.base > b.base;
    return {
      verdict: isA ? 'A' : 'B',
      confidence: gapConfidence(gap, CURVE),
      reason: `The ${describe(isA ? a : b)} was made knowing more of what other devices had done.`,
    };
  },
};
