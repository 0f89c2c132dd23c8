import { ApiProperty } from '@nestjs/swagger';
import { LabelledConflictDto } from '../conflicts/conflict.dto.js';
import { StockDto, StockEventDto } from '../inventory/inventory.dto.js';
import { ProductDto } from '../inventory/product.dto.js';
import { PaymentDto } from '../payments/payment.dto.js';
import { ENTITIES, type Entity, type Fields } from '../states/domain/state.js';
import { AuditEntryDto } from '../tenancy/audit/audit.dto.js';
import { DEVICE_TYPES, type DeviceType } from '../tenancy/domain/device-type.js';
import { TenantDto } from '../tenancy/tenant.dto.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID, DEMO_TENANT_ID } from '../wire/examples.js';

/** Grows when a reader of the version before could take a line for something else; new types and fields are no reason. */
export const EXPORT_FORMAT_VERSION = 1;

const TIME = { type: String, format: 'date-time', nullable: true } as const;
const INTEGER = { type: 'integer', nullable: true } as const;

/** The first line. */
export class ExportHeaderDto {
  @ApiProperty({ enum: ['header'] }) type!: 'header';
  @ApiProperty({ enum: [EXPORT_FORMAT_VERSION], description: 'Of these lines.' }) format_version!: number;
  @ApiProperty({ format: 'uuid', example: DEMO_TENANT_ID }) tenant_id!: string;
  @ApiProperty({ type: 'integer', description: 'All lines are as they were here.', example: 43 }) lamport!: number;
  @ApiProperty({ format: 'uuid', example: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55' }) epoch!: string;
  @ApiProperty({ description: 'Chain hash of the last event, hex.', example: '41be…' }) chain_hash!: string;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T18:04:11.218Z' }) exported_at!: string;
}

export class ExportTenantDto extends TenantDto {
  @ApiProperty({ enum: ['tenant'] }) type!: 'tenant';
}

export class ExportDeviceDto {
  @ApiProperty({ enum: ['device'] }) type!: 'device';
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) id!: string;
  @ApiProperty({ example: 'Market stall till' }) name!: string;
  @ApiProperty({ enum: DEVICE_TYPES, example: 'MOBILE' }) device_type!: DeviceType;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T09:30:00.000Z' }) created_at!: string;
  @ApiProperty({ ...TIME, example: null }) revoked_at!: string | null;
  @ApiProperty({ ...TIME, example: '2026-03-01T18:05:12.000Z' }) last_seen_at!: string | null;
  @ApiProperty({ ...INTEGER, example: 41 }) last_pushed_lamport!: number | null;
  @ApiProperty({ ...INTEGER, example: 40 }) last_pulled_lamport!: number | null;
  @ApiProperty({ ...INTEGER, example: -1250 }) clock_skew_ms!: number | null;
  @ApiProperty({ ...TIME, example: null }) clock_reused_at!: string | null;
}

export class ExportProductDto extends ProductDto {
  @ApiProperty({ enum: ['product'] }) type!: 'product';
}

export class ExportPaymentDto extends PaymentDto {
  @ApiProperty({ enum: ['payment'] }) type!: 'payment';
}

/** A product or payment as it was after one of its changes. */
export class ExportVersionDto {
  @ApiProperty({ enum: ['version'] }) type!: 'version';
  @ApiProperty({ enum: ENTITIES }) entity!: Entity;
  @ApiProperty({ format: 'uuid', example: DEMO_PRODUCT_ID }) entity_id!: string;
  @ApiProperty({ type: 'integer', example: 1 }) version!: number;
  @ApiProperty({ type: 'integer', example: 42 }) lamport_ts!: number;
  @ApiProperty({ format: 'uuid' }) edit_id!: string;
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) device_id!: string;
  @ApiProperty({ type: 'integer', example: 42 }) client_lamport!: number;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { name: 'Goat cheese' } }) fields!: Fields;
  @ApiProperty({ type: [String], description: 'Which of them it changed.', example: ['name'] }) changed!: string[];
  @ApiProperty({ format: 'date-time', example: '2026-03-01T18:04:11.218Z' }) recorded_at!: string;
}

/** In lamport order, so that the chain of hashes can be followed. */
export class ExportEventDto extends StockEventDto {
  @ApiProperty({ enum: ['event'] }) type!: 'event';
}

export class ExportStockLevelDto extends StockDto {
  @ApiProperty({ enum: ['stock_level'] }) type!: 'stock_level';
}

export class ExportConflictDto extends LabelledConflictDto {
  @ApiProperty({ enum: ['conflict'] }) type!: 'conflict';
}

export class ExportAuditDto extends AuditEntryDto {
  @ApiProperty({ enum: ['audit'] }) type!: 'audit';
}

/** The last line: an export without it was cut. */
export class ExportEndDto {
  @ApiProperty({ enum: ['end'] }) type!: 'end';
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: 'Lines of each type.',
    example: {
      ...{ tenant: 1, device: 3, product: 120, payment: 48, version: 310, event: 4120 },
      ...{ stock_level: 131, conflict: 7, audit: 12 },
    },
  })
  counts!: Record<string, number>;
}

/** What a line may be; `type` says which. */
export const EXPORT_LINES = [
  ExportHeaderDto,
  ExportTenantDto,
  ExportDeviceDto,
  ExportProductDto,
  ExportPaymentDto,
  ExportVersionDto,
  ExportEventDto,
  ExportStockLevelDto,
  ExportConflictDto,
  ExportAuditDto,
  ExportEndDto,
] as const;
export type ExportLine = InstanceType<(typeof EXPORT_LINES)[number]>;
