import { Injectable } from '@nestjs/common';
import { countQueries, rivalQueries } from '../../conflicts/domain/rival-queries.js';
import { conflictIdOf } from '../../conflicts/domain/state-conflicts.js';
import { ConflictRepository } from '../../conflicts/persistence/conflict.repository.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import { openingBalanceId } from '../../inventory/domain/opening-balance.js';
import { type LoggedOperation, NO_RIVALS, type Rivals } from '../../inventory/domain/logged-operation.js';
import type { ProductEdit } from '../../inventory/domain/product.js';
import { intentOf } from '../../inventory/domain/reference.js';
import { ProductRepository } from '../../inventory/persistence/product.repository.js';
import { RivalRepository } from '../../inventory/persistence/rival.repository.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../inventory/persistence/stock-level.repository.js';
import type { PaymentEdit } from '../../payments/domain/payment.js';
import { PaymentRepository } from '../../payments/persistence/payment.repository.js';
import { ProblemError } from '../../problems/problem.js';
import type { Entity } from '../../states/domain/state.js';
import { type BaseQuestion, StateVersionRepository } from '../../states/persistence/state-version.repository.js';
import { refusalOf } from '../../tenancy/admission.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { TenantRepository } from '../../tenancy/persistence/tenant.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import { contentOf, type PushCommand, type PushContent } from '../domain/push-command.js';
import type { DeviceReading, LogReading } from '../domain/push-context.js';

/** A push that is to be recorded. */
export interface PendingPush {
  /** The device itself; or a person, whose bringing doesn't tell when the device was here, nor whether it is a clone. */
  readonly bringer: TenantPrincipal;
  readonly command: PushCommand;
  readonly arrivedAt: Date;
}

/** What pushes that are recorded together are decided on. */
export interface GroupReading {
  readonly log: LogReading;
  /** Of each push what was read for it alone, or why it may not be recorded any more. */
  readonly own: readonly (DeviceReading | ProblemError)[];
}

/** Reads what pushes are decided on: set by set, so in a fixed number of round trips, however many they are, and however large. */
@Injectable()
export class PushContextLoader {
  constructor(
    private readonly clocks: TenantClockRepository,
    private readonly tenants: TenantRepository,
    private readonly rivals: RivalRepository,
    private readonly events: StockEventRepository,
    private readonly levels: StockLevelRepository,
    private readonly products: ProductRepository,
    private readonly payments: PaymentRepository,
    private readonly versions: StateVersionRepository,
    private readonly conflicts: ConflictRepository,
  ) {}

  /**
   * The clock lock first: what is read after it can't change until the commit. Whether each may still enter is asked
   * again: forty pushes may have waited before this one.
   */
  async load(tx: TenantTransaction, pushes: readonly PendingPush[]): Promise<GroupReading> {
    const contents = pushes.map(({ command }) => ({ deviceId: command.deviceId, ...contentOf(command) }));
    const said: PushContent = {
      operations: contents.flatMap(({ operations }) => operations),
      products: contents.flatMap(({ products }) => products),
      payments: contents.flatMap(({ payments }) => payments),
    };
    // In one flight, the clock first: the server takes them in this order, and each sees what is committed when it starts.
    // Counts before devices: a device may pull meanwhile, and none is missed that what it is said to have pulled leaves open.
    const [clock, counts, pushers, ledger, states] = await Promise.all([
      this.clocks.lock(tx),
      this.rivals.countsOf(
        tx,
        contents.map(({ deviceId, operations }) => ({ deviceId, queries: countQueries(operations) })),
      ),
      this.tenants.pushersOf(tx, unique(contents.map(({ deviceId }) => deviceId))),
      this.loadLedger(tx, said),
      this.loadStates(tx, said),
    ]);
    const { settings, accessOf, lastPulledLamportOf } = pushers;
    const { usedLamports, ...logged } = ledger;
    // Of most pushes nothing more is asked.
    const [rivals, knownConflicts] = await Promise.all([
      this.rivals.rivalsOf(
        tx,
        contents.map(({ deviceId, operations }) => ({
          deviceId,
          queries: rivalQueries(operations, logged.levels, lastPulledLamportOf(deviceId), clock.lamport, settings),
        })),
      ),
      this.conflicts.conflictsOf(tx, conflictIdsOf(said, logged.known)),
    ]);
    return {
      log: { clock, settings, knownConflicts, appended: new Map(), ...logged, ...states },
      own: pushes.map(
        ({ bringer, command: { deviceId, sentAt }, arrivedAt }, index) =>
          refusalOf(bringer, accessOf(deviceId)) ?? {
            rivals: withCounts(rivals[index] ?? new Map(), counts[index] ?? new Map()),
            usedLamports: usedLamports.get(deviceId) ?? new Set(),
            lastPulledLamport: lastPulledLamportOf(deviceId),
            clockSkewMs: sentAt === null ? null : Date.parse(sentAt) - arrivedAt.getTime(),
          },
      ),
    };
  }

