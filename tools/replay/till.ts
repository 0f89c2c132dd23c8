import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import type { DeviceType } from '../../src/tenancy/domain/device-type.js';
import type { RecordedSale } from './cancelled-sales.js';
import type { Differences } from './differences.js';
import { type Movement, pick } from './mapping.js';
import { Replica } from './replica.js';
import type { PushAnswer, ServiceClient } from './service-client.js';
import type { Tally } from './tally.js';

const BATCH_ENTRIES = 100;
const PULL_LIMIT = 1_000;
/** Of a hundred batches, those that are pushed twice. */
const REPEATED_PERCENT = 3;

/** An enrolled device, and with what to speak for it. */
export interface Device {
  readonly id: string;
  readonly type: DeviceType;
  readonly token: string;
  readonly tenantId: string;
  /** Of the person who works at it. */
  readonly userId: string;
  /** For people: `shop 1, till 2`. */
  readonly name: string;
}

interface OutboxEntry {
  readonly operation: OperationDto;
  /** To be told its lamport. */
  readonly sale: RecordedSale | undefined;
}

/**
 * A till, or the back office: records while it is offline, syncs when it is told to.
 *
 * ```
 *   record ──► outbox ──► push, 100 at a time in the order recorded ──► forgotten once there is a result
 *                 ▲                       │ server_lamport
 *               clock  ◄──────────────────┴──── pull ──► replica, whose cursor is the next records' base
 * ```
 */
export class Till {
  readonly replica: Replica;
  private readonly outbox: OutboxEntry[] = [];
  /** Lamport's: one more with each record, and past all that the server told of. */
  private clock = 0;
  private batches = 0;

  constructor(
    readonly device: Device,
    private readonly client: ServiceClient,
    private readonly tally: Tally,
    private readonly differences: Differences,
  ) {
    this.replica = new Replica(device.name, differences);
  }

  get outboxSize(): number {
    return this.outbox.length;
  }

  /**
   * Puts a movement in the outbox; needs no signal.
   * @param sale to be told its lamport once the server has recorded it
   */
  record(movement: Movement, sale?: RecordedSale): void {
    this.clock += 1;
    const { id, type, tenantId, userId } = this.device;
    const operation: OperationDto = {
      ...movement,
      tenant_id: tenantId,
      device_id: id,
      device_type: type,
      lamport_ts: this.clock,
      base_lamport: this.replica.cursor,
      created_by: userId,
    };
    this.outbox.push({ operation, sale });
    this.tally.operations += 1;
  }

  /** Whether it has seen the sale: it made it, or pulled it. */
  knows(sale: RecordedSale): boolean {
    return sale.deviceId === this.device.id || (sale.lamport !== undefined && sale.lamport <= this.replica.cursor);
  }

  /** Goes online: learns what the others did, empties the outbox, and takes in its own events with what came between. */
  async sync(): Promise<void> {
    await this.pullAll();
    if (this.outbox.length === 0) return;
    while (this.outbox.length > 0) await this.pushBatch();
    await this.pullAll();
  }

  /** @param onPage called after each page */
  async pullAll(onPage?: () => void): Promise<void> {
    for (let hasMore = true; hasMore;) {
      const page = await this.client.pull(this.device.token, {
        tenant_id: this.device.tenantId,
        last_lamport: this.replica.cursor,
        limit: PULL_LIMIT,
      });
      this.replica.apply(page, PULL_LIMIT);
      if (page.has_more && page.operations.length === 0)
        throw new Error(`${this.device.name} pulls and gets no further.`);
      this.clock = Math.max(this.clock, page.server_lamport);
      onPage?.();
      hasMore = page.has_more;
    }
  }

  private async pushBatch(): Promise<void> {
    const batch = this.outbox.slice(0, BATCH_ENTRIES);
    const answer = await this.push(batch);
    this.takeResults(batch, answer);
    if (pick(`${this.device.name}, batch ${this.batches}`, 100) < REPEATED_PERCENT) {
      // As if the answer had been lost: the device can only push again, and must get told the same.
      this.tally.batchesRepeated += 1;
      this.takeRepeatedResults(batch, answer, await this.push(batch));
    }
    this.outbox.splice(0, batch.length);
    this.batches += 1;
    this.tally.batches += 1;
  }

  private async push(batch: readonly OutboxEntry[]): Promise<PushAnswer> {
    const answer = await this.client.push(this.device.token, {
      operations: batch.map(({ operation }) => operation),
      products: [],
      payments: [],
      client_lamport: this.clock,
      device_id: this.device.id,
      sent_at: new Date().toISOString(),
    });
    this.clock = Math.max(this.clock, answer.server_lamport);
    if (answer.results.length !== batch.length) {
      throw new Error(
        `${this.device.name} pushed ${batch.length} operations and got ${answer.results.length} results.`,
      );
    }
    return answer;
  }

  private takeResults(batch: readonly OutboxEntry[], answer: PushAnswer): void {
    for (const [index, { operation, sale }] of batch.entries()) {
      const result = this.resultOf(operation, answer, index);
      this.count(result);
      if (sale && result?.server_lamport != null) sale.lamport = result.server_lamport;
      // A push that the network repeated may have landed the first time.
      const isRecorded = result?.status === 'accepted' || (result?.status === 'duplicate' && answer.attempts > 1);
      if (!isRecorded) this.tell(operation, result, 'accepted');
      if (result?.warnings?.includes('DEVICE_CLOCK_REUSED')) {
        this.tell(operation, result, 'without DEVICE_CLOCK_REUSED');
      }
    }
  }

  private takeRepeatedResults(batch: readonly OutboxEntry[], first: PushAnswer, again: PushAnswer): void {
    for (const [index, { operation }] of batch.entries()) {
      const result = this.resultOf(operation, again, index);
      this.count(result);
      const lamport = first.results[index]?.server_lamport;
      if (first.results[index]?.status === 'rejected') continue; // told already
      if (result?.status !== 'duplicate' || result.original?.server_lamport !== lamport) {
        this.tell(operation, result, `duplicate of lamport ${lamport}`);
      }
    }
  }

  /** @returns undefined if the result in its place is another operation's: results come in the order pushed. */
  private resultOf(operation: OperationDto, answer: PushAnswer, index: number): PushResultDto | undefined {
    const result = answer.results[index];
    return result?.operation_id === operation.operation_id ? result : undefined;
  }

  private count(result: PushResultDto | undefined): void {
    if (result?.status === 'accepted') this.tally.accepted += 1;
    if (result?.status === 'duplicate') this.tally.duplicates += 1;
    if (result?.status === 'rejected') this.tally.rejected += 1;
    if (result?.warnings?.includes('OVERSOLD')) this.tally.oversold += 1;
  }

  private tell(operation: OperationDto, result: PushResultDto | undefined, expected: string): void {
    const answered =
      result === undefined
        ? 'nothing of this operation'
        : [result.status, result.code, result.message].filter(Boolean).join(' ');
    this.differences.add(
      `${this.device.name}: operation ${operation.operation_id} should be ${expected}; the answer was ${answered}`,
    );
  }
}
