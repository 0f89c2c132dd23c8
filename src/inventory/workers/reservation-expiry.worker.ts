import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Job, Queue, UnrecoverableError } from 'bullmq';
import { isUUID } from 'class-validator';
import { EXPIRE_JOB, type ExpireJob, RESERVATION_QUEUE, RESERVATION_SWEEP_JOB } from '../../queue/queue.names.js';
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
    this.scheduleSweep();
    // A Redis that comes back may have forgotten the schedule.
    this.queue.getBackend().on('ready', () => {
      this.scheduleSweep();
    });
  }

  /** Runs at least once. The job says where to look, and the log what is open still. */
  override async process(job: Job<Partial<ExpireJob> | null>): Promise<{ lapsed: number }> {
    switch (job.name) {
      case EXPIRE_JOB: {
        const { tenantId = '' } = job.data ?? {};
        // Trying again would not mend it.
        if (!isUUID(tenantId, 'loose')) throw new UnrecoverableError('The job names no tenant');
        return { lapsed: await this.expiry.expireDue(tenantId, new Date()) };
      }
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
  onFailed(job: Job<Partial<ExpireJob> | null> | undefined, error: Error): void {
    const { name, data, attemptsMade } = job ?? {};
    this.logger.warn(
      { job: name, tenantId: data?.tenantId, attempt: attemptsMade, err: error },
      'A reservation job failed',
    );
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ reason: error.message }, 'The reservation queue is out of reach'); // for each try to connect
  }

  private scheduleSweep(): void {
    // Not awaited: with the queue down the service starts all the same, and BullMQ goes on trying to connect.
    this.queue
      .upsertJobScheduler(RESERVATION_SWEEP_JOB, { every: SWEEP_EVERY_MS }, { name: RESERVATION_SWEEP_JOB })
      .catch((error: unknown) => {
        this.logger.error({ err: error }, 'The reservation sweep could not be scheduled');
      });
  }
}
