import { ProblemError } from '../problems/problem.js';

/** So that one tenant's devices don't take the turns of all others. */
const OF_TENANT_MAX = 2;
const OF_PROCESS_MAX = 4;

/**
 * Reads that hold a connection for as long as it takes, such as a snapshot or an audit, are few at once: pushes and
 * pulls come to the same pool, and must find a connection there.
 */
export class LongReads {
  private readonly openByTenant = new Map<string, number>();
  private readonly openMax: number;
  private open = 0;

  /** @param poolMax connections of this process; at most half of them are for long reads. */
  constructor(poolMax: number) {
    this.openMax = Math.max(1, Math.min(OF_PROCESS_MAX, Math.floor(poolMax / 2)));
  }

  /**
   * Runs `work`, which may read for long.
   * @throws ProblemError TOO_MANY_STREAMS, at once, if as many run as may: there is no queue, for nobody knows how long.
   */
  async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    const ofTenant = this.openByTenant.get(tenantId) ?? 0;
    if (ofTenant >= OF_TENANT_MAX || this.open >= this.openMax) throw new ProblemError('TOO_MANY_STREAMS');
    this.openByTenant.set(tenantId, ofTenant + 1);
    this.open += 1;
    try {
      return await work();
    } finally {
      const left = (this.openByTenant.get(tenantId) ?? 0) - 1;
      if (left > 0) this.openByTenant.set(tenantId, left);
      else this.openByTenant.delete(tenantId);
      this.open -= 1;
    }
  }
}
