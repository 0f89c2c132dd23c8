import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { QueueModule } from '../queue/queue.module.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { RootController } from './root.controller.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), QueueModule],
  controllers: [RootController, HealthController, MetricsController],
})
export class HealthModule {}
