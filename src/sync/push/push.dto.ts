import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  INT4_MAX,
  OPERATION_KINDS,
  OPERATION_REASONS,
  type OperationKind,
  type OperationReason,
  PAYMENT_STATUSES,
  type PaymentStatus,
} from '../../inventory/domain/operation.js';
import { isServerId } from '../../inventory/domain/server-id.js';
import { RESOLUTION_METHODS } from '../../conflicts/domain/verdict.js';
import { PAYMENT_METHODS, type PaymentMethod } from '../../payments/domain/payment.js';
import { DEVICE_TYPES, type DeviceType } from '../../tenancy/domain/device-type.js';
import { LAMPORT_MAX } from '../../tenancy/domain/lamport-clock.js';
import {
  DEMO_DEVICE_ID,
  DEMO_PAYMENT_ID,
  DEMO_PRODUCT_ID,
  DEMO_SALE_ID,
  DEMO_TENANT_ID,
  DEMO_USER_ID,
} from '../../wire/examples.js';
import {
  WireAmount,
  WireBoolean,
  WireEntries,
  WireEnum,
  WireInteger,
  WireNumber,
  WireSha256,
  WireText,
  WireTime,
  WireUuid,
} from '../../wire/wire.decorators.js';
import { REJECTION_CODES, WARNINGS } from '../domain/push-outcome.js';

/** Of all lists of a push together. */
export const PUSH_ENTRIES_MAX = 1_000;

/** One stock movement as a device recorded it. Property names are the wire's. */
export class OperationDto {
  @WireUuid({
    optional: true,
    description: 'Identity: under it the operation takes effect at most once. Else derived. Any UUID but version 8.',
    isReserved: {
      check: isServerId,
      why: 'must not be a UUID of version 8: the server gives those to its own events',
    },
    example: 'b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01',
  })
  operation_id?: string | null;
  @WireSha256({
    optional: true,
    description: 'SHA-256 in hex, made by the device: the identity if there is no `operation_id`.',
    example: null,
  })
  operation_hash?: string | null;
  @WireUuid({ example: DEMO_TENANT_ID }) tenant_id!: string;
  @WireUuid({ example: DEMO_PRODUCT_ID }) product_id!: string;
  @WireUuid({ description: 'The pushing device.', example: DEMO_DEVICE_ID }) device_id!: string;
  @WireEnum(DEVICE_TYPES, { example: 'MOBILE' }) device_type!: DeviceType;
  @WireEnum(OPERATION_KINDS, {
    description: 'INCREMENT and DECREMENT move stock, SET states a count.',
    example: 'INCREMENT',
  })
  operation!: OperationKind;
  @WireInteger({ min: 0, max: INT4_MAX, description: 'Units: at least 1, or 0 for SET.', example: 12 }) delta!: number;
  @WireEnum(OPERATION_REASONS, { example: 'RESTOCK' }) reason!: OperationReason;
  @WireEnum(PAYMENT_STATUSES, {
    optional: true,
    description: 'A paid sale is recorded even beyond the stock: it happened.',
    example: null,
  })
  payment_status?: PaymentStatus | null;
  @WireAmount({ optional: true, description: 'Money, at most 2 decimals.', example: null }) amount?: number | null;
  @WireNumber({ optional: true, min: -90, max: 90, description: 'Degrees north.', example: null }) location_lat?:
    number | null;
  @WireNumber({ optional: true, min: -180, max: 180, description: 'Degrees east.', example: null }) location_lng?:
    number | null;
  @WireInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: 'The device’s own clock when it recorded this; grows with each operation.',
    example: 5,
  })
  lamport_ts!: number;
  @WireInteger({
    min: 0,
    max: LAMPORT_MAX,
    optional: true,
    description: 'Last lamport of the tenant’s log that the device had applied.',
    example: 0,
  })
  base_lamport?: number | null;
  @WireInteger({ min: 0, max: LAMPORT_MAX, optional: true, example: null }) version?: number | null;
  @WireUuid({
    optional: true,
    description: 'Entries of one push that share it are accepted together or not at all.',
    example: null,
  })
  group_id?: string | null;
  @WireUuid({ optional: true, description: 'The operation that this one confirms or cancels.', example: null })
  ref_operation_id?: string | null;
  @WireTime({ optional: true, description: 'When a reservation lapses.', example: null }) expires_at?: string | null;
  @WireTime({ optional: true, description: 'When the device recorded this, by its own wall clock.' }) created_at?:
    string | null;
  @WireUuid({ description: 'The user who recorded this.', example: DEMO_USER_ID }) created_by!: string;
  @WireUuid({ optional: true, example: null }) updated_by?: string | null;
}

