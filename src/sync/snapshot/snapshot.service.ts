import { Injectable } from '@nestjs/common';
import { LongReads } from '../../database/long-reads.js';
import { TenantDatabase, type TenantTransaction } from '../../database/tenant-database.js';
import type { Receiver } from '../../downloads/receiver.js';
import { AccessService } from '../../tenancy/access.service.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { SnapshotPart } from './domain/snapshot-part.js';
import { SnapshotRepository } from './persistence/snapshot.repository.js';

@Injectable()
export class SnapshotService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly longReads: LongReads,
    private readonly clocks: TenantClockRepository,
    private readonly contents: SnapshotRepository,
    private readonly access: AccessService,
  ) {}

  /**
   * Sends all that the tenant has at one lamport. Resolves when the receiver has taken the end.
   * @throws ProblemError TOO_MANY_STREAMS before anything is sent; whatever `receiver` rejects with.
   */
  async send(principal: TenantPrincipal, receiver: Receiver<SnapshotPart>): Promise<void> {
    const { tenantId } = principal;
    const cutOff = (reason: Error): void => {
      receiver.cutOff(reason);
    };
    await this.access.whileAdmitted(principal, cutOff, async () => {
      await this.longReads.run(tenantId, () => this.database.snapshot(tenantId, (tx) => this.read(tx, receiver)));
      await receiver.end();
    });
  }

  /** The clock is read in the same snapshot as the rows, so pull goes on exactly where this ends. */
  private async read(tx: TenantTransaction, receiver: Receiver<SnapshotPart>): Promise<void> {
    const counts = { products: 0, levels: 0, payments: 0 };
    const clock = await this.clocks.read(tx);
    await receiver.receive({ kind: 'HEADER', tenantId: tx.tenantId, clock, at: new Date() });
    for await (const products of this.contents.livingProducts(tx)) {
      counts.products += products.length;
      await receiver.receive({ kind: 'PRODUCTS', products });
    }
    for await (const levels of this.contents.levels(tx)) {
      counts.levels += levels.length;
      await receiver.receive({ kind: 'LEVELS', levels });
    }
    for await (const payments of this.contents.openPayments(tx)) {
      counts.payments += payments.length;
      await receiver.receive({ kind: 'PAYMENTS', payments });
    }
    await receiver.receive({ kind: 'END', counts });
  }
}
