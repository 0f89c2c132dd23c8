import { InjectQueue } from '@nestjs/bullmq';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { Queue } from 'bullmq';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import { MAINTENANCE_QUEUE } from '../queue/queue.names.js';
import { Public } from '../tenancy/guards/access.decorators.js';
import { SharedAnswer } from './shared-answer.js';

/** A part that takes longer than this is taken for down: whoever asks wants an answer. */
const CHECK_TIMEOUT_MS = 2_000;

const HEALTHY_EXAMPLE = {
  status: 'ok',
  info: { database: { status: 'up' } },
  error: {},
  details: { database: { status: 'up' } },
};

/** Whoever watches asks every few seconds; whoever asks more often is told what these were. */
const READY_KEPT_MS = 1_000;

@ApiTags('health')
@Controller('health')
@Public()
export class HealthController {
  private readonly readiness = new SharedAnswer(() => this.checkAll(), READY_KEPT_MS);

  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly source: DataSource,
    @InjectQueue(MAINTENANCE_QUEUE) private readonly queue: Queue,
  ) {}

  @Get('live')
  @ApiOperation({
    summary: 'Whether the process runs',
    description: 'Asks nothing of the database: a restart would not mend that.',
  })
  @ApiOkResponse({ schema: { example: { status: 'ok', info: {}, error: {}, details: {} } } })
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether requests can be served', description: 'Database, migrations and queue.' })
  @ApiOkResponse({ schema: { example: HEALTHY_EXAMPLE } })
  @ApiProblem('UNAVAILABLE')
  ready(): Promise<HealthCheckResult> {
    return this.readiness.get();
  }

  private checkAll(): Promise<HealthCheckResult> {
    return this.health.check([
      () => this.check('database', () => this.source.query('SELECT 1')),
      () => this.check('migrations', () => this.assertNoneMissing()),
      () => this.check('queue', () => this.queue.getJobCounts('waiting')),
    ]);
  }

  private async assertNoneMissing(): Promise<void> {
    if (await this.source.showMigrations()) throw new Error('some are missing');
  }

  private async check(name: string, probe: () => Promise<unknown>): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(name);
    const late = new AbortController();
    try {
      const timeout = sleep(CHECK_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
        throw new Error('no answer in time');
      });
      await Promise.race([probe(), timeout]);
      return indicator.up();
    } catch {
      return indicator.down(); // which part it is says enough to the world; the parts log their own errors
    } finally {
      late.abort();
    }
  }
}
