import { Injectable } from '@nestjs/common';
import { LessThan } from 'typeorm';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { PaymentFilter, RecordedPayment } from '../domain/payment.js';
import { PaymentEntity, toPayment } from './payment.entity.js';

@Injectable()
export class PaymentListingRepository {
  /** At most `limit` payments that were first recorded before `before` (null: from the newest on), the newest first. */
  async page(
    tx: TenantTransaction,
    filter: PaymentFilter,
    before: number | null,
    limit: number,
  ): Promise<RecordedPayment[]> {
    const rows = await tx.manager.find(PaymentEntity, {
      where: { tenantId: tx.tenantId, ...filter, ...(before !== null && { createdLamport: LessThan(before) }) },
      order: { createdLamport: 'DESC' },
      take: limit,
    });
    return rows.map(toPayment);
  }
}
