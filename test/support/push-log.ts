import type { Conflict, RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import { countQueries, rivalQueries } from '../../src/conflicts/domain/rival-queries.js';
import { conflictIdOf } from '../../src/conflicts/domain/state-conflicts.js';
import type { StockLevel } from '../../src/inventory/domain/ledger.js';
import { openingBalanceId } from '../../src/inventory/domain/opening-balance.js';
import {
  type LoggedOperation,
  NO_RIVALS,
  type RivalQuery,
  type Rivals,
} from '../../src/inventory/domain/logged-operation.js';
import { deletionOf, type Product, type ProductDeletion } from '../../src/inventory/domain/product.js';
import {
  afterDecision,
  afterUse,
  afterUseDecided,
  newlyRecorded,
  type ReferencedOperation,
  remainingOf,
} from '../../src/inventory/domain/reference.js';
import type { StockEvent } from '../../src/inventory/domain/stock-event.js';
import type { Payment } from '../../src/payments/domain/payment.js';
import type { EditBase } from '../../src/states/domain/merge.js';
import type { Edit, Entity, StateVersion } from '../../src/states/domain/state.js';
import { decidePush, type PushPlan } from '../../src/sync/domain/decide-push.js';
import type { PushWrites } from '../../src/sync/domain/log-writer.js';
import type { PushCommand } from '../../src/sync/domain/push-command.js';
import type { PushContext } from '../../src/sync/domain/push-context.js';
import { GENESIS_HASH, type TenantClock } from '../../src/tenancy/domain/lamport-clock.js';
import { DEFAULT_SETTINGS, type TenantSettings } from '../../src/tenancy/domain/tenant-settings.js';
import { CATALOGUE, type HistoryPush } from './arbitraries.js';

/**
 * Stands in for the database: a tenant's log and states in memory, read and written as the push service does. It hands
 * out no more than the service reads, and keeps no more than there are columns for.
 */
export class PushLog {
  readonly events: StockEvent[] = [];
  readonly levels = new Map<string, StockLevel>();
  readonly products = new Map<string, Product>();
  readonly payments = new Map<string, Payment>();
  readonly versions: StateVersion[] = [];
  readonly conflicts: Conflict[] = [];
  clock: TenantClock = {
    lamport: 0,
    recordedAt: -Infinity,
    chainHash: GENESIS_HASH,
    epoch: '99999999-0000-4000-8000-000000000001',
  };

  /** @param catalogue products that are in it beside those pushed: they live. */
  constructor(
    private readonly catalogue: ReadonlySet<string> = CATALOGUE,
    readonly settings: TenantSettings = DEFAULT_SETTINGS,
    /** Whether devices are taken to have seen all that others did: then nothing is concurrent with anything. */
    private readonly informed = false,
  ) {}

  /** Only what the push names, and a copy: the log goes on growing. */
  contextFor(
    command: PushCommand,
    clockSkewMs: number | null = null,
    lastPulledLamport: number | null = null,
  ): PushContext {
    const readable = command.entries.filter((entry) => entry.readable);
    const operations = readable.flatMap((entry) => (entry.what === 'OPERATION' ? [entry.operation] : []));
    const products = readable.flatMap((entry) => (entry.what === 'PRODUCT' ? [entry.edit] : []));
    const payments = readable.flatMap((entry) => (entry.what === 'PAYMENT' ? [entry.edit] : []));
    const editIds = new Set([...products, ...payments].map((edit) => edit.editId));
    const moved = new Set(operations.map((operation) => operation.productId));
    const edited = new Set(products.map((edit) => edit.id));
    const opened = products.filter((edit) => edit.currentStock !== null).map((edit) => edit.id);
    const rivals = this.informed
      ? new Map<string, Rivals>()
      : this.rivals(
          command.deviceId,
          new Map(
            countQueries(operations).map(({ productId, appliedLamport, unsaidLamport }) => {
              const pulled = unsaidLamport === null ? null : lastPulledLamport;
              return [productId, Math.min(...[appliedLamport, unsaidLamport, pulled].map((said) => said ?? Infinity))];
            }),
          ),
          rivalQueries(operations, this.levels, lastPulledLamport, this.clock.lamport, this.settings),
        );
    const operationIds = new Set([
      ...operations.map((operation) => operation.operationId),
      ...opened.map(openingBalanceId),
    ]);
    const referred = new Set(operations.flatMap(({ refOperationId }) => refOperationId ?? []));
    const lamports = new Set(operations.map((operation) => operation.clientLamport));
    const skus = new Set([
      ...products.flatMap(({ said }) => said.sku ?? []),
      ...[...edited].flatMap((id) => this.products.get(id)?.fields.sku ?? []),
    ]);
    const posTransactions = new Set(payments.flatMap(({ said }) => said.posTransactionId ?? []));
    const conflictIds = new Set([
      ...[...editIds].map((editId) => conflictIdOf('EDIT', editId)),
      ...operations.map(({ operationId }) => conflictIdOf('OPERATION', operationId)),
    ]);
    return {
      clock: this.clock,
      settings: this.settings,
      rivals,
      known: new Map(
        this.events
          .filter((event) => operationIds.has(event.operationId))
          .map(({ operationId, lamport, effect, stockAfter, disposition, contentHash }) => [
            operationId,
            { lamport, effect, stockAfter, disposition, contentHash },
          ]),
      ),
      appended: new Map(),
      references: this.references(referred),
      levels: pick(this.levels, new Set([...moved, ...opened])),
      catalogue: pick(
        new Map<string, ProductDeletion | null>([
          ...[...this.catalogue].map((id) => [id, null] as const),
          ...[...this.products.values()].map((product) => [product.id, deletionOf(product)] as const),
        ]),
        moved,
      ),
      products: pick(this.products, edited),
      payments: pick(this.payments, new Set(payments.map((edit) => edit.id))),
      skuHolders: pick(
        new Map(
          [...this.products.values()].flatMap(({ id, fields }) =>
            fields.sku === null || fields.isDeleted ? [] : [[fields.sku, id] as const],
          ),
        ),
        skus,
      ),
      posHolders: pick(
        new Map(
          [...this.payments.values()]
            .sort((a, b) => b.createdLamport - a.createdLamport) // so that the first recorded is put into the map last
            .flatMap((payment) =>
              payment.fields.posTransactionId === null ? [] : [[payment.fields.posTransactionId, payment] as const],
            ),
        ),
        posTransactions,
      ),
      knownEdits: new Map(
        this.versions
          .filter(({ editId }) => editIds.has(editId))
          .map(({ editId, lamport, version }) => [editId, { lamport, version }]),
      ),
      bases: new Map([
        ...products.flatMap((edit) => this.baseOf('PRODUCT', command.deviceId, edit)),
        ...payments.flatMap((edit) => this.baseOf('PAYMENT', command.deviceId, edit)),
      ]),
      knownConflicts: new Map(
        this.conflicts.filter(({ id }) => conflictIds.has(id)).map((conflict) => [conflict.id, asRecorded(conflict)]),
      ),
      usedLamports: new Set(
        this.events
          .filter((event) => event.deviceId === command.deviceId && event.deviceType !== 'SERVER')
          .filter((event) => lamports.has(event.clientLamport))
          .map((event) => event.clientLamport),
      ),
      lastPulledLamport,
      clockSkewMs,
    };
  }

  push(command: PushCommand, clockSkewMs: number | null = null, lastPulledLamport: number | null = null): PushPlan {
    const plan = decidePush(command, this.contextFor(command, clockSkewMs, lastPulledLamport));
    this.record(plan);
    return plan;
  }

  record(plan: PushWrites): void {
    this.events.push(...plan.events);
    for (const [productId, level] of plan.levels) this.levels.set(productId, level);
    for (const product of plan.products) this.products.set(product.id, asProductRow(product));
    for (const payment of plan.payments) this.payments.set(payment.id, asPaymentRow(payment));
    this.versions.push(...plan.versions);
    this.conflicts.push(...plan.conflicts);
    this.clock = plan.clock;
  }

  private references(ids: ReadonlySet<string>): Map<string, ReferencedOperation> {
    return new Map(
      this.events
        .filter(({ operationId }) => ids.has(operationId))
        .map((event) => [event.operationId, this.stateOf(event)]),
    );
  }

  /** What has become of an event. */
  stateOf(event: StockEvent): ReferencedOperation {
    return this.events
      .filter((later) => later.refOperationId === event.operationId)
      .reduce((named, later) => this.after(named, later), newlyRecorded(event, event));
  }

  /** With what was decided on what names it. */
  private after(named: ReferencedOperation, event: StockEvent): ReferencedOperation {
    const { kind, reason, delta, disposition } = event;
    if (kind === 'VOID' || kind === 'RELEASE') return afterDecision(named, { ...event, kind });
    return this.events
      .filter((later) => later.refOperationId === event.operationId)
      .reduce(
        (state, { kind: decision }) =>
          decision === 'VOID' || decision === 'RELEASE' ? afterUseDecided(state, event, decision) : state,
        afterUse(named, { kind, reason, delta }, disposition),
      );
  }

  /** @param counts of each product that is asked about, after which lamport a count is asked for */
  private rivals(
    deviceId: string,
    counts: ReadonlyMap<string, number>,
    queries: readonly RivalQuery[],
  ): Map<string, Rivals> {
    const found = new Map<string, Rivals>();
    for (const [productId, after] of counts) {
      const count = this.standingOf(productId, deviceId).find(
        ({ content, state }) => content.kind === 'SET' && state.lamport > after,
      );
      if (count) found.set(productId, { ...NO_RIVALS, count });
    }
    for (const { productId, after, movement, takenBack, claimedUnits } of queries) {
      const ofOthers = this.standingOf(productId, deviceId);
      const standing = ofOthers.filter(({ state }) => state.lamport > after);
      const isOlderTakenBack = ({ content: { kind, refOperationId }, state }: LoggedOperation) =>
        kind === 'VOID' &&
        state.effect !== 0 &&
        this.events.some((event) => event.operationId === refOperationId && event.lamport <= after);
      found.set(productId, {
        count: found.get(productId)?.count ?? null,
        movement: movement ? (standing.find(({ content }) => isMovement(content)) ?? null) : null,
        takenBack: takenBack ? (standing.find(isOlderTakenBack) ?? null) : null,
        claims: ofOthers
          .filter(({ content, state }) => content.kind === 'DECREMENT' && state.effectiveLamport > after)
          .filter(({ state }) => remainingOf(state) > 0)
          .sort((a, b) => b.state.effectiveLamport - a.state.effectiveLamport)
          .filter(enough(claimedUnits)),
      });
    }
    return found;
  }

  /** What stands of others, the newest first. */
  private standingOf(productId: string, deviceId: string): LoggedOperation[] {
    return this.events
      .filter((event) => event.productId === productId && event.deviceId !== deviceId)
      .map((event): LoggedOperation => ({ content: event, state: this.stateOf(event) }))
      .filter(({ state }) => state.disposition === 'APPLIED' && state.closedBy !== 'VOID')
      .reverse();
  }

  private baseOf(entity: Entity, deviceId: string, edit: Edit<object>): [string, EditBase][] {
    const versions = this.versions.filter((version) => version.entity === entity && version.entityId === edit.id);
    const base = versions.find(({ version }) => version === edit.baseVersion);
    if (!base) return [];
    const since = versions.filter((version) => version.version > base.version);
    const [own, others] = [true, false].map((its) =>
      since.filter((version) => (version.deviceId === deviceId) === its),
    );
    if (!own || !others || others.length === 0) return [];
    const found: EditBase = {
      fields: base.fields,
      changedByOthers: new Set(others.flatMap(({ changed }) => changed)),
      othersLamport: Math.max(...others.map(({ lamport }) => lamport)),
      own: {
        changed: new Set(own.flatMap(({ changed }) => changed)),
        clientLamport: Math.max(-Infinity, ...own.map(({ clientLamport }) => clientLamport)),
      },
    };
    return [[edit.editId, found]];
  }
}

function isMovement({ kind }: LoggedOperation['content']): boolean {
  return kind === 'INCREMENT' || kind === 'DECREMENT';
}

/** Of paid and of unpaid ones each, until they come to so many units. */
function enough(units: number): (claim: LoggedOperation) => boolean {
  const soFar = { paid: 0, unpaid: 0 };
  return ({ content, state }) => {
    const which = content.paymentStatus === 'PAID' ? 'paid' : 'unpaid';
    const wanted = soFar[which] < units;
    soFar[which] += remainingOf(state);
    return wanted;
  };
}

function pick<V>(from: ReadonlyMap<string, V>, keys: ReadonlySet<string>): Map<string, V> {
  return new Map([...from].filter(([key]) => keys.has(key)));
}

/** What the columns hold. */
function asProductRow({ id, fields, ...rest }: Product): Product {
  const { name, description, price, sku, category, reorderPoint } = fields;
  const { version, lamport, deviceId, clientLamport, editId, deletedLamport, updatedBy } = rest;
  return {
    ...{ id, version, lamport, deviceId, clientLamport, editId, deletedLamport, updatedBy },
    fields: { name, description, price, sku, category, reorderPoint, isDeleted: deletedLamport !== null },
  };
}

function asPaymentRow({ id, fields, ...rest }: Payment): Payment {
  const { saleId, amount, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes } = fields;
  const { version, lamport, createdLamport, deviceId, clientLamport, editId, reconciliation, updatedBy } = rest;
  return {
    ...{ id, version, lamport, createdLamport, deviceId, clientLamport, editId, reconciliation, updatedBy },
    fields: { saleId, amount, paymentMethod, posTransactionId, posDeviceId, receiptPhoto, notes },
  };
}

function asRecorded(conflict: Conflict): RecordedConflict {
  return {
    ...conflict,
    status: conflict.resolution ? 'RESOLVED_AUTO' : 'PENDING',
    decisions: conflict.decisions.map((decision) => ({ ...decision, at: new Date(0) })),
    detectedLamport: conflict.lamport,
    detectedAt: new Date(0),
    resolvedAt: null,
  };
}

/** A push of a history with what it was decided on and what came of it. */
export interface ReplayedPush {
  readonly command: PushCommand;
  readonly context: PushContext;
  readonly plan: PushPlan;
}

/** A history whose pushes may also tell how far their devices had pulled. */
type Replayable = readonly (HistoryPush & { readonly lastPulledLamport?: number | null })[];

/** Pushes a whole history to an empty log. */
export function replay(
  history: Replayable,
  log = new PushLog(CATALOGUE, DEFAULT_SETTINGS, true),
): { readonly log: PushLog; readonly pushes: readonly ReplayedPush[] } {
  const pushes = history.map(({ command, clockSkewMs, lastPulledLamport = null }) => {
    const context = log.contextFor(command, clockSkewMs, lastPulledLamport);
    return { command, context, plan: log.push(command, clockSkewMs, lastPulledLamport) };
  });
  return { log, pushes };
}
