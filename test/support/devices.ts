import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { chainHash, contentHash } from '../../src/inventory/domain/hash-chain.js';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import type { PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import { GENESIS_HASH } from '../../src/tenancy/domain/lamport-clock.js';
import { anOperation } from './builders.js';
import { type Answer, request, type RunningService, type TestTenant } from './service.js';

type Reachable = Pick<RunningService, 'url'>;

/** An enrolled device that knows its tenant: what it makes and pushes needs no ids named. */
export class TestDevice {
  private lamport = 0;

  private constructor(
    readonly tenantId: string,
    readonly id: string,
    readonly token: string,
  ) {}

  static async enrol(tenant: TestTenant, name?: string): Promise<TestDevice> {
    const { id, token } = await tenant.enrol(name);
    return new TestDevice(tenant.id, id, token);
  }

  /** An operation of this device, with a lamport that grows. */
  operation(fields: Partial<OperationDto> = {}): OperationDto {
    this.lamport += 1;
    return anOperation({ tenant_id: this.tenantId, device_id: this.id, lamport_ts: this.lamport, ...fields });
  }

  /** A restock of `units`, so that the product has a baseline. */
  restock(productId: string, units: number): OperationDto {
    return this.operation({ product_id: productId, delta: units });
  }

  /** A sale of `units`: unpaid unless it says otherwise, so that stock can refuse it. */
  sale(productId: string, units: number, fields: Partial<OperationDto> = {}): OperationDto {
    return this.operation({ product_id: productId, operation: 'DECREMENT', reason: 'SALE', delta: units, ...fields });
  }

  push(service: Reachable, operations: readonly unknown[], envelope: Record<string, unknown> = {}): Promise<Answer> {
    const body = { operations, client_lamport: 0, device_id: this.id, ...envelope };
    return request(`${service.url}/sync/push`, { token: this.token, body });
  }

  pull(service: Reachable, lastLamport: number, limit?: number): Promise<Answer> {
    return pull(service, this.token, lastLamport, limit);
  }

  /** Units in stock as the service says. */
  async stockOf(service: Reachable, productId: string): Promise<number> {
    const answer = await request(`${service.url}/inventory/products/${productId}/stock`, { token: this.token });
    expect(answer.status).toBe(200);
    return answer.body.quantity as number;
  }
}

export function pull(service: Reachable, token: string, lastLamport: number, limit?: number): Promise<Answer> {
  return request(`${service.url}/sync/pull`, { token, body: { last_lamport: lastLamport, limit } });
}

/** The whole log, page by page, as a new device receives it. */
export async function pullAll(service: Reachable, token: string, limit = 1_000): Promise<StockEventDto[]> {
  const events: StockEventDto[] = [];
  for (let cursor = 0; ;) {
    const answer = await pull(service, token, cursor, limit);
    expect(answer.status).toBe(200);
    const page = answer.body as PullResponseDto;
    events.push(...page.operations);
    cursor = page.next_lamport;
    if (!page.has_more) return events;
  }
}

/** Stock by product: the running sum of effects, as a replica keeps it. Checks each `stock_after` on the way (I1). */
export function replay(events: readonly StockEventDto[]): Map<string, number> {
  const stock = new Map<string, number>();
  for (const { product_id: productId, effect, stock_after: stockAfter } of events) {
    const sum = (stock.get(productId) ?? 0) + effect;
    expect(sum).toBe(stockAfter);
    stock.set(productId, sum);
  }
  return stock;
}

/** That the hashes of a whole log are those of its contents, each chained to the one before. */
export function expectChain(tenantId: string, events: readonly StockEventDto[]): void {
  let chain = GENESIS_HASH;
  for (const event of events) {
    const content = contentHash(tenantId, {
      operationId: event.operation_id,
      productId: event.product_id,
      deviceId: event.device_id,
      deviceType: event.device_type as OperationDto['device_type'],
      kind: event.operation as OperationDto['operation'],
      delta: event.delta,
      reason: event.reason as OperationDto['reason'],
      paymentStatus: event.payment_status as NonNullable<OperationDto['payment_status']> | null,
      amount: event.amount,
      locationLat: event.location_lat,
      locationLng: event.location_lng,
      clientLamport: event.client_lamport,
      baseLamport: event.base_lamport,
      version: event.version,
      groupId: event.group_id,
      refOperationId: event.ref_operation_id,
      expiresAt: event.expires_at,
      createdAt: event.created_at,
      createdBy: event.created_by,
      updatedBy: event.updated_by,
    });
    chain = chainHash(chain, content);
    expect(event).toMatchObject({
      content_hash: Buffer.from(content).toString('hex'),
      chain_hash: Buffer.from(chain).toString('hex'),
    });
  }
}

/** New ids of products that no other test has moved. */
export function newProducts(count: number): string[] {
  return Array.from({ length: count }, () => randomUUID());
}
