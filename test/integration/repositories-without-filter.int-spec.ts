import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import pg, { type PoolClient, type QueryConfig, type QueryResult } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import ts from 'typescript';
import { ConflictListingRepository } from '../../src/conflicts/persistence/conflict-listing.repository.js';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { ConflictFilter } from '../../src/conflicts/domain/conflict-log.js';
import { ConflictRepository } from '../../src/conflicts/persistence/conflict.repository.js';
import { TenantDatabase, type TenantTransaction } from '../../src/database/tenant-database.js';
import type { StockLevel } from '../../src/inventory/domain/ledger.js';
import type { RecordedProduct } from '../../src/inventory/domain/product.js';
import type { RecordedEvent, StockEvent } from '../../src/inventory/domain/stock-event.js';
import { AlertRepository } from '../../src/inventory/persistence/alert.repository.js';
import { LedgerAuditRepository } from '../../src/inventory/persistence/ledger-audit.repository.js';
import { ProductListingRepository } from '../../src/inventory/persistence/product-listing.repository.js';
import { ProductRepository } from '../../src/inventory/persistence/product.repository.js';
import { ReservationDeadlineRepository } from '../../src/inventory/persistence/reservation-deadline.repository.js';
import { RivalRepository } from '../../src/inventory/persistence/rival.repository.js';
import { StockEventEntity } from '../../src/inventory/persistence/stock-event.entity.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import type { RecordedPayment } from '../../src/payments/domain/payment.js';
import { PaymentListingRepository } from '../../src/payments/persistence/payment-listing.repository.js';
import { PaymentRepository } from '../../src/payments/persistence/payment.repository.js';
import type { StateVersion } from '../../src/states/domain/state.js';
import { StateVersionRepository } from '../../src/states/persistence/state-version.repository.js';
import { ExportRepository } from '../../src/export/persistence/export.repository.js';
import { NextStatesRepository } from '../../src/sync/pull/persistence/next-states.repository.js';
import { SnapshotRepository } from '../../src/sync/snapshot/persistence/snapshot.repository.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { liveIn } from '../support/lived-in-tenant.js';
import { fillEmptyTables, type Query, rowsOf, secretsOf } from '../support/tenant-rows.js';

/** What tenant B has, as its own repositories read it: what A asks for, and writes, in the calls below. */
interface Theirs {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly events: readonly RecordedEvent[];
  readonly eventIds: readonly string[];
  readonly products: readonly RecordedProduct[];
  readonly productIds: readonly string[];
  readonly payments: readonly RecordedPayment[];
  readonly conflicts: readonly RecordedConflict[];
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly versions: readonly StateVersion[];
}

const MARK_OF_B = 'Only B knows';
/** Where B's log begins: no lamport of A comes near it. */
const B_LAMPORT = 700_000;
const HEAD = 2_000_000;
const NOW = new Date();
const LATER = new Date(9999, 1);

const clocks = new TenantClockRepository();
const tenants = new TenantRepository();
const devices = new DeviceRepository();
const events = new StockEventRepository();
const levels = new StockLevelRepository();
const audits = new LedgerAuditRepository();
const deadlines = new ReservationDeadlineRepository();
const rivals = new RivalRepository();
const products = new ProductRepository();
const productList = new ProductListingRepository();
const alerts = new AlertRepository();
const payments = new PaymentRepository();
const paymentList = new PaymentListingRepository();
const versions = new StateVersionRepository();
const conflicts = new ConflictRepository();
const conflictList = new ConflictListingRepository();
const snapshots = new SnapshotRepository();
const exports = new ExportRepository();

const ANY_CONFLICT: ConflictFilter = {
  ...{ from: null, to: null, status: null, awaits: null, kind: null, method: null, productId: null, deviceId: null },
};
const ANY_LAMPORT = { after: null, upTo: null };
const firstOf = <T>(list: readonly T[]): T => {
  const [first] = list;
  if (first === undefined) throw new Error('Tenant B has none of these');
  return first;
};

async function orderDeletion(tx: TenantTransaction): Promise<void> {
  for (const status of ['SUSPENDED', 'DELETING'] as const) await tenants.save(tx, { name: 'going', status });
}

