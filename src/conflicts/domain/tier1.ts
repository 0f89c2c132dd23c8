import type { Competitor, Rule, RuleAnswer } from './rule.js';
import { betterInformedCount } from './rules/better-informed-count.rule.js';
import { cancelledYields } from './rules/cancelled-yields.rule.js';
import { decrementBeatsIncrement } from './rules/decrement-beats-increment.rule.js';
import { paidBeatsUnpaid } from './rules/paid-beats-unpaid.rule.js';
import type { Decision } from './verdict.js';

/** In order of precedence: the first that answers decides. */
export const TIER1_RULES: readonly Rule[] = [
  paidBeatsUnpaid,
  cancelledYields,
  decrementBeatsIncrement,
  betterInformedCount,
];

/** What the rules said of two, with the trail of those that were asked. */
export interface Ruling {
  readonly answer: RuleAnswer | undefined;
  readonly asked: readonly Decision[];
}

/** Asks one rule after another, until one answers. */
export function askRules(a: Competitor, b: Competitor, rules: readonly Rule[] = TIER1_RULES): Ruling {
  const asked: Decision[] = [];
  for (const { name, judge } of rules) {
    const answer = judge(a, b);
    asked.push({ tier: 'HARDCODED', name, answer: answer ?? null });
    if (answer) return { answer, asked };
  }
  return { answer: undefined, asked };
}
