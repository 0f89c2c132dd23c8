import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { type Job, Queue, UnrecoverableError } from 'bullmq';
import { CONFLICT_QUEUE, CONFLICT_SWEEP_JOB, SETTLE_JOB } from '../../queue/queue.names.js';
import { keepScheduled } from '../../queue/recurring-job.js';
import { tenantIn, tenantOf } from '../../queue/tenant-job.js';
import { ConflictSweepService } from '../conflict-sweep.service.js';

/** How long a conflict waits at most whose job was lost. */
const SWEEP_EVERY_MS = 60_000;
/** An error that thousands of conflicts ran into need not name them all. */
const NAMED_MAX = 20;

/** How many conflicts a job settled, and how many it left to people. */
interface Done {
  readonly settled: number;
  readonly suggested: number;
}

/** Tier 2, beside the requests: settles what waits for the heuristics, one tenant a job, and all once a minute. */
@Processor(CONFLICT_QUEUE, { concurrency: 4 })
export class HeuristicWorker extends WorkerHost implements OnApplicationBootstrap {
  private readonly logger = new Logger(HeuristicWorker.name);

  constructor(
    @InjectQueue(CONFLICT_QUEUE) private readonly queue: Queue,
    private readonly sweeps: ConflictSweepService,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    keepScheduled(this.queue, CONFLICT_SWEEP_JOB, SWEEP_EVERY_MS);
  }

  /** Runs at least once. The job says where to look, and the rows what waits still. */
  override async process(job: Job<unknown>): Promise<Done> {
    switch (job.name) {
      case SETTLE_JOB:
        return this.settle(tenantOf(job));
      case CONFLICT_SWEEP_JOB:
        return this.sweep();
      default:
        throw new UnrecoverableError(`There is no job "${job.name}"`);
    }
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<unknown> | undefined, error: Error): void {
    const { name, data, attemptsMade } = job ?? {};
    this.logger.warn(
      { job: name, tenantId: tenantIn(data), attempt: attemptsMade, err: error },
      'A conflict job failed',
    );
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug({ reason: error.message }, 'The conflict queue is out of reach'); // for each try to connect
  }

  /** @throws Error if some could not be looked at, after all the others were: so they are tried again, and then seen. */
  private async settle(tenantId: string): Promise<Done> {
    const { failures, ...done } = await this.sweeps.settle(tenantId);
    if (failures.length === 0) return done;
    for (const { conflictId, error } of failures) {
      this.logger.warn({ tenantId, conflictId, err: error }, 'A conflict could not be looked at');
    }
    const named = failures.slice(0, NAMED_MAX).map(({ conflictId }) => conflictId);
    const more = failures.length - named.length;
    throw new Error(`Conflicts that could not be looked at: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`);
  }

  private async sweep(): Promise<Done> {
    const { failures, ...done } = await this.sweeps.settleAll();
    for (const { tenantId, conflictId, error } of failures) {
      this.logger.warn({ tenantId, conflictId, err: error }, 'Conflicts still wait; the next sweep tries again');
    }
    return done;
  }
}