/** What a device says of a product. What it leaves out stays as it is. */
export class ProductEditDto {
  @WireUuid({ description: 'Made by the device that creates it.', example: DEMO_PRODUCT_ID }) id!: string;
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.', example: DEMO_TENANT_ID }) tenant_id?:
    string | null;
  @WireUuid({ optional: true, description: 'If given, the pushing device.', example: DEMO_DEVICE_ID }) device_id?:
    string | null;
  @WireText({ optional: true, max: 300, description: 'Required of a new product.', example: 'Goat cheese, cured' })
  name?: string | null;
  @WireText({ optional: true, min: 0, max: 4_000, lines: true, example: null }) description?: string | null;
  @WireAmount({ optional: true, min: 0, description: 'Money, at most 2 decimals.', example: 25000 }) price?:
    number | null;
  @WireText({ optional: true, min: 0, max: 100, description: 'Unique among living products.', example: 'QC-01' })
  sku?: string | null;
  @WireText({ optional: true, min: 0, max: 100, example: 'Cheese' }) category?: string | null;
  @WireInteger({
    optional: true,
    min: 0,
    max: INT4_MAX,
    description: 'Units; below this the product is due for a restock.',
    example: 5,
  })
  reorder_point?: number | null;
  @WireBoolean({ optional: true, description: 'true deletes the product: a tombstone stays.', example: false })
  is_deleted?: boolean | null;
  @WireInteger({
    optional: true,
    min: 0,
    max: INT4_MAX,
    description: 'Units that are there when the product is new: its opening balance. Ignored afterwards.',
    example: null,
  })
  current_stock?: number | null;
  @WireInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: 'The device’s own clock when it edited this; grows with each edit.',
    example: 3,
  })
  lamport_ts!: number;
  @WireInteger({
    optional: true,
    min: 0,
    max: LAMPORT_MAX,
    description:
      'The `version` that was edited. If others changed the product since, it is merged by field; without it the last write wins as a whole.',
    example: null,
  })
  version?: number | null;
  @WireUuid({
    optional: true,
    description: 'Entries of one push that share it are recorded together or not at all.',
    example: null,
  })
  group_id?: string | null;
  @WireUuid({ optional: true, description: 'The user who edited.', example: DEMO_USER_ID }) updated_by?: string | null;
}

/** What a device says of a payment. What it leaves out stays as it is. */
export class PaymentEditDto {
  @WireUuid({ description: 'Made by the device that creates it.', example: DEMO_PAYMENT_ID }) id!: string;
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.', example: DEMO_TENANT_ID }) tenant_id?:
    string | null;
  @WireUuid({ optional: true, description: 'If given, the pushing device.', example: DEMO_DEVICE_ID }) device_id?:
    string | null;
  @WireUuid({ optional: true, description: 'The sale it pays. Required of a new payment.', example: DEMO_SALE_ID })
  sale_id?: string | null;
  @WireAmount({
    optional: true,
    description: 'Money, at most 2 decimals; negative for a refund. Required of a new payment.',
    example: 25000,
  })
  amount?: number | null;
  @WireEnum(PAYMENT_METHODS, { optional: true, description: 'Required of a new payment.', example: 'POS_OFFLINE' })
  payment_method?: PaymentMethod | null;
  @WireText({
    optional: true,
    min: 0,
    max: 200,
    description: 'As the card terminal gave it. A second payment with the same is a conflict.',
    example: 'T-000481',
  })
  pos_transaction_id?: string | null;
  @WireText({ optional: true, min: 0, max: 200, example: null }) pos_device_id?: string | null;
  @WireText({
    optional: true,
    min: 0,
    max: 2_048,
    description: 'Address or key of the photo, which is kept elsewhere: no image fits in here.',
    example: null,
  })
  receipt_photo?: string | null;
  @WireText({ optional: true, min: 0, max: 2_000, lines: true, example: null }) notes?: string | null;
  @WireInteger({
    min: 0,
    max: LAMPORT_MAX,
    description: 'The device’s own clock when it edited this; grows with each edit.',
    example: 4,
  })
  lamport_ts!: number;
  @WireInteger({
    optional: true,
    min: 0,
    max: LAMPORT_MAX,
    description:
      'The `version` that was edited. If others changed the payment since, it is merged by field; without it the last write wins as a whole.',
    example: null,
  })
  version?: number | null;
  @WireUuid({
    optional: true,
    description: 'Entries of one push that share it are recorded together or not at all.',
    example: null,
  })
  group_id?: string | null;
  @WireUuid({ optional: true, description: 'The user who edited.', example: DEMO_USER_ID }) updated_by?: string | null;
}

/** The envelope alone. Entries are read one by one in push.wire.ts, so a bad one rejects only itself. */
export class PushRequestDto {
  @WireEntries(OperationDto, PUSH_ENTRIES_MAX, { optional: true, description: 'In the order recorded.' })
  operations?: unknown[] | null;
  @WireEntries(ProductEditDto, PUSH_ENTRIES_MAX, {
    optional: true,
    description: 'In the order edited. They are recorded before the operations.',
  })
  products?: unknown[] | null;
  @WireEntries(PaymentEditDto, PUSH_ENTRIES_MAX, {
    optional: true,
    description: 'In the order edited. Whether the money arrived is set by reconciling alone, not here.',
  })
  payments?: unknown[] | null;
  @WireInteger({ min: 0, max: LAMPORT_MAX, description: 'The device’s clock now.', example: 5 })
  client_lamport!: number;
  @WireUuid({ description: 'The pushing device: that of the token.', example: DEMO_DEVICE_ID }) device_id!: string;
  @WireUuid({ optional: true, description: 'If given, the tenant of the token.', example: DEMO_TENANT_ID }) tenant_id?:
    string | null;
  @WireTime({ optional: true, example: null, description: 'The device’s wall clock now: shows how far it is off.' })
  sent_at?: string | null;
  @WireInteger({ min: 0, max: LAMPORT_MAX, optional: true, description: 'Of the wire protocol; now 1.', example: 1 })
  protocol_version?: number | null;
}

