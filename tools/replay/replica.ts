import { GENESIS_HASH } from '../../src/tenancy/domain/lamport-clock.js';
import { chainHash } from '../../src/inventory/domain/hash-chain.js';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import type { Differences } from './differences.js';

/** What the events of a product add up to. */
export interface ProductSum {
  /** Sum of the effects. */
  units: number;
  events: number;
  /** Sum of the amounts. */
  pence: number;
}

/** A device's copy of the log, reduced to what each product adds up to. Checks every page that it applies. */
export class Replica {
  readonly products = new Map<string, ProductSum>();
  private chain: Uint8Array = GENESIS_HASH;
  private lamport = 0;
  private events = 0;
  private epoch: string | undefined;

  /** @param name for the differences it finds */
  constructor(
    private readonly name: string,
    private readonly differences: Differences,
  ) {}

  /** Last lamport applied: where the next pull goes on. */
  get cursor(): number {
    return this.lamport;
  }

  get eventCount(): number {
    return this.events;
  }

  /** @param limit that the page was asked for with */
  apply(page: PullResponseDto, limit: number): void {
    const from = this.lamport;
    for (const event of page.operations) {
      this.check(event.lamport_ts > this.lamport, `lamport ${event.lamport_ts} came after ${this.lamport}`);
      this.lamport = event.lamport_ts;
      this.events += 1;
      this.add(event);
    }
    this.checkCursor(page, from, limit);
    this.check(hex(this.chain) === page.chain_hash, `the chain hash at ${page.next_lamport} is not that of its events`);
    this.check(this.epoch === undefined || this.epoch === page.epoch, 'the epoch changed');
    this.epoch = page.epoch;
    this.lamport = page.next_lamport;
  }

  private add(event: StockEventDto): void {
    const sum = this.products.get(event.product_id) ?? { units: 0, events: 0, pence: 0 };
    this.products.set(event.product_id, sum);
    sum.units += event.effect;
    sum.events += 1;
    sum.pence += Math.round((event.amount ?? 0) * 100);
    this.check(Number.isSafeInteger(event.effect), `the effect at ${event.lamport_ts} is no integer`);
    this.check(
      event.stock_after === sum.units,
      `stock_after at ${event.lamport_ts} is ${event.stock_after}, the sum of effects ${sum.units}`,
    );
    this.chain = chainHash(this.chain, Buffer.from(event.content_hash, 'hex'));
    this.check(hex(this.chain) === event.chain_hash, `the chain breaks at ${event.lamport_ts}`);
    this.chain = Buffer.from(event.chain_hash, 'hex'); // one break is one difference
  }

  /** `has_more` and `next_lamport` are exact: no entry is passed over, none is announced that isn't there. */
  private checkCursor(page: PullResponseDto, from: number, limit: number): void {
    const { operations, next_lamport: next, server_lamport: head, has_more: hasMore } = page;
    this.check(operations.length <= limit, `${operations.length} entries came where ${limit} were asked for`);
    this.check(this.lamport <= next, `next_lamport ${next} is behind the last entry, ${this.lamport}`);
    this.check(next >= from, `next_lamport went back from ${from} to ${next}`);
    if (hasMore) {
      this.check(operations.length === limit, `only ${operations.length} of ${limit} entries came, and has_more`);
      this.check(this.lamport === next, `next_lamport ${next} passes over entries after ${this.lamport}`);
    } else {
      this.check(next === head, `next_lamport ${next} is not the head, ${head}, and no has_more`);
    }
  }

  private check(holds: boolean, otherwise: string): void {
    if (!holds) this.differences.add(`${this.name}: ${otherwise}`);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
