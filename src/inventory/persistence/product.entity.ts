import { Column, Entity, PrimaryColumn } from 'typeorm';
import { amount } from '../../database/amount.js';
import { safeInteger } from '../../database/safe-integer.js';
import type { RecordedProduct } from '../domain/product.js';

/** A product of the catalogue, or the tombstone of one. */
@Entity({ name: 'products' })
export class ProductEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) readonly tenantId!: string;
  @PrimaryColumn('uuid') readonly id!: string;
  @Column('text') readonly name!: string;
  @Column('text', { nullable: true }) readonly description!: string | null;
  @Column('numeric', { nullable: true, transformer: amount }) readonly price!: number | null;
  @Column('text', { nullable: true }) readonly sku!: string | null;
  @Column('text', { nullable: true }) readonly category!: string | null;
  @Column('integer', { name: 'reorder_point', nullable: true }) readonly reorderPoint!: number | null;
  @Column('bigint', { name: 'deleted_lamport', nullable: true, transformer: safeInteger })
  readonly deletedLamport!: number | null;
  @Column('bigint', { transformer: safeInteger }) readonly version!: number;
  @Column('bigint', { name: 'lamport_ts', transformer: safeInteger }) readonly lamport!: number;
  @Column('bigint', { name: 'client_lamport', transformer: safeInteger }) readonly clientLamport!: number;
  @Column('uuid', { name: 'device_id' }) readonly deviceId!: string;
  @Column('uuid', { name: 'edit_id' }) readonly editId!: string;
  @Column('uuid', { name: 'updated_by', nullable: true }) readonly updatedBy!: string | null;
  @Column('timestamptz', { name: 'created_at' }) readonly createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) readonly updatedAt!: Date;
}

/** The row as the domain knows it. */
export function toProduct(row: ProductEntity): RecordedProduct {
  const { name, description, price, sku, category, reorderPoint, deletedLamport } = row;
  return {
    id: row.id,
    fields: { name, description, price, sku, category, reorderPoint, isDeleted: deletedLamport !== null },
    deletedLamport,
    version: row.version,
    lamport: row.lamport,
    deviceId: row.deviceId,
    clientLamport: row.clientLamport,
    editId: row.editId,
    updatedBy: row.updatedBy,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  };
}
