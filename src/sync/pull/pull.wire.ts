import { toConflictWire } from '../../conflicts/conflict.wire.js';
import { toProductWire } from '../../inventory/product.wire.js';
import { toPaymentWire } from '../../payments/payment.wire.js';
import type { PullPage } from '../domain/pull-page.js';
import type { PullResponseDto } from './pull.dto.js';

/** @returns JSON in UTF-8: most of it, the operations, is that already */
export function toPullResponse(page: PullPage): Uint8Array {
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
  const operations = page.events.flatMap(({ json }, index) => (index === 0 ? [json] : [COMMA, json]));
  return Buffer.concat([START, ...operations, Buffer.from(`],${JSON.stringify(rest).slice(1)}`)]);
}

const START = Buffer.from('{"operations":[');
const COMMA = Buffer.from(',');
