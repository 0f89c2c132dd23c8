import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { ProductDto } from '../../src/inventory/product.dto.js';
import type { PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import type { OperationDto, ProductEditDto, PushResponseDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { anOperation, aProductEdit } from './builders.js';
import { pull } from './devices.js';
import { request, type RunningService } from './service.js';

type Reachable = Pick<RunningService, 'url'>;

/** What a till recorded: one of the two. */
export interface Entry {
  readonly operation?: OperationDto;
  readonly product?: ProductEditDto;
}

/**
 * A device as it should be: it keeps what it recorded until it is acknowledged, and what was acknowledged too, for the
 * day that the server is restored from a backup; it keeps a copy of the log, and notices another epoch.
 */
export class Till {
  /** The logical clock: past all that it saw. */
  lamport = 0;
  /** What the server has not acknowledged. */
  outbox: Entry[] = [];
  /** What it has, in the order it was recorded. */
  acknowledged: Entry[] = [];
  /** The log up to `cursor`. */
  log: StockEventDto[] = [];
  readonly catalogue = new Map<string, ProductDto>();
  cursor = 0;
  epoch: string | undefined;
  /** Whether an answer has named another epoch than the one before. */
  restored = false;

  constructor(
    readonly tenantId: string,
    readonly id: string,
    readonly token: string,
  ) {}

  move(productId: string, fields: Partial<OperationDto>): void {
    this.lamport += 1;
    const where = { tenant_id: this.tenantId, device_id: this.id, product_id: productId };
    this.outbox.push({
      operation: anOperation({ ...where, lamport_ts: this.lamport, base_lamport: this.cursor, ...fields }),
    });
  }

  restock(productId: string, units: number): void {
    this.move(productId, { delta: units });
  }

  sell(productId: string, units: number, paid = true): void {
    this.move(productId, {
      ...{ operation: 'DECREMENT', reason: 'SALE', delta: units },
      payment_status: paid ? 'PAID' : 'PENDING',
    });
  }

  edit(fields: Partial<ProductEditDto>): void {
    this.lamport += 1;
    this.outbox.push({ product: aProductEdit({ id: randomUUID(), lamport_ts: this.lamport, ...fields }) });
  }

  /** Pushes these entries, else all that are in the outbox; what is not rejected leaves it. */
  async push(service: Reachable, entries: readonly Entry[] = this.outbox): Promise<readonly PushResultDto[]> {
    const operations = entries.filter((entry) => entry.operation);
    const products = entries.filter((entry) => entry.product);
    const answer = await request(`${service.url}/sync/push`, {
      token: this.token,
      body: {
        operations: operations.map((entry) => entry.operation),
        products: products.map((entry) => entry.product),
        client_lamport: this.lamport,
        device_id: this.id,
        sent_at: new Date().toISOString(),
      },
    });
    expect(answer).toMatchObject({ status: 200 });
    const { results, epoch, server_lamport: serverLamport } = answer.body as PushResponseDto;
    this.notice(epoch, serverLamport);
    [...operations, ...products].forEach((entry, index) => {
      if (results[index]?.status === 'rejected') return;
      this.outbox = this.outbox.filter((other) => other !== entry);
      if (!this.acknowledged.includes(entry)) this.acknowledged.push(entry);
    });
    return results;
  }

  /** One page from where it is. */
  async pull(service: Reachable, limit = 7): Promise<PullResponseDto> {
    const answer = await pull(service, this.token, this.cursor, limit);
    expect(answer).toMatchObject({ status: 200 });
    const page = answer.body as PullResponseDto;
    this.notice(page.epoch, page.server_lamport);
    if (this.restored) return page; // of another history than its log
    this.log.push(...page.operations);
    for (const product of page.products) this.catalogue.set(product.id, product);
    this.cursor = page.next_lamport;
    return page;
  }

  async pullToHead(service: Reachable): Promise<void> {
    while ((await this.pull(service)).has_more);
  }

  /**
   * Goes back: forgets its copy of the log, reads the one there is from the start, and takes what it had been
   * acknowledged but is not in it into its outbox again. By id, and not by lamport: others that came back first have
   * given the lamports beyond the restored one anew. Of a product's edit no id is in the log, so all of them go back.
   */
  async goBack(service: Reachable): Promise<void> {
    this.restored = false;
    this.cursor = 0;
    this.log = [];
    this.catalogue.clear();
    await this.pullToHead(service);
    const inLog = new Set(this.log.map((event) => event.operation_id));
    const lost = this.acknowledged.filter(({ operation }) => !operation || !inLog.has(operation.operation_id ?? ''));
    this.acknowledged = this.acknowledged.filter((entry) => !lost.includes(entry));
    this.outbox = [...lost, ...this.outbox];
  }

  private notice(epoch: string, serverLamport: number): void {
    this.restored ||= this.epoch !== undefined && this.epoch !== epoch;
    this.epoch = epoch;
    this.lamport = Math.max(this.lamport, serverLamport);
  }
}
