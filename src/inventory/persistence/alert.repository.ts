import { Injectable } from '@nestjs/common';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Alert, AlertKind } from '../domain/alert.js';

interface AlertRow {
  readonly product_id: string;
  readonly name: string | null;
  readonly quantity: number;
  readonly reorder_point: number | null;
  readonly last_lamport: string;
}

const CONDITIONS: Readonly<Record<AlertKind, string>> = {
  OVERSOLD: 'level.tracked AND level.quantity < 0',
  UNKNOWN_PRODUCT: 'product.id IS NULL AND level.last_lamport > 0',
  LOW_STOCK: 'level.tracked AND product.deleted_lamport IS NULL AND level.quantity < product.reorder_point',
};

@Injectable()
export class AlertRepository {
  /** At most `limit` alerts of the kind whose products come after `after` (null: from the first on), by product. */
  async ofKind(tx: TenantTransaction, kind: AlertKind, after: string | null, limit: number): Promise<Alert[]> {
    // Materialized: the planner takes alerts for frequent, and to find the first few it would walk both tables in the
    // order of their keys, row by row. At 50,000 products that took five times as long as to find all and sort them.
    const rows = await tx.manager.query<AlertRow[]>(
      `WITH found AS MATERIALIZED (
         SELECT level.product_id, product.name, level.quantity, product.reorder_point, level.last_lamport
         FROM stock_levels level
         LEFT JOIN products product ON product.tenant_id = level.tenant_id AND product.id = level.product_id
         WHERE level.tenant_id = $1 AND ($2::uuid IS NULL OR level.product_id > $2) AND ${CONDITIONS[kind]})
       SELECT * FROM found ORDER BY product_id LIMIT $3`,
      [tx.tenantId, after, limit],
    );
    return rows.map((row) => ({
      kind,
      productId: row.product_id,
      name: row.name,
      quantity: row.quantity,
      reorderPoint: row.reorder_point,
      lastLamport: toSafeInteger(row.last_lamport),
    }));
  }
}
