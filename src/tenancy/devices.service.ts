import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { TenantDatabase } from '../database/tenant-database.js';
import { ProblemError } from '../problems/problem.js';
import { TenantSignals } from '../signals/tenant-signals.js';
import type { DeviceList, Enrolment } from './domain/device.js';
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
   * Enrols a device; its token is in the answer and nowhere else.
   * @throws ProblemError DEVICE_EXISTS if the tenant has had a device with this id.
   */
  async enrol(
    tenantId: string,
    request: { id: string | undefined; name: string; deviceType: DeviceType },
  ): Promise<Enrolment> {
    const id = request.id ?? randomUUID();
    const { name, deviceType } = request;
    const enrolled = await this.database.transaction(tenantId, (tx) =>
      this.devices.enrol(tx, { id, name, deviceType, createdAt: new Date() }),
    );
    if (!enrolled) throw new ProblemError('DEVICE_EXISTS');
    // A device acts as itself, so it is its own subject.
    const token = this.tokens.signs
      ? await this.tokens.sign({ role: 'device', userId: id, tenantId, deviceId: id })
      : null;
    return { id, name, deviceType, token };
  }

  /** All devices that were ever enrolled, the oldest first, with the clock that they have caught up with or not. */
  list(tenantId: string): Promise<DeviceList> {
    return this.database.transaction(tenantId, async (tx) => {
      const devices = await this.devices.list(tx);
      // Read after them, and it only grows: no device is ahead of it.
      const { lamport: serverLamport } = await this.clocks.read(tx);
      return { devices, serverLamport };
    });
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
}
