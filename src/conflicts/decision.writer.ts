import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../database/tenant-database.js';
import { restore } from '../inventory/domain/restore.js';
import type { ServerLog, ServerWrites } from '../inventory/domain/server-log.js';
import { ProductRepository } from '../inventory/persistence/product.repository.js';
import {
  type ReservationDeadline,
  ReservationDeadlineRepository,
} from '../inventory/persistence/reservation-deadline.repository.js';
import { StockEventRepository } from '../inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../inventory/persistence/stock-level.repository.js';
import { ProblemError } from '../problems/problem.js';
import { StateVersionRepository } from '../states/persistence/state-version.repository.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import type { Conflict, ConflictChange } from './domain/conflict.js';
import { ConflictRepository } from './persistence/conflict.repository.js';

/** What decisions come to. */
export interface DecisionWrites extends ServerWrites {
  readonly changes: readonly ConflictChange[];
  readonly others: readonly Conflict[];
  readonly deadlines: readonly ReservationDeadline[];
}

/** Writes decisions: one statement a table at most, whatever their number. */
@Injectable()
export class DecisionWriter {
  constructor(
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
    private readonly levels: StockLevelRepository,
    private readonly deadlines: ReservationDeadlineRepository,
    private readonly products: ProductRepository,
    private readonly versions: StateVersionRepository,
    private readonly conflicts: ConflictRepository,
  ) {}

  async write(tx: TenantTransaction, writes: DecisionWrites, at: Date): Promise<void> {
    if (writes.changes.length === 0) return;
    await this.events.append(tx, writes.events, at);
    await this.levels.save(tx, writes.levels);
    await this.deadlines.add(tx, writes.deadlines);
    await this.conflicts.update(tx, writes.changes, at);
    await this.conflicts.insert(tx, writes.others, at);
    await this.clocks.advance(tx, writes.clock);
  }

  /**
   * Undoes the deletion that a conflict is about, and no later one.
   * @throws ProblemError RESOLUTION_OVERTAKEN if its SKU has another product by now
   */
  async restoreProduct(tx: TenantTransaction, conflict: Conflict, userId: string, log: ServerLog): Promise<void> {
    const productId = conflict.entityId;
    const product = (await this.products.productsOf(tx, [productId])).get(productId);
    if (product?.deletedLamport == null || product.deletedLamport !== conflict.b.payload['lamport']) return;
    const { sku } = product.fields;
    const holder = sku === null ? undefined : (await this.products.skuHolders(tx, [sku], [productId])).get(sku);
    if (holder !== undefined && holder !== productId) {
      throw new ProblemError('RESOLUTION_OVERTAKEN', { detail: 'Another living product has the SKU of this one.' });
    }
    const restored = restore(product, conflict.id, userId, log.giveLamport());
    const at = new Date(log.writes().clock.recordedAt);
    await this.products.save(tx, [restored.product], at);
    await this.versions.append(tx, [restored.version], at);
  }
}
