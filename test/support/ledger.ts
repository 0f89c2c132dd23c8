import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { PushService } from '../../src/sync/push/push.service.js';
import { TenantTurns } from '../../src/sync/push/tenant-turns.js';
import { toPushCommand } from '../../src/sync/push/push.wire.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import type { PushReceipt } from '../../src/sync/domain/push-outcome.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';

/** The service's own classes on a test's pool, without Nest and without HTTP. */
export class TestLedger {
  readonly database: TenantDatabase;
  private readonly pushes: PushService;

  constructor(source: DataSource) {
    this.database = new TenantDatabase(source);
    this.pushes = new PushService(
      this.database,
      new TenantClockRepository(),
      new StockEventRepository(),
      new StockLevelRepository(),
      new TenantTurns(),
    );
  }

  /** A tenant with a clock and one device. @returns their ids. */
  async addTenant(deviceId: string = randomUUID()): Promise<{ tenantId: string; deviceId: string }> {
    const tenantId = randomUUID();
    const createdAt = new Date();
    await this.database.transaction(tenantId, async (tx) => {
      await new TenantRepository().create(tx, { name: 'Test tenant', createdAt });
      await new DeviceRepository().enrol(tx, { id: deviceId, name: 'Test device', deviceType: 'DESKTOP', createdAt });
    });
    return { tenantId, deviceId };
  }

  push(tenantId: string, deviceId: string, operations: readonly OperationDto[]): Promise<PushReceipt> {
    const device = { role: 'device', userId: deviceId, tenantId, deviceId } as const;
    const body = { operations: [...operations], client_lamport: 0, device_id: deviceId };
    return this.pushes.push(toPushCommand(device, body));
  }
}
