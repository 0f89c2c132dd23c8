import { median } from './statistics.js';

export interface MemorySample {
  /** That the service had taken by then. */
  readonly operations: number;
  readonly usedMiB: number;
}

/** Whether the memory of the service grew with the operations it took, once it had warmed up. */
export interface MemoryGrowth {
  readonly secondQuarterMiB: number;
  readonly secondHalfMiB: number;
  readonly growthMiB: number;
  readonly growthMiBPer100kOperations: number;
  readonly flat: boolean;
}

/** Of what there was in the second quarter: less than this is the sawtooth of the garbage collector. */
export const FLAT_GROWTH_MAX = 0.05;
/** In less than this the heap is still finding its size, which looks like growth. */
const OPERATIONS_MIN = 100_000;

/**
 * Compares the second half of a run with its second quarter. The first quarter is left out: there the code is compiled
 * and the pools fill up, so it says nothing of a leak.
 * @returns undefined if the run was too short to tell.
 */
export function judgeMemoryGrowth(samples: readonly MemorySample[]): MemoryGrowth | undefined {
  if ((samples.at(-1)?.operations ?? 0) < OPERATIONS_MIN) return undefined;
  const secondQuarter = samples.slice(Math.floor(samples.length / 4), Math.floor(samples.length / 2));
  const secondHalf = samples.slice(Math.floor(samples.length / 2));
  const secondQuarterMiB = median(secondQuarter.map((sample) => sample.usedMiB));
  const secondHalfMiB = median(secondHalf.map((sample) => sample.usedMiB));
  const growthMiB = secondHalfMiB - secondQuarterMiB;
  const operationsBetween =
    median(secondHalf.map((sample) => sample.operations)) - median(secondQuarter.map((sample) => sample.operations));
  return {
    secondQuarterMiB,
    secondHalfMiB,
    growthMiB,
    growthMiBPer100kOperations: (growthMiB / operationsBetween) * 100_000,
    flat: growthMiB <= secondQuarterMiB * FLAT_GROWTH_MAX,
  };
}
