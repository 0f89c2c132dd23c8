import { Column, Entity, PrimaryColumn } from 'typeorm';
import { amount } from '../../database/amount.js';
import { safeInteger } from '../../database/safe-integer.js';
import type { PaymentMethod, RecordedPayment, ReconciliationStatus } from '../domain/payment.js';

/** A payment, with what people decided about it. */
@Entity({ name: 'payments' })
export class PaymentEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) readonly tenantId!: string;
  @PrimaryColumn('uuid') readonly id!: string;
  @Column('uuid', { name: 'sale_id' }) readonly saleId!: string;
  @Column('numeric', { transformer: amount }) readonly amount!: number;
  @Column('text', { name: 'payment_method' }) readonly paymentMethod!: PaymentMethod;
  @Column('text', { name: 'pos_transaction_id', nullable: true }) readonly posTransactionId!: string | null;
  @Column('text', { name: 'pos_device_id', nullable: true }) readonly posDeviceId!: string | null;
  @Column('text', { name: 'receipt_photo', nullable: true }) readonly receiptPhoto!: string | null;
  @Column('text', { nullable: true }) readonly notes!: string | null;
  @Column('text', { name: 'reconciliation_status' }) readonly reconciliationStatus!: ReconciliationStatus;
  @Column('text', { name: 'reconciliation_notes', nullable: true }) readonly reconciliationNotes!: string | null;
  @Column('timestamptz', { name: 'reconciled_at', nullable: true }) readonly reconciledAt!: Date | null;
  @Column('uuid', { name: 'reconciled_by', nullable: true }) readonly reconciledBy!: string | null;
  @Column('bigint', { transformer: safeInteger }) readonly version!: number;
  @Column('bigint', { name: 'lamport_ts', transformer: safeInteger }) readonly lamport!: number;
  @Column('bigint', { name: 'created_lamport', transformer: safeInteger }) readonly createdLamport!: number;
  @Column('bigint', { name: 'client_lamport', transformer: safeInteger }) readonly clientLamport!: number;
  @Column('uuid', { name: 'device_id' }) readonly deviceId!: string;
  @Column('uuid', { name: 'edit_id' }) readonly editId!: string;
  @Column('uuid', { name: 'updated_by', nullable: true }) readonly updatedBy!: string | null;
  @Column('timestamptz', { name: 'created_at' }) readonly createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) readonly updatedAt!: Date;
}

/** The row as the domain knows it. */
export function toPayment(row: PaymentEntity): RecordedPayment {
  const { saleId, amount: money, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes } = row;
  return {
    id: row.id,
    fields: { saleId, amount: money, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes },
    reconciliation: {
      status: row.reconciliationStatus,
      notes: row.reconciliationNotes,
      at: row.reconciledAt,
      by: row.reconciledBy,
    },
    createdLamport: row.createdLamport,
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
