import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../database/tenant-database.js';
import type { LoggedOperation } from '../inventory/domain/logged-operation.js';
import { ServerLog } from '../inventory/domain/server-log.js';
import { ProductRepository } from '../inventory/persistence/product.repository.js';
import { RivalRepository } from '../inventory/persistence/rival.repository.js';
import { StockLevelRepository } from '../inventory/persistence/stock-level.repository.js';
import type { TenantClock } from '../tenancy/domain/lamport-clock.js';
import { DeviceRepository } from '../tenancy/persistence/device.repository.js';
import type { StockCase } from './domain/assessment.js';
import { baseOf } from './domain/concurrency.js';
import type { RecordedConflict } from './domain/conflict.js';
import type { ClockSkews } from './domain/contestants.js';
import { StockView } from './domain/stock-view.js';

/** All that conflicts about stock are settled on. */
export interface StockCases {
  /** By conflict id; one whose operation is not in the log is missing. */
  readonly cases: ReadonlyMap<string, StockCase>;
  readonly view: StockView;
  readonly skews: ClockSkews;
}

/** Reads it: set by set, so in a fixed number of round trips, whatever the number of conflicts. */
@Injectable()
export class StockCaseLoader {
  constructor(
    private readonly rivals: RivalRepository,
    private readonly levels: StockLevelRepository,
    private readonly devices: DeviceRepository,
    private readonly products: ProductRepository,
  ) {}

  /**
   * Under the tenant's clock lock: what is read can't change until the commit.
   * @param log to which decisions are appended
   */
  async load(
    tx: TenantTransaction,
    clock: TenantClock,
    conflicts: readonly RecordedConflict[],
    now: number,
  ): Promise<StockCases & { readonly log: ServerLog }> {
    const stock = conflicts.filter(({ entity }) => entity === 'STOCK');
    const sides = await this.rivals.operationsOf(tx, unique(stock.flatMap(({ a, b }) => [a.id, b.id])));
    const named = await this.rivals.operationsOf(
      tx,
      unique(stock.flatMap(({ a }) => sides.get(a.id)?.content.refOperationId ?? [])),
    );
    const drafts = stock.flatMap((conflict) => {
      const a = sides.get(conflict.a.id);
      return a ? [{ conflict, a, base: knownLamportOf(conflict, a) }] : [];
    });
    const histories = await this.rivals.historiesOf(tx, oldestLamports(drafts, sides));
    const levels = await this.levels.levelsOf(tx, unique(stock.map(({ entityId }) => entityId)));
    const deletions = await this.products.deletionsOf(
      tx,
      unique(stock.filter(({ kind }) => kind === 'DELETED_PRODUCT').map(({ entityId }) => entityId)),
    );
    const devices = stock.length > 0 ? await this.devices.list(tx) : [];
    const log = new ServerLog(tx.tenantId, clock, levels);
    const view = new StockView(log, histories, [...sides.values(), ...named.values()], now);
    const recordedAt = new Map(
      [...histories.values()].flatMap(({ events }) =>
        events.map((event) => [event.content.operationId, event.recordedAt] as const),
      ),
    );
    const cases = drafts.map((draft): [string, StockCase] => {
      const { conflict, a } = draft;
      const { refOperationId } = a.content;
      return [
        conflict.id,
        {
          ...draft,
          recordedAt: recordedAt.get(conflict.a.id) ?? conflict.detectedAt.valueOf(),
          b: sides.get(conflict.b.id),
          named: refOperationId === null ? undefined : named.get(refOperationId),
          isDeleted: (deletions.get(conflict.entityId) ?? null) !== null,
        },
      ];
    });
    const skews = new Map(devices.map(({ id, clockSkewMs }) => [id, clockSkewMs]));
    return { cases: new Map(cases), view, skews, log };
  }
}

/** What the push found out: the operation alone doesn't tell how far its device had pulled. */
function knownLamportOf({ a: { payload } }: RecordedConflict, { content, state }: LoggedOperation): number {
  const { knownLamport } = payload;
  return typeof knownLamport === 'number' ? knownLamport : baseOf(content, null, state.lamport - 1);
}

/** Back to what was known when it was recorded, and to the other side, which may be older and released only since. */
function oldestLamports(
  drafts: readonly { readonly conflict: RecordedConflict; readonly base: number }[],
  sides: ReadonlyMap<string, LoggedOperation>,
): Map<string, number> {
  const oldest = new Map<string, number>();
  for (const { conflict, base } of drafts) {
    const { entityId, b } = conflict;
    const before = (sides.get(b.id)?.state.lamport ?? Infinity) - 1;
    oldest.set(entityId, Math.min(base, before, oldest.get(entityId) ?? Infinity));
  }
  return oldest;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
