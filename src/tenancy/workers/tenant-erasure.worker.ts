import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Job, Queue, UnrecoverableError } from 'bullmq';
import { ERASE_JOB, ERASURE_SWEEP_JOB, TENANT_QUEUE } from '../../queue/queue.names.js';
import { keepScheduled } from '../../queue/recurring-job.js';
import { tenantIn, tenantOf } from '../../queue/tenant-job.js';
import { TenantErasureService } from './tenant-erasure.service.js';

/** How long a tenant stays half deleted at most when whoever deleted it is gone. */
const SWEEP_EVERY_MS = 60_000;

/** Deletes tenants, one a job, and once a minute whatever a job left behind. */
@Processor(TENANT_QUEUE)
export class TenantErasureWorker extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger(TenantErasureWorker.name);

  constructor(
    @InjectQueue(TENANT_QUEUE) private readonly queue: Queue,
    private readonly erasures: TenantErasureService,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    keepScheduled(this.queue, ERASURE_SWEEP_JOB, SWEEP_EVERY_MS);
  }

  /** Runs at least once. The job says whom to look at, and the tenant's status whether it is to be deleted. */
  override async process(job: Job<unknown>): Promise<{ erased: number }> {
    switch (job.name) {
      case ERASE_JOB:
        return { erased: await this.erasures.erase(tenantOf(job)) };
      case ERASURE_SWEEP_JOB: {
        const { erased, failures } = await this.erasures.eraseAll();
        for (const { tenantId, error } of failures) {
          this.logger.warn({ tenantId, err: error }, 'A tenant could not be deleted; the next sweep goes on');
        }
        return { erased };
      }
      default:
        throw new UnrecoverableError(`There is no job "${job.name}"`);
    }
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<unknown> | undefined, error: Error): void {
    const { name, data, attemptsMade } = job ?? {};
    this.logger.warn({ job: name, tenantId: tenantIn(data), attempt: attemptsMade, err: error }, 'A deletion failed');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ reason: error.message }, 'The queue of tenants is out of reach'); // for each try to connect
  }
}
