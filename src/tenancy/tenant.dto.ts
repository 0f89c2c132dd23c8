import { ApiProperty } from '@nestjs/swagger';
import { DEMO_TENANT_ID } from '../wire/examples.js';
import { MayBeLeftOut, WireEnum, WireObject, WireText } from '../wire/wire.decorators.js';
import { REVERSIBLE_STATUSES, type ReversibleStatus, TENANT_STATUSES, type TenantStatus } from './domain/tenant.js';
import { SettingsChangeDto, SettingsDto } from './settings.dto.js';

const NAME = { max: 200, example: 'Quesos La Vega' };

export class CreateTenantDto {
  @WireText({ ...NAME, description: 'Name of the business.' }) name!: string;
}

/** What is left out stays. */
export class TenantChangeDto {
  @MayBeLeftOut() @WireText({ ...NAME, description: 'Name of the business.' }) name?: string;
  @MayBeLeftOut()
  @WireEnum(REVERSIBLE_STATUSES, {
    description: 'SUSPENDED: its users get 403 TENANT_SUSPENDED until it is ACTIVE again. Nothing is lost.',
    example: 'ACTIVE',
  })
  status?: ReversibleStatus;
  @MayBeLeftOut()
  @WireObject(SettingsChangeDto, { description: 'Some of the settings, as in `PATCH /settings`.' })
  settings?: object;
}

export class DeletionQueryDto {
  @WireText({ ...NAME, description: 'The name of the tenant, to the letter: so that no other is deleted.' })
  confirm!: string;
}

export class TenantDto {
  @ApiProperty({ format: 'uuid', example: DEMO_TENANT_ID }) id!: string;
  @ApiProperty({ example: 'Quesos La Vega' }) name!: string;
  @ApiProperty({
    enum: TENANT_STATUSES,
    description:
      'SUSPENDED: its users get 403 TENANT_SUSPENDED. DELETING: as SUSPENDED, and its data are being deleted. DELETED: ' +
      'nothing is left of it but its name, its id and what the platform did to it.',
  })
  status!: TenantStatus;
  @ApiProperty({ type: SettingsDto, description: 'What the business has chosen, else the defaults.' })
  settings!: SettingsDto;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T09:30:00.000Z' }) created_at!: string;
}

export class TenantListDto {
  @ApiProperty({ type: [TenantDto], description: 'The oldest first, without deleted ones.' }) tenants!: TenantDto[];
}
