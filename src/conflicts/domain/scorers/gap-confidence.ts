import { asConfidence } from '../weigh.js';

/**
 * Confidence that grows with a gap: from one half at none towards `most`, half of what is missing to it every `halvedEvery`.
 * @param gap at least 0
 */
export function gapConfidence(gap: number, { most, halvedEvery }: { most: number; halvedEvery: number }): number {
  return asConfidence(most - (most - 0.5) * 2 ** (-gap / halvedEvery));
}
