import { Injectable } from '@nestjs/common';
import { Any } from 'typeorm';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { StockLevel } from '../domain/ledger.js';
import { StockLevelEntity } from './stock-level.entity.js';

@Injectable()
export class StockLevelRepository {
  /** By product id; products without events are missing. */
  async levelsOf(tx: TenantTransaction, productIds: readonly string[]): Promise<Map<string, StockLevel>> {
    const rows = await tx.manager.findBy(StockLevelEntity, { tenantId: tx.tenantId, productId: Any([...productIds]) });
    return new Map(
      rows.map(({ productId, quantity, tracked, lastLamport }) => [productId, { quantity, tracked, lastLamport }]),
    );
  }

  /** Writes the levels, new ones and changed ones, in one statement. */
  async save(tx: TenantTransaction, levels: ReadonlyMap<string, StockLevel>): Promise<void> {
    if (levels.size === 0) return;
    const values = [...levels.values()];
    await tx.manager.query(
      `INSERT INTO stock_levels (tenant_id, product_id, quantity, tracked, last_lamport)
       SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::boolean[], $5::bigint[])
       ON CONFLICT (tenant_id, product_id) DO UPDATE
       SET quantity = excluded.quantity, tracked = excluded.tracked, last_lamport = excluded.last_lamport`,
      [
        tx.tenantId,
        [...levels.keys()],
        values.map((level) => level.quantity),
        values.map((level) => level.tracked),
        values.map((level) => level.lastLamport),
      ],
    );
  }
}