async function batchesOf(batches: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

/** Every method of every repository, called by A with what is B's. */
const CALLS: Readonly<Record<string, (tx: TenantTransaction, theirs: Theirs) => unknown>> = {
  'TenantClockRepository.lock': (tx) => clocks.lock(tx),
  'TenantClockRepository.lockWhileOpen': (tx) => clocks.lockWhileOpen(tx),
  'TenantClockRepository.read': (tx) => clocks.read(tx),
  'TenantClockRepository.advance': async (tx) => clocks.advance(tx, { ...(await clocks.read(tx)), lamport: HEAD }),
  'TenantClockRepository.renewEpoch': (tx, { tenantId }) => clocks.renewEpoch(tx, tenantId),
  'TenantRepository.create': (tx) => tenants.create(tx, { name: 'again', createdAt: NOW }),
  'TenantRepository.list': (tx) => tenants.list(tx),
  'TenantRepository.find': (tx, { tenantId }) => tenants.find(tx, tenantId),
  'TenantRepository.settingsOf': (tx) => tenants.settingsOf(tx),
  'TenantRepository.updateSettings': (tx) => tenants.updateSettings(tx, { conflictDetection: 'CONCURRENCY' }),
  'TenantRepository.idsOf': (tx) => tenants.idsOf(tx, 'ACTIVE'),
  'TenantRepository.lock': (tx) => tenants.lock(tx),
  'TenantRepository.save': (tx) => tenants.save(tx, { name: 'again', status: 'ACTIVE' }),
  'TenantRepository.eraseSome': async (tx) => {
    await orderDeletion(tx);
    await tenants.eraseSome(tx, 1_000);
  },
  'TenantRepository.markDeleted': async (tx) => {
    await orderDeletion(tx);
    await tenants.markDeleted(tx);
  },
  'TenantRepository.accessStates': async (tx, { deviceId }) => (await tenants.accessStates(tx, [deviceId]))(deviceId),
  'TenantRepository.pushersOf': async (tx, { deviceId }) => {
    const { settings, accessOf, lastPulledLamportOf } = await tenants.pushersOf(tx, [deviceId]);
    return [settings, accessOf(deviceId), lastPulledLamportOf(deviceId)];
  },
  'DeviceRepository.enrol': (tx, { deviceId }) =>
    devices.enrol(tx, { id: deviceId, name: 'mine', deviceType: 'WEB', createdAt: NOW }),
  'DeviceRepository.find': (tx, { deviceId }) => devices.find(tx, deviceId),
  'DeviceRepository.list': (tx) => devices.list(tx),
  'DeviceRepository.replaceTokens': (tx, { deviceId }) => devices.replaceTokens(tx, deviceId, NOW),
  'DeviceRepository.change': (tx, { deviceId }) =>
    devices.change(tx, deviceId, { name: 'mine', deviceType: undefined }),
  'DeviceRepository.revoke': (tx, { deviceId }) => devices.revoke(tx, deviceId, NOW),
  'DeviceRepository.notePushes': (tx, { deviceId }) =>
    devices.notePushes(tx, new Map([[deviceId, { at: NOW, lamport: HEAD, clockSkewMs: 1, clockReused: true }]])),
  'DeviceRepository.notePull': (tx, { deviceId }) => devices.notePull(tx, deviceId, { at: NOW, lamport: HEAD }),
  'StateVersionRepository.append': (tx, theirs) => versions.append(tx, theirs.versions, NOW),
  'StateVersionRepository.known': (tx, theirs) =>
    versions.known(
      tx,
      theirs.versions.map(({ editId }) => editId),
    ),
  'StateVersionRepository.basesOf': (tx, theirs) =>
    versions.basesOf(
      tx,
      'PRODUCT',
      theirs.productIds.map((entityId) => ({ editId: entityId, deviceId: tx.tenantId, entityId, version: 1 })),
    ),
  'StateVersionRepository.historyFrom': (tx, theirs) =>
    versions.historyFrom(tx, 'PRODUCT', firstOf(theirs.productIds), { version: 1, lamport: HEAD }),
  'StockEventRepository.append': (tx, theirs) => events.append(tx, asWritten(theirs.events), NOW),
  'StockEventRepository.known': (tx, theirs) => events.known(tx, theirs.eventIds),
  'StockEventRepository.referenced': (tx, theirs) => events.referenced(tx, theirs.eventIds),
  'StockEventRepository.usedLamports': (tx, theirs) =>
    events.usedLamports(
      tx,
      theirs.events.map(({ clientLamport }) => ({ deviceId: theirs.deviceId, clientLamport })),
    ),
  'StockEventRepository.encodedAfter': (tx) => events.encodedAfter(tx, 0, 1_000),
  'StockEventRepository.chainHashAt': (tx) => events.chainHashAt(tx, HEAD),
  'StockEventRepository.levelAt': async (tx, theirs) => [
    await events.levelAt(tx, firstOf(theirs.events).productId, { lamport: HEAD }),
    await events.levelAt(tx, firstOf(theirs.events).productId, { time: LATER }),
  ],
  'StockEventRepository.ofProduct': (tx, theirs) => events.ofProduct(tx, firstOf(theirs.events).productId, 0, 1_000),
  'StockLevelRepository.levelsOf': (tx, theirs) => levels.levelsOf(tx, [...theirs.levels.keys()]),
  'StockLevelRepository.save': (tx, theirs) => levels.save(tx, theirs.levels),
  'LedgerAuditRepository.log': (tx) => all(audits.log(tx, 100)),
  'LedgerAuditRepository.levels': (tx) => all(audits.levels(tx, 100)),
  'LedgerAuditRepository.productsAfter': (tx) => audits.productsAfter(tx, null, 1_000),
  'LedgerAuditRepository.totalsUpTo': (tx, theirs) => audits.totalsUpTo(tx, [...theirs.levels.keys()].sort(), HEAD),
  'LedgerAuditRepository.totalsAfter': (tx, theirs) => audits.totalsAfter(tx, [...theirs.levels.keys()], 0),
  'LedgerAuditRepository.drifted': (tx) => audits.drifted(tx),
  'ReservationDeadlineRepository.add': (tx, theirs) =>
    deadlines.add(
      tx,
      theirs.eventIds.map((operationId) => ({ operationId, expiresAt: NOW.toISOString() })),
    ),
  'ReservationDeadlineRepository.due': (tx) => deadlines.due(tx, LATER, 1_000),
  'ReservationDeadlineRepository.remove': (tx, theirs) => deadlines.remove(tx, theirs.eventIds),
  'RivalRepository.countsOf': (tx, theirs) =>
    rivals.countsOf(tx, [
      {
        deviceId: tx.tenantId,
        queries: [...theirs.levels.keys()].map((productId) => ({ productId, appliedLamport: 0, unsaidLamport: null })),
      },
    ]),
  'RivalRepository.rivalsOf': (tx, theirs) =>
    rivals.rivalsOf(tx, [
      {
        deviceId: tx.tenantId,
        queries: [...theirs.levels.keys()].map((productId) => ({
          ...{ productId, after: 0, movement: true, takenBack: true, claimedUnits: 1_000 },
        })),
      },
    ]),
  'RivalRepository.operationsOf': (tx, theirs) => rivals.operationsOf(tx, theirs.eventIds),
  'RivalRepository.historiesOf': (tx, theirs) =>
    rivals.historiesOf(tx, new Map([...theirs.levels.keys()].map((productId) => [productId, 0]))),
  'ProductRepository.productsOf': (tx, theirs) => products.productsOf(tx, theirs.productIds),
  'ProductRepository.deletionsOf': (tx, theirs) => products.deletionsOf(tx, theirs.productIds),
  'ProductRepository.skuHolders': (tx, theirs) =>
    products.skuHolders(
      tx,
      theirs.products.map(({ fields }) => fields.sku ?? ''),
      theirs.productIds,
    ),
  'ProductRepository.save': (tx, theirs) => products.save(tx, theirs.products, NOW),
  'ProductRepository.between': (tx) => products.between(tx, 0, HEAD, 1_000),
  'ProductListingRepository.page': (tx) =>
    productList.page(tx, { search: MARK_OF_B, category: null, sku: null, withDeleted: true }, null, 1_000),
  'AlertRepository.ofKind': async (tx) => [
    await alerts.ofKind(tx, 'LOW_STOCK', null, 1_000),
    await alerts.ofKind(tx, 'OVERSOLD', null, 1_000),
    await alerts.ofKind(tx, 'UNKNOWN_PRODUCT', null, 1_000),
  ],
  'PaymentRepository.paymentsOf': (tx, theirs) =>
    payments.paymentsOf(
      tx,
      theirs.payments.map(({ id }) => id),
    ),
  'PaymentRepository.byPosTransaction': (tx, theirs) =>
    payments.byPosTransaction(
      tx,
      theirs.payments.map(({ fields }) => fields.posTransactionId ?? ''),
    ),
  'PaymentRepository.disputed': (tx, theirs) =>
    payments.disputed(
      tx,
      theirs.payments.map(({ id }) => id),
      firstOf(theirs.payments).fields.posTransactionId ?? '',
    ),
  'PaymentRepository.save': (tx, theirs) => payments.save(tx, theirs.payments, NOW),
  'PaymentRepository.between': (tx) => payments.between(tx, 0, HEAD, 1_000),
  'PaymentListingRepository.page': (tx) => paymentList.page(tx, {}, null, 1_000),
  'ConflictRepository.insert': (tx, theirs) => conflicts.insert(tx, theirs.conflicts, NOW),
  'ConflictRepository.update': (tx, theirs) =>
    conflicts.update(
      tx,
      theirs.conflicts.map(({ id, lamport }) => ({
        ...{ id, lamport: lamport + 1_000, awaits: 'PERSON', resolution: null, suggestion: null, asked: [] },
      })),
      NOW,
    ),
  'ConflictRepository.conflictsOf': (tx, theirs) =>
    conflicts.conflictsOf(
      tx,
      theirs.conflicts.map(({ id }) => id),
    ),
  'ConflictRepository.between': (tx) => conflicts.between(tx, 0, HEAD, 1_000),
  'ConflictRepository.awaiting': async (tx) => [
    await conflicts.awaiting(tx, 'PERSON', 1_000),
    await conflicts.awaiting(tx, 'HEURISTIC', 1_000),
  ],
  'ConflictListingRepository.spanOf': (tx) => conflictList.spanOf(tx, { from: LATER, to: LATER }),
  'ConflictListingRepository.page': (tx) => conflictList.page(tx, ANY_CONFLICT, ANY_LAMPORT, null, 1_000),
  'ConflictListingRepository.count': (tx) => conflictList.count(tx, ANY_CONFLICT, ANY_LAMPORT),
  'ConflictListingRepository.counts': (tx) => conflictList.counts(tx, ANY_LAMPORT),
  'ConflictListingRepository.pendingByDevice': (tx) => conflictList.pendingByDevice(tx),
  'ConflictListingRepository.settlingTimes': (tx) => conflictList.settlingTimes(tx, ANY_LAMPORT),
  'ExportRepository.batches': (tx) => batchesOf(exports.batches(tx)),
  'NextStatesRepository.after': (tx) => new NextStatesRepository().after(tx, B_LAMPORT),
  'SnapshotRepository.livingProducts': (tx) => all(snapshots.livingProducts(tx)),
  'SnapshotRepository.levels': (tx) => all(snapshots.levels(tx)),
  'SnapshotRepository.openPayments': (tx) => all(snapshots.openPayments(tx)),
};

/** Whose SQL has no filter to take away: the operator's, whom no tenant's rows but the list of tenants are shown. */
const UNFILTERED = [
  'TenantRepository.list',
  'TenantRepository.find',
  'TenantRepository.idsOf',
  'TenantRepository.eraseSome', // a function, which has it
];

/** These write rows of A's own under keys that begin with A: no filter, and nothing of B in reach even without policies. */
const WRITES_OWN_ROWS = [
  'TenantRepository.create',
  'DeviceRepository.enrol',
  'StateVersionRepository.append',
  'StockEventRepository.append',
  'StockLevelRepository.save',
  'ReservationDeadlineRepository.add',
  'ProductRepository.save',
  'PaymentRepository.save',
  'ConflictRepository.insert',
];

describe('row-level security alone, without the filter of the application (I6)', () => {
  let testDatabase: TestDatabase;
  let service: WatchedSource;
  /** What would be if there were no policies either. */
  let unguarded: WatchedSource;
  let tenantA: string;
  let theirs: Theirs;
  let secrets: string[];
  let rowsOfB: Map<string, string>;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    service = new WatchedSource(await openDataSource(testDatabase.appUrl, 2));
    unguarded = new WatchedSource(await openDataSource(testDatabase.superuserUrl, 2));
    const ledger = new TestLedger(service.source);
    const b = await liveIn(ledger, MARK_OF_B, B_LAMPORT); // first, so that its rows are the first in the tables
    const a = await liveIn(ledger, 'A knows', 0);
    tenantA = a.tenantId;
    for (const { tenantId, shopId } of [a, b]) await ledger.pull(tenantId, shopId, 0);
    // For the audit to find.
    await past('UPDATE stock_levels SET quantity = quantity + 1 WHERE tenant_id = $1', [b.tenantId]);
    await fillEmptyTables(past, b.tenantId, MARK_OF_B);
    await fillEmptyTables(past, tenantA, 'A knows');
    secrets = await secretsOf(past, b.tenantId, MARK_OF_B, [tenantA]);
    rowsOfB = await rowsOf(past, b.tenantId);
    theirs = await ledger.database.transaction(b.tenantId, (tx) => readAll(tx, b.shopId));
  });
  afterAll(async () => {
    await service.source.destroy();
    await unguarded.source.destroy();
    await testDatabase.drop();
  });

  /** Past the policies. */
  const past: Query = (statement, parameters) => unguarded.source.query(statement, parameters);

  /**
   * Calls the method in a transaction of A that is rolled back.
   * @returns what its statements were and returned, and B's rows as they were after it.
   */
  async function attempt(name: string, on: WatchedSource, filter: 'kept' | 'removed'): Promise<Attempt> {
    let attempted: Attempt | undefined;
    const trial = new TenantDatabase(on.source).transaction(tenantA, async (tx) => {
      const statements = await on.watch(
        async () => {
          // Where rows of two tenants come together a method may stumble over them: then it has read them.
          await Promise.resolve(CALLS[name]?.(tx, theirs)).catch((error: unknown) => {
            if (on !== unguarded) throw error;
          });
        },
        filter === 'removed' ? tenantA : undefined,
      );
      // B looks, before anything is committed: what A may have done to its rows is seen here and rolled back.
      await tx.manager.query(`SELECT set_config('app.tenant_id', $1, true)`, [theirs.tenantId]);
      const query: Query = (statement, parameters) => tx.manager.query(statement, parameters);
      attempted = { statements, rowsOfB: await rowsOf(query, theirs.tenantId) };
      throw new RolledBack();
    });
    await expect(trial).rejects.toThrow(RolledBack);
    if (!attempted) throw new Error('It was rolled back');
    return attempted;
  }
  const returned = ({ statements }: Attempt): string[] => statements.map(({ rows }) => rows);

  it('is tried on each public method of each repository', () => {
    expect(Object.keys(CALLS).sort()).toEqual(publicMethods().sort());
  });

  it.each(Object.keys(CALLS))('is what stands between %s and the rows of B', async (name) => {
    // The counterproof, without policies either: a call that would do B no harm here proves nothing below.
    const right = await attempt(name, service, 'kept');
    const wrong = await attempt(name, unguarded, 'removed');
    const isSeen = !isDeepStrictEqual(returned(wrong), returned(right));
    const isChanged = !isDeepStrictEqual(wrong.rowsOfB, rowsOfB);
    expect(isSeen || isChanged).toBe(!WRITES_OWN_ROWS.includes(name));
  });

  it.each(Object.keys(CALLS))('shows no byte of B to %s, and lets it change no row of B', async (name) => {
    const right = await attempt(name, service, 'kept');
    const bare = await attempt(name, service, 'removed');

    expect(bare.rowsOfB).toEqual(rowsOfB);
    expect(returned(bare)).toEqual(returned(right));
    expect(bare.statements.length).toBeGreaterThan(0);
    for (const { sql, rows, filtersRemoved } of bare.statements) {
      // Whoever inserts a row gets back what it wrote, were it B's id; B's row would have been another answer.
      if (/^\s*INSERT/.test(sql)) continue;
      expect(secrets.filter((secret) => rows.includes(secret))).toEqual([]);
      const isFiltered = filtersRemoved > 0 || sql.startsWith('FETCH') || UNFILTERED.includes(name);
      expect({ sql, isFiltered }).toEqual({ sql, isFiltered: true });
    }
  });
});

