import { Injectable } from '@nestjs/common';
import { ReservationScheduler } from '../../inventory/reservation-scheduler.js';
import { TenantSignals } from '../../signals/tenant-signals.js';
import type { PushWrites } from '../domain/log-writer.js';
import { deadlinesIn } from './push-plan.writer.js';

/** Tells those who wait for it that a push was recorded. Never fails, and nobody waits for it. */
@Injectable()
export class PushAnnouncer {
  constructor(
    private readonly signals: TenantSignals,
    private readonly reservations: ReservationScheduler,
  ) {}

  announce(tenantId: string, writes: PushWrites): void {
    const recorded = writes.events.length + writes.products.length + writes.payments.length + writes.conflicts.length;
    if (recorded === 0) return;
    this.signals.announce(tenantId, writes.clock.lamport);
    this.reservations.schedule(tenantId, deadlinesIn(writes));
  }
}
