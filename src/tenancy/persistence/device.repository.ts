import { Injectable } from '@nestjs/common';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Device, PullNote, PushNote } from '../domain/device.js';
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

  /** How far the device had pulled; null if it never did. */
  async lastPulledLamport(tx: TenantTransaction, deviceId: string): Promise<number | null> {
    const [row] = await tx.manager.query<{ lamport: string | null }[]>(
      `SELECT last_pulled_lamport AS lamport FROM devices WHERE tenant_id = $1 AND id = $2`,
      [tx.tenantId, deviceId],
    );
    return row?.lamport == null ? null : toSafeInteger(row.lamport);
  }

  /**
   * Keeps what a push told of its device. Of reused clocks the latest is kept: it tells a clone that goes on pushing from
   * a re-install long ago.
   */
  async notePush(tx: TenantTransaction, deviceId: string, note: PushNote): Promise<void> {
    await tx.manager.query(
      `UPDATE devices
       SET last_seen_at = $3,
           last_pushed_lamport = coalesce($4, last_pushed_lamport),
           clock_skew_ms = coalesce($5, clock_skew_ms),
           clock_reused_at = CASE WHEN $6 THEN $3 ELSE clock_reused_at END
       WHERE tenant_id = $1 AND id = $2`,
      [tx.tenantId, deviceId, note.at, note.lamport, note.clockSkewMs, note.clockReused],
    );
  }

  /**
   * Keeps what a pull told of its device. To be the last statement of the pull, whose commit frees the row again.
   *
   * A push of the same device that is under way holds the row until it commits: then nothing is kept, for a pull never
   * waits for a push, and the next one will tell. Nor is anything written when a device that has all asks again within a
   * minute: an idle poll costs no WAL. The row is taken as an update takes it, so that a foreign key's check elsewhere
   * doesn't hide it.
   */
  async notePull(tx: TenantTransaction, deviceId: string, note: PullNote): Promise<void> {
    await tx.manager.query(
      `UPDATE devices SET last_seen_at = $3, last_pulled_lamport = $4
       WHERE tenant_id = $1 AND id = (
         SELECT id FROM devices
         WHERE tenant_id = $1 AND id = $2
           AND (last_pulled_lamport IS DISTINCT FROM $4
                OR (last_seen_at BETWEEN $3::timestamptz - interval '1 minute'
                                     AND $3::timestamptz + interval '1 minute') IS NOT TRUE)
         FOR NO KEY UPDATE SKIP LOCKED)`,
      [tx.tenantId, deviceId, note.at, note.lamport],
    );
  }
}
