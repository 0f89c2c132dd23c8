import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import type { DataSource } from 'typeorm';
import { DecisionWriter } from '../../src/conflicts/decision.writer.js';
import { PaymentDisputeService } from '../../src/conflicts/payment-dispute.service.js';
import { ConflictRepository } from '../../src/conflicts/persistence/conflict.repository.js';
import { ResolutionService } from '../../src/conflicts/resolution.service.js';
import { StockCaseLoader } from '../../src/conflicts/stock-case.loader.js';
import { LongReads } from '../../src/database/long-reads.js';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import type { Difference } from '../../src/inventory/domain/verification.js';
import { LedgerAuditRepository } from '../../src/inventory/persistence/ledger-audit.repository.js';
import { ProductRepository } from '../../src/inventory/persistence/product.repository.js';
import { ReservationDeadlineRepository } from '../../src/inventory/persistence/reservation-deadline.repository.js';
import { RivalRepository } from '../../src/inventory/persistence/rival.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import type { ReservationScheduler } from '../../src/inventory/reservation-scheduler.js';
import { VerificationService } from '../../src/inventory/verification.service.js';
import { ConflictMetrics } from '../../src/metrics/conflict-metrics.js';
import { PaymentRepository } from '../../src/payments/persistence/payment.repository.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import { StateVersionRepository } from '../../src/states/persistence/state-version.repository.js';
import type { PullPage } from '../../src/sync/domain/pull-page.js';
import type { PushReceipt } from '../../src/sync/domain/push-outcome.js';
import { NextStatesRepository } from '../../src/sync/pull/persistence/next-states.repository.js';
import { PullService } from '../../src/sync/pull/pull.service.js';
import type { PushAnnouncer } from '../../src/sync/push/push-announcer.js';
import { PushContextLoader } from '../../src/sync/push/push-context.loader.js';
import { PushPlanWriter } from '../../src/sync/push/push-plan.writer.js';
import { PushRecorder } from '../../src/sync/push/push-recorder.js';
import { PushService } from '../../src/sync/push/push.service.js';
import { toPushCommand } from '../../src/sync/push/push.wire.js';
import type { OperationDto, PaymentEditDto, ProductEditDto } from '../../src/sync/push/push.dto.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';

/** The lists of a push, as a device sends them. */
export interface PushLists {
  readonly operations?: readonly OperationDto[];
  readonly products?: readonly ProductEditDto[];
  readonly payments?: readonly PaymentEditDto[];
}

/** A page of the log, with its events read. */
export type PulledPage = Omit<PullPage, 'events'> & { readonly events: readonly RecordedEvent[] };

/** The service's own classes on a test's pool, without Nest, HTTP and those who wait for news. */
export class TestLedger {
  readonly database: TenantDatabase;
  private readonly pushes: PushService;
  private readonly pulls: PullService;
  readonly resolutions: ResolutionService;
  private readonly audits: VerificationService;

  constructor(source: DataSource) {
    this.database = new TenantDatabase(source);
    const clocks = new TenantClockRepository();
    const devices = new DeviceRepository();
    const events = new StockEventRepository();
    const levels = new StockLevelRepository();
    const deadlines = new ReservationDeadlineRepository();
    const products = new ProductRepository();
    const payments = new PaymentRepository();
    const versions = new StateVersionRepository();
    const conflicts = new ConflictRepository();
    const rivals = new RivalRepository();
    const tenants = new TenantRepository();
    const nobody: Pick<PushAnnouncer, 'announce'> = { announce: () => undefined };
    this.pushes = new PushService(
      this.database,
      new PushRecorder(
        new PushContextLoader(clocks, tenants, rivals, events, levels, products, payments, versions, conflicts),
        new PushPlanWriter(clocks, events, levels, deadlines, products, payments, versions, conflicts),
        devices,
      ),
      nobody as PushAnnouncer,
    );
    const cases = new StockCaseLoader(rivals, levels, devices, products);
    this.resolutions = new ResolutionService(
      this.database,
      clocks,
      tenants,
      conflicts,
      cases,
      new PaymentDisputeService(payments, versions),
      new DecisionWriter(clocks, events, levels, deadlines, products, versions, conflicts),
      { announce: () => undefined } as unknown as TenantSignals,
      { schedule: () => undefined } as unknown as ReservationScheduler,
      new ConflictMetrics(new Registry()),
    );
    this.audits = new VerificationService(this.database, new LongReads(8), clocks, new LedgerAuditRepository());
    const nextStates = new NextStatesRepository();
    this.pulls = new PullService(this.database, clocks, events, products, payments, conflicts, devices, nextStates);
  }

