import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Job, Queue, UnrecoverableError } from 'bullmq';
import { EXPIRE_JOB, RESERVATION_QUEUE, RESERVATION_SWEEP_JOB } from '../../queue/queue.names.js';
import { keepScheduled } from '../../queue/recurring-job.js';
import { tenantIn, tenantOf } from '../../queue/tenant-job.js';
import { ReservationExpiryService } from '../reservation-expiry.service.js';

/** How late a reservation lapses at most whose job was lost, or that was made further ahead than jobs are. */
const SWEEP_EVERY_MS = 60_000;

/** Lets reservations lapse on time, one tenant a job, and all that is overdue once a minute among all processes. */
@Processor(RESERVATION_QUEUE, { concurrency: 4 })
export class ReservationExpiryWorker extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger(ReservationExpiryWorker.name);

  constructor(
    @InjectQueue(RESERVATION_QUEUE) private readonly queue: Queue,
    private readonly expiry: ReservationExpiryService,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    keepScheduled(this.queue, RESERVATION_SWEEP_JOB, SWEEP_EVERY_MS);
  }

  /** Runs at least once. The job says where to look, and the log what is open still. */
  override async process(job: Job<unknown>): Promise<{ lapsed: number }> {
    switch (job.name) {
      case EXPIRE_JOB:
        return { lapsed: await this.expiry.expireDue(tenantOf(job), new Date()) };
      case RESERVATION_SWEEP_JOB: {
        const { lapsed, failures } = await this.expiry.expireAllDue(new Date());
        for (const { tenantId, error } of failures) {
          this.logger.warn(
            { tenantId, err: error },
            'Reservations of a tenant could not lapse; the next sweep tries again',
          );
        }
        return { lapsed };
      }
      default:
        throw new UnrecoverableError(`There is no job "${job.name}"`);
    }
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<unknown> | undefined, error: Error): void {
    const { name, data, attemptsMade } = job ?? {};
    this.logger.warn(
      { job: name, tenantId: tenantIn(data), attempt: attemptsMade, err: error },
      'A reservation job failed',
    );
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ reason: error.message }, 'The reservation queue is out of reach'); // for each try to connect
  }
}
