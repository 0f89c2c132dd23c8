import { randomUUID } from 'node:crypto';
import type { OperationDto, ProductEditDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import type { PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import type { DayClock } from './day-clock.js';
import type { ServiceClient } from '../replay/service-client.js';

const MINUTE_MS = 60_000;
/** More than the demo ever makes: a pull has it all. */
const PULL_LIMIT = 1_000;

/** What somebody does at a till. */
export type Deed = Pick<OperationDto, 'operation' | 'delta' | 'reason' | 'payment_status'>;

/** A till that is offline until it pushes or pulls. */
export class DemoTill {
  /** Units of the product, by what the till has pulled: the sum of effects. */
  stock = 0;
  /** Its Lamport clock. */
  private lamport = 0;
  /** The last lamport that it has applied. */
  private cursor = 0;
  private outbox: OperationDto[] = [];

  /**
   * @param name of who works at it
   * @param minutesFast by how much its wall clock is ahead
   */
  constructor(
    readonly name: string,
    readonly id: string,
    readonly minutesFast: number,
    private readonly token: string,
    private readonly shop: { readonly tenantId: string; readonly productId: string; readonly day: DayClock },
    private readonly client: ServiceClient,
  ) {}

  /** Records what was done at a time of the day. @returns the operation's id. */
  record(time: string, deed: Deed): string {
    this.lamport += 1;
    const id = randomUUID();
    this.outbox.push({
      ...deed,
      operation_id: id,
      tenant_id: this.shop.tenantId,
      product_id: this.shop.productId,
      device_id: this.id,
      device_type: 'MOBILE',
      lamport_ts: this.lamport,
      base_lamport: this.cursor,
      created_at: this.byItsClock(this.shop.day.instantOf(time)),
      created_by: this.id,
    });
    return id;
  }

  /** Sends all that it has recorded, or a product. @returns the results, in that order. */
  async push(product?: Omit<ProductEditDto, 'lamport_ts'>): Promise<readonly PushResultDto[]> {
    if (product) this.lamport += 1;
    const { results, server_lamport: head } = await this.client.push(this.token, {
      operations: this.outbox,
      products: product ? [{ ...product, lamport_ts: this.lamport }] : [],
      payments: [],
      client_lamport: this.lamport,
      device_id: this.id,
      sent_at: this.byItsClock(new Date()),
    });
    this.outbox = [];
    this.lamport = Math.max(this.lamport, head);
    return results;
  }

  /** Learns what happened since the last time. */
  async pull(): Promise<PullResponseDto> {
    const page = await this.client.pull(this.token, { last_lamport: this.cursor, limit: PULL_LIMIT });
    this.stock += page.operations.reduce((units, { effect }) => units + effect, 0);
    this.cursor = page.next_lamport;
    this.lamport = Math.max(this.lamport, page.server_lamport);
    return page;
  }

  private byItsClock(instant: Date): string {
    return new Date(instant.valueOf() + this.minutesFast * MINUTE_MS).toISOString();
  }
}
