import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';

/** What is added while Redis is away waits in memory: of so many calls at most. */
const UNSENT_MAX = 100;

export type NewJob<Payload> = Parameters<Queue<Payload>['addBulk']>[0][number];

/** For those who tell of work that is written down elsewhere, too, so that a sweep finds it if the job is lost. */
export class BestEffortQueue<Payload> {
  private unsent = 0;
  private failing = false;

  constructor(
    private readonly queue: Queue<Payload>,
    private readonly logger: Logger,
  ) {}

  /** Returns at once, and never throws: whoever calls has answered already, queue or no queue. */
  add(jobs: readonly NewJob<Payload>[]): void {
    if (jobs.length > 0 && this.unsent < UNSENT_MAX) void this.send(jobs);
  }

  private async send(jobs: readonly NewJob<Payload>[]): Promise<void> {
    this.unsent += 1;
    try {
      await this.queue.addBulk([...jobs]);
      this.failing = false;
    } catch (error) {
      // Once for an outage, not for each call in it.
      if (!this.failing) this.logger.warn({ err: error }, 'Jobs could not be queued; the sweep makes up for them');
      this.failing = true;
    } finally {
      this.unsent -= 1;
    }
  }
}
