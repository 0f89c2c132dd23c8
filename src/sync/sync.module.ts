import { Module } from '@nestjs/common';
import { ConflictsModule } from '../conflicts/conflicts.module.js';
import { InventoryModule } from '../inventory/inventory.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { StatesModule } from '../states/states.module.js';
import { TenancyModule } from '../tenancy/tenancy.module.js';
import { DeviceListController } from './devices/device-list.controller.js';
import { DeviceListService } from './devices/device-list.service.js';
import { OutboxController } from './devices/outbox.controller.js';
import { OutboxService } from './devices/outbox.service.js';
import { LiveController } from './live/live.controller.js';
import { LiveHub } from './live/live-hub.js';
import { NextStatesRepository } from './pull/persistence/next-states.repository.js';
import { PullController } from './pull/pull.controller.js';
import { PullService } from './pull/pull.service.js';
import { PushAnnouncer } from './push/push-announcer.js';
import { PushContextLoader } from './push/push-context.loader.js';
import { PushPlanWriter } from './push/push-plan.writer.js';
import { PushRecorder } from './push/push-recorder.js';
import { PushController } from './push/push.controller.js';
import { PushService } from './push/push.service.js';
import { SnapshotRepository } from './snapshot/persistence/snapshot.repository.js';
import { SnapshotController } from './snapshot/snapshot.controller.js';
import { SnapshotService } from './snapshot/snapshot.service.js';

@Module({
  imports: [TenancyModule, StatesModule, InventoryModule, PaymentsModule, ConflictsModule],
  controllers: [
    PushController,
    PullController,
    SnapshotController,
    LiveController,
    DeviceListController,
    OutboxController,
  ],
  providers: [
    PushService,
    PushContextLoader,
    PushPlanWriter,
    PushAnnouncer,
    PushRecorder,
    PullService,
    NextStatesRepository,
    SnapshotService,
    SnapshotRepository,
    LiveHub,
    DeviceListService,
    OutboxService,
  ],
})
export class SyncModule {}
