import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import { EXPIRE_JOB, type ExpireJob, RESERVATION_QUEUE } from '../queue/queue.names.js';
import type { ReservationDeadline } from './persistence/reservation-deadline.repository.js';

/** What lies further ahead is found by the sweep: a queue is no calendar. */
const HORIZON_MS = 24 * 3_600_000;
/** What is added while Redis is away waits in memory: of so many pushes at most. */
const UNSENT_MAX = 100;

/**
 * Sees to it that reservations lapse on the second. Best effort, after the push that made them has committed: whatever is
 * lost here, the sweep finds in the agenda within a minute.
 */
@Injectable()
export class ReservationScheduler {
  private readonly logger = new Logger(ReservationScheduler.name);
  private unsent = 0;
  private failing = false;

  constructor(@InjectQueue(RESERVATION_QUEUE) private readonly queue: Queue<ExpireJob>) {}

  /** Returns at once, and never throws: the push is answered, queue or no queue. */
  schedule(tenantId: string, deadlines: readonly ReservationDeadline[], now = new Date()): void {
    const jobs = expireJobs(tenantId, deadlines, now.getTime());
    if (jobs.length === 0 || this.unsent >= UNSENT_MAX) return;
    this.unsent += 1;
    this.queue
      .addBulk(jobs)
      .then(
        () => {
          this.failing = false;
        },
        (error: unknown) => {
          // Once for an outage, not for each push in it.
          if (!this.failing) this.logger.warn({ err: error }, 'Reservations could not be queued; the sweep finds them');
          this.failing = true;
        },
      )
      .finally(() => {
        this.unsent -= 1;
      });
  }
}

type NewJob = Parameters<Queue<ExpireJob>['addBulk']>[0][number];

/** A job for each second in which something expires, and one for all that has expired already. */
function expireJobs(tenantId: string, deadlines: readonly ReservationDeadline[], nowMs: number): NewJob[] {
  const expiries = deadlines.map(({ expiresAt }) => Date.parse(expiresAt)).filter((at) => at - nowMs <= HORIZON_MS);
  // The second after: one that ran a moment early would find nothing due.
  const ahead = expiries.filter((at) => at > nowMs).map((at) => Math.floor(at / 1_000) + 1);
  const jobs = [...new Set(ahead)].map((second) => ({
    name: EXPIRE_JOB,
    data: { tenantId },
    opts: { delay: second * 1_000 - nowMs, deduplication: { id: `${tenantId}@${second}` } },
  }));
  if (ahead.length === expiries.length) return jobs;
  // Not deduplicated: a job that runs at this moment may have looked before these were there.
  return [{ name: EXPIRE_JOB, data: { tenantId }, opts: {} }, ...jobs];
}
