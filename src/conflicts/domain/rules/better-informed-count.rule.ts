import type { Rule } from '../rule.js';

/** Of two counts that did not know of each other, the one whose device had seen more of the log is believed. */
export const betterInformedCount: Rule = {
  name: 'better-informed-count',
  judge(a, b) {
    if (a.kind !== 'SET' || b.kind !== 'SET') return undefined;
    if (a.base === null || b.base === null || a.base === b.base) return undefined;
    return {
      verdict: a.base > b.base ? 'A' : 'B',
      confidence: 0.95,
      reason: 'Of two counts the one whose device knew more of what had happened is believed.',
    };
  },
};
