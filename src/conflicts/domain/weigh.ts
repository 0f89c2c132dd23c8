import type { Contestant, Scorer } from './scorer.js';
import type { Decision, Judgement } from './verdict.js';

/** What is only likely is never said to be certain: 1 is for what is known. */
export const LIKELY_MAX = 0.999;

/** A probability as a confidence: at least one half, never certain, and no more digits than it is worth. */
export function asConfidence(probability: number): number {
  return Math.max(0.5, Math.min(LIKELY_MAX, Math.round(probability * 10_000) / 10_000));
}

/**
 * What several answers come to. Independent evidence adds up in log-odds, and what speaks for the other side is taken off
 * (I. J. Good, "Weight of evidence: a brief survey", Bayesian Statistics 2, 1985; known as naive Bayes). What the scorers
 * look at is not wholly independent, which makes the sum somewhat too sure: none of them claims much by itself.
 *
 * The order of the answers doesn't matter, and with the sides changed only the verdict is another. BOTH and NEITHER speak
 * for neither side, so they weigh nothing.
 * @returns undefined if nothing was answered, or the answers cancel each other out
 */
export function combine(answers: readonly Judgement[]): Judgement | undefined {
  const forA = inFavourOf('A', answers);
  const forB = inFavourOf('B', answers);
  const difference = weightOf(forA) - weightOf(forB);
  const confidence = Math.abs(difference) === Infinity ? 1 : asConfidence(1 / (1 + Math.exp(-Math.abs(difference))));
  if (!(confidence > 0.5)) return undefined; // also if two are certain of the opposite
  const [verdict, pro, contra] = difference > 0 ? (['A', forA, forB] as const) : (['B', forB, forA] as const);
  return { verdict, confidence, reason: argument(pro, contra) };
}

/** What scorers said of two, with the trail of those that were asked. */
export interface Weighed {
  readonly decisions: readonly Decision[];
  /** undefined: they don't tell the two apart. */
  readonly combined: Judgement | undefined;
}

/** Asks one scorer after another. One that is certain ends it: what is known is not outvoted by what is likely. */
export function ask(scorers: readonly Scorer[], a: Contestant, b: Contestant): Weighed {
  const decisions: Decision[] = [];
  const answers: Judgement[] = [];
  for (const { name, score } of scorers) {
    const answer = score(a, b);
    decisions.push({ tier: 'HEURISTIC', name, answer: answer ?? null });
    if (answer?.confidence === 1) return { decisions, combined: answer };
    if (answer) answers.push(answer);
  }
  return { decisions, combined: combine(answers) };
}

/** What weighs anything, the strongest first; those that are equally strong in an order of their own, so that theirs doesn't matter. */
function inFavourOf(side: 'A' | 'B', answers: readonly Judgement[]): Judgement[] {
  return answers
    .filter(({ verdict, confidence }) => verdict === side && confidence !== 0.5)
    .toSorted((one, other) => other.confidence - one.confidence || (one.reason < other.reason ? -1 : 1));
}

function weightOf(answers: readonly Judgement[]): number {
  return answers.reduce((weight, { confidence }) => weight + Math.log(confidence / (1 - confidence)), 0);
}

function argument(pro: readonly Judgement[], contra: readonly Judgement[]): string {
  const reasons = (answers: readonly Judgement[]) => answers.map(({ reason }) => reason).join(' ');
  return contra.length > 0 ? `${reasons(pro)} Against that: ${reasons(contra)}` : reasons(pro);
}
