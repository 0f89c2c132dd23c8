import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Job, Queue } from 'bullmq';
import { MAINTENANCE_QUEUE } from '../../queue/queue.names.js';
import { keepScheduled } from '../../queue/recurring-job.js';
import { ProjectionAuditService } from '../projection-audit.service.js';

const AUDIT_JOB = 'projection-audit';
const AUDIT_EVERY_MS = 3_600_000;

/** Every hour, once among all processes: does the stock that is shown agree with the log? */
@Processor(MAINTENANCE_QUEUE)
export class ProjectionAuditWorker extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger(ProjectionAuditWorker.name);

  constructor(
    @InjectQueue(MAINTENANCE_QUEUE) private readonly queue: Queue,
    private readonly audits: ProjectionAuditService,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    keepScheduled(this.queue, AUDIT_JOB, AUDIT_EVERY_MS);
  }

  override async process(): Promise<{ tenants: number; drifts: number }> {
    const { tenants, drifts } = await this.audits.audit();
    for (const drift of drifts) this.logger.error(drift, 'Stock level differs from the log');
    return { tenants, drifts: drifts.length };
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.logger.warn({ job: job?.name, attempt: job?.attemptsMade, err: error }, 'A maintenance job failed');
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ reason: error.message }, 'The maintenance queue is out of reach'); // for each try to connect
  }
}
