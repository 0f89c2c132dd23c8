import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Device } from '../domain/device.js';
import type { DeviceType } from '../domain/device-type.js';
import { DeviceEntity } from './device.entity.js';

@Injectable()
export class DeviceRepository {
  /** @returns false if the tenant has had a device with this id. */
  async enrol(
    tx: TenantTransaction,
    device: { id: string; name: string; deviceType: DeviceType; createdAt: Date },
  ): Promise<boolean> {
    const inserted = await tx.manager.query<unknown[]>(
      `INSERT INTO devices (tenant_id, id, name, device_type, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id`,
      [tx.tenantId, device.id, device.name, device.deviceType, device.createdAt],
    );
    return inserted.length > 0;
  }

  /** All devices that were ever enrolled, the oldest first. */
  list(tx: TenantTransaction): Promise<Device[]> {
    return tx.manager.find(DeviceEntity, { where: { tenantId: tx.tenantId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  /** @returns whether there is such a device; one revoked before keeps its first time. */
  async revoke(tx: TenantTransaction, id: string, at: Date): Promise<boolean> {
    const [, changed] = await tx.manager.query<[unknown[], number]>(
      `UPDATE devices SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND id = $2`,
      [tx.tenantId, id, at],
    );
    return changed > 0;
  }
}
