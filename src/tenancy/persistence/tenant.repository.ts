import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Not } from 'typeorm';
import { arrayOf } from '../../database/columns.js';
import { prepared } from '../../database/prepared.js';
import { toSafeInteger } from '../../database/safe-integer.js';
import type { PlatformTransaction, TenantTransaction } from '../../database/tenant-database.js';
import type { AccessState } from '../admission.js';
import type { DeviceAccess } from '../domain/device.js';
import { GENESIS_HASH } from '../domain/lamport-clock.js';
import type { Tenant, TenantStatus } from '../domain/tenant.js';
import { type SettingsChange, settingsOf, type TenantSettings, toStored } from '../domain/tenant-settings.js';
import { TenantEntity, toTenant } from './tenant.entity.js';

interface SettingsRow {
  readonly settings: Record<string, unknown>;
}

interface AccessRow extends SettingsRow {
  readonly status: TenantStatus;
  readonly device_id: string | null;
  readonly revoked: boolean;
  readonly tokens_valid_from: Date | null;
  readonly last_pulled_lamport: string | null;
}

@Injectable()
export class TenantRepository {
  /**
   * Inserts the tenant of `tx` with its clock at 0.
   * @returns false if there is one with this id.
   */
  async create(tx: TenantTransaction, tenant: { name: string; createdAt: Date }): Promise<boolean> {
    const inserted = await tx.manager.query<unknown[]>(
      `INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING RETURNING id`,
      [tx.tenantId, tenant.name, tenant.createdAt],
    );
    if (inserted.length === 0) return false;
    await tx.manager.query(`INSERT INTO tenant_clocks (tenant_id, lamport, chain_hash, epoch) VALUES ($1, 0, $2, $3)`, [
      tx.tenantId,
      GENESIS_HASH,
      randomUUID(),
    ]);
    return true;
  }

  /** All tenants but those that are deleted, the oldest first. */
  async list(tx: PlatformTransaction): Promise<Tenant[]> {
    const where = { status: Not('DELETED' as const) };
    return (await tx.manager.find(TenantEntity, { where, order: { createdAt: 'ASC', id: 'ASC' } })).map(toTenant);
  }

  /** Ids of the tenants of a status, the oldest first: for workers, that look after active ones alone, or the doomed. */
  async idsOf(tx: PlatformTransaction, status: TenantStatus): Promise<string[]> {
    const query = { select: { id: true }, where: { status }, order: { createdAt: 'ASC', id: 'ASC' } } as const;
    return (await tx.manager.find(TenantEntity, query)).map(({ id }) => id);
  }

  async find(tx: PlatformTransaction, id: string): Promise<Tenant | null> {
    const row = await tx.manager.findOneBy(TenantEntity, { id });
    return row && toTenant(row);
  }

  /** The tenant of `tx`, whose status, name and settings nobody else changes until the transaction ends. */
  async lock(tx: TenantTransaction): Promise<Tenant | null> {
    // Not FOR UPDATE: for that, whoever enrols a device would have to wait.
    const lock = { mode: 'for_no_key_update' } as const;
    const row = await tx.manager.findOne(TenantEntity, { where: { id: tx.tenantId }, lock });
    return row && toTenant(row);
  }

  /** Writes name and status of the tenant of `tx`. */
  async save(tx: TenantTransaction, { name, status }: Pick<Tenant, 'name' | 'status'>): Promise<void> {
    await tx.manager.query(`UPDATE tenants SET name = $2, status = $3 WHERE id = $1`, [tx.tenantId, name, status]);
  }

  /**
   * Deletes at most `rowsMax` rows of the tenant, which must be DELETING, from whichever table still has some.
   * @returns how many; 0 if nothing is left but the tenant's own row and what the platform did.
   */
  async eraseSome(tx: TenantTransaction, rowsMax: number): Promise<number> {
    const [row] = await tx.manager.query<{ erased: string }[]>(`SELECT erase_tenant_rows($1) AS erased`, [rowsMax]);
    return Number(row?.erased);
  }

