import { Column, Entity, PrimaryColumn } from 'typeorm';
import { safeInteger } from '../../database/safe-integer.js';

/** Stock of a product now: the projection of its events, written in the transaction that appends them. */
@Entity({ name: 'stock_levels' })
export class StockLevelEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) readonly tenantId!: string;
  @PrimaryColumn('uuid', { name: 'product_id' }) readonly productId!: string;
  @Column('integer') readonly quantity!: number;
  @Column('boolean') readonly tracked!: boolean;
  @Column('bigint', { name: 'last_lamport', transformer: safeInteger }) readonly lastLamport!: number;
}
