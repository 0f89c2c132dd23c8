import type { Contestant, Scorer } from '../scorer.js';
import { asConfidence } from '../weigh.js';
import { normalProbability } from './normal-distribution.js';
import { describe, duration } from './wording.js';

/** How far apart two were, by their corrected wall clocks. */
export interface TimeBetween {
  /** From `a` to `b`: negative if `b` came first. */
  readonly ms: number;
  /** How far off that may be: one standard deviation. The two clocks err independently, so their variances add up. */
  readonly uncertaintyMs: number;
}

/** undefined if it is not known when one of them was. */
export function timeBetween(a: Pick<Contestant, 'at'>, b: Pick<Contestant, 'at'>): TimeBetween | undefined {
  if (!a.at || !b.at) return undefined;
  return { ms: b.at.ms - a.at.ms, uncertaintyMs: Math.hypot(a.at.uncertaintyMs, b.at.uncertaintyMs) };
}

/** In words, with how far off it may be. */
export function spanOf({ ms, uncertaintyMs }: TimeBetween): { span: string; giveOrTake: string } {
  return { span: duration(Math.abs(ms)), giveOrTake: `give or take ${duration(uncertaintyMs)}` };
}

/**
 * The one with the earlier corrected wall clock came first. As sure as it is likely that two clocks with normal errors
 * would show this gap in this direction: Φ(gap / uncertainty).
 */
export const earlierWallClock: Scorer = {
  name: 'earlier-wall-clock',
  score(a, b) {
    const between = timeBetween(a, b);
    if (!between) return undefined;
    const probability = normalProbability(Math.abs(between.ms) / between.uncertaintyMs);
    if (between.ms === 0 || Number.isNaN(probability)) return undefined;
    const isA = between.ms > 0;
    const { span, giveOrTake } = spanOf(between);
    return {
      verdict: isA ? 'A' : 'B',
      confidence: asConfidence(probability),
      reason: `The ${describe(isA ? a : b)} was made ${span} before the other, ${giveOrTake}.`,
    };
  },
};
