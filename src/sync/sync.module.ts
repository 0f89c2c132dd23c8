import { Module } from '@nestjs/common';
import { InventoryModule } from '../inventory/inventory.module.js';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { PullController } from './pull/pull.controller.js';
import { PullService } from './pull/pull.service.js';
import { PushController } from './push/push.controller.js';
import { PushService } from './push/push.service.js';
import { TenantTurns } from './push/tenant-turns.js';

@Module({
  imports: [TenancyModule, InventoryModule],
  controllers: [PushController, PullController],
  providers: [PushService, TenantTurns, PullService],
})
export class SyncModule {}
