import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Settings } from '../config/settings.js';
import { AccessService } from './access.service.js';
import { DevicesController } from './devices.controller.js';
import { DevicesService } from './devices.service.js';
import { AuthenticationGuard } from './guards/authentication.guard.js';
import { RolesGuard } from './guards/roles.guard.js';
import { TenantGuard } from './guards/tenant.guard.js';
import { DeviceEntity } from './persistence/device.entity.js';
import { DeviceRepository } from './persistence/device.repository.js';
import { TenantClockRepository } from './persistence/tenant-clock.repository.js';
import { TenantEntity } from './persistence/tenant.entity.js';
import { TenantRepository } from './persistence/tenant.repository.js';
import { TenantsController } from './tenants.controller.js';
import { TenantsService } from './tenants.service.js';
import { TokensService } from './tokens.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([TenantEntity, DeviceEntity])],
  controllers: [TenantsController, DevicesController],
  providers: [
    {
      provide: TokensService,
      useFactory: (settings: Settings) => new TokensService(settings.tokens),
      inject: [Settings],
    },
    AccessService,
    TenantsService,
    DevicesService,
    TenantRepository,
    DeviceRepository,
    TenantClockRepository,
    // Global, in this order: a valid token, then a role that the route declares, then tenant and device.
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: RolesGuard },
    { provide: APP_GUARD, useClass: TenantGuard },
  ],
  exports: [TenantRepository, TenantClockRepository, TenantsService, DevicesService, TokensService],
})
export class TenancyModule {}
