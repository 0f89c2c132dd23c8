import { ApiProperty } from '@nestjs/swagger';
import { ConflictDto } from '../../conflicts/conflict.dto.js';
import { StockEventDto } from '../../inventory/inventory.dto.js';
import { ProductDto } from '../../inventory/product.dto.js';
import { PaymentDto } from '../../payments/payment.dto.js';
import { LAMPORT_MAX } from '../../tenancy/domain/lamport-clock.js';
import { DEMO_TENANT_ID } from '../../wire/examples.js';
import { WireInteger, WireUuid } from '../../wire/wire.decorators.js';

export const PULL_LIMIT_MAX = 1_000;
export const PULL_LIMIT_DEFAULT = 100;

export class PullRequestDto {
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.', example: DEMO_TENANT_ID }) tenant_id?:
    string | null;
  @WireInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: '`next_lamport` of the pull before; 0 for a new device.',
    example: 0,
  })
  last_lamport!: number;
  @WireInteger({
    min: 1,
    max: PULL_LIMIT_MAX,
    optional: true,
    description: `Entries at most; ${PULL_LIMIT_DEFAULT} if not given.`,
    example: 100,
  })
  limit?: number | null;
  @WireInteger({ min: 0, max: LAMPORT_MAX, optional: true, description: 'Of the wire protocol; now 1.', example: 1 })
  protocol_version?: number | null;
}

export class PullResponseDto {
  @ApiProperty({
    type: [StockEventDto],
    description: 'Events with a lamport in (last_lamport, next_lamport], in lamport order.',
  })
  operations!: StockEventDto[];
  @ApiProperty({ type: [ProductDto], description: 'Changed there, as they stand now; deleted ones as tombstones.' })
  products!: ProductDto[];
  @ApiProperty({ type: [PaymentDto], description: 'Changed there, as they stand now.' }) payments!: PaymentDto[];
  @ApiProperty({ type: [ConflictDto], description: 'Found or settled there, as they stand now.' })
  conflicts!: ConflictDto[];
  @ApiProperty({ type: 'integer', description: 'Where the next pull goes on.', example: 43 }) next_lamport!: number;
  @ApiProperty({ type: 'integer', description: 'The tenant’s clock.', example: 43 }) server_lamport!: number;
  @ApiProperty({
    description: 'Chain hash of the log at next_lamport, hex: a replica can check its copy.',
    example: '41be…',
  })
  chain_hash!: string;
  @ApiProperty({ description: 'Whether there are entries after next_lamport; exact.', example: false })
  has_more!: boolean;
  @ApiProperty({
    format: 'uuid',
    description: 'Changes when the database is restored from a backup.',
    example: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55',
  })
  epoch!: string;
}