  private async loadLedger(tx: TenantTransaction, { operations, products }: PushContent) {
    const operationIds = operations.map((operation) => operation.operationId);
    const moved = unique(operations.map(({ productId }) => productId));
    const opened = openedBy(products);
    const referred = operations.flatMap((operation) =>
      intentOf(operation) === 'NONE' ? [] : (operation.refOperationId ?? []),
    );
    const [levels, known, catalogue, references, usedLamports] = await Promise.all([
      this.levels.levelsOf(tx, unique([...moved, ...opened])),
      this.events.known(tx, unique([...operationIds, ...opened.map(openingBalanceId)])),
      this.products.deletionsOf(tx, moved),
      this.events.referenced(tx, unique(referred)),
      this.events.usedLamports(tx, operations),
    ]);
    return { levels, known, catalogue, references, usedLamports };
  }

  private async loadStates(tx: TenantTransaction, { products, payments }: PushContent) {
    const editIds = unique([...products, ...payments].map((edit) => edit.editId));
    const productIds = unique(products.map((edit) => edit.id));
    const skus = unique(products.flatMap(({ said }) => said.sku ?? []));
    const posTransactions = unique(payments.flatMap(({ said }) => said.posTransactionId ?? []));
    const basesOf = (entity: Entity, edits: readonly (ProductEdit | PaymentEdit)[]) =>
      this.versions.basesOf(
        tx,
        entity,
        edits.flatMap(({ editId, deviceId, id: entityId, baseVersion: version }): BaseQuestion[] =>
          version === null ? [] : [{ editId, deviceId, entityId, version }],
        ),
      );
    const [found, skuHolders, paymentsFound, posHolders, knownEdits, productBases, paymentBases] = await Promise.all([
      this.products.productsOf(tx, productIds),
      this.products.skuHolders(tx, skus, productIds),
      this.payments.paymentsOf(tx, unique(payments.map((edit) => edit.id))),
      this.payments.byPosTransaction(tx, posTransactions),
      this.versions.known(tx, editIds),
      basesOf('PRODUCT', products),
      basesOf('PAYMENT', payments),
    ]);
    return {
      ...{ products: found, skuHolders, payments: paymentsFound, posHolders, knownEdits },
      bases: new Map([...productBases, ...paymentBases]),
    };
  }
}

/** By product id. */
function withCounts(
  rivals: ReadonlyMap<string, Omit<Rivals, 'count'>>,
  counts: ReadonlyMap<string, LoggedOperation>,
): ReadonlyMap<string, Rivals> {
  const all = new Map(
    [...rivals].map(([productId, found]) => [productId, { ...found, count: null as Rivals['count'] }]),
  );
  for (const [productId, count] of counts) all.set(productId, { ...(all.get(productId) ?? NO_RIVALS), count });
  return all;
}

/** Of conflicts that entries of a push may have led to: only an edit can be in one without being recorded. */
function conflictIdsOf({ operations, products, payments }: PushContent, known: ReadonlyMap<string, unknown>): string[] {
  return unique([
    ...[...products, ...payments].map(({ editId }) => conflictIdOf('EDIT', editId)),
    ...operations.flatMap(({ operationId }) => (known.has(operationId) ? conflictIdOf('OPERATION', operationId) : [])),
  ]);
}

/** Products that a push may give an opening balance. */
function openedBy(products: readonly ProductEdit[]): string[] {
  return products.filter((edit) => edit.currentStock !== null).map((edit) => edit.id);
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
