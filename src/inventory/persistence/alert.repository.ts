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
  LOW_STOCK: 'product.deleted_lamport IS NULL AND coalesce(level.quantity, 0) < product.reorder_point',
};

@Injectable()
export class AlertRepository {
  /** At most `limit` alerts of the kind whose products come after `after` (null: from the first on), by product. */
  async ofKind(tx: TenantTransaction, kind: AlertKind, after: string | null, limit: number): Promise<Alert[]> {
    // Materialized: the planner takes alerts for frequent, and to find the first few it would walk both tables in the
    // order of their keys, row by row. At 50,000 products that took five times as long as to find all and sort them.
    const rows = await tx.manager.query<AlertRow[]>(
      `WITH found AS MATERIALIZED (
         SELECT product_id, product.name, coalesce(level.quantity, 0) AS quantity, product.reorder_point,
                coalesce(level.last_lamport, 0) AS last_lamport
         FROM (SELECT * FROM stock_levels WHERE tenant_id = $1) AS level
         FULL JOIN (SELECT *, id AS product_id FROM products WHERE tenant_id = $1) AS product USING (product_id)
         WHERE ($2::uuid IS NULL OR product_id > $2) AND ${CONDITIONS[kind]})
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
