import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { readEntitiesInBatches } from '../../../database/row-cursor.js';
import type { TenantTransaction } from '../../../database/tenant-database.js';
import type { RecordedProduct } from '../../../inventory/domain/product.js';
import { ProductEntity, toProduct } from '../../../inventory/persistence/product.entity.js';
import { StockLevelEntity } from '../../../inventory/persistence/stock-level.entity.js';
import type { RecordedPayment } from '../../../payments/domain/payment.js';
import { PaymentEntity, toPayment } from '../../../payments/persistence/payment.entity.js';
import type { ProductLevel } from '../domain/snapshot-part.js';

/*
 * Each makes some 100 kB of lines. More at once saves little (bench/snapshot), and a device on a slow link must have
 * taken a whole batch within the seconds for which the database waits to be asked for the next one.
 */
const STATE_BATCH_ROWS = 250;
const LEVEL_BATCH_ROWS = 1_000;

/** Reads what a tenant has now, in batches and in no order. It has no tables of its own, and writes none. */
@Injectable()
export class SnapshotRepository {
  /** Without tombstones. */
  async *livingProducts(tx: TenantTransaction): AsyncGenerator<RecordedProduct[], void, undefined> {
    const living = { tenantId: tx.tenantId, deletedLamport: IsNull() };
    for await (const rows of readEntitiesInBatches(tx, ProductEntity, living, STATE_BATCH_ROWS))
      yield rows.map(toProduct);
  }

  /** Of products that are not in the catalogue, or no longer, too. */
  levels(tx: TenantTransaction): AsyncGenerator<ProductLevel[], void, undefined> {
    return readEntitiesInBatches(tx, StockLevelEntity, { tenantId: tx.tenantId }, LEVEL_BATCH_ROWS);
  }

  /** Those that nobody has reconciled. */
  async *openPayments(tx: TenantTransaction): AsyncGenerator<RecordedPayment[], void, undefined> {
    const open = { tenantId: tx.tenantId, reconciliationStatus: 'PENDING' } as const;
    for await (const rows of readEntitiesInBatches(tx, PaymentEntity, open, STATE_BATCH_ROWS))
      yield rows.map(toPayment);
  }
}
