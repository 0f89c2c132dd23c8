import { Column, Entity, PrimaryColumn } from 'typeorm';
import { amount } from '../../database/amount.js';
import { safeInteger } from '../../database/safe-integer.js';
import type { DeviceType } from '../../tenancy/domain/device-type.js';
import type { Disposition } from '../domain/ledger.js';
import type { OperationReason, PaymentStatus } from '../domain/operation.js';
import type { EventKind } from '../domain/stock-event.js';

/** A row of the append-only ledger: readonly here, and the database refuses UPDATE and DELETE (I5). */
@Entity({ name: 'stock_events' })
export class StockEventEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) readonly tenantId!: string;
  @PrimaryColumn('bigint', { name: 'lamport_ts', transformer: safeInteger }) readonly lamport!: number;
  @Column('uuid', { name: 'operation_id' }) readonly operationId!: string;
  @Column('uuid', { name: 'product_id' }) readonly productId!: string;
  @Column('uuid', { name: 'device_id' }) readonly deviceId!: string;
  @Column('text', { name: 'device_type' }) readonly deviceType!: DeviceType | 'SERVER';
  @Column('text', { name: 'operation' }) readonly kind!: EventKind;
  @Column('integer') readonly delta!: number;
  @Column('text') readonly reason!: OperationReason;
  @Column('text', { name: 'payment_status', nullable: true }) readonly paymentStatus!: PaymentStatus | null;
  @Column('numeric', { nullable: true, transformer: amount }) readonly amount!: number | null;
  @Column('double precision', { name: 'location_lat', nullable: true }) readonly locationLat!: number | null;
  @Column('double precision', { name: 'location_lng', nullable: true }) readonly locationLng!: number | null;
  @Column('bigint', { name: 'client_lamport', transformer: safeInteger }) readonly clientLamport!: number;
  @Column('bigint', { name: 'base_lamport', nullable: true, transformer: safeInteger })
  readonly baseLamport!: number | null;
  @Column('bigint', { nullable: true, transformer: safeInteger }) readonly version!: number | null;
  @Column('uuid', { name: 'group_id', nullable: true }) readonly groupId!: string | null;
  @Column('uuid', { name: 'ref_operation_id', nullable: true }) readonly refOperationId!: string | null;
  @Column('timestamptz', { name: 'expires_at', nullable: true }) readonly expiresAt!: Date | null;
  @Column('timestamptz', { name: 'created_at', nullable: true }) readonly createdAt!: Date | null;
  @Column('uuid', { name: 'created_by' }) readonly createdBy!: string;
  @Column('uuid', { name: 'updated_by', nullable: true }) readonly updatedBy!: string | null;
  /** Signed change to stock, in units. bigint, since a SET can span the whole integer range. */
  @Column('bigint', { transformer: safeInteger }) readonly effect!: number;
  @Column('integer', { name: 'stock_after' }) readonly stockAfter!: number;
  @Column('text') readonly disposition!: Disposition;
  @Column('timestamptz', { name: 'synced_at' }) readonly syncedAt!: Date;
  @Column('bytea', { name: 'content_hash' }) readonly contentHash!: Buffer;
  @Column('bytea', { name: 'chain_hash' }) readonly chainHash!: Buffer;
}
