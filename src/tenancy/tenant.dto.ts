import { ApiProperty } from '@nestjs/swagger';
import { DEMO_TENANT_ID } from '../wire/examples.js';
import { WireText } from '../wire/wire.decorators.js';
import { TENANT_STATUSES, type TenantStatus } from './domain/tenant.js';
import { SettingsDto } from './settings.dto.js';

export class CreateTenantDto {
  @WireText({ max: 200, description: 'Name of the business.', example: 'Quesos La Vega' }) name!: string;
}

export class TenantDto {
  @ApiProperty({ format: 'uuid', example: DEMO_TENANT_ID }) id!: string;
  @ApiProperty({ example: 'Quesos La Vega' }) name!: string;
  @ApiProperty({ enum: TENANT_STATUSES, description: 'SUSPENDED: its users get 403 TENANT_SUSPENDED.' })
  status!: TenantStatus;
  @ApiProperty({ type: SettingsDto, description: 'What the business has chosen, else the defaults.' })
  settings!: SettingsDto;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T09:30:00.000Z' }) created_at!: string;
}

export class TenantListDto {
  @ApiProperty({ type: [TenantDto], description: 'The oldest first.' }) tenants!: TenantDto[];
}
