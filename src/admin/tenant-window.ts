import type { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { BaseAdapter } from '@bull-board/api/dist/queueAdapters/base.js';
import type {
  JobCounts,
  JobStatus,
  MetricsType,
  QueueJob,
  QueueJobJson,
  QueueMetrics,
  Status,
} from '@bull-board/api/typings/app';
import { ProblemError } from '../problems/problem.js';

/**
 * A queue as one tenant may see it: how many jobs there are, their states, and of its own jobs everything.
 *
 * Bull Board gets nothing of the queue but what is handed on here. A job of another tenant, or of none, is a veil that is
 * made without looking at it; under its id there is no job. What a later version of the board asks for is refused, or not
 * there, until somebody writes it down here.
 */
export class TenantWindow extends BaseAdapter {
  constructor(
    private readonly queue: BullMQAdapter,
    private readonly tenantId: string,
  ) {
    // To the board this is a queue of the old Bull, which has no flows: a flow leads from job to job past this window.
    super('bull', { readOnlyMode: true });
  }

  getName(): string {
    return this.queue.getName();
  }
  getStatuses(): Status[] {
    return this.queue.getStatuses();
  }
  getJobStatuses(): JobStatus[] {
    return this.queue.getJobStatuses();
  }
  getJobCounts(): Promise<JobCounts> {
    return this.queue.getJobCounts();
  }
  isPaused(): Promise<boolean> {
    return this.queue.isPaused();
  }
  /** Jobs done a minute, by all tenants together. */
  getMetrics(type: MetricsType, start?: number, end?: number): Promise<QueueMetrics> {
    return this.queue.getMetrics(type, start, end);
  }

  async getJobs(statuses: JobStatus[], start = 0, end?: number): Promise<QueueJob[]> {
    const jobs = await this.queue.getJobs(statuses, start, end);
    return jobs.map((job, index) => (this.isOwn(job) ? readOnly(job) : veil(start + index)));
  }
  async getJob(id: string): Promise<QueueJob | undefined> {
    const job = await this.ownJob(id);
    return job && readOnly(job);
  }
  async getJobLogs(id: string): Promise<string[]> {
    return (await this.ownJob(id)) ? this.queue.getJobLogs(id) : [];
  }

  private async ownJob(id: string): Promise<QueueJob | undefined> {
    const job = await this.queue.getJob(id);
    return job && this.isOwn(job) ? job : undefined;
  }
  private isOwn(job: QueueJob): boolean {
    const data: unknown = job.toJSON().data;
    return typeof data === 'object' && data !== null && 'tenantId' in data && data.tenantId === this.tenantId;
  }

  /** What runs by the clock is the platform's. */
  getJobSchedulers(): Promise<[]> {
    return Promise.resolve([]);
  }
  getJobSchedulersCount(): Promise<number> {
    return Promise.resolve(0);
  }
  getRedisInfo(): Promise<null> {
    return Promise.resolve(null);
  }
  getGlobalConcurrency(): Promise<null> {
    return Promise.resolve(null);
  }

  clean = refuse;
  addJob = refuse;
  pause = refuse;
  resume = refuse;
  empty = refuse;
  obliterate = refuse;
  promoteAll = refuse;
  removeJobScheduler = refuse;
  updateJobScheduler = refuse;
  runJobSchedulerNow = refuse;
  setGlobalConcurrency = refuse;
}

/** What an admin is shown of an own job. Not which machine worked it, nor its place in a flow: that names another job. */
const SHOWN: ReadonlySet<string> = new Set<keyof QueueJobJson>([
  'id',
  'name',
  'data',
  'progress',
  'returnvalue',
  'failedReason',
  'stacktrace',
  'timestamp',
  'processedOn',
  'finishedOn',
  'delay',
  'priority',
  'attemptsMade',
  'attemptsStarted',
  'stalledCounter',
  'deduplicationId',
]);

const NOTHING: QueueJobJson = {
  name: '',
  progress: 0,
  attemptsMade: 0,
  timestamp: 0,
  failedReason: '',
  stacktrace: null,
  data: null,
  returnvalue: null,
  opts: {},
};

/** There is a job; `position` is where it stands in the list, and tells it from the next. */
function veil(position: number): QueueJob {
  const json = { ...NOTHING, id: `veiled-${position}`, name: 'A job of the platform or of another business' };
  return unchangeable(json, () => Promise.resolve('unknown'));
}

function readOnly(job: QueueJob): QueueJob {
  const json = job.toJSON();
  const shown = Object.fromEntries(Object.entries(json).filter(([field]) => SHOWN.has(field)));
  const opts = Object.fromEntries(Object.entries(json.opts as object).filter(([option]) => option !== 'parent'));
  return unchangeable({ ...NOTHING, ...shown, opts }, () => job.getState());
}

function unchangeable(json: QueueJobJson, getState: QueueJob['getState']): QueueJob {
  return { opts: {}, toJSON: () => json, getState, promote: refuse, remove: refuse, retry: refuse };
}

/** The request was refused before: this is the second wall. */
function refuse(): Promise<never> {
  return Promise.reject(new ProblemError('FORBIDDEN'));
}
