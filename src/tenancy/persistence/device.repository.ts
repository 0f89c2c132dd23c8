import { Injectable } from '@nestjs/common';
import { arraysOf, type Column, namesOf, unnest } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { Device, DeviceAccess, DeviceChange, DeviceIdentity, PullNote, PushNote } from '../domain/device.js';
import type { DeviceType } from '../domain/device-type.js';
import { DeviceEntity } from './device.entity.js';

interface TokensRow {
  readonly valid_from: Date;
}

interface AccessRow {
  readonly id: string;
  readonly revoked: boolean;
  readonly tokens_valid_from: Date | null;
}

/**
 * The moment at which all tokens given out so far are replaced: after each of them, which say when they were issued, also
 * if the server that gave out the last one has a clock that is ahead.
 */
function replacedAt(now: string): string {
  return `greatest(${now}, coalesce(devices.tokens_valid_from, devices.created_at) + interval '1 millisecond')`;
}

const PUSH_NOTE: readonly Column<readonly [deviceId: string, note: PushNote]>[] = [
  ['id', 'uuid', ([deviceId]) => deviceId],
  ['at', 'timestamptz', ([, note]) => note.at],
  ['lamport', 'bigint', ([, note]) => note.lamport],
  ['clock_skew_ms', 'bigint', ([, note]) => note.clockSkewMs],
  ['clock_reused', 'boolean', ([, note]) => note.clockReused],
];

const NOTE_PUSHES = `
  UPDATE devices
  SET last_seen_at = coalesce(note.at, last_seen_at),
      last_pushed_lamport = coalesce(note.lamport, last_pushed_lamport),
      clock_skew_ms = coalesce(note.clock_skew_ms, devices.clock_skew_ms),
      clock_reused_at = CASE WHEN note.clock_reused THEN note.at ELSE clock_reused_at END
  FROM ${unnest(PUSH_NOTE, 2)} AS note (${namesOf(PUSH_NOTE)})
  WHERE tenant_id = $1 AND devices.id = note.id
  RETURNING devices.id, revoked_at IS NOT NULL AS revoked, tokens_valid_from`;

@Injectable()
export class DeviceRepository {
  /**
   * Enrols a device that is new, or that was revoked: then it keeps its place in the list and what is known of it.
   * @returns when its token is to say that it was issued, null if there is such a device already.
   */
  async enrol(
    tx: TenantTransaction,
    device: { id: string; name: string; deviceType: DeviceType; createdAt: Date },
  ): Promise<Date | null> {
    const [row] = await tx.manager.query<TokensRow[]>(
      `INSERT INTO devices (tenant_id, id, name, device_type, created_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (tenant_id, id) DO UPDATE
         SET name = excluded.name, device_type = excluded.device_type, revoked_at = NULL,
             tokens_valid_from = ${replacedAt('excluded.created_at')}
         WHERE devices.revoked_at IS NOT NULL
       RETURNING coalesce(tokens_valid_from, created_at) AS valid_from`,
      [tx.tenantId, device.id, device.name, device.deviceType, device.createdAt],
    );
    return row?.valid_from ?? null;
  }

  find(tx: TenantTransaction, id: string): Promise<Device | null> {
    return tx.manager.findOneBy(DeviceEntity, { tenantId: tx.tenantId, id });
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

  /**
   * From now on tokens that were issued before are refused.
   * @returns when a new one is to say that it was issued, null if there is no such device, or it is revoked.
   */
  async replaceTokens(tx: TenantTransaction, id: string, at: Date): Promise<Date | null> {
    const [[row]] = await tx.manager.query<[TokensRow[], number]>(
      `UPDATE devices SET tokens_valid_from = ${replacedAt('$3::timestamptz')}
       WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL
       RETURNING tokens_valid_from AS valid_from`,
      [tx.tenantId, id, at],
    );
    return row?.valid_from ?? null;
  }

  /** @returns the device as it is after it, null if there is none. */
  async change(tx: TenantTransaction, id: string, { name, deviceType }: DeviceChange): Promise<DeviceIdentity | null> {
    const [[row]] = await tx.manager.query<[{ name: string; device_type: DeviceType }[], number]>(
      `UPDATE devices SET name = coalesce($3, name), device_type = coalesce($4, device_type)
       WHERE tenant_id = $1 AND id = $2
       RETURNING name, device_type`,
      [tx.tenantId, id, name, deviceType],
    );
    return row ? { id, name: row.name, deviceType: row.device_type } : null;
  }

  /**
   * Keeps what pushes told of their devices, of each device once. Of reused clocks the latest is kept: it tells a clone
   * that goes on pushing from a re-install long ago.
   * @returns by device whether it may still enter, and will until the commit: whoever revokes it waits for that.
   */
  async notePushes(tx: TenantTransaction, notes: ReadonlyMap<string, PushNote>): Promise<Map<string, DeviceAccess>> {
    if (notes.size === 0) return new Map();
    const rows = await prepared<AccessRow>(tx, 'note pushes', NOTE_PUSHES, [
      tx.tenantId,
      ...arraysOf(PUSH_NOTE, [...notes]),
    ]);
    return new Map(rows.map((row) => [row.id, { revoked: row.revoked, tokensValidFrom: row.tokens_valid_from }]));
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
    await prepared(
      tx,
      'note pull',
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
