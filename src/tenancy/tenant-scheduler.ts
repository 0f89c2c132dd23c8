import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger } from '@nestjs/common';
import { Queue } from 'bullmq';
import { BestEffortQueue } from '../queue/best-effort-queue.js';
import { ERASE_JOB, type EraseJob, TENANT_QUEUE } from '../queue/queue.names.js';

/** Wakes those who delete tenants. Best effort, after the commit: what is lost here, their sweep finds. */
@Injectable()
export class TenantScheduler {
  private readonly jobs: BestEffortQueue<EraseJob>;

  constructor(@InjectQueue(TENANT_QUEUE) queue: Queue<EraseJob>) {
    this.jobs = new BestEffortQueue(queue, new Logger(TenantScheduler.name));
  }

  /** Returns at once, and never throws. */
  erase(tenantId: string): void {
    this.jobs.add([{ name: ERASE_JOB, data: { tenantId }, opts: { deduplication: { id: tenantId } } }]);
  }
}
