import type { Queue } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, type Registry } from 'prom-client';

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

/** Prometheus gives a scrape ten seconds by default, and wants the other lines too. */
const READ_TIMEOUT_MS = 1_000;

type Counts = Readonly<Record<string, number>>;

/** How many jobs each queue holds, read when somebody asks. A queue that does not answer in time has no lines. */
export class QueueMetrics {
  /** Without Redis a question waits until it is back: no queue is asked again before it has answered. */
  private readonly asked = new Map<string, Promise<Counts | undefined>>();

  constructor(
    registry: Registry,
    private readonly queues: readonly Queue[],
  ) {
    const gauge = new Gauge({
      name: 'agrotour_queue_jobs',
      help: 'Jobs in each queue at the moment. The same from every process: take the maximum, not the sum.',
      labelNames: ['queue', 'state'],
      registers: [registry],
      collect: async () => {
        const counted = await Promise.all(
          this.queues.map(async (queue) => ({ queue, counts: await this.read(queue) })),
        );
        gauge.reset();
        for (const { queue, counts } of counted) {
          if (!counts) continue;
          for (const state of STATES) gauge.set({ queue: queue.name, state }, counts[state] ?? 0);
        }
      },
    });
  }

  private read(queue: Queue): Promise<Counts | undefined> {
    const answer = this.asked.get(queue.name) ?? this.ask(queue);
    return Promise.race([answer, sleep(READ_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private ask(queue: Queue): Promise<Counts | undefined> {
    const answer = queue
      .getJobCounts(...STATES)
      .catch(() => undefined) // the queue's connection logs the outage
      .finally(() => this.asked.delete(queue.name));
    this.asked.set(queue.name, answer);
    return answer;
  }
}
