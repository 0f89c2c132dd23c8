import { randomUUID } from 'node:crypto';
import type { OperationDto } from '../src/sync/push/push.dto.js';

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

const PRODUCTS = 200;
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
  private readonly productIds = Array.from({ length: PRODUCTS }, () => randomUUID());
  private readonly prices = this.productIds.map(() => 500 + Math.floor(this.random() * 6_000_000) / 100);

  /** @param operationsMax how many it will be asked for in all: the opening stock is such that nothing runs out. */
  constructor(private readonly operationsMax: number) {}

  /**
   * The goods that are there before the first sale. With more of each than all sales could take, every operation is
   * accepted in whatever order the tills push.
   */
  openingStock(till: Till): OperationDto[] {
    const delta = (this.operationsMax + 1) * SALE_UNITS_MAX;
    const at = new Date().toISOString();
    return this.productIds.map((productId) => restock(till, productId, delta, at));
  }

  /** The next `count` operations of `till`. Lines of one sale share their group and their time. */
  operations(till: Till, count: number): OperationDto[] {
    const operations: OperationDto[] = [];
    const startMs = Date.now() - count * LINE_INTERVAL_MS;
    while (operations.length < count) {
      const at = new Date(startMs + operations.length * LINE_INTERVAL_MS).toISOString();
      if (this.random() < RESTOCK_SHARE) {
        const product = this.chooseProduct();
        operations.push(restock(till, this.productIds[product] ?? '', this.upTo(RESTOCK_UNITS_MAX), at));
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
      ...recorded(till, this.productIds[product] ?? '', at),
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
    return Math.floor(this.random() ** 2 * PRODUCTS);
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
    operation_id: randomUUID(),
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
