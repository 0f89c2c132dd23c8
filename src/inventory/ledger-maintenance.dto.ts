import { ApiProperty } from '@nestjs/swagger';
import { DEMO_PRODUCT_ID } from '../wire/examples.js';
import { DIFFERENCE_KINDS } from './domain/verification.js';

const KINDS = Object.entries(DIFFERENCE_KINDS)
  .map(([kind, meaning]) => `- \`${kind}\`: ${meaning}`)
  .join('\n');

const COMPARED = { oneOf: [{ type: 'integer' }, { type: 'string' }, { type: 'boolean' }] };

/** Something stored that is not what it should be. */
export class DifferenceDto {
  @ApiProperty({ enum: Object.keys(DIFFERENCE_KINDS), description: KINDS, example: 'BALANCE' }) kind!: string;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Of the event; null if it is none.', example: 43 })
  lamport_ts!: number | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of the event; null if it is none.',
    example: 'b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01',
  })
  operation_id!: string | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of the event or the level; null if it is the clock.',
    example: DEMO_PRODUCT_ID,
  })
  product_id!: string | null;
  @ApiProperty({ description: 'What of the event, the level or the clock it is.', example: 'stock_after' })
  field!: string;
  @ApiProperty({
    ...COMPARED,
    nullable: true,
    description:
      'What it should be; for `lamport_ts` and times the least; null if there should be none, or nothing can be said.',
    example: 7,
  })
  expected!: number | string | boolean | null;
  @ApiProperty({ ...COMPARED, nullable: true, description: 'What it is; null if there is none.', example: 8 })
  found!: number | string | boolean | null;
}

export class VerificationDto {
  @ApiProperty({ type: [DifferenceDto], description: 'Each once, events first, in lamport order.', example: [] })
  differences!: DifferenceDto[];
  @ApiProperty({ type: 'integer', description: 'Events in the log.', example: 43 }) events!: number;
  @ApiProperty({ description: 'Whether there is no difference.', example: true }) ok!: boolean;
}

export class RebuildDto {
  @ApiProperty({ type: 'integer', description: 'Products looked at: all with events or a stock level.', example: 12 })
  products!: number;
  @ApiProperty({ type: 'integer', description: 'Stock levels that were not what the log says.', example: 0 })
  repaired!: number;
  @ApiProperty({ type: 'integer', description: 'The tenant’s clock: up to here they are what it says.', example: 43 })
  lamport!: number;
}
