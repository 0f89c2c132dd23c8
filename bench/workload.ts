import { randomUUID } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { OperationDto, ProductEditDto } from '../src/sync/push/push.dto.js';

/** A device that sells, as the service knows it, and its own logical clock. */
export interface Till {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly userId: string;
  /** Lamport of the last operation it recorded. */
  clock: number;
  /** Last lamport of the tenant's log it has applied. */
  base: number;
}

/** The same with every tenant, as a wholesaler's are with every shop it supplies: ids tell tenants apart nowhere. */
export const PRODUCT_IDS: readonly string[] = Array.from({ length: 200 }, () => randomUUID());
/** There before the first sale: more than all sales of the longest run could take, whatever the order they arrive in. */
const OPENING_UNITS = 100_000_000;
/** Of the visits to a till, those that bring goods instead of buying them. */
const RESTOCK_SHARE = 0.2;
const SALE_LINES_MAX = 4;
const SALE_UNITS_MAX = 3;
const RESTOCK_UNITS_MAX = 24;
const LINE_INTERVAL_MS = 20_000;

/**
 * What tills of a farm shop record: paid sales of one to four lines, now and then a restock, over 200 products of which
 * some sell much better than others. The same sequence in every run, but for ids and times.
 */
export class Workload {
  private readonly random = randomNumbers(20_261_122);
  private readonly prices = PRODUCT_IDS.map(() => (50_000 + Math.floor(this.random() * 6_000_000)) / 100);

  /** The goods, as the shop writes them into its catalogue. */
  catalogue(till: Till): ProductEditDto[] {
    return PRODUCT_IDS.map((id, index) => {
      till.clock += 1;
      const price = this.prices[index] ?? null;
      return { id, name: `Goat cheese, cured ${index}`, price, category: 'Cheese', lamport_ts: till.clock };
    });
  }

  /** Enough of each that every operation is accepted. */
  openingStock(till: Till): OperationDto[] {
    const at = new Date().toISOString();
    return PRODUCT_IDS.map((productId) => restock(till, productId, OPENING_UNITS, at));
  }

  /** The next `count` operations of `till`. Lines of one sale share their group and their time. */
  operations(till: Till, count: number): OperationDto[] {
    const operations: OperationDto[] = [];
    const startMs = Date.now() - count * LINE_INTERVAL_MS;
    while (operations.length < count) {
      const at = new Date(startMs + operations.length * LINE_INTERVAL_MS).toISOString();
      if (this.random() < RESTOCK_SHARE) {
        const product = this.chooseProduct();
        operations.push(restock(till, PRODUCT_IDS[product] ?? '', this.upTo(RESTOCK_UNITS_MAX), at));
      } else {
        const groupId = randomUUID();
        // A sale never spans two pushes.
        const lineCount = Math.min(this.upTo(SALE_LINES_MAX), count - operations.length);
        for (let line = 0; line < lineCount; line += 1) operations.push(this.saleLine(till, groupId, at));
      }
    }
    return operations;
  }

  private saleLine(till: Till, groupId: string, at: string): OperationDto {
    const product = this.chooseProduct();
    const delta = this.upTo(SALE_UNITS_MAX);
    return {
      ...recorded(till, PRODUCT_IDS[product] ?? '', at),
      operation: 'DECREMENT',
      delta,
      reason: 'SALE',
      payment_status: 'PAID',
      amount: Math.round((this.prices[product] ?? 0) * delta * 100) / 100,
      location_lat: 4.6,
      location_lng: -74.08,
      group_id: groupId,
    };
  }

  /** Squared, so that a quarter of the products make half of the lines. */
  private chooseProduct(): number {
    return Math.floor(this.random() ** 2 * PRODUCT_IDS.length);
  }

  private upTo(max: number): number {
    return 1 + Math.floor(this.random() * max);
  }
}

function restock(till: Till, productId: string, delta: number, at: string): OperationDto {
  return { ...recorded(till, productId, at), operation: 'INCREMENT', delta, reason: 'RESTOCK' };
}

/** What every operation says of its till; the till's clock moves on. */
function recorded(
  till: Till,
  productId: string,
  at: string,
): Omit<OperationDto, 'operation' | 'delta' | 'reason'> & { operation_id: string } {
  till.clock += 1;
  return {
    operation_id: uuidV7({ msecs: Date.parse(at) }), // as the client SDK makes them: in the order of time
    tenant_id: till.tenantId,
    product_id: productId,
    device_id: till.deviceId,
    device_type: 'DESKTOP',
    lamport_ts: till.clock,
    base_lamport: till.base,
    version: 1,
    created_at: at,
    created_by: till.userId,
  };
}

/** Numbers in [0, 1) from a seed: mulberry32, by Tommy Ettinger (public domain). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