/** What pg makes of a query whose rows are handed over one by one. */
interface Receipt extends EventEmitter {
  readonly text: string;
  readonly values: readonly unknown[];
  callback: (...outcome: unknown[]) => void;
}

interface Attempt {
  readonly statements: readonly Statement[];
  readonly rowsOfB: Map<string, string>;
}

class RolledBack extends Error {}

/** A statement that touches tables, as it was sent, and what came back. */
interface Statement {
  readonly sql: string;
  readonly filtersRemoved: number;
  /** As JSON, in an order of its own: without a filter the planner may take another way. */
  readonly rows: string;
}

/** These touch no table by themselves. FETCH does by way of its cursor, whose declaration had the filter. */
const BESIDE_THE_POINT = /^\s*(?:BEGIN|COMMIT|ROLLBACK|SET|CLOSE|SELECT set_config)/;

/** A pool whose statements can be looked at, and sent without their tenant filters. */
class WatchedSource {
  private statements: Statement[] = [];
  private unfilteredTenant: string | undefined;

  constructor(readonly source: DataSource) {
    const create = source.createQueryRunner.bind(source);
    source.createQueryRunner = (mode) => this.watched(create(mode));
  }

  /** @param unfilteredTenant whose filters are taken away; undefined: nobody's */
  async watch(work: () => Promise<void>, unfilteredTenant: string | undefined): Promise<readonly Statement[]> {
    const statements: Statement[] = [];
    this.statements = statements;
    this.unfilteredTenant = unfilteredTenant;
    try {
      await work();
    } finally {
      this.statements = [];
      this.unfilteredTenant = undefined;
    }
    return statements;
  }

