import { ApiProperty } from '@nestjs/swagger';
import { LAMPORT_MAX } from '../tenancy/domain/lamport-clock.js';
import { DEMO_DEVICE_ID, DEMO_PAYMENT_ID, DEMO_SALE_ID, DEMO_USER_ID } from '../wire/examples.js';
import { WireEnum, WireQueryInteger, WireText, WireUuid } from '../wire/wire.decorators.js';
import {
  PAYMENT_METHODS,
  type PaymentMethod,
  RECONCILIATION_STATUSES,
  type ReconciliationStatus,
} from './domain/payment.js';

const PAGE_MAX = 1_000;
const DECISIONS = ['CONFIRMED', 'FAILED'] as const;

/** A payment, as pull, snapshot and the list of payments return it. */
export class PaymentDto {
  @ApiProperty({ format: 'uuid', example: DEMO_PAYMENT_ID }) id!: string;
  @ApiProperty({ format: 'uuid', description: 'The sale it pays.', example: DEMO_SALE_ID }) sale_id!: string;
  @ApiProperty({ description: 'Money, at most 2 decimals; negative for a refund.', example: 25000 }) amount!: number;
  @ApiProperty({ enum: PAYMENT_METHODS, example: 'POS_OFFLINE' }) payment_method!: string;
  @ApiProperty({ type: String, nullable: true, description: 'As the card terminal gave it.', example: 'T-000481' })
  pos_transaction_id!: string | null;
  @ApiProperty({ type: String, nullable: true, example: null }) pos_device_id!: string | null;
  @ApiProperty({ type: String, nullable: true, description: 'Address or key of the photo.', example: null })
  receipt_photo!: string | null;
  @ApiProperty({ type: String, nullable: true, example: null }) notes!: string | null;
  @ApiProperty({
    enum: RECONCILIATION_STATUSES,
    description: 'Set by an admin’s reconciling alone: no device can set it, nor the four fields that follow.',
    example: 'PENDING',
  })
  reconciliation_status!: string;
  @ApiProperty({ description: 'Whether the money is known to have arrived.', example: false }) reconciled!: boolean;
  @ApiProperty({ type: String, nullable: true, description: 'Of whoever reconciled it.', example: null })
  reconciliation_notes!: string | null;
  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'By the server’s clock; null while PENDING.',
    example: null,
  })
  reconciled_at!: string | null;
  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'The user who decided; null while PENDING.',
    example: null,
  })
  reconciled_by!: string | null;
  @ApiProperty({ type: 'integer', description: 'Counts its changes. Name it when you edit.', example: 1 })
  version!: number;
  @ApiProperty({ type: 'integer', description: 'Position of its last change.', example: 43 }) lamport_ts!: number;
  @ApiProperty({ format: 'uuid', description: 'The device whose edit stands.', example: DEMO_DEVICE_ID })
  device_id!: string;
  @ApiProperty({ type: String, format: 'uuid', nullable: true, example: DEMO_USER_ID }) updated_by!: string | null;
  @ApiProperty({ format: 'date-time', description: 'By the server’s clock.', example: '2026-03-01T18:04:11.218Z' })
  created_at!: string;
  @ApiProperty({ format: 'date-time', description: 'By the server’s clock.', example: '2026-03-01T18:04:11.218Z' })
  updated_at!: string;
}

export class PaymentQueryDto {
  @WireEnum(RECONCILIATION_STATUSES, { optional: true }) reconciliation_status?: ReconciliationStatus | null;
  @WireEnum(PAYMENT_METHODS, { optional: true }) payment_method?: PaymentMethod | null;
  @WireUuid({ optional: true }) sale_id?: string | null;
  @WireText({ optional: true, max: 200, description: 'Exactly this one.' }) pos_transaction_id?: string | null;
  @WireQueryInteger({ min: 0, max: LAMPORT_MAX, description: '`next_cursor` of the page before.' })
  cursor?: number | null;
  @WireQueryInteger({ min: 1, max: PAGE_MAX, default: 100, description: 'Payments in a page.' })
  limit: number | null = 100;
}

export class PaymentListDto {
  @ApiProperty({ type: [PaymentDto], description: 'The newest first.' }) payments!: PaymentDto[];
  @ApiProperty({ type: 'integer', nullable: true, description: 'null after the last page.', example: null })
  next_cursor!: number | null;
}

export class ReconcileDto {
  @WireEnum(DECISIONS, { description: 'CONFIRMED: the money arrived. FAILED: it did not.', example: 'CONFIRMED' })
  reconciliation_status!: (typeof DECISIONS)[number];
  @WireText({
    optional: true,
    max: 2_000,
    lines: true,
    description: 'In place of those of the decision before; without it there are none.',
    example: 'On the statement of March 2nd.',
  })
  notes?: string | null;
}
