import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { Settings } from './config/settings.js';
import { ConflictsModule } from './conflicts/conflicts.module.js';
import { ConflictsWorkersModule } from './conflicts/workers/conflicts-workers.module.js';
import { DatabaseModule } from './database/database.module.js';
import { ExportModule } from './export/export.module.js';
import { HealthModule } from './health/health.module.js';
import { InventoryModule } from './inventory/inventory.module.js';
import { InventoryWorkersModule } from './inventory/workers/inventory-workers.module.js';
import { DownloadsModule } from './downloads/downloads.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { SignalsModule } from './signals/signals.module.js';
import { SyncModule } from './sync/sync.module.js';
import { TenancyModule } from './tenancy/tenancy.module.js';
import { TenancyWorkersModule } from './tenancy/workers/tenancy-workers.module.js';
import { WirePipe } from './wire/wire.pipe.js';

@Module({})
export class AppModule {
  /** The only place that knows every module; those with workers run where the role asks for them. */
  static with(settings: Settings): DynamicModule {
    const settingsModule: DynamicModule = {
      module: SettingsModule,
      global: true,
      providers: [{ provide: Settings, useValue: settings }],
      exports: [Settings],
    };
    return {
      module: AppModule,
      imports: [
        settingsModule,
        DatabaseModule,
        SignalsModule,
        MetricsModule,
        LimitsModule,
        DownloadsModule,
        TenancyModule,
        InventoryModule,
        PaymentsModule,
        ConflictsModule,
        SyncModule,
        ExportModule,
        HealthModule,
        ...(settings.role === 'api' ? [] : [TenancyWorkersModule, InventoryWorkersModule, ConflictsWorkersModule]),
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useClass: WirePipe },
      ],
    };
  }
}

@Module({})
class SettingsModule {}