  private watched(runner: QueryRunner): QueryRunner {
    const connect = runner.connect.bind(runner) as () => Promise<PoolClient>;
    return Object.assign(runner, {
      connect: async () => {
        const client = await connect();
        // All that is sent comes by here, TypeORM's statements and those past it.
        const query = client.query.bind(client) as unknown as (query: QueryConfig) => Promise<QueryResult>;
        const unfiltered = (sql: string, values: readonly unknown[]): [string, number] =>
          this.unfilteredTenant === undefined ? [sql, 0] : withoutTenantFilter(sql, values, this.unfilteredTenant);
        const watchedReceipt = (asked: Receipt): void => {
          const { text: sql, callback } = asked;
          const [text, filtersRemoved] = unfiltered(sql, asked.values);
          const rows: unknown[] = [];
          asked.prependListener('row', (row: readonly unknown[]) => rows.push([...row]));
          Object.assign(asked, { text, name: undefined });
          asked.callback = (...outcome) => {
            this.statements.push({ sql, filtersRemoved, rows: sortedJson(rows) });
            callback(...outcome);
          };
          (query as unknown as (query: Receipt) => void)(asked);
        };
        const watchedQuery = async (
          asked: string | QueryConfig | Receipt,
          parameters?: unknown[],
        ): Promise<QueryResult | undefined> => {
          if (asked instanceof pg.Query) {
            watchedReceipt(asked as unknown as Receipt);
            return undefined;
          }
          const { name, ...config } =
            typeof asked === 'string' ? { text: asked, values: parameters ?? [] } : (asked as QueryConfig);
          const { text: sql, values = [] } = config;
          const [text, filtersRemoved] = unfiltered(sql, values);
          const result = await query({ ...config, text, values }); // unnamed: it may be another text the next time
          if (!BESIDE_THE_POINT.test(sql)) {
            this.statements.push({ sql, filtersRemoved, rows: sortedJson(result.rows) });
          }
          return result;
        };
        return new Proxy(client, {
          get: (target, name) => (name === 'query' ? watchedQuery : (Reflect.get(target, name, target) as unknown)),
        });
      },
    });
  }
}

