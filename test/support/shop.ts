import { expect } from '@jest/globals';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import type { PushOutcome } from '../../src/sync/domain/push-outcome.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { anOperation } from './builders.js';
import type { PulledPage, TestLedger } from './ledger.js';

const NOON = Date.parse('2026-03-01T12:00:00Z');

/** Wall-clock time of a device, so many minutes after noon. */
export const at = (minutes: number): string => new Date(NOON + minutes * 60_000).toISOString();

/** A business with one product and four devices: one that restocks first, and three that know that and nothing after it. */
export class TestShop {
  private constructor(
    private readonly ledger: TestLedger,
    readonly tenantId: string,
    readonly product: string,
    readonly till: string,
    readonly ana: string,
    readonly ben: string,
    readonly carol: string,
  ) {}

  static async open(ledger: TestLedger, product: string): Promise<TestShop> {
    const { tenantId, deviceId } = await ledger.addTenant();
    const [ana, ben, carol] = [
      await ledger.addDevice(tenantId),
      await ledger.addDevice(tenantId),
      await ledger.addDevice(tenantId),
    ];
    return new TestShop(ledger, tenantId, product, deviceId, ana, ben, carol);
  }

  operation(device: string, fields: Partial<OperationDto>): OperationDto {
    return anOperation({ tenant_id: this.tenantId, device_id: device, product_id: this.product, ...fields });
  }

  /** A claim by a device that has seen the restock, which is at lamport 2, and nothing after it. */
  sale(device: string, units: number, fields: Partial<OperationDto> = {}): OperationDto {
    return this.operation(device, {
      ...{ operation: 'DECREMENT', delta: units, reason: 'SALE', payment_status: 'PENDING' },
      ...{ lamport_ts: 3, base_lamport: 2, ...fields },
    });
  }

  count(device: string, units: number, fields: Partial<OperationDto> = {}): OperationDto {
    return this.operation(device, {
      ...{ operation: 'SET', delta: units, reason: 'COUNT', lamport_ts: 3, base_lamport: 2, ...fields },
    });
  }

  restock(units: number): Promise<PushOutcome> {
    return this.push(this.till, this.operation(this.till, { delta: units, lamport_ts: 1 }));
  }

  /** @returns what came of the last of them */
  async push(device: string, ...operations: OperationDto[]): Promise<PushOutcome> {
    const { outcomes } = await this.ledger.push(this.tenantId, device, operations);
    const last = outcomes.at(-1);
    if (!last) throw new Error('Something was pushed');
    return last;
  }

  async stock(): Promise<number> {
    const [row] = await this.ledger.database.transaction(this.tenantId, (tx) =>
      tx.manager.query<{ quantity: number }[]>('SELECT quantity FROM stock_levels'),
    );
    return row?.quantity ?? NaN;
  }

  /** All that a new device pulls. */
  async pulled(): Promise<Pick<PulledPage, 'events' | 'conflicts'>> {
    const all = { events: [] as RecordedEvent[], conflicts: [] as RecordedConflict[] };
    for (let cursor = 0; ;) {
      const page = await this.ledger.pull(this.tenantId, this.till, cursor);
      all.events.push(...page.events);
      all.conflicts.push(...page.conflicts);
      if (!page.hasMore) return all;
      cursor = page.nextLamport;
    }
  }

  /** The heuristics look at all that awaits them. */
  settle(): ReturnType<TestLedger['resolutions']['settleAwaiting']> {
    return this.ledger.resolutions.settleAwaiting(this.tenantId);
  }

  /** I1, I7: the ledger verifies, and a replica that adds up effects has the server's stock. */
  async expectSound(): Promise<void> {
    expect(await this.ledger.verify(this.tenantId)).toEqual([]);
    const { events } = await this.pulled();
    expect(events.reduce((sum, { effect }) => sum + effect, 0)).toBe(await this.stock());
  }
}
