import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InventoryModule } from '../inventory/inventory.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { QueueModule } from '../queue/queue.module.js';
import { StatesModule } from '../states/states.module.js';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { ConflictScheduler } from './conflict-scheduler.js';
import { ConflictExportService } from './conflict-export.service.js';
import { ConflictsController } from './conflicts.controller.js';
import { ConflictsService } from './conflicts.service.js';
import { DecisionWriter } from './decision.writer.js';
import { ManualResolutionService } from './manual-resolution.service.js';
import { PaymentDisputeService } from './payment-dispute.service.js';
import { ConflictEntity } from './persistence/conflict.entity.js';
import { ConflictListingRepository } from './persistence/conflict-listing.repository.js';
import { ConflictRepository } from './persistence/conflict.repository.js';
import { ResolutionService } from './resolution.service.js';
import { StockCaseLoader } from './stock-case.loader.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([ConflictEntity]),
    QueueModule,
    TenancyModule,
    StatesModule,
    InventoryModule,
    PaymentsModule,
  ],
  controllers: [ConflictsController],
  providers: [
    ConflictsService,
    ConflictExportService,
    ManualResolutionService,
    ConflictRepository,
    ConflictListingRepository,
    ConflictScheduler,
    ResolutionService,
    StockCaseLoader,
    DecisionWriter,
    PaymentDisputeService,
  ],
  exports: [ConflictRepository, ConflictListingRepository, ConflictScheduler, ResolutionService],
})
export class ConflictsModule {}
