import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import type { PaymentFilter, PaymentPage, RecordedPayment } from './domain/payment.js';
import { PaymentListingRepository } from './persistence/payment-listing.repository.js';
import { PaymentRepository } from './persistence/payment.repository.js';

/** Payments, for those who read them. */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly payments: PaymentRepository,
    private readonly listing: PaymentListingRepository,
  ) {}

  /** A page, the newest first; `before` is the page before's `nextCursor`, null for the first. */
  list(tenantId: string, filter: PaymentFilter, before: number | null, limit: number): Promise<PaymentPage> {
    return this.database.transaction(tenantId, async (tx) => {
      // One more than asked for tells whether there is a next page.
      const found = await this.listing.page(tx, filter, before, limit + 1);
      const payments = found.slice(0, limit);
      return { payments, nextCursor: found.length > limit ? (payments.at(-1)?.createdLamport ?? null) : null };
    });
  }

  /** @throws ProblemError NOT_FOUND */
  async get(tenantId: string, id: string): Promise<RecordedPayment> {
    const found = await this.database.transaction(tenantId, (tx) => this.payments.paymentsOf(tx, [id]));
    const payment = found.get(id);
    if (!payment) throw new ProblemError('NOT_FOUND');
    return payment;
  }
}
