import { Injectable } from '@nestjs/common';
import { TenantDatabase, type TenantTransaction } from '../../database/tenant-database.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../inventory/persistence/stock-level.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import { decidePush, type PushContext } from '../domain/decide-push.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushReceipt } from '../domain/push-outcome.js';
import { TenantTurns } from './tenant-turns.js';

/**
 * Nothing is in the catalogue while devices can't push products: every product is unknown, and says so.
 */
const NO_CATALOGUE: ReadonlySet<string> = new Set();

@Injectable()
export class PushService {
  constructor(
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly events: StockEventRepository,
    private readonly levels: StockLevelRepository,
    private readonly turns: TenantTurns,
  ) {}

  /** Records a push: all its accepted entries or, if this throws, none. A bad entry is an outcome, not an error. */
  async push(command: PushCommand): Promise<PushReceipt> {
    return this.turns.take(command.tenantId, () => this.record(command, new Date()));
  }

  private record(command: PushCommand, at: Date): Promise<PushReceipt> {
    return this.database.transaction(command.tenantId, async (tx) => {
      const context = await this.load(tx, command, at);
      const plan = decidePush(command, context);
      if (plan.events.length > 0) {
        await this.events.append(tx, plan.events, at);
        await this.levels.save(tx, plan.levels);
        await this.clocks.advance(tx, plan.clock);
      }
      return { outcomes: plan.outcomes, serverLamport: plan.clock.lamport, epoch: plan.clock.epoch, at };
    });
  }

  /** The clock lock first: what is read after it can't change until the commit. */
  private async load(tx: TenantTransaction, command: PushCommand, at: Date): Promise<PushContext> {
    const operations = command.entries.flatMap((entry) => (entry.readable ? [entry.operation] : []));
    const clock = await this.clocks.lock(tx);
    const known = await this.events.known(tx, unique(operations.map((operation) => operation.operationId)));
    const levels = await this.levels.levelsOf(tx, unique(operations.map((operation) => operation.productId)));
    const lamports = unique(operations.map((operation) => operation.clientLamport));
    const usedLamports = await this.events.usedLamports(tx, command.deviceId, lamports);
    return {
      clock,
      known,
      levels,
      usedLamports,
      catalogue: NO_CATALOGUE,
      clockSkewMs: command.sentAt === null ? null : Date.parse(command.sentAt) - at.getTime(),
    };
  }
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
