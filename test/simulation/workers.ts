import type { DataSource } from 'typeorm';
import { ReservationDeadlineRepository } from '../../src/inventory/persistence/reservation-deadline.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { ReservationExpiryService } from '../../src/inventory/reservation-expiry.service.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { TestLedger } from '../support/ledger.js';

/** What the workers do, when the simulation wants it: the queue's own timing would make no two runs alike. */
export class Workers {
  readonly ledger: TestLedger;
  private readonly expiry: ReservationExpiryService;

  constructor(source: DataSource) {
    this.ledger = new TestLedger(source);
    this.expiry = new ReservationExpiryService(
      this.ledger.database,
      new TenantRepository(),
      new TenantClockRepository(),
      new StockEventRepository(),
      new StockLevelRepository(),
      new ReservationDeadlineRepository(),
      { announce: () => undefined } as unknown as TenantSignals,
    );
  }

  /** @returns what went wrong */
  async run(tenantId: string, now: Date): Promise<readonly string[]> {
    await this.expiry.expireDue(tenantId, now);
    const { failures } = await this.ledger.resolutions.settleAwaiting(tenantId);
    return failures.map(({ error }) => `A worker failed: ${String(error)}`);
  }
}
