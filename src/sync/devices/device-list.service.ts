import { Injectable } from '@nestjs/common';
import { ConflictListingRepository } from '../../conflicts/persistence/conflict-listing.repository.js';
import { TenantDatabase } from '../../database/tenant-database.js';
import { DeviceRepository } from '../../tenancy/persistence/device.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { DeviceList } from '../domain/device-list.js';

/** What is known of the devices of a business: here, above the modules that know a part of it each. */
@Injectable()
export class DeviceListService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly devices: DeviceRepository,
    private readonly clocks: TenantClockRepository,
    private readonly conflicts: ConflictListingRepository,
  ) {}

  /** All devices that were ever enrolled, the oldest first, as they are at one moment. */
  list(tenantId: string): Promise<DeviceList> {
    return this.database.snapshot(tenantId, async (tx) => ({
      devices: await this.devices.list(tx),
      serverLamport: (await this.clocks.read(tx)).lamport,
      pendingConflicts: await this.conflicts.pendingByDevice(tx),
    }));
  }
}
