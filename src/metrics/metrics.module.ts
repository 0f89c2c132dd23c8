import { getQueueToken } from '@nestjs/bullmq';
import { Global, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { QueueModule } from '../queue/queue.module.js';
import { QUEUE_NAMES } from '../queue/queue.names.js';
import { ConflictMetrics } from './conflict-metrics.js';
import { HttpMetrics } from './http-metrics.js';
import { PushMetrics } from './push-metrics.js';
import { QueueMetrics } from './queue-metrics.js';

/** One for each application, not prom-client's process-wide one: a test may start several. */
function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/**
 * What Prometheus reads at /metrics: totals of the platform, as this process has seen them since it started.
 *
 * The page is open to whoever reaches it, so no label names a tenant, a device, a product or anything else of theirs;
 * each takes its values from a short list in the code. Injectable everywhere, so that any module may count.
 */
@Global()
@Module({
  imports: [QueueModule],
  providers: [
    { provide: Registry, useFactory: createRegistry },
    HttpMetrics,
    PushMetrics,
    ConflictMetrics,
    {
      provide: QueueMetrics,
      useFactory: (registry: Registry, ...queues: Queue[]) => new QueueMetrics(registry, queues),
      inject: [Registry, ...QUEUE_NAMES.map((name) => getQueueToken(name))],
    },
  ],
  exports: [Registry, HttpMetrics, PushMetrics, ConflictMetrics],
})
export class MetricsModule {}
