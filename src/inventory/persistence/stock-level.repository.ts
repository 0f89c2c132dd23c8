import { Injectable } from '@nestjs/common';
import { arrayOf, arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { StockLevel } from '../domain/ledger.js';

const COLUMNS: readonly Column<readonly [productId: string, level: StockLevel]>[] = [
  ['product_id', 'uuid', ([productId]) => productId],
  ['quantity', 'integer', ([, level]) => level.quantity],
  ['tracked', 'boolean', ([, level]) => level.tracked],
  ['last_lamport', 'bigint', ([, level]) => level.lastLamport],
];

const SAVE = `
  INSERT INTO stock_levels (tenant_id, ${namesOf(COLUMNS)})
  SELECT $1, * FROM ${unnest(COLUMNS, 2)}
  ON CONFLICT (tenant_id, product_id) DO UPDATE
  SET quantity = excluded.quantity, tracked = excluded.tracked, last_lamport = excluded.last_lamport`;

interface LevelRow {
  readonly product_id: string;
  readonly quantity: number;
  readonly tracked: boolean;
  readonly last_lamport: string;
}

@Injectable()
export class StockLevelRepository {
  /** By product id; products without events are missing. */
  async levelsOf(tx: TenantTransaction, productIds: readonly string[]): Promise<Map<string, StockLevel>> {
    if (productIds.length === 0) return new Map();
    const rows = await prepared<LevelRow>(
      tx,
      'levels',
      `SELECT level.* FROM unnest($2::uuid[]) AS asked (product_id), LATERAL (
         SELECT product_id, quantity, tracked, last_lamport
         FROM stock_levels WHERE tenant_id = $1 AND product_id = asked.product_id LIMIT 1) AS level`,
      [tx.tenantId, arrayOf('uuid', productIds)],
    );
    return new Map(
      rows.map(({ product_id: productId, quantity, tracked, last_lamport: lastLamport }) => [
        productId,
        { quantity, tracked, lastLamport: toSafeInteger(lastLamport) },
      ]),
    );
  }

  /** Writes the levels, new ones and changed ones, in one statement. */
  async save(tx: TenantTransaction, levels: ReadonlyMap<string, StockLevel>): Promise<void> {
    if (levels.size === 0) return;
    await prepared(tx, 'save levels', SAVE, [tx.tenantId, ...arraysOf(COLUMNS, [...levels])]);
  }
}
