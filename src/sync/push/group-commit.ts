import { Injectable } from '@nestjs/common';
import { savepoint, TenantDatabase, type TenantTransaction } from '../../database/tenant-database.js';
import { isTransient } from '../../database/transient-error.js';
import { ProblemError } from '../../problems/problem.js';

/** Longer than a push may wait for the lock; a device pushes again, and nothing was recorded. */
const WAIT_MAX_MS = 10_000;
/** Of a group, unless its first push alone has more: so long do all of them wait for their commit. */
const ENTRIES_MAX = 1_000;
/** PostgreSQL keeps track of up to 64 subtransactions of a transaction in shared memory. */
const PUSHES_MAX = 32;

/** A push that waits for its turn. */
interface Waiting {
  readonly entries: number;
  readonly since: number;
  readonly work: (tx: TenantTransaction) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The pushes of a tenant take turns at its clock. While one transaction has it, those that come wait here, without a
 * connection, and then share the next: a transaction of many costs one lock, one commit and one wait for the disk.
 *
 * So forty tills of one business, or one push that is stuck, leave the pool's connections to the other tenants, and a
 * storm of small pushes is no slower than a few large ones.
 */
@Injectable()
export class GroupCommit {
  private readonly queues = new Map<string, Waiting[]>();

  constructor(private readonly database: TenantDatabase) {}

  /**
   * Runs `work` in a transaction of the tenant. Whether it shares that or not, it is all or nothing: what it wrote is
   * committed when this resolves, and if it throws, that alone is taken back.
   * @param entries how many it may write
   * @throws ProblemError UNAVAILABLE if the turn comes too late for someone to be still waiting; what `work` throws; what
   *   went wrong with the connection or the commit, as all who shared it
   */
  run<T>(tenantId: string, entries: number, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return new Promise<unknown>((resolve, reject) => {
      const waiting: Waiting = { entries, since: performance.now(), work, resolve, reject };
      const queue = this.queues.get(tenantId);
      if (queue) queue.push(waiting);
      else {
        const started = [waiting];
        this.queues.set(tenantId, started);
        void this.drain(tenantId, started);
      }
    }) as Promise<T>;
  }

  private async drain(tenantId: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const group = nextGroup(queue);
      if (group.length > 0) await this.commit(tenantId, group);
    }
    this.queues.delete(tenantId);
  }

  private async commit(tenantId: string, group: readonly Waiting[]): Promise<void> {
    try {
      const answers = await this.database.transaction(tenantId, (tx) => inTurn(tx, group), { keepPlans: true });
      for (const answer of answers) answer();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}

/** Takes those that go next from the queue, the longest waiting first, and refuses those that nobody waits for any more. */
function nextGroup(queue: Waiting[]): Waiting[] {
  const group: Waiting[] = [];
  let entries = 0;
  for (let next = queue[0]; next !== undefined; [next] = queue) {
    if (performance.now() - next.since > WAIT_MAX_MS) {
      next.reject(new ProblemError('UNAVAILABLE', { detail: 'The tenant is busy.' }));
    } else {
      entries += next.entries;
      if (group.length === PUSHES_MAX || (group.length > 0 && entries > ENTRIES_MAX)) break;
      group.push(next);
    }
    queue.shift();
  }
  return group;
}

/**
 * One after the other, each up to a savepoint of its own.
 * @returns what tells each of them, once it is committed
 * @throws what leaves nothing to go on with: of one that is alone anything, of several what is the fault of none of them
 */
async function inTurn(tx: TenantTransaction, group: readonly Waiting[]): Promise<(() => void)[]> {
  const isAlone = group.length === 1;
  const answers: (() => void)[] = [];
  for (const { work, resolve, reject } of group) {
    try {
      const result = await (isAlone ? work(tx) : savepoint(tx, work));
      answers.push(() => {
        resolve(result);
      });
    } catch (error) {
      if (isAlone || isTransient(error)) throw error;
      answers.push(() => {
        reject(error);
      });
    }
  }
  return answers;
}
