import { ApiProperty } from '@nestjs/swagger';
import { LAMPORT_MAX } from '../tenancy/domain/lamport-clock.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID } from '../wire/examples.js';
import { WireEnum, WireQueryInteger, WireUuid } from '../wire/wire.decorators.js';
import {
  CONFLICT_ENTITIES,
  CONFLICT_KINDS,
  CONFLICT_STATUSES,
  type ConflictKind,
  type ConflictStatus,
  RESOLUTION_METHODS,
} from './domain/conflict.js';

export const CONFLICT_PAGE_MAX = 1_000;

export class ConflictSideDto {
  @ApiProperty({ format: 'uuid', description: 'Of the operation, the edit or the payment.' }) id!: string;
  @ApiProperty({ format: 'uuid', example: DEMO_DEVICE_ID }) device_id!: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'All it said: whichever side loses is not lost.',
    example: { name: 'Goat cheese, cured', price: 25000 },
  })
  payload!: Record<string, unknown>;
}

/** An entry of the conflict log, as pull and the log itself return it. */
export class ConflictDto {
  @ApiProperty({ format: 'uuid', example: '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e70' }) id!: string;
  @ApiProperty({ enum: CONFLICT_KINDS, example: 'FIELD_EDIT' }) kind!: string;
  @ApiProperty({ enum: CONFLICT_STATUSES, description: 'PENDING waits for a decision.', example: 'RESOLVED_AUTO' })
  status!: string;
  @ApiProperty({ enum: CONFLICT_ENTITIES, example: 'PRODUCT' }) entity!: string;
  @ApiProperty({ format: 'uuid', description: 'Of the product or payment.', example: DEMO_PRODUCT_ID })
  entity_id!: string;
  @ApiProperty({ type: [String], description: 'The fields in question, if it is about fields.', example: ['price'] })
  fields!: string[];
  @ApiProperty({ type: ConflictSideDto, description: 'What came later to the server.' }) a!: ConflictSideDto;
  @ApiProperty({ type: ConflictSideDto, description: 'What it met there.' }) b!: ConflictSideDto;
  @ApiProperty({ type: String, enum: RESOLUTION_METHODS, nullable: true, example: 'HARDCODED' }) resolution_method!:
    string | null;
  @ApiProperty({ type: String, nullable: true, example: 'The edit is newer than what stood.' }) resolution_reason!:
    string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'From 0 to 1.', example: 1 }) confidence!: number | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of the side that stands; null if both do.',
  })
  winner_id!: string | null;
  @ApiProperty({ type: 'integer', description: 'Position of its last change.', example: 44 }) lamport_ts!: number;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T18:04:11.218Z' }) detected_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T18:04:11.218Z' })
  resolved_at!: string | null;
}

export class ConflictQueryDto {
  @WireEnum(CONFLICT_STATUSES, { optional: true }) status?: ConflictStatus | null;
  @WireEnum(CONFLICT_KINDS, { optional: true }) kind?: ConflictKind | null;
  @WireUuid({ optional: true, description: 'The product it is about.' }) product_id?: string | null;
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.' }) tenant_id?: string | null;
  @WireQueryInteger({ min: 0, max: LAMPORT_MAX, description: '`next_cursor` of the page before.' })
  cursor?: number | null;
  @WireQueryInteger({ min: 1, max: CONFLICT_PAGE_MAX, default: 100, description: 'Conflicts in a page.' })
  limit: number | null = 100;
}

export class ConflictListDto {
  @ApiProperty({ type: [ConflictDto], description: 'The newest first.' }) conflicts!: ConflictDto[];
  @ApiProperty({ type: 'integer', description: 'On all pages.', example: 1 }) total!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'null after the last page.', example: null })
  next_cursor!: number | null;
}
