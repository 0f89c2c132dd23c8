import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../database/tenant-database.js';
import type { ServerLog } from '../inventory/domain/server-log.js';
import { disputeOf, settleDispute } from '../payments/domain/disputed-payment.js';
import { PaymentRepository } from '../payments/persistence/payment.repository.js';
import { ProblemError } from '../problems/problem.js';
import { StateVersionRepository } from '../states/persistence/state-version.repository.js';
import type { RecordedConflict } from './domain/conflict.js';
import type { Verdict } from './domain/verdict.js';

/** Carries out what people decide of two payments with one POS transaction. */
@Injectable()
export class PaymentDisputeService {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly versions: StateVersionRepository,
  ) {}

  /**
   * The side that stands is among the payments; one that was there and doesn't stand is FAILED: its money never came.
   * @throws ProblemError RESOLUTION_OVERTAKEN if the payments are not any more what the decision was about
   */
  async carryOut(
    tx: TenantTransaction,
    conflict: RecordedConflict,
    verdict: Verdict,
    userId: string,
    log: ServerLog,
  ): Promise<void> {
    const dispute = disputeOf(conflict);
    const { second, firstId, foundLamport } = dispute;
    const at = new Date(log.writes().clock.recordedAt);
    const stands = { second: verdict === 'A' || verdict === 'BOTH', first: verdict === 'B' || verdict === 'BOTH' };
    const decision = { ...stands, userId, at };
    const base = { version: second.baseVersion, lamport: foundLamport };
    const situation = {
      payments: await this.payments.disputed(tx, [second.id, firstId], second.said.posTransactionId),
      history: await this.versions.historyFrom(tx, 'PAYMENT', second.id, base),
    };
    const settled = settleDispute(dispute, decision, situation, () => log.giveLamport());
    if (!settled.ok) throw new ProblemError('RESOLUTION_OVERTAKEN', { detail: settled.reason });
    const { changes } = settled;
    await this.payments.save(
      tx,
      changes.map(({ payment }) => payment),
      at,
    );
    await this.versions.append(
      tx,
      changes.map(({ version }) => version),
      at,
    );
  }
}
