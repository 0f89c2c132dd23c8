import { toConflictWire } from '../../conflicts/conflict.wire.js';
import { toProductWire } from '../../inventory/product.wire.js';
import { toPaymentWire } from '../../payments/payment.wire.js';
import type { PullPage } from '../domain/pull-page.js';
import type { PullResponseDto } from './pull.dto.js';

/** @returns JSON text: most of it, the operations, is that already */
export function toPullResponse(page: PullPage): string {
  const rest: Omit<PullResponseDto, 'operations'> = {
    products: page.products.map(toProductWire),
    payments: page.payments.map(toPaymentWire),
    conflicts: page.conflicts.map(toConflictWire),
    next_lamport: page.nextLamport,
    server_lamport: page.serverLamport,
    chain_hash: page.chainHash,
    has_more: page.hasMore,
    epoch: page.epoch,
  };
  const operations = page.events.map(({ json }) => json).join(',');
  return `{"operations":[${operations}],${JSON.stringify(rest).slice(1)}`;
}
