import type { ProductEventsDto, StockEventDto } from './inventory.dto.js';
import type { StockEventEntity } from './persistence/stock-event.entity.js';
import type { EventPage } from './stock.service.js';

export function toStockEventWire(event: StockEventEntity): StockEventDto {
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
    content_hash: event.contentHash.toString('hex'),
    chain_hash: event.chainHash.toString('hex'),
  };
}

export function toProductEventsWire(page: EventPage): ProductEventsDto {
  return { events: page.events.map(toStockEventWire), next_cursor: page.nextCursor };
}
