import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { InventoryController } from './inventory.controller.js';
import { StockEventEntity } from './persistence/stock-event.entity.js';
import { StockEventRepository } from './persistence/stock-event.repository.js';
import { StockLevelEntity } from './persistence/stock-level.entity.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([StockEventEntity, StockLevelEntity])],
  controllers: [InventoryController],
  providers: [StockService, StockEventRepository, StockLevelRepository],
  exports: [StockEventRepository, StockLevelRepository],
})
export class InventoryModule {}
