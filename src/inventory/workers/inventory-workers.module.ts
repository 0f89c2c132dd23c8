import { Module } from '@nestjs/common';
import { QueueModule } from '../../queue/queue.module.js';
import { TenancyModule } from '../../tenancy/tenancy.module.js';
import { InventoryModule } from '../inventory.module.js';
import { ProjectionAuditService } from '../projection-audit.service.js';
import { ReservationExpiryService } from '../reservation-expiry.service.js';
import { ProjectionAuditWorker } from './projection-audit.worker.js';
import { ReservationExpiryWorker } from './reservation-expiry.worker.js';

@Module({
  imports: [QueueModule, TenancyModule, InventoryModule],
  providers: [ProjectionAuditService, ProjectionAuditWorker, ReservationExpiryService, ReservationExpiryWorker],
})
export class InventoryWorkersModule {}