  /** To be called when all is erased. Name and id stay: the id is never used again, and the audit log names it. */
  async markDeleted(tx: TenantTransaction): Promise<void> {
    await tx.manager.query(`UPDATE tenants SET status = 'DELETED', settings = '{}' WHERE id = $1`, [tx.tenantId]);
  }

  /** What the business has chosen, with the defaults filled in. Waits for nobody who is changing it. */
  async settingsOf(tx: TenantTransaction): Promise<TenantSettings> {
    const [row] = await tx.manager.query<SettingsRow[]>(`SELECT settings FROM tenants WHERE id = $1`, [tx.tenantId]);
    if (row === undefined) throw tenantMissing(tx);
    return settingsOf(row.settings);
  }

  /**
   * Changes what `change` names. Merged by the database, in one statement: of two who change different settings at the
   * same moment, neither writes back what the other has just replaced.
   * @returns all settings, as they are after it.
   */
  async updateSettings(tx: TenantTransaction, change: SettingsChange): Promise<TenantSettings> {
    const [[row]] = await tx.manager.query<[SettingsRow[], number]>(
      `UPDATE tenants SET settings = settings || $2::jsonb WHERE id = $1 RETURNING settings`,
      [tx.tenantId, JSON.stringify(toStored(change))],
    );
    if (row === undefined) throw tenantMissing(tx);
    return settingsOf(row.settings);
  }

  /** What the guards ask on every request, of those who ask at the same moment: of people, who have no device, too. */
  async accessStates(tx: TenantTransaction, deviceIds: readonly string[]): Promise<AccessStates> {
    return accessStatesIn(await this.accessRows(tx, deviceIds));
  }

  /**
   * As `accessStates` and `settingsOf`, in one question, of all devices that push together: for who has the tenant's clock
   * while they ask.
   */
  async pushersOf(tx: TenantTransaction, deviceIds: readonly string[]): Promise<Pushers> {
    const rows = await this.accessRows(tx, deviceIds);
    const [tenant] = rows;
    if (tenant === undefined) throw tenantMissing(tx);
    const pulled = new Map(rows.map((row) => [row.device_id, row.last_pulled_lamport]));
    return {
      settings: settingsOf(tenant.settings),
      accessOf: accessStatesIn(rows),
      lastPulledLamportOf: (deviceId) => {
        const lamport = pulled.get(deviceId) ?? null;
        return lamport === null ? null : toSafeInteger(lamport);
      },
    };
  }

  /** One row at least, of a tenant that is there: without a device if none of those is enrolled. */
  private accessRows(tx: TenantTransaction, deviceIds: readonly string[]): Promise<AccessRow[]> {
    return prepared<AccessRow>(
      tx,
      'access and settings',
      `SELECT t.status, t.settings,
              d.id AS device_id, d.revoked_at IS NOT NULL AS revoked, d.tokens_valid_from, d.last_pulled_lamport
       FROM tenants t LEFT JOIN devices d ON d.tenant_id = t.id AND d.id = ANY($2::uuid[])
       WHERE t.id = $1`,
      [tx.tenantId, arrayOf('uuid', deviceIds)],
    );
  }
}

/** Whether those may enter who were asked about; null is for people. */
export type AccessStates = (deviceId: string | null) => AccessState;

/** Those who push together, as they stand while the tenant's clock is held. */
export interface Pushers {
  readonly settings: TenantSettings;
  readonly accessOf: AccessStates;
  /** How far the device had pulled; null if it never did. */
  readonly lastPulledLamportOf: (deviceId: string) => number | null;
}

function accessStatesIn(rows: readonly AccessRow[]): AccessStates {
  const tenantStatus = rows[0]?.status;
  const devices = new Map<string | null, DeviceAccess>();
  for (const { device_id: id, revoked, tokens_valid_from: tokensValidFrom } of rows) {
    if (id !== null) devices.set(id, { revoked, tokensValidFrom });
  }
  return (deviceId) => ({ tenantStatus, device: devices.get(deviceId) });
}

function tenantMissing({ tenantId }: TenantTransaction): Error {
  return new Error(`There is no tenant ${tenantId}`);
}
