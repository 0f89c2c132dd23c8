import { Injectable } from '@nestjs/common';
import { ConflictEntity, toConflict } from '../../conflicts/persistence/conflict.entity.js';
import { readEntitiesInBatches, readInBatches } from '../../database/row-cursor.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { ProductEntity, toProduct } from '../../inventory/persistence/product.entity.js';
import { StockEventEntity } from '../../inventory/persistence/stock-event.entity.js';
import { StockLevelEntity } from '../../inventory/persistence/stock-level.entity.js';
import { PaymentEntity, toPayment } from '../../payments/persistence/payment.entity.js';
import type { StateVersion } from '../../states/domain/state.js';
import { AUDIT_COLUMNS, type AuditRow, toEntry } from '../../tenancy/audit/persistence/audit-trail.js';
import { DeviceEntity } from '../../tenancy/persistence/device.entity.js';
import { TenantEntity, toTenant } from '../../tenancy/persistence/tenant.entity.js';
import type { ExportBatch } from '../domain/export-part.js';

/*
 * Each makes some 100 to 200 kB of lines: whoever is on a slow link must have taken a whole batch within the seconds for
 * which the database waits to be asked for the next one.
 */
const EVENTS_AT_ONCE = 200;
const STATES_AT_ONCE = 250;
const LEVELS_AT_ONCE = 1_000;
const CONFLICTS_AT_ONCE = 50;

interface VersionRow {
  readonly entity: StateVersion['entity'];
  readonly entity_id: string;
  readonly version: string;
  readonly lamport_ts: string;
  readonly edit_id: string;
  readonly device_id: string;
  readonly client_lamport: string;
  readonly fields: StateVersion['fields'];
  readonly changed: string[];
  readonly recorded_at: Date;
}

/** Reads all that a tenant has, in batches, table after table. It has no tables of its own, and writes none. */
@Injectable()
export class ExportRepository {
  async *batches(tx: TenantTransaction): AsyncGenerator<ExportBatch, void, undefined> {
    const own = { tenantId: tx.tenantId };
    yield { type: 'tenant', rows: (await tx.manager.findBy(TenantEntity, { id: tx.tenantId })).map(toTenant) };
    const devices = await tx.manager.find(DeviceEntity, { where: own, order: { createdAt: 'ASC', id: 'ASC' } });
    yield { type: 'device', rows: devices };
    for await (const rows of readEntitiesInBatches(tx, ProductEntity, own, STATES_AT_ONCE))
      yield { type: 'product', rows: rows.map(toProduct) };
    for await (const rows of readEntitiesInBatches(tx, PaymentEntity, own, STATES_AT_ONCE))
      yield { type: 'payment', rows: rows.map(toPayment) };
    const versions = `SELECT * FROM state_versions WHERE tenant_id = $1`;
    for await (const rows of readInBatches<VersionRow>(tx, versions, [tx.tenantId], STATES_AT_ONCE))
      yield { type: 'version', rows: rows.map(toVersion) };
    // In the order of the index: to sort a million events first, they would all be written to a file.
    await tx.manager.query(`SELECT set_config('enable_sort', 'off', true)`);
    for await (const rows of readEntitiesInBatches(tx, StockEventEntity, own, EVENTS_AT_ONCE, 'lamport'))
      yield { type: 'event', rows };
    for await (const rows of readEntitiesInBatches(tx, StockLevelEntity, own, LEVELS_AT_ONCE))
      yield { type: 'stock_level', rows };
    const labels = new Map(devices.map((device) => [device.id, device]));
    for await (const rows of readEntitiesInBatches(tx, ConflictEntity, own, CONFLICTS_AT_ONCE))
      yield { type: 'conflict', rows: rows.map((row) => ({ conflict: toConflict(row), devices: labels })) };
    const entries = `SELECT ${AUDIT_COLUMNS} FROM audit_log WHERE tenant_id = $1`;
    for await (const rows of readInBatches<AuditRow>(tx, entries, [tx.tenantId], STATES_AT_ONCE))
      yield { type: 'audit', rows: rows.map(toEntry) };
  }
}

function toVersion(row: VersionRow): StateVersion & { readonly recordedAt: Date } {
  return {
    entity: row.entity,
    entityId: row.entity_id,
    version: toSafeInteger(row.version),
    lamport: toSafeInteger(row.lamport_ts),
    editId: row.edit_id,
    deviceId: row.device_id,
    clientLamport: toSafeInteger(row.client_lamport),
    fields: row.fields,
    changed: row.changed,
    recordedAt: row.recorded_at,
  };
}
