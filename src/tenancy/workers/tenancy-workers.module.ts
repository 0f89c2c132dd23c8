import { Module } from '@nestjs/common';
import { QueueModule } from '../../queue/queue.module.js';
import { TenancyModule } from '../tenancy.module.js';
import { TenantErasureService } from './tenant-erasure.service.js';
import { TenantErasureWorker } from './tenant-erasure.worker.js';

@Module({
  imports: [QueueModule, TenancyModule],
  providers: [TenantErasureService, TenantErasureWorker],
})
export class TenancyWorkersModule {}
