import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';

const logger = new Logger('RecurringJob');

/** Has `job` run every `everyMs`, once among all processes, for as long as this one runs. Never throws. */
export function keepScheduled(queue: Queue, job: string, everyMs: number): void {
  const schedule = (): void => {
    // Not awaited: with the queue down the service starts all the same, and BullMQ goes on trying to connect.
    queue.upsertJobScheduler(job, { every: everyMs }, { name: job }).catch((error: unknown) => {
      logger.error({ job, err: error }, 'A recurring job could not be scheduled');
    });
  };
  schedule();
  // A Redis that comes back may have forgotten the schedule.
  queue.getBackend().on('ready', schedule);
}
