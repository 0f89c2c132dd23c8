import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../database/tenant-database.js';
import type { ServerLog } from '../inventory/domain/server-log.js';
import { admit, type PaymentChange, versionOf } from '../payments/domain/disputed-payment.js';
import { reconcile } from '../payments/domain/reconcile.js';
import { PaymentRepository } from '../payments/persistence/payment.repository.js';
import { StateVersionRepository } from '../states/persistence/state-version.repository.js';
import { uuidV5 } from '../tenancy/domain/name-based-uuid.js';
import type { Conflict } from './domain/conflict.js';
import type { Verdict } from './domain/verdict.js';

/** Carries out what people decide of two payments with one POS transaction. */
@Injectable()
export class PaymentDisputeService {
  constructor(
    private readonly payments: PaymentRepository,
    private readonly versions: StateVersionRepository,
  ) {}

  /** The side that stands is among the payments; one that was there and doesn't stand is FAILED: its money never came. */
  async carryOut(
    tx: TenantTransaction,
    { id, a, b }: Conflict,
    verdict: Verdict,
    userId: string,
    log: ServerLog,
  ): Promise<void> {
    const standing = await this.payments.paymentsOf(tx, [a.id, b.id]);
    const at = new Date(log.writes().clock.recordedAt);
    const changes: PaymentChange[] = [];
    if (verdict === 'A' || verdict === 'BOTH') changes.push(admit(a, standing.get(a.id), id, log.giveLamport()));
    const first = standing.get(b.id);
    if ((verdict === 'A' || verdict === 'NEITHER') && first) {
      const decision = { status: 'FAILED', notes: `A duplicate, by conflict ${id}` } as const;
      const failed = reconcile(first, decision, userId, at, log.giveLamport());
      const editId = uuidV5(id, b.id);
      if (failed) changes.push({ payment: failed, version: { ...versionOf(failed, ['reconciliation']), editId } });
    }
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
