import { ApiProperty } from '@nestjs/swagger';
import { StockDto } from '../../inventory/inventory.dto.js';
import { ProductDto } from '../../inventory/product.dto.js';
import { PaymentDto } from '../../payments/payment.dto.js';
import { LAMPORT_MAX } from '../../tenancy/domain/lamport-clock.js';
import { DEMO_TENANT_ID } from '../../wire/examples.js';
import { WireQueryInteger } from '../../wire/wire.decorators.js';
import { PROTOCOL_VERSION } from '../protocol.js';

export class SnapshotQueryDto {
  @WireQueryInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: 'Of the wire protocol; now 1.',
    example: PROTOCOL_VERSION,
  })
  protocol_version?: number | null;
}

/** The first line. */
export class SnapshotHeaderDto {
  @ApiProperty({ enum: ['header'] }) type!: 'header';
  @ApiProperty({
    type: 'integer',
    description: 'All lines are as they were here: go on with pull from this `last_lamport`.',
    example: 43,
  })
  lamport!: number;
  @ApiProperty({
    format: 'uuid',
    description: 'Changes when the database is restored from a backup.',
    example: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55',
  })
  epoch!: string;
  @ApiProperty({
    description: 'Chain hash of the log at `lamport`, hex: what the first event of the next pull is chained to.',
    example: '41be…',
  })
  chain_hash!: string;
  @ApiProperty({ type: 'integer', example: PROTOCOL_VERSION }) protocol_version!: number;
  @ApiProperty({ format: 'uuid', example: DEMO_TENANT_ID }) tenant_id!: string;
  @ApiProperty({ format: 'date-time', description: 'By the server’s clock.', example: '2026-03-01T18:04:11.218Z' })
  timestamp!: string;
}

export class SnapshotProductDto extends ProductDto {
  @ApiProperty({ enum: ['product'] }) type!: 'product';
}

export class SnapshotStockLevelDto extends StockDto {
  @ApiProperty({ enum: ['stock_level'] }) type!: 'stock_level';
}

export class SnapshotPaymentDto extends PaymentDto {
  @ApiProperty({ enum: ['payment'] }) type!: 'payment';
}

/** The last line: a stream without it was cut. */
export class SnapshotEndDto {
  @ApiProperty({ enum: ['end'] }) type!: 'end';
  @ApiProperty({ type: 'integer', description: 'Lines of this type.', example: 120 }) products!: number;
  @ApiProperty({ type: 'integer', description: 'Lines of this type.', example: 131 }) stock_levels!: number;
  @ApiProperty({ type: 'integer', description: 'Lines of this type.', example: 4 }) payments!: number;
}

/** What a line may be; `type` says which. */
export const SNAPSHOT_LINES = [
  SnapshotHeaderDto,
  SnapshotProductDto,
  SnapshotStockLevelDto,
  SnapshotPaymentDto,
  SnapshotEndDto,
] as const;
export type SnapshotLine = InstanceType<(typeof SNAPSHOT_LINES)[number]>;
