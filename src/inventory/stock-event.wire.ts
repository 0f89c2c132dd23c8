import type { EventPage, RecordedEvent } from './domain/stock-event.js';
import type { ProductEventsDto, StockEventDto } from './inventory.dto.js';

export function toStockEventWire(event: RecordedEvent): StockEventDto {
  return {
    operation_id: event.operationId,
    product_id: event.productId,
    device_id: event.deviceId,
    device_type: event.deviceType,
    operation: event.kind,
    delta: event.delta,
    reason: event.reason,
    payment_status: event.paymentStatus,
    amount: event.amount,
    location_lat: event.locationLat,
    location_lng: event.locationLng,
    lamport_ts: event.lamport,
    client_lamport: event.clientLamport,
    base_lamport: event.baseLamport,
    version: event.version,
    group_id: event.groupId,
    ref_operation_id: event.refOperationId,
    expires_at: event.expiresAt?.toISOString() ?? null,
    created_at: event.createdAt?.toISOString() ?? null,
    created_by: event.createdBy,
    updated_by: event.updatedBy,
    effect: event.effect,
    stock_after: event.stockAfter,
    disposition: event.disposition,
    synced_at: event.syncedAt.toISOString(),
    content_hash: hex(event.contentHash),
    chain_hash: hex(event.chainHash),
  };
}

export function toProductEventsWire(page: EventPage): ProductEventsDto {
  return { events: page.events.map(toStockEventWire), next_cursor: page.nextCursor };
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
