import { randomUUID } from 'node:crypto';
import type { OperationDto, PaymentEditDto, ProductEditDto } from '../../src/sync/push/push.dto.js';

/** An operation as a device sends it: one unit received, unless the test says otherwise. */
export function anOperation(
  fields: Partial<OperationDto> & Pick<OperationDto, 'tenant_id' | 'device_id'>,
): OperationDto {
  return {
    operation_id: randomUUID(),
    product_id: '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01',
    device_type: 'DESKTOP',
    operation: 'INCREMENT',
    delta: 1,
    reason: 'RESTOCK',
    lamport_ts: 1,
    created_by: '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a02',
    ...fields,
  };
}

/** A new product as a device sends it, unless the test says otherwise. */
export function aProductEdit(fields: Partial<ProductEditDto> = {}): ProductEditDto {
  return { id: randomUUID(), name: 'Goat cheese', lamport_ts: 1, ...fields };
}

/** A new payment as a device sends it, unless the test says otherwise. */
export function aPaymentEdit(fields: Partial<PaymentEditDto> = {}): PaymentEditDto {
  return {
    id: randomUUID(),
    sale_id: randomUUID(),
    amount: 12.5,
    payment_method: 'CASH',
    lamport_ts: 1,
    ...fields,
  };
}
