import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { QueueModule } from '../queue/queue.module.js';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { CatalogueController } from './catalogue.controller.js';
import { CatalogueService } from './catalogue.service.js';
import { InventoryController } from './inventory.controller.js';
import { LedgerMaintenanceController } from './ledger-maintenance.controller.js';
import { AlertRepository } from './persistence/alert.repository.js';
import { LedgerAuditRepository } from './persistence/ledger-audit.repository.js';
import { ProductListingRepository } from './persistence/product-listing.repository.js';
import { ProductEntity } from './persistence/product.entity.js';
import { ProductRepository } from './persistence/product.repository.js';
import { ReservationDeadlineRepository } from './persistence/reservation-deadline.repository.js';
import { RivalRepository } from './persistence/rival.repository.js';
import { StockEventEntity } from './persistence/stock-event.entity.js';
import { StockEventRepository } from './persistence/stock-event.repository.js';
import { StockLevelEntity } from './persistence/stock-level.entity.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';
import { RebuildService } from './rebuild.service.js';
import { ReservationScheduler } from './reservation-scheduler.js';
import { StockService } from './stock.service.js';
import { VerificationService } from './verification.service.js';

@Module({
  imports: [QueueModule, TenancyModule, TypeOrmModule.forFeature([StockEventEntity, StockLevelEntity, ProductEntity])],
  controllers: [CatalogueController, InventoryController, LedgerMaintenanceController],
  providers: [
    StockService,
    CatalogueService,
    AlertRepository,
    ProductListingRepository,
    VerificationService,
    RebuildService,
    LedgerAuditRepository,
    StockEventRepository,
    StockLevelRepository,
    ProductRepository,
    ReservationDeadlineRepository,
    RivalRepository,
    ReservationScheduler,
  ],
  exports: [
    LedgerAuditRepository,
    StockEventRepository,
    StockLevelRepository,
    ProductRepository,
    ReservationDeadlineRepository,
    RivalRepository,
    ReservationScheduler,
  ],
})
export class InventoryModule {}
