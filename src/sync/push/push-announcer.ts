import { Injectable } from '@nestjs/common';
import { ConflictScheduler } from '../../conflicts/conflict-scheduler.js';
import { ReservationScheduler } from '../../inventory/reservation-scheduler.js';
import { ConflictMetrics } from '../../metrics/conflict-metrics.js';
import { PushMetrics } from '../../metrics/push-metrics.js';
import { TenantSignals } from '../../signals/tenant-signals.js';
import type { PushPlan } from '../domain/decide-push.js';
import type { PushWrites } from '../domain/log-writer.js';
import type { PushCommand } from '../domain/push-command.js';
import { deadlinesIn } from './push-plan.writer.js';

const METRIC_OF = { OPERATION: 'operation', PRODUCT: 'product', PAYMENT: 'payment' } as const;

/** Tells those who wait for it that a push was recorded. Never fails, and nobody waits for it. */
@Injectable()
export class PushAnnouncer {
  constructor(
    private readonly signals: TenantSignals,
    private readonly reservations: ReservationScheduler,
    private readonly conflicts: ConflictScheduler,
    private readonly pushMetrics: PushMetrics,
    private readonly conflictMetrics: ConflictMetrics,
  ) {}

  announce({ tenantId, entries }: PushCommand, plan: PushPlan): void {
    plan.outcomes.forEach(({ status }, index) => {
      const what = entries[index]?.what;
      if (what) this.pushMetrics.recorded(METRIC_OF[what], status);
    });
    for (const { kind, resolution } of plan.conflicts) {
      this.conflictMetrics.detected(kind);
      if (resolution) this.conflictMetrics.settled(kind, resolution.method, resolution.verdict);
    }
    this.wake(tenantId, plan);
  }

  private wake(tenantId: string, writes: PushWrites): void {
    const recorded = writes.events.length + writes.products.length + writes.payments.length + writes.conflicts.length;
    if (recorded === 0) return;
    this.signals.announce(tenantId, writes.clock.lamport);
    this.reservations.schedule(tenantId, deadlinesIn(writes));
    if (writes.conflicts.some(({ awaits }) => awaits === 'HEURISTIC')) this.conflicts.wake(tenantId);
  }
}
