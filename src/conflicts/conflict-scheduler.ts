import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import { BestEffortQueue } from '../queue/best-effort-queue.js';
import { CONFLICT_QUEUE, SETTLE_JOB, type SettleJob } from '../queue/queue.names.js';

/**
 * Wakes the heuristics for conflicts that were just committed. Best effort: the row of a conflict says that it waits, and
 * whatever is lost here, the sweep finds there within a minute.
 */
@Injectable()
export class ConflictScheduler {
  private readonly jobs: BestEffortQueue<SettleJob>;

  constructor(@InjectQueue(CONFLICT_QUEUE) queue: Queue<SettleJob>) {
    this.jobs = new BestEffortQueue(queue, new Logger(ConflictScheduler.name));
  }

  /** To be called after the commit. Returns at once, and never throws: the push is answered, queue or no queue. */
  wake(tenantId: string): void {
    // A job settles all there is, so one that waits will do for any number of pushes. One that runs may have looked too
    // early: it is followed by another. So a tenant has one at work at most, however hard it pushes.
    const deduplication = { id: tenantId, keepLastIfActive: true };
    this.jobs.add([{ name: SETTLE_JOB, data: { tenantId }, opts: { deduplication } }]);
  }
}
