import { toConflictWire } from '../../conflicts/conflict.wire.js';
import { toProductWire } from '../../inventory/product.wire.js';
import { hex, toStockEventWire } from '../../inventory/stock-event.wire.js';
import { toPaymentWire } from '../../payments/payment.wire.js';
import type { PullResponseDto } from './pull.dto.js';
import type { PullPage } from '../domain/pull-page.js';

export function toPullResponse(page: PullPage): PullResponseDto {
  return {
    operations: page.events.map(toStockEventWire),
    products: page.products.map(toProductWire),
    payments: page.payments.map(toPaymentWire),
    conflicts: page.conflicts.map(toConflictWire),
    next_lamport: page.nextLamport,
    server_lamport: page.serverLamport,
    chain_hash: hex(page.chainHash),
    has_more: page.hasMore,
    epoch: page.epoch,
  };
}
