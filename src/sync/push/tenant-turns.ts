import { Injectable } from '@nestjs/common';
import pLimit, { type LimitFunction } from 'p-limit';
import { ProblemError } from '../../problems/problem.js';

/** One that has the tenant's clock, and one that is ready to take it. */
const PUSHES_AT_ONCE = 2;
/** Longer than a push may wait for the lock; a device pushes again, and nothing was recorded. */
const WAIT_MAX_MS = 10_000;

/**
 * Pushes of one tenant take turns in the database anyway, at its clock. Here they do so before they take a connection:
 * forty tills of one business, or one push that is stuck, would else hold every connection of the pool, and all other
 * tenants, and all pulls, would wait with them.
 */
@Injectable()
export class TenantTurns {
  private readonly limits = new Map<string, LimitFunction>();

  /** @throws ProblemError UNAVAILABLE if the turn comes too late for someone to be still waiting. */
  async take<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    const limit = this.limits.get(tenantId) ?? pLimit(PUSHES_AT_ONCE);
    this.limits.set(tenantId, limit);
    const asked = performance.now();
    try {
      return await limit(() => {
        if (performance.now() - asked > WAIT_MAX_MS)
          throw new ProblemError('UNAVAILABLE', { detail: 'The tenant is busy.' });
        return work();
      });
    } finally {
      if (limit.activeCount + limit.pendingCount === 0) this.limits.delete(tenantId);
    }
  }
}
