import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import type { DeviceChange, DeviceIdentity, Enrolment } from './domain/device.js';
import type { DeviceType } from './domain/device-type.js';
import { DeviceRepository } from './persistence/device.repository.js';
import { TenantClockRepository } from './persistence/tenant-clock.repository.js';
import { TokensService } from './tokens.service.js';

/** What an admin does with the devices of the business. */
@Injectable()
export class DevicesService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly devices: DeviceRepository,
    private readonly clocks: TenantClockRepository,
    private readonly tokens: TokensService,
    private readonly signals: TenantSignals,
  ) {}

  /**
   * Enrols a device, or one that was revoked again; its token is in the answer and nowhere else.
   * @throws ProblemError DEVICE_EXISTS if the tenant has a device with this id.
   */
  async enrol(
    tenantId: string,
    request: { id: string | undefined; name: string; deviceType: DeviceType },
  ): Promise<Enrolment> {
    const device = { id: request.id ?? randomUUID(), name: request.name, deviceType: request.deviceType };
    const { issuedAt, lamport } = await this.database.transaction(tenantId, async (tx) => {
      const validFrom = await this.devices.enrol(tx, { ...device, createdAt: new Date() });
      if (!validFrom) throw new ProblemError('DEVICE_EXISTS');
      return { issuedAt: validFrom, lamport: (await this.clocks.read(tx)).lamport };
    });
    return { ...device, token: await this.sign(tenantId, device.id, issuedAt), lamport };
  }

  /**
   * Gives the device another token, and refuses all that it had.
   * @throws ProblemError NOT_FOUND, or DEVICE_INACTIVE if it is revoked.
   */
  async replaceToken(tenantId: string, id: string): Promise<Enrolment> {
    const { issuedAt, lamport, name, deviceType } = await this.database.transaction(tenantId, async (tx) => {
      const validFrom = await this.devices.replaceTokens(tx, id, new Date());
      const device = await this.devices.find(tx, id);
      if (!device) throw new ProblemError('NOT_FOUND');
      if (!validFrom) throw new ProblemError('DEVICE_INACTIVE');
      return { ...device, issuedAt: validFrom, lamport: (await this.clocks.read(tx)).lamport };
    });
    this.signals.announceAccessChange(tenantId); // as below
    return { id, name, deviceType, token: await this.sign(tenantId, id, issuedAt), lamport };
  }

  /** @throws ProblemError NOT_FOUND */
  async change(tenantId: string, id: string, change: DeviceChange): Promise<DeviceIdentity> {
    const device = await this.database.transaction(tenantId, (tx) => this.devices.change(tx, id, change));
    if (!device) throw new ProblemError('NOT_FOUND');
    return device;
  }

  /**
   * Locks the device out from its next request on. Its log entries stay. Revoking twice changes nothing.
   * @throws ProblemError NOT_FOUND
   */
  async revoke(tenantId: string, id: string): Promise<void> {
    const found = await this.database.transaction(tenantId, (tx) => this.devices.revoke(tx, id, new Date()));
    if (!found) throw new ProblemError('NOT_FOUND');
    this.signals.announceAccessChange(tenantId); // its open streams end, in whichever process they are
  }

  /** null if an identity provider signs the tokens. A device acts as itself, so it is its own subject. */
  private async sign(tenantId: string, id: string, issuedAt: Date): Promise<string | null> {
    if (!this.tokens.signs) return null;
    const device = { role: 'device', userId: id, tenantId, deviceId: id } as const;
    return this.tokens.sign({ ...device, tokenIssuedAt: issuedAt.getTime() });
  }
}
