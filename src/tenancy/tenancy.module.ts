import { Logger, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Settings } from '../config/settings.js';
import { QueueModule } from '../queue/queue.module.js';
import { AccessService } from './access.service.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditService } from './audit/audit.service.js';
import { AuditTrail } from './audit/persistence/audit-trail.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { AuthenticationGuard } from './guards/authentication.guard.js';
import { BearerLimitGuard, TenantLimitGuard } from './guards/rate-limit.guards.js';
import { RolesGuard } from './guards/roles.guard.js';
import { TenantGuard } from './guards/tenant.guard.js';
import { DeviceEntity } from './persistence/device.entity.js';
import { DeviceRepository } from './persistence/device.repository.js';
import { findIdentitySources } from './persistence/identity-sources.js';
import { TenantClockRepository } from './persistence/tenant-clock.repository.js';
import { TenantEntity } from './persistence/tenant.entity.js';
import { TenantRepository } from './persistence/tenant.repository.js';
import { SettingsController } from './settings.controller.js';
import { SettingsService } from './settings.service.js';
import { TenantScheduler } from './tenant-scheduler.js';
import { TenantsController } from './tenants.controller.js';
import { TenantsService } from './tenants.service.js';
import { TokensService } from './tokens.service.js';

async function openClocks(source: DataSource): Promise<TenantClockRepository> {
  const sources = await findIdentitySources(source);
  const unnoticed = [
    ...(sources.systemIdentifier ? [] : ['a dump that is restored on a new server']),
    ...(sources.timeline ? [] : ['a point-in-time recovery', 'a standby that takes over']),
  ];
  if (unnoticed.length > 0) {
    new Logger('Epoch').warn(
      { unnoticed },
      'The role of DATABASE_URL may not ask PostgreSQL for all that changes with a restore: run "npm run new-epoch" after one',
    );
  }
  return new TenantClockRepository(sources);
}

@Module({
  imports: [QueueModule, TypeOrmModule.forFeature([TenantEntity, DeviceEntity])],
  controllers: [TenantsController, DevicesController, SettingsController, AuditController],
  providers: [
    {
      provide: TokensService,
      useFactory: (settings: Settings) => new TokensService(settings.tokens),
      inject: [Settings],
    },
    AccessService,
    TenantsService,
    DevicesService,
    SettingsService,
    TenantScheduler,
    AuditService,
    AuditTrail,
    TenantRepository,
    DeviceRepository,
    { provide: TenantClockRepository, useFactory: openClocks, inject: [DataSource] },
    // Global, in this order: a valid token, its limit, a role that the route declares, tenant and device, the tenant's limit.
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: BearerLimitGuard },
    { provide: APP_GUARD, useClass: RolesGuard },
    { provide: APP_GUARD, useClass: TenantGuard },
    { provide: APP_GUARD, useClass: TenantLimitGuard },
  ],
  exports: [
    AccessService,
    AuditTrail,
    TenantRepository,
    DeviceRepository,
    TenantClockRepository,
    TenantsService,
    DevicesService,
    TokensService,
  ],
})
export class TenancyModule {}
