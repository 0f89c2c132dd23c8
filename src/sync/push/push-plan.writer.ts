import { Injectable } from '@nestjs/common';
import { ConflictRepository } from '../../conflicts/persistence/conflict.repository.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { isReservation } from '../../inventory/domain/reference.js';
import { ProductRepository } from '../../inventory/persistence/product.repository.js';
import {
  type ReservationDeadline,
  ReservationDeadlineRepository,
} from '../../inventory/persistence/reservation-deadline.repository.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../inventory/persistence/stock-level.repository.js';
import { PaymentRepository } from '../../payments/persistence/payment.repository.js';
import { StateVersionRepository } from '../../states/persistence/state-version.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { PushWrites } from '../domain/log-writer.js';

/** Writes what a push came to: one statement a table at most, whatever the push's size, and all in one flight. */
@Injectable()
export class PushPlanWriter {
  constructor(
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
    private readonly levels: StockLevelRepository,
    private readonly deadlines: ReservationDeadlineRepository,
    private readonly products: ProductRepository,
    private readonly payments: PaymentRepository,
    private readonly versions: StateVersionRepository,
    private readonly conflicts: ConflictRepository,
  ) {}

  /** @param at when the entries are recorded: the clock is set to it. */
  async write(tx: TenantTransaction, writes: PushWrites, at: Date): Promise<void> {
    await Promise.all([
      this.products.save(tx, writes.products, at),
      this.payments.save(tx, writes.payments, at),
      this.versions.append(tx, writes.versions, at),
      this.events.append(tx, writes.events, at),
      this.levels.save(tx, writes.levels),
      this.deadlines.add(tx, deadlinesIn(writes)),
      this.conflicts.insert(tx, writes.conflicts, at),
      this.clocks.advance(tx, { ...writes.clock, recordedAt: at.getTime() }),
    ]);
  }
}

/** When the reservations of a push lapse; one that waits for a decision does so from when it is released. */
export function deadlinesIn({ events }: Pick<PushWrites, 'events'>): ReservationDeadline[] {
  return events.flatMap(({ operationId, expiresAt, kind, reason, disposition }) =>
    isReservation({ kind, reason }) && expiresAt !== null && disposition === 'APPLIED'
      ? [{ operationId, expiresAt }]
      : [],
  );
}
