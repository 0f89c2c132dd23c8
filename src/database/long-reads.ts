import { ProblemError } from '../problems/problem.js';

/** So that one tenant's devices don't take the places of all others. */
const OF_TENANT_MAX = 2;
const OF_PROCESS_MAX = 4;

/** Longer than most of them take; a client that is refused comes again. */
const WAIT_MAX_MS = 10_000;
/** For a business whose every device begins anew at the same time. */
const WAITING_OF_TENANT_MAX = 32;

interface Waiter {
  readonly tenantId: string;
  enter(): void;
}

/**
 * Reads that hold a connection for as long as it takes, such as a snapshot or an audit, are few at once: pushes and
 * pulls come to the same pool, and must find a connection there. The others wait, and the next is one of the tenant that
 * has the fewest open: whoever asks again and again waits longest.
 */
export class LongReads {
  private readonly openByTenant = new Map<string, number>();
  private readonly openMax: number;
  private open = 0;
  private waiting: readonly Waiter[] = [];

  /**
   * @param poolMax connections of this process; at most half of them are for long reads.
   * @param waitMaxMs for a place
   */
  constructor(
    poolMax: number,
    private readonly waitMaxMs = WAIT_MAX_MS,
  ) {
    this.openMax = Math.max(1, Math.min(OF_PROCESS_MAX, Math.floor(poolMax / 2)));
  }

  /**
   * Runs `work`, which may read for long, when there is a place.
   * @throws ProblemError TOO_MANY_STREAMS if there is none in time, or too many of the tenant wait already.
   */
  async run<T>(tenantId: string, work: () => Promise<T>): Promise<T> {
    if (this.hasPlaceFor(tenantId)) this.take(tenantId);
    else await this.wait(tenantId);
    try {
      return await work();
    } finally {
      this.leave(tenantId);
    }
  }

  private ofTenant(tenantId: string): number {
    return this.openByTenant.get(tenantId) ?? 0;
  }

  private hasPlaceFor(tenantId: string): boolean {
    return this.open < this.openMax && this.ofTenant(tenantId) < OF_TENANT_MAX;
  }

  private take(tenantId: string): void {
    this.openByTenant.set(tenantId, this.ofTenant(tenantId) + 1);
    this.open += 1;
  }

  private leave(tenantId: string): void {
    const left = this.ofTenant(tenantId) - 1;
    if (left > 0) this.openByTenant.set(tenantId, left);
    else this.openByTenant.delete(tenantId);
    this.open -= 1;
    const next = this.waiting
      .filter((waiter) => this.hasPlaceFor(waiter.tenantId))
      .reduce<Waiter | undefined>(
        (first, waiter) => (first && this.ofTenant(first.tenantId) <= this.ofTenant(waiter.tenantId) ? first : waiter),
        undefined,
      );
    next?.enter();
  }

  /** Resolves with the place taken. */
  private async wait(tenantId: string): Promise<void> {
    if (this.waiting.filter((waiter) => waiter.tenantId === tenantId).length >= WAITING_OF_TENANT_MAX)
      throw new ProblemError('TOO_MANY_STREAMS');
    await new Promise<void>((resolve, reject) => {
      const goOn = (): void => {
        clearTimeout(timer);
        this.waiting = this.waiting.filter((other) => other !== waiter);
      };
      const waiter: Waiter = {
        tenantId,
        enter: () => {
          goOn();
          this.take(tenantId);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        goOn();
        reject(new ProblemError('TOO_MANY_STREAMS'));
      }, this.waitMaxMs);
      this.waiting = [...this.waiting, waiter];
    });
  }
}
