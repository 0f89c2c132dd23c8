import type { TenantDatabase, TenantTransaction } from '../../database/tenant-database.js';
import { isTransient } from '../../database/transient-error.js';
import { ProblemError } from '../../problems/problem.js';

/** Longer than a push may wait for the lock; a device pushes again, and nothing was recorded. */
const WAIT_MAX_MS = 10_000;
/** Of a group, unless its first push alone has more: so long do all of them wait for their commit. */
const ENTRIES_MAX = 1_000;

/** Does what waits in the transaction, in this order. @returns of each its result, or the error that is its own. */
export type GroupWork<Push, Result> = (
  tx: TenantTransaction,
  pushes: readonly Push[],
) => Promise<readonly (Result | ProblemError)[]>;

/** A push that waits for its turn. */
interface Waiting<Push, Result> {
  readonly entries: number;
  readonly since: number;
  readonly push: Push;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The pushes of a tenant take turns at its clock. While one transaction has it, those that come wait here, without a
 * connection, and then share the next: a transaction of many costs one lock, one reading, one commit and one wait for the
 * disk.
 *
 * So forty tills of one business, or one push that is stuck, leave the pool's connections to the other tenants, and a
 * storm of small pushes is no slower than a few large ones.
 */
export class GroupCommit<Push, Result extends object> {
  private readonly queues = new Map<string, Waiting<Push, Result>[]>();

  constructor(
    private readonly database: TenantDatabase,
    private readonly work: GroupWork<Push, Result>,
  ) {}

  /**
   * Does the work of a push in a transaction of the tenant. Whether it shares that or not, it is all or nothing: what it
   * wrote is committed when this resolves, and if this throws, nothing of it is.
   * @param entries how many it may write
   * @throws ProblemError UNAVAILABLE if the turn comes too late for someone to be still waiting; what the work throws, or
   *   says of the push; what went wrong with the connection or the commit, as all who shared it
   */
  run(tenantId: string, entries: number, push: Push): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = { entries, since: performance.now(), push, resolve, reject };
      const queue = this.queues.get(tenantId);
      if (queue) queue.push(waiting);
      else {
        const started = [waiting];
        this.queues.set(tenantId, started);
        void this.drain(tenantId, started);
      }
    });
  }

  private async drain(tenantId: string, queue: Waiting<Push, Result>[]): Promise<void> {
    while (queue.length > 0) {
      const group = nextGroup(queue);
      if (group.length > 0) await this.commit(tenantId, group);
    }
    this.queues.delete(tenantId);
  }

  private async commit(tenantId: string, group: readonly Waiting<Push, Result>[]): Promise<void> {
    try {
      const pushes = group.map(({ push }) => push);
      const results = await this.database.transaction(tenantId, (tx) => this.work(tx, pushes), { keepPlans: true });
      for (const [index, { resolve, reject }] of group.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error('The work has left out a push'));
        else if (result instanceof ProblemError) reject(result);
        else resolve(result);
      }
    } catch (error) {
      if (group.length === 1 || isTransient(error)) for (const { reject } of group) reject(error);
      // The fault of one of them, which must not be that of the others. It takes a mistake of ours to come here often.
      else for (const alone of group) await this.commit(tenantId, [alone]);
    }
  }
}

/** Takes those that go next from the queue, the longest waiting first, and refuses those that nobody waits for any more. */
function nextGroup<Push, Result>(queue: Waiting<Push, Result>[]): Waiting<Push, Result>[] {
  const group: Waiting<Push, Result>[] = [];
  let entries = 0;
  for (let next = queue[0]; next !== undefined; [next] = queue) {
    if (performance.now() - next.since > WAIT_MAX_MS) {
      next.reject(new ProblemError('UNAVAILABLE', { detail: 'The tenant is busy.' }));
    } else {
      entries += next.entries;
      if (group.length > 0 && entries > ENTRIES_MAX) break;
      group.push(next);
    }
    queue.shift();
  }
  return group;
}
