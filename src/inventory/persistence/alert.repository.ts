import { Injectable } from '@nestjs/common';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Alert, AlertKind, AlertPlace } from '../domain/alert.js';

interface AlertRow {
  readonly kind: AlertKind;
  readonly product_id: string;
  readonly name: string | null;
  readonly quantity: number;
  readonly reorder_point: number | null;
  readonly last_lamport: string;
}

@Injectable()
export class AlertRepository {
  /** At most `limit` alerts after `after`, by kind, then by product; of one kind, or of all. */
  async page(tx: TenantTransaction, kind: AlertKind | null, after: AlertPlace | null, limit: number): Promise<Alert[]> {
    const rows = await tx.manager.query<AlertRow[]>(
      `SELECT alert.kind, level.product_id, product.name, level.quantity, product.reorder_point, level.last_lamport
       FROM stock_levels level
       LEFT JOIN products product ON product.tenant_id = level.tenant_id AND product.id = level.product_id
       CROSS JOIN LATERAL (VALUES
         ('LOW_STOCK', level.tracked AND product.deleted_lamport IS NULL AND level.quantity < product.reorder_point),
         ('OVERSOLD', level.tracked AND level.quantity < 0),
         ('UNKNOWN_PRODUCT', product.id IS NULL AND level.last_lamport > 0)) AS alert (kind, applies)
       WHERE level.tenant_id = $1 AND alert.applies AND ($2::text IS NULL OR alert.kind = $2)
         AND ($3::text IS NULL OR (alert.kind, level.product_id) > ($3, $4::uuid))
       ORDER BY alert.kind, level.product_id LIMIT $5`,
      [tx.tenantId, kind, after?.kind ?? null, after?.productId ?? null, limit],
    );
    return rows.map((row) => ({
      kind: row.kind,
      productId: row.product_id,
      name: row.name,
      quantity: row.quantity,
      reorderPoint: row.reorder_point,
      lastLamport: toSafeInteger(row.last_lamport),
    }));
  }
}
