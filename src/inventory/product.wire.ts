import { CURSOR_TEXT, CURSOR_UUID, decodeCursor, encodeCursor } from '../wire/cursor.js';
import type { Alert, AlertPlace } from './domain/alert.js';
import { ALERT_KINDS, type AlertKind } from './domain/alert.js';
import type { StockLevel } from './domain/ledger.js';
import type { RecordedProduct } from './domain/product.js';
import type { AlertDto, ProductDto, StockedProductDto } from './product.dto.js';

export function toProductWire(product: RecordedProduct): ProductDto {
  const { name, description, price, sku, category, reorderPoint, isDeleted } = product.fields;
  return {
    id: product.id,
    name,
    description,
    price,
    sku,
    category,
    reorder_point: reorderPoint,
    is_deleted: isDeleted,
    version: product.version,
    lamport_ts: product.lamport,
    device_id: product.deviceId,
    updated_by: product.updatedBy,
    created_at: product.createdAt.toISOString(),
    updated_at: product.updatedAt.toISOString(),
  };
}

export function toStockedProductWire(product: RecordedProduct, { quantity, tracked }: StockLevel): StockedProductDto {
  return { ...toProductWire(product), quantity, tracked };
}

export function toAlertWire(alert: Alert): AlertDto {
  return {
    kind: alert.kind,
    product_id: alert.productId,
    name: alert.name,
    quantity: alert.quantity,
    reorder_point: alert.reorderPoint,
    last_lamport: alert.lastLamport,
  };
}

/** @throws ProblemError VALIDATION */
export function fromProductCursor(cursor: string): { readonly name: string; readonly id: string } {
  const [name, id] = decodeCursor(cursor, [CURSOR_TEXT, CURSOR_UUID]);
  return { name, id };
}

export function toProductCursor(place: { readonly name: string; readonly id: string }): string {
  return encodeCursor([place.name, place.id]);
}

/** @throws ProblemError VALIDATION */
export function fromAlertCursor(cursor: string): AlertPlace {
  const [kind, productId] = decodeCursor(cursor, [new RegExp(`^(${ALERT_KINDS.join('|')})$`), CURSOR_UUID]);
  return { kind: kind as AlertKind, productId };
}

export function toAlertCursor({ kind, productId }: AlertPlace): string {
  return encodeCursor([kind, productId]);
}
