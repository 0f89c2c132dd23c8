import { Module } from '@nestjs/common';
import { QueueModule } from '../../queue/queue.module.js';
import { TenancyModule } from '../../tenancy/tenancy.module.js';
import { ConflictSweepService } from '../conflict-sweep.service.js';
import { ConflictsModule } from '../conflicts.module.js';
import { HeuristicWorker } from './heuristic.worker.js';

@Module({
  imports: [QueueModule, TenancyModule, ConflictsModule],
  providers: [ConflictSweepService, HeuristicWorker],
})
export class ConflictsWorkersModule {}
