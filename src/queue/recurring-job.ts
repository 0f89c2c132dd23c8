import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';

const logger = new Logger('RecurringJob');

/**
 * Has `job` run every `everyMs`, once among all processes, for as long as this one runs. Never throws.
 *
 * BullMQ has each run order the next. Where several processes set up the same schedule in the same moment, one can take
 * away what another has just ordered, and the schedule stands still (BullMQ issue 3272). Each process therefore looks
 * again, about once an interval, and sets up what is missing or stands still.
 */
export function keepScheduled(queue: Queue, job: string, everyMs: number): void {
  async function look(): Promise<void> {
    const schedule = await queue.getJobScheduler(job);
    const standsStill = schedule !== undefined && (schedule.next ?? 0) < Date.now() - everyMs / 2;
    if (schedule?.every === everyMs && !standsStill) return;
    if (standsStill) logger.warn({ job }, 'A recurring job stood still; it is scheduled again');
    await queue.upsertJobScheduler(job, { every: everyMs }, { name: job });
  }
  function lookAndTell(): Promise<void> {
    return look().catch((error: unknown) => {
      if (!queue.closing) logger.error({ job, err: error }, 'A recurring job could not be scheduled');
    });
  }
  /** At a moment of this process' own: those that started together would else meet again and again. */
  function lookLater(): void {
    const timer = setTimeout(
      () => {
        if (!queue.closing) void lookAndTell().finally(lookLater);
      },
      everyMs * (0.75 + Math.random() / 2),
    );
    timer.unref();
  }
  // Not awaited: with the queue down the service starts all the same, and BullMQ goes on trying to connect.
  void lookAndTell().finally(lookLater);
  // A Redis that comes back may have forgotten the schedule.
  queue.getBackend().on('ready', () => void lookAndTell());
}
