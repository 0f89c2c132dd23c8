import { toLabelledConflictWire } from '../conflicts/conflict.wire.js';
import { toProductWire } from '../inventory/product.wire.js';
import { hex, toStockEventWire } from '../inventory/stock-event.wire.js';
import { toPaymentWire } from '../payments/payment.wire.js';
import { toAuditEntryWire } from '../tenancy/audit/audit.wire.js';
import { toTenantWire } from '../tenancy/tenant.wire.js';
import type { ExportPart, ExportRows } from './domain/export-part.js';
import { EXPORT_FORMAT_VERSION, type ExportDeviceDto, type ExportLine, type ExportVersionDto } from './export.dto.js';

/** The lines of a part, each with its line break. */
export function toExportText(part: ExportPart): string {
  return toExportLines(part)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

export function toExportLines(part: ExportPart): ExportLine[] {
  const { type } = part;
  switch (type) {
    case 'header': {
      const { tenantId, clock, at } = part;
      return [
        {
          ...{ type, format_version: EXPORT_FORMAT_VERSION, tenant_id: tenantId, lamport: clock.lamport },
          ...{ epoch: clock.epoch, chain_hash: hex(clock.chainHash), exported_at: at.toISOString() },
        },
      ];
    }
    case 'tenant':
      return part.rows.map((tenant) => ({ type, ...toTenantWire(tenant) }));
    case 'device':
      return part.rows.map(toDeviceLine);
    case 'product':
      return part.rows.map((product) => ({ type, ...toProductWire(product) }));
    case 'payment':
      return part.rows.map((payment) => ({ type, ...toPaymentWire(payment) }));
    case 'version':
      return part.rows.map(toVersionLine);
    case 'event':
      return part.rows.map((event) => ({ type, ...toStockEventWire(event) }));
    case 'stock_level':
      return part.rows.map(({ productId, quantity, tracked, lastLamport }) => ({
        ...{ type, product_id: productId, quantity, tracked, last_lamport: lastLamport },
      }));
    case 'conflict':
      return part.rows.map((conflict) => ({ type, ...toLabelledConflictWire(conflict) }));
    case 'audit':
      return part.rows.map((entry) => ({ type, ...toAuditEntryWire(entry, false) }));
    case 'end':
      return [{ type, counts: { ...part.counts } }];
  }
}

function toDeviceLine(device: ExportRows['device']): ExportDeviceDto {
  return {
    type: 'device',
    id: device.id,
    name: device.name,
    device_type: device.deviceType,
    created_at: device.createdAt.toISOString(),
    revoked_at: device.revokedAt?.toISOString() ?? null,
    last_seen_at: device.lastSeenAt?.toISOString() ?? null,
    last_pushed_lamport: device.lastPushedLamport,
    last_pulled_lamport: device.lastPulledLamport,
    clock_skew_ms: device.clockSkewMs,
    clock_reused_at: device.clockReusedAt?.toISOString() ?? null,
  };
}

function toVersionLine(version: ExportRows['version']): ExportVersionDto {
  return {
    type: 'version',
    entity: version.entity,
    entity_id: version.entityId,
    version: version.version,
    lamport_ts: version.lamport,
    edit_id: version.editId,
    device_id: version.deviceId,
    client_lamport: version.clientLamport,
    fields: version.fields,
    changed: [...version.changed],
    recorded_at: version.recordedAt.toISOString(),
  };
}
