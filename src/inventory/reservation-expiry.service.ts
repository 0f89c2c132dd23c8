import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import { recordingTime } from '../tenancy/domain/lamport-clock.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../tenancy/persistence/tenant.repository.js';
import { lapse } from './domain/lapse.js';
import { ReservationDeadlineRepository } from './persistence/reservation-deadline.repository.js';
import { StockEventRepository } from './persistence/stock-event.repository.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';

/** So many in one transaction: pushes of the tenant wait for its clock meanwhile. */
const DEADLINES_AT_ONCE = 500;

/** What one transaction did. */
interface Round {
  /** How many deadlines were due. */
  readonly looked: number;
  /** How many of them were of open reservations. */
  readonly lapsed: number;
  /** Of the last entry of the log. */
  readonly lamport: number;
}

/** What became of a look at every tenant's agenda. */
export interface Sweep {
  /** How many reservations lapsed. */
  readonly lapsed: number;
  /** Tenants whose turn failed; the next sweep looks again. */
  readonly failures: readonly { readonly tenantId: string; readonly error: unknown }[];
}

/** Gives back what reservations hold when their time has come (design, section 6). */
@Injectable()
export class ReservationExpiryService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
    private readonly levels: StockLevelRepository,
    private readonly deadlines: ReservationDeadlineRepository,
    private readonly signals: TenantSignals,
  ) {}

  /**
   * Lets the tenant's reservations lapse that are due at `now`. Doing it again, or twice at once, changes nothing. Those of
   * a suspended tenant wait until it is resumed.
   * @returns how many lapsed.
   */
  async expireDue(tenantId: string, now: Date): Promise<number> {
    let lapsed = 0;
    for (;;) {
      const done = await this.database.transaction(tenantId, (tx) => this.expireSome(tx, now));
      if (done.lapsed > 0) this.signals.announce(tenantId, done.lamport);
      lapsed += done.lapsed;
      if (done.looked < DEADLINES_AT_ONCE) return lapsed;
    }
  }

  /** Every active tenant, one after another: for what no job of its own was there for. */
  async expireAllDue(now: Date): Promise<Sweep> {
    const active = await this.database.platformTransaction((tx) => this.tenants.idsOf(tx, 'ACTIVE'));
    let lapsed = 0;
    const failures: { tenantId: string; error: unknown }[] = [];
    for (const tenantId of active) {
      try {
        // Mostly nothing is due. That is seen without the clock, for which pushes wait.
        const due = await this.database.transaction(tenantId, (tx) => this.deadlines.due(tx, now, 1));
        if (due.length > 0) lapsed += await this.expireDue(tenantId, now);
      } catch (error) {
        failures.push({ tenantId, error }); // whose clock is stuck keeps none of the others waiting for ever
      }
    }
    return { lapsed, failures };
  }

  /** The clock lock before all that is counted: what is read after it can't change until the commit. */
  private async expireSome(tx: TenantTransaction, now: Date): Promise<Round> {
    const { tenantStatus } = (await this.tenants.accessStates(tx, []))(null);
    if (tenantStatus !== 'ACTIVE') return { looked: 0, lapsed: 0, lamport: 0 };
    const clock = await this.clocks.lock(tx);
    const due = await this.deadlines.due(tx, now, DEADLINES_AT_ONCE);
    if (due.length === 0) return { looked: 0, lapsed: 0, lamport: clock.lamport };
    const named = await this.events.referenced(tx, due);
    const reservations = due.flatMap((operationId) => named.get(operationId) ?? []);
    const levels = await this.levels.levelsOf(tx, [...new Set(reservations.map(({ productId }) => productId))]);
    const at = { ...clock, recordedAt: recordingTime(clock, now.getTime()) };
    const decided = lapse(tx.tenantId, at, reservations, levels);
    if (decided.events.length > 0) {
      await this.events.append(tx, decided.events, new Date(decided.clock.recordedAt));
      await this.levels.save(tx, decided.levels);
      await this.clocks.advance(tx, decided.clock);
    }
    await this.deadlines.remove(tx, due);
    return { looked: due.length, lapsed: decided.events.length, lamport: decided.clock.lamport };
  }
}
