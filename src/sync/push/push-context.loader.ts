import { Injectable } from '@nestjs/common';
import { rivalQueries } from '../../conflicts/domain/rival-queries.js';
import { conflictIdOf } from '../../conflicts/domain/state-conflicts.js';
import { ConflictRepository } from '../../conflicts/persistence/conflict.repository.js';
import type { TenantTransaction } from '../../database/tenant-database.js';
import type { StockLevel } from '../../inventory/domain/ledger.js';
import { openingBalanceId } from '../../inventory/domain/opening-balance.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { ProductEdit } from '../../inventory/domain/product.js';
import { intentOf } from '../../inventory/domain/reference.js';
import { ProductRepository } from '../../inventory/persistence/product.repository.js';
import { RivalRepository } from '../../inventory/persistence/rival.repository.js';
import { StockEventRepository } from '../../inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../inventory/persistence/stock-level.repository.js';
import type { PaymentEdit } from '../../payments/domain/payment.js';
import { PaymentRepository } from '../../payments/persistence/payment.repository.js';
import type { Edit, Entity } from '../../states/domain/state.js';
import { StateVersionRepository } from '../../states/persistence/state-version.repository.js';
import { assertAdmitted } from '../../tenancy/admission.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import { TenantRepository } from '../../tenancy/persistence/tenant.repository.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { PushCommand } from '../domain/push-command.js';
import type { PushContext } from '../domain/push-context.js';

/** Reads what a push is decided on: set by set, so in a fixed number of round trips, whatever the push's size. */
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
   * The clock lock first: what is read after it can't change until the commit.
   * @throws ProblemError as the guards, if `bringer` may no longer enter: forty pushes may have waited before this one.
   */
  async load(
    tx: TenantTransaction,
    bringer: TenantPrincipal,
    command: PushCommand,
    arrivedAt: Date,
  ): Promise<PushContext> {
    const { deviceId } = command;
    const said = contentOf(command);
    // In one flight, the clock first: the server takes them in this order, and each sees what is committed when it starts.
    const [clock, { access, settings, lastPulledLamport }, levels, ledger, states] = await Promise.all([
      this.clocks.lock(tx),
      this.tenants.accessAndSettings(tx, deviceId),
      this.loadLevels(tx, said),
      this.loadLedger(tx, deviceId, said),
      this.loadStates(tx, deviceId, said),
    ]);
    assertAdmitted(bringer, access);
    const [rivals, knownConflicts] = await Promise.all([
      this.rivals.rivalsOf(
        tx,
        deviceId,
        rivalQueries(said.operations, levels, lastPulledLamport, clock.lamport, settings),
      ),
      this.conflicts.conflictsOf(tx, conflictIdsOf(said, ledger.known)),
    ]);
    return {
      ...{ clock, settings, lastPulledLamport, levels, rivals, knownConflicts },
      ...ledger,
      ...states,
      clockSkewMs: command.sentAt === null ? null : Date.parse(command.sentAt) - arrivedAt.getTime(),
    };
  }

  private loadLevels(tx: TenantTransaction, { operations, products }: Content): Promise<Map<string, StockLevel>> {
    const moved = operations.map(({ productId }) => productId);
    return this.levels.levelsOf(tx, unique([...moved, ...openedBy(products)]));
  }

  private async loadLedger(tx: TenantTransaction, deviceId: string, { operations, products }: Content) {
    const operationIds = operations.map((operation) => operation.operationId);
    const referred = operations.flatMap((operation) =>
      intentOf(operation) === 'NONE' ? [] : (operation.refOperationId ?? []),
    );
    const lamports = operations.map((operation) => operation.clientLamport);
    const [known, catalogue, references, usedLamports] = await Promise.all([
      this.events.known(tx, unique([...operationIds, ...openedBy(products).map(openingBalanceId)])),
      this.products.deletionsOf(tx, unique(operations.map(({ productId }) => productId))),
      this.events.referenced(tx, unique(referred)),
      this.events.usedLamports(tx, deviceId, unique(lamports)),
    ]);
    return { known, catalogue, references, usedLamports };
  }

  private async loadStates(tx: TenantTransaction, deviceId: string, { products, payments }: Content) {
    const editIds = unique([...products, ...payments].map((edit) => edit.editId));
    const productIds = unique(products.map((edit) => edit.id));
    const skus = unique(products.flatMap(({ said }) => said.sku ?? []));
    const posTransactions = unique(payments.flatMap(({ said }) => said.posTransactionId ?? []));
    const basesOf = (entity: Entity, edits: readonly Edit<object>[]) =>
      this.versions.basesOf(
        tx,
        entity,
        deviceId,
        edits.flatMap(({ editId, id: entityId, baseVersion: version }) =>
          version === null ? [] : [{ editId, entityId, version }],
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

/** What of a push could be read. */
interface Content {
  readonly operations: readonly Operation[];
  readonly products: readonly ProductEdit[];
  readonly payments: readonly PaymentEdit[];
}

function contentOf({ entries }: PushCommand): Content {
  return {
    operations: entries.flatMap((entry) => (entry.readable && entry.what === 'OPERATION' ? [entry.operation] : [])),
    products: entries.flatMap((entry) => (entry.readable && entry.what === 'PRODUCT' ? [entry.edit] : [])),
    payments: entries.flatMap((entry) => (entry.readable && entry.what === 'PAYMENT' ? [entry.edit] : [])),
  };
}

/** Of conflicts that entries of a push may have led to: only an edit can be in one without being recorded. */
function conflictIdsOf({ operations, products, payments }: Content, known: ReadonlyMap<string, unknown>): string[] {
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
