import type { PaymentFilter, PaymentPage, RecordedPayment } from './domain/payment.js';
import type { PaymentDto, PaymentListDto, PaymentQueryDto } from './payment.dto.js';

export function toPaymentWire(payment: RecordedPayment): PaymentDto {
  const { saleId, amount, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes } = payment.fields;
  const { reconciliation } = payment;
  return {
    id: payment.id,
    sale_id: saleId,
    amount,
    payment_method: paymentMethod,
    pos_transaction_id: posTransactionId,
    pos_device_id: posDeviceId,
    receipt_photo: receiptPhoto,
    notes,
    reconciliation_status: reconciliation.status,
    reconciled: reconciliation.status === 'CONFIRMED',
    reconciliation_notes: reconciliation.notes,
    reconciled_at: reconciliation.at?.toISOString() ?? null,
    reconciled_by: reconciliation.by,
    version: payment.version,
    lamport_ts: payment.lamport,
    device_id: payment.deviceId,
    updated_by: payment.updatedBy,
    created_at: payment.createdAt.toISOString(),
    updated_at: payment.updatedAt.toISOString(),
  };
}

export function toPaymentListWire({ payments, nextCursor }: PaymentPage): PaymentListDto {
  return { payments: payments.map(toPaymentWire), next_cursor: nextCursor };
}

/** What the query asks for, and nothing of what it leaves open. */
export function toPaymentFilter(query: PaymentQueryDto): PaymentFilter {
  const { reconciliation_status, sale_id, payment_method, pos_transaction_id } = query;
  return {
    ...(reconciliation_status != null && { reconciliationStatus: reconciliation_status }),
    ...(sale_id != null && { saleId: sale_id.toLowerCase() }),
    ...(payment_method != null && { paymentMethod: payment_method }),
    ...(pos_transaction_id != null && { posTransactionId: pos_transaction_id }),
  };
}