/**
 * The statement with every condition that says "of this tenant" made true: comparisons with a parameter that is the
 * tenant's id, and those of one row's tenant with another's.
 * @returns it, and the number of conditions.
 */
function withoutTenantFilter(sql: string, parameters: readonly unknown[], tenantId: string): [string, number] {
  let removed = 0;
  const unfiltered = sql
    .replaceAll(/(?:"?\w+"?\.)?"?\w+"?\s*=\s*\$(\d+)\b/g, (condition, index: string) => {
      if (parameters[Number(index) - 1] !== tenantId) return condition;
      removed += 1;
      return `$${index}::uuid IS NOT NULL`; // the parameter is sent still, and needs a type
    })
    .replaceAll(/(?:\w+\.)?tenant_id = \w+\.(?:tenant_id|id)\b/g, () => {
      removed += 1;
      return 'true';
    });
  return [unfiltered, removed];
}

function sortedJson(rows: unknown): string {
  const toText = (value: unknown): string =>
    JSON.stringify(value, (_, held: unknown) => {
      const bytes = held as { type?: string; data?: number[] } | null;
      return bytes?.type === 'Buffer' && bytes.data ? Buffer.from(bytes.data).toString('hex') : held;
    });
  return Array.isArray(rows) ? rows.map(toText).sort().join('\n') : toText(rows);
}