export class EntryErrorDto {
  @ApiProperty({ example: 'operations[3].delta' }) path!: string;
  @ApiProperty({ example: 'IS_INT' }) code!: string;
  @ApiProperty({ example: 'must be an integer from 0 to 2147483647' }) message!: string;
}

export class SuggestionDto {
  @ApiProperty({ type: 'integer', description: 'Units that could have been taken, or cancelled.', example: 3 })
  available!: number;
}

/** How an entry that competes with another was settled, or that it was not yet. */
export class ResolutionDto {
  @ApiProperty({ type: String, enum: RESOLUTION_METHODS, nullable: true, example: 'HARDCODED' }) method!: string | null;
  @ApiProperty({ example: 'The edit is newer than what stood.' }) reason!: string;
  @ApiProperty({ type: Number, nullable: true, description: 'From 0 to 1.', example: 1 }) confidence!: number | null;
  @ApiProperty({ description: 'Whether it waits for a decision.', example: false }) requires_approval!: boolean;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'null if both stand, or it waits.' })
  winner_id!: string | null;
}

export class OriginalOutcomeDto {
  @ApiProperty({ enum: ['accepted', 'conflict'], example: 'accepted' }) status!: string;
  @ApiProperty({ type: 'integer', example: 43 }) server_lamport!: number;
  @ApiPropertyOptional({ type: 'integer', description: 'Signed change to stock, in units.', example: 12 })
  effect?: number;
  @ApiPropertyOptional({ type: 'integer', example: 12 }) stock_after?: number;
  @ApiPropertyOptional({ enum: ['APPLIED', 'HELD', 'VOIDED'], example: 'APPLIED' }) disposition?: string;
  @ApiPropertyOptional({ type: 'integer', description: 'Of a product or payment.', example: 3 }) version?: number;
}

export class PushResultDto {
  @ApiProperty({ enum: ['accepted', 'duplicate', 'conflict', 'ignored', 'rejected'], example: 'accepted' })
  status!: string;
  @ApiPropertyOptional({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Of an operation; null if none could be read.',
    example: 'b7f9a1f4-8a51-4c55-8f8b-0f8a4c9f5d01',
  })
  operation_id?: string | null;
  @ApiPropertyOptional({ type: String, format: 'uuid', nullable: true, description: 'Of a product or payment.' }) id?:
    string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Position among all entries of the tenant; with ignored that of what stands; null if rejected.',
    example: 43,
  })
  server_lamport!: number | null;
  @ApiPropertyOptional({ type: 'integer', description: 'Of a product or payment, as it stands now.', example: 3 })
  version?: number;
  @ApiPropertyOptional({ format: 'uuid', description: 'Of the entry in the conflict log that this led to.' })
  conflict_id?: string;
  @ApiPropertyOptional({ type: ResolutionDto, description: 'With conflict_id.' }) resolution?: ResolutionDto;
  @ApiPropertyOptional({
    enum: REJECTION_CODES,
    description: 'Why it was rejected. The device keeps it, and may mend it or push it again.',
  })
  code?: string;
  @ApiPropertyOptional({ type: SuggestionDto, description: 'With INSUFFICIENT_STOCK and cancellations.' })
  suggestion?: SuggestionDto;
  @ApiPropertyOptional({ type: [EntryErrorDto], description: 'With VALIDATION.' }) errors?: EntryErrorDto[];
  @ApiPropertyOptional({
    enum: WARNINGS,
    isArray: true,
    description: 'What a person should know, though it was accepted.',
    example: [],
  })
  warnings?: readonly string[];
  @ApiPropertyOptional({ type: OriginalOutcomeDto, description: 'With duplicate: what became of it the first time.' })
  original?: OriginalOutcomeDto;
  @ApiProperty({ example: 'Recorded at lamport 43.' }) message!: string;
}

export class PushResponseDto {
  @ApiProperty({ type: [PushResultDto], description: 'One for each entry: operations, then products, then payments.' })
  results!: PushResultDto[];
  @ApiProperty({ type: 'integer', description: 'The tenant’s clock after this push.', example: 43 })
  server_lamport!: number;
  @ApiProperty({
    format: 'uuid',
    description: 'Changes when the database is restored from a backup.',
    example: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55',
  })
  epoch!: string;
  @ApiProperty({ format: 'date-time', description: 'The server’s wall clock.', example: '2026-03-01T18:04:11.218Z' })
  timestamp!: string;
}
