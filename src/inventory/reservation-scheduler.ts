import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import { BestEffortQueue, type NewJob } from '../queue/best-effort-queue.js';
import { EXPIRE_JOB, type ExpireJob, RESERVATION_QUEUE } from '../queue/queue.names.js';
import type { ReservationDeadline } from './persistence/reservation-deadline.repository.js';

/** What lies further ahead is found by the sweep: a queue is no calendar. */
const HORIZON_MS = 24 * 3_600_000;

/**
 * Sees to it that reservations lapse on the second. Best effort, after the push that made them has committed: whatever is
 * lost here, the sweep finds in the agenda within a minute.
 */
@Injectable()
export class ReservationScheduler {
  private readonly jobs: BestEffortQueue<ExpireJob>;

  constructor(@InjectQueue(RESERVATION_QUEUE) queue: Queue<ExpireJob>) {
    this.jobs = new BestEffortQueue(queue, new Logger(ReservationScheduler.name));
  }

  /** Returns at once, and never throws: the push is answered, queue or no queue. */
  schedule(tenantId: string, deadlines: readonly ReservationDeadline[], now = new Date()): void {
    this.jobs.add(expireJobs(tenantId, deadlines, now.getTime()));
  }
}

/** A job for each second in which something expires, and one for all that has expired already. */
function expireJobs(tenantId: string, deadlines: readonly ReservationDeadline[], nowMs: number): NewJob<ExpireJob>[] {
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
