import { ApiProperty } from '@nestjs/swagger';
import { DEVICE_TYPES } from '../tenancy/domain/device-type.js';
import { LAMPORT_MAX } from '../tenancy/domain/lamport-clock.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID } from '../wire/examples.js';
import { WireEnum, WireQueryInteger, WireQueryTime, WireUuid } from '../wire/wire.decorators.js';
import {
  CONFLICT_AWAITS,
  CONFLICT_ENTITIES,
  CONFLICT_KINDS,
  CONFLICT_STATUSES,
  type ConflictAwaits,
  type ConflictKind,
  type ConflictStatus,
} from './domain/conflict.js';
import { RESOLUTION_METHODS, type ResolutionMethod, VERDICTS } from './domain/verdict.js';

export const CONFLICT_PAGE_MAX = 1_000;

const EXAMPLE_ID = '0d4f8a52-6c1b-4e5a-9f3e-2b7c1a9d0e70';
const VERDICT = 'A or B: that side stands. BOTH, NEITHER: they do, or none does.';

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

/** What the heuristics would do. */
export class ConflictSuggestionDto {
  @ApiProperty({ enum: VERDICTS, description: VERDICT, example: 'B' }) verdict!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'Of the side that would stand alone.' })
  winner_id!: string | null;
  @ApiProperty({ description: 'From 0 to 1.', example: 0.72 }) confidence!: number;
  @ApiProperty({ example: 'It was recorded earlier, by the clocks of both devices.' }) reason!: string;
  @ApiProperty({
    type: [String],
    description: 'All that made them think so, the strongest first.',
    example: ['It was recorded earlier, by the clocks of both devices.'],
  })
  reasons!: string[];
}

/** An entry of the conflict log, as pull and the log itself return it. */
export class ConflictDto {
  @ApiProperty({ format: 'uuid', example: EXAMPLE_ID }) id!: string;
  @ApiProperty({ enum: CONFLICT_KINDS, example: 'FIELD_EDIT' }) kind!: string;
  @ApiProperty({ enum: CONFLICT_STATUSES, description: 'PENDING waits for a decision.', example: 'RESOLVED_AUTO' })
  status!: string;
  @ApiProperty({
    type: String,
    enum: CONFLICT_AWAITS,
    nullable: true,
    description: 'Whose decision it waits for; null unless it is PENDING.',
    example: null,
  })
  awaits!: string | null;
  @ApiProperty({ enum: CONFLICT_ENTITIES, example: 'PRODUCT' }) entity!: string;
  @ApiProperty({
    format: 'uuid',
    description: 'Of the product or payment; of STOCK, the product.',
    example: DEMO_PRODUCT_ID,
  })
  entity_id!: string;
  @ApiProperty({ type: [String], description: 'The fields in question, if it is about fields.', example: ['price'] })
  fields!: string[];
  @ApiProperty({ type: ConflictSideDto, description: 'What came later to the server.' }) a!: ConflictSideDto;
  @ApiProperty({ type: ConflictSideDto, description: 'What it met there.' }) b!: ConflictSideDto;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Units of the product when the conflict was found; null if it is not about units.',
    example: null,
  })
  stock_then!: number | null;
  @ApiProperty({ type: String, enum: VERDICTS, nullable: true, description: `${VERDICT} null while it is PENDING.` })
  verdict!: string | null;
  @ApiProperty({
    type: String,
    enum: RESOLUTION_METHODS,
    nullable: true,
    description: 'Who decided: a rule in the push, the heuristics after it, or a person; null while it is PENDING.',
    example: 'HARDCODED',
  })
  resolution_method!: string | null;
  @ApiProperty({ type: String, nullable: true, example: 'The edit is newer than what stood.' }) resolution_reason!:
    string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'From 0 to 1.', example: 1 }) confidence!: number | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of the side that stands, or has precedence where both do; null if there is no such side.',
  })
  winner_id!: string | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The user who decided; null if no person did.',
    example: null,
  })
  resolved_by!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'What that user said about it.', example: null })
  user_feedback!: string | null;
  @ApiProperty({
    type: ConflictSuggestionDto,
    nullable: true,
    description: 'null if the heuristics were not asked, or knew nothing.',
  })
  suggestion!: ConflictSuggestionDto | null;
  @ApiProperty({ type: 'integer', description: 'Position of its last change.', example: 44 }) lamport_ts!: number;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T18:04:11.218Z' }) detected_at!: string;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T18:04:11.218Z' })
  resolved_at!: string | null;
}

/** One that was asked about a conflict, and its answer. */
export class DecisionDto {
  @ApiProperty({ enum: RESOLUTION_METHODS, example: 'HARDCODED' }) tier!: string;
  @ApiProperty({ description: 'Of the rule or scorer; of a person, the id.', example: 'last-write-wins' })
  name!: string;
  @ApiProperty({
    type: String,
    enum: VERDICTS,
    nullable: true,
    description: 'null if it had no answer, as are the confidence and the reason then.',
    example: 'A',
  })
  verdict!: string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'From 0 to 1.', example: 1 }) confidence!: number | null;
  @ApiProperty({ type: String, nullable: true, example: 'The edit is newer than what stood.' }) reason!: string | null;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T18:04:11.218Z' }) at!: string;
}

export class ConflictDeviceDto {
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null if no such device was ever enrolled, as of the server itself.',
    example: 'Demo till',
  })
  name!: string | null;
  @ApiProperty({ type: String, enum: DEVICE_TYPES, nullable: true, example: 'WEB' }) device_type!: string | null;
}

export class LabelledSideDto extends ConflictSideDto {
  @ApiProperty({ type: ConflictDeviceDto }) device!: ConflictDeviceDto;
}

/** A conflict with the names of its devices and all who were asked, as the export has it. */
export class LabelledConflictDto extends ConflictDto {
  @ApiProperty({ type: LabelledSideDto, description: 'What came later to the server.' }) declare a: LabelledSideDto;
  @ApiProperty({ type: LabelledSideDto, description: 'What it met there.' }) declare b: LabelledSideDto;
  @ApiProperty({ type: [DecisionDto], description: 'All that were asked, in order.' }) decisions!: DecisionDto[];
}

/** All there is to know of a conflict. */
export class ConflictDetailDto extends LabelledConflictDto {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Units of the product now; null if it is not about stock.',
    example: null,
  })
  stock_now!: number | null;
}

/** When they were detected. */
export class DetectionSpanDto {
  @WireQueryTime({ description: 'Detected then or later.' }) from?: string | null;
  @WireQueryTime({ description: 'Detected before then.' }) to?: string | null;
}

export class ConflictFilterDto {
  @WireEnum(CONFLICT_STATUSES, { optional: true }) status?: ConflictStatus | null;
  @WireEnum(CONFLICT_AWAITS, { optional: true, description: 'Whose decision they wait for.' })
  awaits?: ConflictAwaits | null;
  @WireEnum(CONFLICT_KINDS, { optional: true }) kind?: ConflictKind | null;
  @WireEnum(RESOLUTION_METHODS, { optional: true, description: 'Who decided.' }) method?: ResolutionMethod | null;
  @WireUuid({ optional: true, description: 'The product they are about.' }) product_id?: string | null;
  @WireUuid({ optional: true, description: 'A device on either side.' }) device_id?: string | null;
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.' }) tenant_id?: string | null;
}

export class ConflictPageDto {
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
