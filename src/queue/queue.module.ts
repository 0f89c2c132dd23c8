import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { Logger, Module } from '@nestjs/common';
import {
  createPostgresBackend,
  createRedisBackend,
  type Queue,
  type QueueOptions,
  setDefaultBackendFactory,
} from 'bullmq';
import { Redis } from 'ioredis';
import { Settings } from '../config/settings.js';
import { QUEUE_NAMES, QUEUE_SCHEMA } from './queue.names.js';

const QUIET = Symbol('queues that have a listener for errors');

/**
 * Queues on Redis with REDIS_URL, else on BullMQ's PostgreSQL backend in the service's own database (ADR 0004).
 * Whoever adds or works jobs sees no difference.
 */
@Module({
  imports: [
    BullModule.forRootAsync({ inject: [Settings], useFactory: queueOptions }),
    BullModule.registerQueue(...QUEUE_NAMES.map((name) => ({ name }))),
  ],
  providers: [{ provide: QUIET, useFactory: quiet, inject: QUEUE_NAMES.map((name) => getQueueToken(name)) }],
  exports: [BullModule],
})
export class QueueModule {}

/** Without a listener BullMQ writes every failed try to the console; the connection's own listener tells the outage. */
function quiet(...queues: Queue[]): Queue[] {
  return queues.map((queue) => queue.on('error', () => undefined));
}

/** One line when Redis goes away and one when it is back; ioredis itself tries again, and would tell each try. */
function tellOutages(connection: Redis): void {
  const logger = new Logger('Queue');
  let away = false;
  connection.on('error', (error) => {
    if (!away) logger.warn({ err: error }, 'Redis is out of reach; trying on');
    away = true;
  });
  connection.on('ready', () => {
    if (away) logger.log('Redis is back');
    away = false;
  });
}

/** Chooses the backend of this process, which BullMQ keeps as a process-wide default. */
export function queueOptions(settings: Pick<Settings, 'redisUrl' | 'databaseUrl'>): QueueOptions {
  const defaultJobOptions = {
    attempts: 5,
    backoff: { type: 'exponential', delay: 1_000 },
    removeOnComplete: { age: 3_600, count: 1_000 },
    // For people to look at. Bounded, since one conflict that always fails would fail once for each push that wakes it.
    removeOnFail: { age: 14 * 86_400, count: 10_000 },
  };
  if (settings.redisUrl !== undefined) {
    setDefaultBackendFactory(createRedisBackend);
    // Blocking commands wait for as long as it takes: BullMQ asks for unlimited retries.
    const connection = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
    tellOutages(connection);
    return { connection, defaultJobOptions };
  }
  setDefaultBackendFactory(createPostgresBackend);
  // BullMQ's types know Redis' connections only; its PostgreSQL backend takes a pool's options here.
  const connection = {
    connectionString: settings.databaseUrl,
    schema: QUEUE_SCHEMA,
    max: 4,
  } as unknown as QueueOptions['connection'];
  return { connection, defaultJobOptions };
}
