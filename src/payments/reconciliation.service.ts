import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import { StateVersionRepository } from '../states/persistence/state-version.repository.js';
import type { Acting } from '../tenancy/audit/domain/actor.js';
import { type AuditEntry, changesBetween } from '../tenancy/audit/domain/audit-entry.js';
import { AuditTrail } from '../tenancy/audit/persistence/audit-trail.js';
import { nextLamport, recordingTime } from '../tenancy/domain/lamport-clock.js';
import type { PersonPrincipal } from '../tenancy/domain/principal.js';
import { TenantClockRepository } from '../tenancy/persistence/tenant-clock.repository.js';
import type { RecordedPayment } from './domain/payment.js';
import { reconcile, reconciledVersion, type ReconciliationDecision } from './domain/reconcile.js';
import { PaymentRepository } from './persistence/payment.repository.js';

/** Whether the money of a payment arrived, as people of the business decide. */
@Injectable()
export class ReconciliationService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly payments: PaymentRepository,
    private readonly versions: StateVersionRepository,
    private readonly signals: TenantSignals,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Records the decision: an entry like any other, so that devices learn of it. The same decision again changes nothing.
   * @throws ProblemError NOT_FOUND or TENANT_SUSPENDED
   */
  async decide(
    person: Acting<PersonPrincipal>,
    paymentId: string,
    decision: ReconciliationDecision,
  ): Promise<RecordedPayment> {
    const { tenantId, userId } = person;
    const done = await this.database.transaction(tenantId, async (tx) => {
      const clock = await this.clocks.lockWhileOpen(tx);
      const before = (await this.payments.paymentsOf(tx, [paymentId])).get(paymentId);
      if (!before) throw new ProblemError('NOT_FOUND');
      const at = new Date(recordingTime(clock, Date.now()));
      const lamport = nextLamport(clock.lamport);
      const after = reconcile(before, decision, userId, at, lamport);
      if (!after) return { payment: before, lamport: null };
      await this.payments.save(tx, [after], at);
      // Beside what devices edit: the payment itself has only the last decision.
      await this.versions.append(tx, [reconciledVersion(after, randomUUID())], at);
      await this.audit.record(tx, person, reconciliationEntry(paymentId, before, after));
      await this.clocks.advance(tx, { ...clock, lamport, recordedAt: at.getTime() });
      return { payment: { ...before, ...after, updatedAt: at }, lamport };
    });
    if (done.lamport !== null) this.signals.announce(tenantId, done.lamport);
    return done.payment;
  }
}

type Reconciled = Pick<RecordedPayment, 'reconciliation'>;

function reconciliationEntry(entityId: string, before: Reconciled, after: Reconciled): AuditEntry {
  const decision = ({ reconciliation: { status, notes } }: Reconciled): Record<string, unknown> => ({
    reconciliation_status: status,
    reconciliation_notes: notes,
  });
  return { action: 'payment.reconciled', entityId, changes: changesBetween(decision(before), decision(after)) };
}
