import type { StockLevel } from '../../src/inventory/domain/ledger.js';
import type { StockEvent } from '../../src/inventory/domain/stock-event.js';
import { decidePush, type PushContext, type PushPlan } from '../../src/sync/domain/decide-push.js';
import type { PushCommand } from '../../src/sync/domain/push-command.js';
import { GENESIS_HASH, type TenantClock } from '../../src/tenancy/domain/lamport-clock.js';
import { CATALOGUE, type PushHistory } from './arbitraries.js';

/** Stands in for the database: a tenant's log, levels and clock in memory, read and written as the push service does. */
export class PushLog {
  readonly events: StockEvent[] = [];
  readonly levels = new Map<string, StockLevel>();
  clock: TenantClock = { lamport: 0, chainHash: GENESIS_HASH, epoch: '99999999-0000-4000-8000-000000000001' };

  /** Only what the push names, and a copy: the log goes on growing. */
  contextFor(command: PushCommand, clockSkewMs: number | null = null): PushContext {
    const operations = command.entries.flatMap((entry) => (entry.readable ? [entry.operation] : []));
    const operationIds = new Set(operations.map((operation) => operation.operationId));
    const productIds = new Set(operations.map((operation) => operation.productId));
    const lamports = new Set(operations.map((operation) => operation.clientLamport));
    return {
      clock: this.clock,
      known: new Map(
        this.events
          .filter((event) => operationIds.has(event.operationId))
          .map(({ operationId, lamport, effect, stockAfter, disposition, contentHash }) => [
            operationId,
            { lamport, effect, stockAfter, disposition, contentHash },
          ]),
      ),
      levels: new Map([...this.levels].filter(([productId]) => productIds.has(productId))),
      usedLamports: new Set(
        this.events
          .filter((event) => event.deviceId === command.deviceId && lamports.has(event.clientLamport))
          .map((event) => event.clientLamport),
      ),
      catalogue: CATALOGUE,
      clockSkewMs,
    };
  }

  push(command: PushCommand, clockSkewMs: number | null = null): PushPlan {
    const plan = decidePush(command, this.contextFor(command, clockSkewMs));
    this.events.push(...plan.events);
    for (const [productId, level] of plan.levels) this.levels.set(productId, level);
    this.clock = plan.clock;
    return plan;
  }
}

/** A push of a history with what it was decided on and what came of it. */
export interface ReplayedPush {
  readonly command: PushCommand;
  readonly context: PushContext;
  readonly plan: PushPlan;
}

/** Pushes a whole history to an empty log. */
export function replay(history: PushHistory): { readonly log: PushLog; readonly pushes: readonly ReplayedPush[] } {
  const log = new PushLog();
  const pushes = history.map(({ command, clockSkewMs }) => {
    const context = log.contextFor(command, clockSkewMs);
    return { command, context, plan: log.push(command, clockSkewMs) };
  });
  return { log, pushes };
}
