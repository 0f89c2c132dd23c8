import { Injectable } from '@nestjs/common';
import { LongReads } from '../database/long-reads.js';
import { TenantDatabase } from '../database/tenant-database.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import { type Difference, Verification } from './domain/verification.js';
import { LedgerAuditRepository } from './persistence/ledger-audit.repository.js';

/** Ten milliseconds of hashing: requests of others are answered between two batches. */
const ROWS_AT_ONCE = 500;

/** How a verification went. */
export interface VerificationTotals {
  readonly events: number;
  readonly differences: number;
}

/** Is told what was found, mostly nothing, whenever some rows were checked: slows the reading down, or ends it by throwing. */
export type DifferenceListener = (differences: readonly Difference[]) => Promise<void>;

/** Recomputes a tenant's whole ledger as it was at one instant; changes nothing, and no push waits for it. */
@Injectable()
export class VerificationService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly clocks: TenantClockRepository,
    private readonly audits: LedgerAuditRepository,
  ) {}

  /** @throws ProblemError TOO_MANY_STREAMS if as many long reads run as may. */
  verify(tenantId: string, tell: DifferenceListener): Promise<VerificationTotals> {
    return this.longReads.run(tenantId, () => this.compare(tenantId, tell));
  }

  private async compare(tenantId: string, tell: DifferenceListener): Promise<VerificationTotals> {
    let differences = 0;
    const report = async (found: readonly Difference[]): Promise<void> => {
      differences += found.length;
      await tell(found);
    };
    return this.database.snapshot(tenantId, async (tx) => {
      const verification = new Verification(tenantId);
      for await (const events of this.audits.log(tx, ROWS_AT_ONCE)) {
        await report(events.flatMap((event) => verification.check(event)));
      }
      for await (const levels of this.audits.levels(tx, ROWS_AT_ONCE)) {
        await report(levels.flatMap(([productId, level]) => verification.checkLevel(productId, level)));
      }
      for (const missing of verification.missingLevels()) await report([missing]);
      await report(verification.checkClock(await this.clocks.read(tx)));
      return { events: verification.events, differences };
    });
  }
}