async function all<T>(batches: AsyncGenerator<T[]>): Promise<T[]> {
  const found: T[] = [];
  for await (const batch of batches) found.push(...batch);
  return found;
}

async function readAll(tx: TenantTransaction, deviceId: string): Promise<Theirs> {
  const log = await tx.manager.find(StockEventEntity, { where: { tenantId: tx.tenantId }, order: { lamport: 'ASC' } });
  const catalogue = await products.between(tx, 0, HEAD, 1_000);
  const all = {
    ...{ tenantId: tx.tenantId, deviceId, events: log, eventIds: log.map(({ operationId }) => operationId) },
    ...{ products: catalogue, productIds: catalogue.map(({ id }) => id) },
    payments: await payments.between(tx, 0, HEAD, 1_000),
    conflicts: await conflicts.between(tx, 0, HEAD, 1_000),
    levels: await levels.levelsOf(
      tx,
      log.map(({ productId }) => productId),
    ),
    versions: await tx.manager.query<StateVersion[]>(
      `SELECT entity, entity_id AS "entityId", version::int, lamport_ts::int AS lamport, edit_id AS "editId",
              device_id AS "deviceId", client_lamport::int AS "clientLamport", fields, changed FROM state_versions`,
    ),
  };
  for (const [what, found] of Object.entries(all)) {
    const isEmpty = found instanceof Map ? found.size === 0 : found.length === 0;
    if (isEmpty) throw new Error(`Tenant B has no ${what}`);
  }
  return all;
}

function asWritten(recorded: readonly RecordedEvent[]): StockEvent[] {
  return recorded.map((event) => ({
    ...event,
    expiresAt: event.expiresAt?.toISOString() ?? null,
    createdAt: event.createdAt?.toISOString() ?? null,
  }));
}

/** `Class.method` of every repository in src/, read from the source: only there private is private. */
function publicMethods(): string[] {
  const root = path.resolve('src');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /persistence[\\/][^\\/]+\.repository\.ts$/.test(file),
  );
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.Latest);
    return source.statements
      .filter((statement) => ts.isClassDeclaration(statement))
      .flatMap(({ name, members }) =>
        members
          .filter((member) => ts.isMethodDeclaration(member))
          .filter(({ modifiers }) => !modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword))
          .map((method) => `${name?.text ?? ''}.${ts.isIdentifier(method.name) ? method.name.text : '?'}`),
      );
  });
}
