import { Injectable, Logger } from '@nestjs/common';
import { LongReads } from '../database/long-reads.js';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import type { TenantActor } from '../tenancy/audit/domain/actor.js';
import { AuditTrail } from '../tenancy/audit/persistence/audit-trail.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import type { StockLevel } from './domain/ledger.js';
import { mendLevels } from './domain/rebuild.js';
import { LedgerAuditRepository } from './persistence/ledger-audit.repository.js';
import { StockLevelRepository } from './persistence/stock-level.repository.js';

/** So many have the tenant's clock at once: pushes wait some milliseconds for it. */
const PRODUCTS_AT_ONCE = 500;

/** What came of a rebuild. */
export interface Rebuild {
  /** How many have events or a level. */
  readonly products: number;
  /** How many levels were not what the log says. */
  readonly repaired: number;
  /** The tenant's clock at the end: up to here the levels are what the log says. */
  readonly lamport: number;
}

/** What the events of some products come to at a lamport. */
interface Reading {
  readonly productIds: readonly string[];
  readonly head: number;
  readonly totals: ReadonlyMap<string, StockLevel>;
}

type Mended = Pick<Rebuild, 'repaired' | 'lamport'>;

/**
 * Restores the projection from the log (I1), while the tenant works.
 *
 * ```
 *   some products at a time    clock says H ─► sum up events ≤ H       no lock: the log does not change behind its head (I4, I5)
 *                              clock lock ─► add events > H ─► compare ─► write what differs        a few milliseconds
 * ```
 *
 * Each level goes from what it was to what it should be in one step. Cut short, it has done a part, and is run again.
 */
@Injectable()
export class RebuildService {
  private readonly logger = new Logger(RebuildService.name);

  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly clocks: TenantClockRepository,
    private readonly audits: LedgerAuditRepository,
    private readonly levels: StockLevelRepository,
    private readonly audit: AuditTrail,
  ) {}

  /** @throws ProblemError TOO_MANY_STREAMS if as many long reads run as may. */
  rebuild(actor: TenantActor): Promise<Rebuild> {
    const { tenantId } = actor;
    return this.longReads.run(tenantId, async () => {
      // Before the first of its many steps: whatever comes of them, somebody wanted it.
      await this.database.transaction(tenantId, (tx) => this.audit.record(tx, actor, { action: 'ledger.rebuilt' }));
      return this.rebuildAll(tenantId);
    });
  }

  private async rebuildAll(tenantId: string): Promise<Rebuild> {
    let [products, repaired] = [0, 0];
    let after: string | null = null;
    for (;;) {
      const { reading, mended } = await this.rebuildSome(tenantId, after);
      products += reading.productIds.length;
      repaired += mended.repaired;
      after = reading.productIds.at(-1) ?? null;
      if (reading.productIds.length < PRODUCTS_AT_ONCE) return { products, repaired, lamport: mended.lamport };
    }
  }

  private async rebuildSome(tenantId: string, after: string | null): Promise<{ reading: Reading; mended: Mended }> {
    const reading = await this.database.transaction(tenantId, (tx) => this.read(tx, after));
    return { reading, mended: await this.database.transaction(tenantId, (tx) => this.mend(tx, reading)) };
  }

  private async read(tx: TenantTransaction, after: string | null): Promise<Reading> {
    const productIds = await this.audits.productsAfter(tx, after, PRODUCTS_AT_ONCE);
    const { lamport: head } = await this.clocks.read(tx);
    return { productIds, head, totals: await this.audits.totalsUpTo(tx, productIds, head) };
  }

  private async mend(tx: TenantTransaction, reading: Reading): Promise<Mended> {
    const { productIds, head, totals } = reading;
    const { lamport } = await this.clocks.lock(tx); // whoever moves stock has it
    const later = await this.audits.totalsAfter(tx, productIds, head);
    const stored = await this.levels.levelsOf(tx, productIds);
    const { levels, outOfRange } = mendLevels(productIds, totals, later, stored);
    await this.levels.save(tx, levels);
    for (const productId of outOfRange) {
      this.logger.error(
        { tenantId: tx.tenantId, productId },
        'The effects of a product come to more than stock can be',
      );
    }
    return { repaired: levels.size, lamport };
  }
}
