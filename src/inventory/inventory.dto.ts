import { ApiProperty } from '@nestjs/swagger';
import { LAMPORT_MAX } from '../tenancy/domain/lamport-clock.js';
import { DEVICE_TYPES } from '../tenancy/domain/device-type.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID, DEMO_USER_ID } from '../wire/examples.js';
import { WireQueryInteger, WireQueryTime } from '../wire/wire.decorators.js';
import { OPERATION_KINDS, OPERATION_REASONS, PAYMENT_STATUSES } from './domain/operation.js';

export const PAGE_MAX = 1_000;

export class StockDto {
  @ApiProperty({ format: 'uuid', example: DEMO_PRODUCT_ID }) product_id!: string;
  @ApiProperty({
    type: 'integer',
    description: 'Units; negative when more was sold than was known to be there.',
    example: 7,
  })
  quantity!: number;
  @ApiProperty({
    description: 'Whether a count or a receipt has set a baseline, so that availability is enforced.',
    example: true,
  })
  tracked!: boolean;
  @ApiProperty({ type: 'integer', description: 'Lamport of the last event that changed it.', example: 43 })
  last_lamport!: number;
}

/** One entry of the log, as pull and the product's ledger return it. */
export class StockEventDto {
  @ApiProperty({ format: 'uuid', example: 'b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01' }) operation_id!: string;
  @ApiProperty({ format: 'uuid', example: DEMO_PRODUCT_ID }) product_id!: string;
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) device_id!: string;
  @ApiProperty({ enum: [...DEVICE_TYPES, 'SERVER'], example: 'MOBILE' }) device_type!: string;
  @ApiProperty({ enum: [...OPERATION_KINDS, 'RELEASE', 'VOID'], example: 'DECREMENT' }) operation!: string;
  @ApiProperty({ type: 'integer', description: 'Units, as the device recorded it.', example: 5 }) delta!: number;
  @ApiProperty({ enum: OPERATION_REASONS, example: 'SALE' }) reason!: string;
  @ApiProperty({ type: String, enum: PAYMENT_STATUSES, nullable: true, example: 'PAID' }) payment_status!:
    string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Money, at most 2 decimals.', example: 25000 }) amount!:
    number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Degrees north.', example: null }) location_lat!:
    number | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Degrees east.', example: null }) location_lng!:
    number | null;
  @ApiProperty({ type: 'integer', description: 'Position in the tenant’s log.', example: 43 }) lamport_ts!: number;
  @ApiProperty({ type: 'integer', description: 'The device’s own clock, as pushed.', example: 42 })
  client_lamport!: number;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Last lamport the device had applied when it recorded this.',
    example: 40,
  })
  base_lamport!: number | null;
  @ApiProperty({ type: 'integer', nullable: true, example: null }) version!: number | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null }) group_id!: string | null;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null }) ref_operation_id!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null }) expires_at!: string | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T09:30:00.000Z' }) created_at!:
    string | null;
  @ApiProperty({ format: 'uuid', example: DEMO_USER_ID }) created_by!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: null }) updated_by!: string | null;
  @ApiProperty({
    type: 'integer',
    description: 'Signed change to stock, in units. Stock is the running sum of these.',
    example: -5,
  })
  effect!: number;
  @ApiProperty({ type: 'integer', description: 'Stock of the product right after, in units.', example: 7 })
  stock_after!: number;
  @ApiProperty({ enum: ['APPLIED', 'HELD', 'VOIDED'], example: 'APPLIED' }) disposition!: string;
  @ApiProperty({
    format: 'date-time',
    description: 'When the server recorded it.',
    example: '2026-03-01T18:04:11.218Z',
  })
  synced_at!: string;
  @ApiProperty({ description: 'SHA-256, hex, of what the device said.', example: '9f2c…' }) content_hash!: string;
  @ApiProperty({
    description: 'SHA-256, hex, of the previous event’s chain hash and this content hash.',
    example: '41be…',
  })
  chain_hash!: string;
}

export class StockQueryDto {
  @WireQueryInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: 'As it was after this lamport; beyond the head as it is.',
  })
  at_lamport?: number | null;
  @WireQueryTime({
    description: 'As the service knew it at this time; in the future as it is. Not together with `at_lamport`.',
  })
  at_time?: string | null;
}

export class ProductEventsQueryDto {
  @WireQueryInteger({
    min: 0,
    max: LAMPORT_MAX,
    default: 0,
    description: '`next_cursor` of the page before; 0 for the first.',
  })
  cursor: number | null = 0;
  @WireQueryInteger({ min: 1, max: PAGE_MAX, default: 100, description: 'Events in a page.' })
  limit: number | null = 100;
}

export class ProductEventsDto {
  @ApiProperty({ type: [StockEventDto], description: 'In lamport order, the oldest first.' }) events!: StockEventDto[];
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Where the next page starts; null after the last.',
    example: null,
  })
  next_cursor!: number | null;
}
