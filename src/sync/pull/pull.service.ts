import { Injectable } from '@nestjs/common';
import { ConflictRepository } from '../../conflicts/persistence/conflict.repository.js';
import { TenantDatabase, type TenantTransaction } from '../../database/tenant-database.js';
import { ProductRepository } from '../../inventory/persistence/product.repository.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { PaymentRepository } from '../../payments/persistence/payment.repository.js';
import { GENESIS_HASH } from '../../tenancy/domain/lamport-clock.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import { hex } from '../../inventory/stock-event.wire.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import { type NextStates, NextStatesRepository } from './persistence/next-states.repository.js';
import { cutPage, type Entries, type PullPage } from '../domain/pull-page.js';

@Injectable()
export class PullService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
    private readonly products: ProductRepository,
    private readonly payments: PaymentRepository,
    private readonly conflicts: ConflictRepository,
    private readonly devices: DeviceRepository,
    private readonly nextStates: NextStatesRepository,
  ) {}

  /**
   * The entries after `lastLamport`, at most `limit`. Takes no lock: a push that is under way delays no pull.
   *
   * The clock is read before the entries. It is written in the transaction that writes the entries it counts, so
   * everything up to it is visible to the reads that follow, and what comes after it waits for the next pull (I4). A
   * state that changes between two of these reads moves beyond the clock, and comes with the next pull, too.
   *
   * How far the device has pulled is what detection goes by where an operation doesn't say what it knew (design, section 7).
   * If a crash of the server takes the last second of it back, a little more is taken for concurrent.
   */
  async pull(principal: TenantPrincipal, lastLamport: number, limit: number): Promise<PullPage> {
    const work = async (tx: TenantTransaction): Promise<PullPage> => {
      // In one flight, the clock first: the server takes them in this order, and each sees what is committed when it starts.
      const [clock, events, next] = await Promise.all([
        this.clocks.read(tx),
        this.events.encodedAfter(tx, lastLamport, limit + 1),
        this.nextStates.after(tx, lastLamport),
      ]);
      // Of the entries of other kinds those that can be on the page: not beyond the events that fill it.
      const reach = Math.min(clock.lamport, events[limit]?.lamport ?? Infinity);
      const states = await this.findStates(tx, next, lastLamport, reach, limit + 1);
      const { cutAt, ...page } = cutPage({ ...states, events: events.filter(upTo(clock.lamport)) }, limit);
      // With a cursor beyond the head, which was given before a restore, nothing is found, and it is set back.
      const nextLamport = cutAt ?? clock.lamport;
      const chainHash = cutAt === null ? hex(clock.chainHash) : await this.chainHashAt(tx, page, cutAt);
      if (principal.role === 'device') {
        await this.devices.notePull(tx, principal.deviceId, { at: new Date(), lamport: nextLamport });
      }
      const { lamport: serverLamport, epoch } = clock;
      return { ...page, nextLamport, serverLamport, chainHash, hasMore: cutAt !== null, epoch };
    };
    return this.database.transaction(principal.tenantId, work, { keepPlans: true, mayBeLost: true });
  }

  /** Of each kind the first `limit` in (`after`, `upTo`]. */
  private async findStates(
    tx: TenantTransaction,
    next: NextStates,
    after: number,
    upTo: number,
    limit: number,
  ): Promise<Omit<Entries, 'events'>> {
    const [products, payments, conflicts] = await Promise.all([
      next.product <= upTo ? this.products.between(tx, after, upTo, limit) : [],
      next.payment <= upTo ? this.payments.between(tx, after, upTo, limit) : [],
      next.conflict <= upTo ? this.conflicts.between(tx, after, upTo, limit) : [],
    ]);
    return { products, payments, conflicts };
  }

  /** The chain is that of the events: at an entry of another kind it is the last event's before it. */
  private async chainHashAt(
    tx: TenantTransaction,
    { events }: Pick<Entries, 'events'>,
    lamport: number,
  ): Promise<string> {
    return events.at(-1)?.chainHash ?? (await this.events.chainHashAt(tx, lamport)) ?? hex(GENESIS_HASH);
  }
}

const upTo =
  (head: number) =>
  ({ lamport }: { readonly lamport: number }): boolean =>
    lamport <= head;
