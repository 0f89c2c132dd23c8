import { hex } from '../../inventory/stock-event.wire.js';
import { toProductWire } from '../../inventory/product.wire.js';
import { toPaymentWire } from '../../payments/payment.wire.js';
import { PROTOCOL_VERSION } from '../protocol.js';
import type { SnapshotPart } from './domain/snapshot-part.js';
import type { SnapshotLine } from './snapshot.dto.js';

/** The lines of a part, each with its line break. */
export function toSnapshotText(part: SnapshotPart): string {
  return toSnapshotLines(part)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

export function toSnapshotLines(part: SnapshotPart): SnapshotLine[] {
  switch (part.kind) {
    case 'HEADER':
      return [
        {
          type: 'header',
          lamport: part.clock.lamport,
          epoch: part.clock.epoch,
          chain_hash: hex(part.clock.chainHash),
          protocol_version: PROTOCOL_VERSION,
          tenant_id: part.tenantId,
          timestamp: part.at.toISOString(),
        },
      ];
    case 'PRODUCTS':
      return part.products.map((product) => ({ type: 'product', ...toProductWire(product) }));
    case 'LEVELS':
      return part.levels.map(({ productId, quantity, tracked, lastLamport }) => ({
        type: 'stock_level',
        product_id: productId,
        quantity,
        tracked,
        last_lamport: lastLamport,
      }));
    case 'PAYMENTS':
      return part.payments.map((payment) => ({ type: 'payment', ...toPaymentWire(payment) }));
    case 'END': {
      const { products, levels, payments } = part.counts;
      return [{ type: 'end', products, stock_levels: levels, payments }];
    }
  }
}
