import { Injectable } from '@nestjs/common';
import { arrayOf } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import type { TenantTransaction } from '../../database/tenant-database.js';

/** When a reservation lapses, unless it has been confirmed or cancelled by then. */
export interface ReservationDeadline {
  readonly operationId: string;
  /** ISO 8601 UTC. */
  readonly expiresAt: string;
}

/** An agenda, not the truth: whether a reservation is open still, the log says. */
@Injectable()
export class ReservationDeadlineRepository {
  async add(tx: TenantTransaction, deadlines: readonly ReservationDeadline[]): Promise<void> {
    if (deadlines.length === 0) return;
    await prepared(
      tx,
      'add deadlines',
      `INSERT INTO reservation_deadlines (tenant_id, operation_id, expires_at)
       SELECT $1, * FROM unnest($2::uuid[], $3::timestamptz[])
       ON CONFLICT (tenant_id, operation_id) DO NOTHING`,
      [
        tx.tenantId,
        arrayOf(
          'uuid',
          deadlines.map((deadline) => deadline.operationId),
        ),
        arrayOf(
          'timestamptz',
          deadlines.map((deadline) => deadline.expiresAt),
        ),
      ],
    );
  }

  /**
   * Operation ids of at most `limit` deadlines that are over at `now`, the earliest first. One whose sale waits for a
   * decision is not: that came before its end, and if it stands, the reservation was confirmed in time.
   */
  async due(tx: TenantTransaction, now: Date, limit: number): Promise<string[]> {
    const rows = await tx.manager.query<{ operation_id: string }[]>(
      `SELECT operation_id FROM reservation_deadlines deadline
       WHERE tenant_id = $1 AND expires_at <= $2 AND NOT EXISTS (
         SELECT FROM stock_events sale
         WHERE sale.tenant_id = $1 AND sale.ref_operation_id = deadline.operation_id
           AND sale.operation = 'DECREMENT' AND sale.reason = 'SALE' AND sale.disposition = 'HELD'
           AND NOT EXISTS (SELECT FROM stock_events decision
                           WHERE decision.tenant_id = $1 AND decision.ref_operation_id = sale.operation_id
                             AND decision.operation IN ('RELEASE', 'VOID')))
       ORDER BY expires_at, operation_id LIMIT $3`,
      [tx.tenantId, now, limit],
    );
    return rows.map((row) => row.operation_id);
  }

  async remove(tx: TenantTransaction, operationIds: readonly string[]): Promise<void> {
    await tx.manager.query(
      `DELETE FROM reservation_deadlines WHERE tenant_id = $1 AND operation_id = ANY($2::uuid[])`,
      [tx.tenantId, operationIds],
    );
  }
}
