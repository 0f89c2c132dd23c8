import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { readInBatches } from '../../src/database/row-cursor.js';
import { TenantDatabase, type TenantTransaction } from '../../src/database/tenant-database.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { createTestDatabase, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { eventually } from '../support/eventually.js';

/** Of the client: far less than the service's, so that a statement can outlast it. */
const QUERY_TIMEOUT_MS = 400;

/** All that a connection can tell of a tenant: what is set on it, and whose rows it sees. */
const CARRIED = `
  SELECT nullif(current_setting('app.tenant_id', true), '') AS tenant_id,
         nullif(current_setting('app.platform', true), '') AS platform,
         ARRAY(SELECT id FROM tenants UNION SELECT tenant_id FROM devices)::text[] AS seen,
         ARRAY(SELECT name FROM devices ORDER BY name) AS devices`;
interface Carried {
  readonly tenant_id: string | null;
  readonly platform: string | null;
  readonly seen: string[];
  readonly devices: string[];
}
const NOTHING: Carried = { tenant_id: null, platform: null, seen: [], devices: [] };

describe('a pooled connection', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let database: TenantDatabase;
  const devices = new DeviceRepository();
  const [ana, ben] = [randomUUID(), randomUUID()];

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
  });
  beforeEach(async () => {
    source = await open(1); // a pool of one: what a tenant leaves on the connection, the next one meets
    database = new TenantDatabase(source);
    for (const tenantId of [ana, ben]) {
      await database.transaction(tenantId, async (tx) => {
        await new TenantRepository().create(tx, { name: 'Test tenant', createdAt: new Date() });
        await enrol(tx, tenantId);
      });
    }
  });
  afterEach(() => source.destroy());
  afterAll(() => testDatabase.drop());

  const open = (poolMax: number): Promise<DataSource> =>
    new DataSource(dataSourceOptions(testDatabase.appUrl, poolMax, QUERY_TIMEOUT_MS)).initialize();
  const enrol = (tx: TenantTransaction, name: string): Promise<Date | null> =>
    devices.enrol(tx, { id: idOf(name), name, deviceType: 'WEB', createdAt: new Date() });
  const carried = async (on: Pick<DataSource, 'query'>): Promise<Carried | undefined> =>
    (await on.query<Carried[]>(CARRIED))[0];
  const pidOf = async (tx: TenantTransaction): Promise<number> =>
    (await tx.manager.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid'))[0].pid;
  const onlyOf = (tenantId: string): Carried => ({
    tenant_id: tenantId,
    platform: null,
    seen: [tenantId],
    devices: [tenantId],
  });

  /** What goes wrong in the middle of a tenant's transaction, after it has written. */
  const MISHAPS: readonly (readonly [name: string, mishap: (tx: TenantTransaction) => Promise<unknown>])[] = [
    ['its work throws', () => Promise.reject(new Error('out of luck'))],
    ['a statement fails', (tx) => tx.manager.query('SELECT 1 / 0')],
    [
      'a statement fails beside others that are under way',
      (tx) => Promise.all(['SELECT pg_sleep(0.1)', 'SELECT 1 / 0', CARRIED].map((sql) => tx.manager.query(sql))),
    ],
    [
      'its commit fails',
      (tx) =>
        tx.manager.query(
          `INSERT INTO products (tenant_id, id, name, sku, version, lamport_ts, client_lamport, device_id, edit_id, created_at, updated_at)
           SELECT $1, gen_random_uuid(), 'twin', 'one SKU', 1, n, 1, $1, $1, now(), now() FROM generate_series(1, 2) AS n`,
          [tx.tenantId],
        ),
    ],
    [
      'a statement takes too long',
      async (tx) => {
        await tx.manager.query(`SELECT set_config('statement_timeout', '50', true)`);
        await tx.manager.query('SELECT pg_sleep(0.3)');
      },
    ],
    [
      'a lock is waited for too long',
      (tx) =>
        withClient(testDatabase.superuserUrl, async (other) => {
          await other.query('BEGIN; LOCK TABLE products');
          await tx.manager.query(`SELECT set_config('lock_timeout', '50', true)`);
          await tx.manager.query('SELECT FROM products');
        }),
    ],
    [
      'a statement is cancelled from outside',
      async (tx) => {
        const pid = await pidOf(tx);
        const slow = expect(tx.manager.query('SELECT pg_sleep(0.3)')).rejects.toThrow(/canceling statement/);
        await sleep(50);
        await queryOnce(testDatabase.superuserUrl, 'SELECT pg_cancel_backend($1)', [pid]);
        await slow;
        throw new Error('cancelled');
      },
    ],
    ['the connection is lost', (tx) => tx.manager.query('SELECT pg_terminate_backend(pg_backend_pid())')],
    [
      'it pauses too long',
      async (tx) => {
        await tx.manager.query(`SELECT set_config('idle_in_transaction_session_timeout', '50', true)`);
        await sleep(200);
        await tx.manager.query('SELECT 1');
      },
    ],
    ['the server answers too late', (tx) => tx.manager.query('SELECT pg_sleep(0.6)')],
    ['the server answers too late for the ROLLBACK as well', (tx) => tx.manager.query('SELECT pg_sleep(1.2)')],
    [
      'whoever reads goes away in the middle',
      async (tx) => {
        for await (const rows of readInBatches(tx, 'SELECT n FROM generate_series(1, 100) AS n', [], 10)) {
          if (rows.length > 0) break;
        }
        throw new Error('gone');
      },
    ],
  ];

  it.each(MISHAPS)('carries nothing on, and writes nothing, after a transaction in which %s', async (_name, mishap) => {
    const failing = database.transaction(ana, async (tx) => {
      await enrol(tx, 'half done');
      await mishap(tx);
    });
    await expect(failing).rejects.toThrow();
    await serverIsDone();
    expect(await carried(source)).toEqual(NOTHING);
    expect(await database.transaction(ben, (tx) => carried(tx.manager))).toEqual(onlyOf(ben));
    expect(await database.transaction(ana, (tx) => carried(tx.manager))).toEqual(onlyOf(ana));
  });

  it('that has lost its prepared statements is replaced', async () => {
    const pid = await database.transaction(ana, pidOf);
    await source.query('DISCARD ALL'); // as a pooler does that gives the connection to others in between
    await expect(database.transaction(ana, pidOf)).rejects.toMatchObject({ driverError: { code: '26000' } });
    expect(await database.transaction(ben, pidOf)).not.toBe(pid);
    await source.query('DISCARD ALL');
    const ask = (tx: TenantTransaction) => new TenantRepository().accessStates(tx, []);
    await expect(database.flight(ana, ask, { keepPlans: true })).resolves.toBeDefined(); // prepared for the first time
    await source.query('DISCARD ALL');
    await expect(database.flight(ana, ask, { keepPlans: true })).rejects.toMatchObject({
      driverError: { code: '26000' },
    });
    await expect(database.flight(ana, ask, { keepPlans: true })).resolves.toBeDefined();
  });

  it('that has lost its prepared statements is replaced, whichever statement is heard first', async () => {
    await database.transaction(ana, pidOf, { keepPlans: true });
    await source.query('DISCARD ALL');
    const receive = (tx: TenantTransaction) => tx.receive({ text: 'SELECT 1' }, () => undefined);
    await expect(database.transaction(ana, receive, { keepPlans: true })).rejects.toMatchObject({
      driverError: { code: '26000' },
    });
    await expect(database.transaction(ana, receive, { keepPlans: true })).resolves.toBeUndefined();
  });

  it('tells what went wrong first, of statements that were sent side by side', async () => {
    const through = async (work: () => Promise<unknown>): Promise<unknown> => await work();
    const failing = database.transaction(ana, (tx) =>
      Promise.all([
        through(() => through(() => tx.send({ text: 'SELECT 1 / 0' }))), // heard later than the one after it
        tx.send({ text: 'SELECT 1' }),
      ]),
    );
    await expect(failing).rejects.toThrow('division by zero');
  });

  it('carries nothing on after a transaction of the operator that fails', async () => {
    await expect(database.platformTransaction((tx) => tx.manager.query('SELECT 1 / 0'))).rejects.toThrow();
    expect(await carried(source)).toEqual(NOTHING);
  });

  it('carries nothing on after a reader has left in the middle of a snapshot', async () => {
    const first = await database.snapshot(ana, async (tx) => {
      for await (const rows of readInBatches<{ n: number }>(tx, 'SELECT n FROM generate_series(1, 9) AS n', [], 3))
        return rows;
      return [];
    });
    expect(first).toHaveLength(3);
    expect(await carried(source)).toEqual(NOTHING);
  });

  it('belongs to one tenant at a time, however two of them crowd and fail', async () => {
    const pool = await open(3);
    const crowded = new TenantDatabase(pool);
    const quick = MISHAPS.filter(([name]) => /throws|statement fails|commit|lost|goes away/.test(name));
    try {
      const visits = Array.from({ length: 200 }, async (_, n) => {
        const tenantId = n % 2 === 0 ? ana : ben;
        const [, mishap] = quick[n % quick.length] ?? [];
        const visit = crowded.transaction(tenantId, async (tx) => {
          const found = await carried(tx.manager);
          if (n % 3 === 0) await mishap?.(tx);
          return found;
        });
        if (n % 3 === 0) await expect(visit).rejects.toThrow();
        else expect(await visit).toEqual(onlyOf(tenantId));
      });
      await Promise.all(visits);
      expect(await Promise.all([carried(pool), carried(pool), carried(pool)])).toEqual([NOTHING, NOTHING, NOTHING]);
    } finally {
      await pool.destroy();
    }
  });

  /** Statements that the client has given up run on until the server notices. */
  function serverIsDone(): Promise<unknown> {
    return eventually('no statement runs', async () => {
      const running = await queryOnce(
        testDatabase.superuserUrl,
        `SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'agrotour_app' AND state = 'active'`,
      );
      return running.length === 0;
    });
  }
});

/** A device's id that follows from its name, so that a second device of that name would be found. */
function idOf(name: string): string {
  return /^[0-9a-f-]{36}$/.test(name) ? name : '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a03';
}
