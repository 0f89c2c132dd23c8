import type { BatchLimits } from './batch.js';

/** The smallest part of the limits that a push is cut down to. */
const LEAST = 1 / 32;

/**
 * How much goes into one push. On a line on which a whole one does not get through in time, half of it may, or half of
 * that; and as soon as one has, the next is twice as large.
 */
export class BatchPace {
  private part = 1;

  constructor(private readonly limits: BatchLimits) {}

  get now(): BatchLimits {
    const { entriesMax, bytesMax } = this.limits;
    return { entriesMax: Math.ceil(entriesMax * this.part), bytesMax: Math.ceil(bytesMax * this.part) };
  }

  /** A push got through. */
  quicken(): void {
    this.part = Math.min(1, this.part * 2);
  }

  /** A push got no answer, or was cut on the way. */
  slow(): void {
    this.part = Math.max(LEAST, this.part / 2);
  }
}
