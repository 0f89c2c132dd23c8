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
  ) {}

  /**
   * The entries after `lastLamport`, at most `limit`. Takes no lock: a push that is under way delays no pull.
   *
   * The clock is read before the entries. It is written in the transaction that writes the entries it counts, so
   * everything up to it is visible to the reads that follow, and what comes after it waits for the next pull (I4). A
   * state that changes between two of these reads moves beyond the clock, and comes with the next pull, too.
   */
  async pull(principal: TenantPrincipal, lastLamport: number, limit: number): Promise<PullPage> {
    return this.database.transaction(principal.tenantId, async (tx) => {
      const clock = await this.clocks.read(tx);
      // A cursor beyond the head was given before a restore: it is set back, or what is written there would be missed.
      const after = Math.min(lastLamport, clock.lamport);
      const found = await this.find(tx, after, clock.lamport, limit + 1);
      const { cutAt, ...page } = cutPage(found, limit);
      const nextLamport = cutAt ?? clock.lamport;
      const chainHash = cutAt === null ? hex(clock.chainHash) : await this.chainHashAt(tx, page, cutAt);
      if (principal.role === 'device') {
        await this.devices.notePull(tx, principal.deviceId, { at: new Date(), lamport: nextLamport });
      }
      const { lamport: serverLamport, epoch } = clock;
      return { ...page, nextLamport, serverLamport, chainHash, hasMore: cutAt !== null, epoch };
    });
  }

  /** Of each kind the first `limit` in (`after`, `upTo`]. */
  private async find(tx: TenantTransaction, after: number, upTo: number, limit: number): Promise<Entries> {
    if (after === upTo) return { events: [], products: [], payments: [], conflicts: [] };
    const [events, products, payments, conflicts] = await Promise.all([
      this.events.encodedBetween(tx, after, upTo, limit),
      this.products.between(tx, after, upTo, limit),
      this.payments.between(tx, after, upTo, limit),
      this.conflicts.between(tx, after, upTo, limit),
    ]);
    return { events, products, payments, conflicts };
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
