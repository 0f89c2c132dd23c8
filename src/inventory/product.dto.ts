import { ApiProperty } from '@nestjs/swagger';
import { WireEnum, WireQueryBoolean, WireQueryInteger, WireText } from '../wire/wire.decorators.js';
import { ALERT_KINDS, type AlertKind } from './domain/alert.js';
import { PAGE_MAX } from './inventory.dto.js';
import { DEMO_DEVICE_ID, DEMO_PRODUCT_ID, DEMO_USER_ID } from '../wire/examples.js';

/** A product of the catalogue, as pull, snapshot and the catalogue itself return it. */
export class ProductDto {
  @ApiProperty({ format: 'uuid', example: DEMO_PRODUCT_ID }) id!: string;
  @ApiProperty({ example: 'Goat cheese, cured' }) name!: string;
  @ApiProperty({ type: String, nullable: true, example: null }) description!: string | null;
  @ApiProperty({ type: Number, nullable: true, description: 'Money, at most 2 decimals.', example: 25000 }) price!:
    number | null;
  @ApiProperty({ type: String, nullable: true, description: 'Unique among living products.', example: 'QC-01' }) sku!:
    string | null;
  @ApiProperty({ type: String, nullable: true, example: 'Cheese' }) category!: string | null;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Units; below this it is due for a restock.',
    example: 5,
  })
  reorder_point!: number | null;
  @ApiProperty({ description: 'true in a tombstone: the product was deleted.', example: false }) is_deleted!: boolean;
  @ApiProperty({ type: 'integer', description: 'Counts its changes. Name it when you edit.', example: 3 })
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

/** A product with what is there of it. */
export class StockedProductDto extends ProductDto {
  @ApiProperty({ type: 'integer', description: 'Units; negative when oversold.', example: 7 }) quantity!: number;
  @ApiProperty({ description: 'Whether availability is enforced.', example: true }) tracked!: boolean;
}

export class ProductQueryDto {
  @WireText({ optional: true, max: 200, description: 'In the name, the SKU or the description, in either case.' })
  search?: string | null;
  @WireText({ optional: true, max: 100, description: 'Exactly this one.' }) category?: string | null;
  @WireText({ optional: true, max: 100, description: 'Exactly this one.' }) sku?: string | null;
  @WireQueryBoolean({ default: false, description: 'Tombstones, too.' }) include_deleted?: boolean | null;
  @WireText({ optional: true, max: 2_000, description: '`next_cursor` of the page before.' }) cursor?: string | null;
  @WireQueryInteger({ min: 1, max: PAGE_MAX, default: 100, description: 'Products in a page.' })
  limit: number | null = 100;
}

export class ProductListDto {
  @ApiProperty({ type: [StockedProductDto], description: 'By name, in either case.' }) products!: StockedProductDto[];
  @ApiProperty({ type: String, nullable: true, description: 'null after the last page.', example: null })
  next_cursor!: string | null;
}

export class AlertDto {
  @ApiProperty({
    enum: ALERT_KINDS,
    description:
      'OVERSOLD: tracked, and below zero. UNKNOWN_PRODUCT: moved, but not in the catalogue. LOW_STOCK: below the reorder point.',
    example: 'LOW_STOCK',
  })
  kind!: string;
  @ApiProperty({ format: 'uuid', example: DEMO_PRODUCT_ID }) product_id!: string;
  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null of an unknown product.',
    example: 'Goat cheese, cured',
  })
  name!: string | null;
  @ApiProperty({ type: 'integer', description: 'Units.', example: 2 }) quantity!: number;
  @ApiProperty({ type: 'integer', nullable: true, description: 'Units.', example: 5 }) reorder_point!: number | null;
  @ApiProperty({ type: 'integer', description: 'Of the last event that changed the stock.', example: 43 })
  last_lamport!: number;
}

export class AlertQueryDto {
  @WireEnum(ALERT_KINDS, { optional: true }) kind?: AlertKind | null;
  @WireText({ optional: true, max: 2_000, description: '`next_cursor` of the page before.' }) cursor?: string | null;
  @WireQueryInteger({ min: 1, max: PAGE_MAX, default: 100, description: 'Alerts in a page.' })
  limit: number | null = 100;
}

export class AlertListDto {
  @ApiProperty({
    type: [AlertDto],
    description:
      'OVERSOLD first, then UNKNOWN_PRODUCT, then LOW_STOCK; by product id within each. A product may have two.',
  })
  alerts!: AlertDto[];
  @ApiProperty({ type: String, nullable: true, description: 'null after the last page.', example: null })
  next_cursor!: string | null;
}
