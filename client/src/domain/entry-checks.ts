import { type FieldError, INT4_MAX, type Operation, type PaymentEdit, type ProductEdit } from '../wire.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const KINDS: ReadonlySet<unknown> = new Set(['INCREMENT', 'DECREMENT', 'SET']);
const REASONS: ReadonlySet<unknown> = new Set([
  ...['SALE', 'RESERVATION', 'RESTOCK', 'CANCEL', 'DAMAGE', 'COUNT', 'ADJUSTMENT'],
]);
const PAYMENT_STATUSES: ReadonlySet<unknown> = new Set(['PAID', 'PENDING', 'CANCELLED']);
const PAYMENT_METHODS: ReadonlySet<unknown> = new Set(['CASH', 'POS_OFFLINE', 'TRANSFER']);

/**
 * What is wrong with an operation, as far as a device can tell: what the server would refuse anyway is refused while
 * somebody still stands at the till who can mend it.
 */
export function faultsOfOperation(operation: Operation): readonly FieldError[] {
  const least = operation.operation === 'SET' ? 0 : 1;
  return [
    ...faultOf('productId', 'IS_UUID', isUuid(operation.product_id), 'must be a UUID'),
    ...faultOf('operation', 'IS_ENUM', KINDS.has(operation.operation), 'must be INCREMENT, DECREMENT or SET'),
    ...faultOf('reason', 'IS_ENUM', REASONS.has(operation.reason), `must be one of ${[...REASONS].join(', ')}`),
    ...faultOf(
      'delta',
      'IS_INT',
      isWhole(operation.delta, least),
      `must be a whole number from ${least} to ${INT4_MAX}`,
    ),
    ...faultOf(
      ...(['paymentStatus', 'IS_ENUM'] as const),
      operation.payment_status == null || PAYMENT_STATUSES.has(operation.payment_status),
      'must be PAID, PENDING or CANCELLED',
    ),
    ...faultOf('amount', 'IS_AMOUNT', isAmount(operation.amount), 'must be an amount with at most 2 decimals'),
    ...faultOf('refOperationId', 'IS_UUID', isUuidOrNone(operation.ref_operation_id), 'must be a UUID'),
    ...faultOf('expiresAt', 'IS_TIME', isTime(operation.expires_at), 'must be a time in ISO 8601'),
  ];
}

export function faultsOfProduct(edit: ProductEdit): readonly FieldError[] {
  const { id, price, reorder_point, current_stock } = edit;
  return [
    ...faultOf('id', 'IS_UUID', isUuid(id), 'must be a UUID'),
    ...faultOf('price', 'IS_AMOUNT', isAmount(price) && (price ?? 0) >= 0, 'must be an amount, not below 0'),
    ...faultOf('reorderPoint', 'IS_INT', reorder_point == null || isWhole(reorder_point, 0), 'must be a whole number'),
    ...faultOf('currentStock', 'IS_INT', current_stock == null || isWhole(current_stock, 0), 'must be a whole number'),
  ];
}

export function faultsOfPayment(edit: PaymentEdit): readonly FieldError[] {
  const { id, sale_id, amount, payment_method: method } = edit;
  return [
    ...faultOf('id', 'IS_UUID', isUuid(id), 'must be a UUID'),
    ...faultOf('saleId', 'IS_UUID', isUuidOrNone(sale_id), 'must be a UUID'),
    ...faultOf('amount', 'IS_AMOUNT', isAmount(amount), 'must be an amount with at most 2 decimals'),
    ...faultOf(
      ...(['paymentMethod', 'IS_ENUM'] as const),
      method == null || PAYMENT_METHODS.has(method),
      'must be CASH, POS_OFFLINE or TRANSFER',
    ),
  ];
}

function faultOf(path: string, code: string, holds: boolean, message: string): readonly FieldError[] {
  return holds ? [] : [{ path, code, message }];
}

function isUuid(value: unknown): boolean {
  return typeof value === 'string' && UUID.test(value);
}

function isUuidOrNone(value: unknown): boolean {
  return value === undefined || value === null || isUuid(value);
}

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= INT4_MAX;
}

function isAmount(value: number | null | undefined): boolean {
  if (value === undefined || value === null) return true;
  return Number.isFinite(value) && Math.abs(value) < 1e12 && Number(value.toFixed(2)) === value;
}

function isTime(value: string | null | undefined): boolean {
  return value === undefined || value === null || !Number.isNaN(Date.parse(value));
}
