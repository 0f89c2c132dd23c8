import { Injectable } from '@nestjs/common';
import { And, Any, LessThanOrEqual, MoreThan } from 'typeorm';
import { arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Payment, RecordedPayment } from '../domain/payment.js';
import { PaymentEntity, toPayment } from './payment.entity.js';

const COLUMNS: readonly Column<Payment>[] = [
  ['id', 'uuid', (payment) => payment.id],
  ['sale_id', 'uuid', (payment) => payment.fields.saleId],
  ['amount', 'numeric', (payment) => payment.fields.amount],
  ['payment_method', 'text', (payment) => payment.fields.paymentMethod],
  ['pos_transaction_id', 'text', (payment) => payment.fields.posTransactionId],
  ['pos_device_id', 'text', (payment) => payment.fields.posDeviceId],
  ['receipt_photo', 'text', (payment) => payment.fields.receiptPhoto],
  ['notes', 'text', (payment) => payment.fields.notes],
  ['reconciliation_status', 'text', (payment) => payment.reconciliation.status],
  ['reconciliation_notes', 'text', (payment) => payment.reconciliation.notes],
  ['reconciled_at', 'timestamptz', (payment) => payment.reconciliation.at],
  ['reconciled_by', 'uuid', (payment) => payment.reconciliation.by],
  ['version', 'bigint', (payment) => payment.version],
  ['lamport_ts', 'bigint', (payment) => payment.lamport],
  ['created_lamport', 'bigint', (payment) => payment.createdLamport],
  ['client_lamport', 'bigint', (payment) => payment.clientLamport],
  ['device_id', 'uuid', (payment) => payment.deviceId],
  ['edit_id', 'uuid', (payment) => payment.editId],
  ['updated_by', 'uuid', (payment) => payment.updatedBy],
];

const SAVE = `
  INSERT INTO payments (tenant_id, created_at, updated_at, ${namesOf(COLUMNS)})
  SELECT $1, $2, $2, * FROM ${unnest(COLUMNS, 3)}
  ON CONFLICT (tenant_id, id) DO UPDATE
  SET updated_at = excluded.updated_at,
      ${COLUMNS.flatMap(([name]) => (name === 'id' ? [] : `${name} = excluded.${name}`)).join(', ')}`;

@Injectable()
export class PaymentRepository {
  /** Those of the payments that there are, by id. */
  async paymentsOf(tx: TenantTransaction, paymentIds: readonly string[]): Promise<Map<string, RecordedPayment>> {
    if (paymentIds.length === 0) return new Map();
    const rows = await tx.manager.findBy(PaymentEntity, { tenantId: tx.tenantId, id: Any([...paymentIds]) });
    return new Map(rows.map((row) => [row.id, toPayment(row)]));
  }

  /** Of each POS transaction named, the payment that was recorded first, rather one that has not failed, by transaction. */
  async byPosTransaction(
    tx: TenantTransaction,
    posTransactionIds: readonly string[],
  ): Promise<Map<string, RecordedPayment>> {
    if (posTransactionIds.length === 0) return new Map();
    const rows = await tx.manager.find(PaymentEntity, {
      where: { tenantId: tx.tenantId, posTransactionId: Any([...posTransactionIds]) },
      order: { createdLamport: 'DESC' },
    });
    // The last that is put into the map stays: one whose money may have come, and of these the first recorded.
    const [failed, living] = [true, false].map((isFailed) =>
      rows.map(toPayment).filter(({ reconciliation }) => (reconciliation.status === 'FAILED') === isFailed),
    );
    return new Map(
      [...(failed ?? []), ...(living ?? [])].map((payment) => [payment.fields.posTransactionId ?? '', payment]),
    );
  }

  /** Those of the payments that there are, and all that have the POS transaction. */
  async disputed(
    tx: TenantTransaction,
    paymentIds: readonly string[],
    posTransactionId: string,
  ): Promise<RecordedPayment[]> {
    const { tenantId } = tx;
    const rows = await tx.manager.findBy(PaymentEntity, [
      { tenantId, id: Any([...paymentIds]) },
      { tenantId, posTransactionId },
    ]);
    return rows.map(toPayment);
  }

  /** Writes payments, new ones and changed ones, in one statement. */
  async save(tx: TenantTransaction, payments: readonly Payment[], at: Date): Promise<void> {
    if (payments.length === 0) return;
    await prepared(tx, 'save payments', SAVE, [tx.tenantId, at, ...arraysOf(COLUMNS, payments)]);
  }

  /** At most `limit` payments whose last change has a lamport in (`after`, `upTo`], in lamport order. */
  async between(tx: TenantTransaction, after: number, upTo: number, limit: number): Promise<RecordedPayment[]> {
    const rows = await tx.manager.find(PaymentEntity, {
      where: { tenantId: tx.tenantId, lamport: And(MoreThan(after), LessThanOrEqual(upTo)) },
      order: { lamport: 'ASC' },
      take: limit,
    });
    return rows.map(toPayment);
  }
}