  /** A tenant with a clock and one device. @returns their ids. */
  async addTenant(deviceId: string = randomUUID()): Promise<{ tenantId: string; deviceId: string }> {
    const tenantId = randomUUID();
    await this.database.transaction(tenantId, async (tx) => {
      await new TenantRepository().create(tx, { name: 'Test tenant', createdAt: new Date() });
    });
    await this.addDevice(tenantId, deviceId);
    return { tenantId, deviceId };
  }

  /** One more device of the tenant. @returns its id. */
  async addDevice(tenantId: string, deviceId: string = randomUUID()): Promise<string> {
    const device = { id: deviceId, name: 'Test device', deviceType: 'DESKTOP', createdAt: new Date() } as const;
    await this.database.transaction(tenantId, (tx) => new DeviceRepository().enrol(tx, device));
    return deviceId;
  }

  /** Pushes operations alone, or any lists. */
  push(tenantId: string, deviceId: string, pushed: readonly OperationDto[] | PushLists): Promise<PushReceipt> {
    const lists: PushLists = 'map' in pushed ? { operations: pushed } : pushed;
    const device = { role: 'device', userId: deviceId, tenantId, deviceId } as const;
    const body = {
      operations: [...(lists.operations ?? [])],
      products: [...(lists.products ?? [])],
      payments: [...(lists.payments ?? [])],
      client_lamport: 0,
      device_id: deviceId,
    };
    return this.pushes.push(device, toPushCommand(device, body));
  }

  async pull(tenantId: string, deviceId: string, lastLamport: number, limit = 1_000): Promise<PulledPage> {
    const puller = { role: 'device', userId: deviceId, tenantId, deviceId } as const;
    const page = await this.pulls.pull(puller, lastLamport, limit);
    return {
      ...page,
      events: page.events.map(({ json }) => toRecordedEvent(JSON.parse(Buffer.from(json).toString()) as StockEventDto)),
    };
  }

  /** What a verification of the whole ledger finds wrong. */
  async verify(tenantId: string): Promise<Difference[]> {
    const found: Difference[] = [];
    await this.audits.verify(tenantId, (differences) => {
      found.push(...differences);
      return Promise.resolve();
    });
    return found;
  }
}

function toRecordedEvent(event: StockEventDto): RecordedEvent {
  const time = (text: string | null): Date | null => (text === null ? null : new Date(text));
  return {
    lamport: event.lamport_ts,
    operationId: event.operation_id,
    productId: event.product_id,
    deviceId: event.device_id,
    deviceType: event.device_type as RecordedEvent['deviceType'],
    kind: event.operation as RecordedEvent['kind'],
    delta: event.delta,
    reason: event.reason as RecordedEvent['reason'],
    paymentStatus: event.payment_status as RecordedEvent['paymentStatus'],
    amount: event.amount,
    locationLat: event.location_lat,
    locationLng: event.location_lng,
    clientLamport: event.client_lamport,
    baseLamport: event.base_lamport,
    version: event.version,
    groupId: event.group_id,
    refOperationId: event.ref_operation_id,
    expiresAt: time(event.expires_at),
    createdAt: time(event.created_at),
    createdBy: event.created_by,
    updatedBy: event.updated_by,
    effect: event.effect,
    stockAfter: event.stock_after,
    disposition: event.disposition as RecordedEvent['disposition'],
    syncedAt: new Date(event.synced_at),
    contentHash: Buffer.from(event.content_hash, 'hex'),
    chainHash: Buffer.from(event.chain_hash, 'hex'),
  };
}
