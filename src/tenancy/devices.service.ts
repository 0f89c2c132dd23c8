import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import { assertOpen } from './admission.js';
import type { TenantActor } from './audit/domain/actor.js';
import { changesBetween } from './audit/domain/audit-entry.js';
import { AuditTrail } from './audit/persistence/audit-trail.js';
import type { DeviceChange, DeviceIdentity, Enrolment } from './domain/device.js';
import type { DeviceType } from './domain/device-type.js';
import { DeviceRepository } from './persistence/device.repository.js';
import { TenantClockRepository } from './persistence/tenant-clock.repository.js';
import { TenantRepository } from './persistence/tenant.repository.js';
import { TokensService } from './tokens.service.js';

/** What an admin does with the devices of the business. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly tenants: TenantRepository,
    private readonly devices: DeviceRepository,
    private readonly clocks: TenantClockRepository,
    private readonly tokens: TokensService,
    private readonly signals: TenantSignals,
    private readonly audit: AuditTrail,
  ) {}

  /**
   * Enrols a device, or one that was revoked again; its token is in the answer and nowhere else.
   * @throws ProblemError DEVICE_EXISTS if the tenant has a device with this id.
   */
  async enrol(
    actor: TenantActor,
    request: { id: string | undefined; name: string; deviceType: DeviceType },
  ): Promise<Enrolment> {
    const { tenantId } = actor;
    const device = { id: request.id ?? randomUUID(), name: request.name, deviceType: request.deviceType };
    const { issuedAt, lamport } = await this.oneAtATime(tenantId, async (tx) => {
      const validFrom = await this.devices.enrol(tx, { ...device, createdAt: new Date() });
      if (!validFrom) throw new ProblemError('DEVICE_EXISTS');
      const changes = changesBetween({}, { name: device.name, device_type: device.deviceType });
      await this.audit.record(tx, actor, { action: 'device.enrolled', entityId: device.id, changes });
      return { issuedAt: validFrom, lamport: (await this.clocks.read(tx)).lamport };
    });
    return { ...device, token: await this.sign(tenantId, device.id, issuedAt), lamport };
  }

  /**
   * Gives the device another token, and refuses all that it had.
   * @throws ProblemError NOT_FOUND, or DEVICE_INACTIVE if it is revoked.
   */
  async replaceToken(actor: TenantActor, id: string): Promise<Enrolment> {
    const { tenantId } = actor;
    const { issuedAt, lamport, name, deviceType } = await this.oneAtATime(tenantId, async (tx) => {
      const validFrom = await this.devices.replaceTokens(tx, id, new Date());
      const device = await this.devices.find(tx, id);
      if (!device) throw new ProblemError('NOT_FOUND');
      if (!validFrom) throw new ProblemError('DEVICE_INACTIVE');
      await this.audit.record(tx, actor, { action: 'device.token_replaced', entityId: id });
      return { ...device, issuedAt: validFrom, lamport: (await this.clocks.read(tx)).lamport };
    });
    this.signals.announceAccessChange(tenantId); // as below
    return { id, name, deviceType, token: await this.sign(tenantId, id, issuedAt), lamport };
  }

  /** @throws ProblemError NOT_FOUND */
  change(actor: TenantActor, id: string, change: DeviceChange): Promise<DeviceIdentity> {
    return this.oneAtATime(actor.tenantId, async (tx) => {
      const before = await this.devices.find(tx, id);
      const after = before && (await this.devices.change(tx, id, change));
      if (!after) throw new ProblemError('NOT_FOUND');
      const changes = changesBetween(auditedFields(before), auditedFields(after));
      if (Object.keys(changes).length > 0) {
        await this.audit.record(tx, actor, { action: 'device.changed', entityId: id, changes });
      }
      return after;
    });
  }

  /**
   * Locks the device out from its next request on. Its log entries stay. Revoking twice changes nothing.
   * @throws ProblemError NOT_FOUND
   */
  async revoke(actor: TenantActor, id: string): Promise<void> {
    const { tenantId } = actor;
    await this.oneAtATime(tenantId, async (tx) => {
      const before = await this.devices.find(tx, id);
      if (!before || !(await this.devices.revoke(tx, id, new Date()))) throw new ProblemError('NOT_FOUND');
      if (before.revokedAt === null) await this.audit.record(tx, actor, { action: 'device.revoked', entityId: id });
    });
    this.signals.announceAccessChange(tenantId); // its open streams end, in whichever process they are
  }

  /**
   * Admins change the devices of a business one after another: so what one finds is what that one changes, and the audit log
   * is told.
   * @throws ProblemError TENANT_SUSPENDED
   */
  private oneAtATime<T>(tenantId: string, work: (tx: TenantTransaction) => Promise<T>): Promise<T> {
    return this.database.transaction(tenantId, async (tx) => {
      assertOpen((await this.tenants.lock(tx))?.status);
      return work(tx);
    });
  }

  /** null if an identity provider signs the tokens. A device acts as itself, so it is its own subject. */
  private async sign(tenantId: string, id: string, issuedAt: Date): Promise<string | null> {
    if (!this.tokens.signs) return null;
    const device = { role: 'device', userId: id, tenantId, deviceId: id } as const;
    return this.tokens.sign({ ...device, tokenIssuedAt: issuedAt.getTime() });
  }
}

function auditedFields({ name, deviceType }: DeviceIdentity): Record<string, string> {
  return { name, device_type: deviceType };
}
