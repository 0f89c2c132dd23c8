import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { isTransient } from '../../src/database/transient-error.js';
import type { TenantTransaction } from '../../src/database/tenant-database.js';
import { ProblemError } from '../../src/problems/problem.js';
import { GroupCommit, type GroupWork } from '../../src/sync/push/group-commit.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

/** What a push of these tests does. */
type Work = (tx: TenantTransaction) => Promise<string>;
type Commits = GroupCommit<Work, { readonly name: string }>;

/** In their order. What one says is its own fault is told to it alone, and it has written nothing. */
const oneByOne: GroupWork<Work, { readonly name: string }> = async (tx, pushes) => {
  const results: (ProblemError | { readonly name: string })[] = [];
  for (const push of pushes) {
    try {
      results.push({ name: await push(tx) });
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      results.push(error);
    }
  }
  return results;
};

describe('pushes of a tenant that wait for its clock', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let commits: Commits;
  let tenantId: string;
  let deviceId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 4);
    ledger = new TestLedger(source);
  });
  beforeEach(async () => {
    commits = new GroupCommit(ledger.database, oneByOne);
    ({ tenantId, deviceId } = await ledger.addTenant());
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const run = async (entries: number, work: Work): Promise<string> => (await commits.run(tenantId, entries, work)).name;

  /** Work that leaves a row: a device of this name. */
  const writing =
    (name: string, then: (tx: TenantTransaction) => Promise<unknown> = () => Promise.resolve()) =>
    async (tx: TenantTransaction): Promise<string> => {
      await tx.send({
        text: `INSERT INTO devices (tenant_id, id, name, device_type, created_at) VALUES ($1, $2, $3, 'WEB', now())`,
        values: [tenantId, randomUUID(), name],
      });
      await then(tx);
      return name;
    };
  const names = async (): Promise<string[]> => {
    const rows = await queryOnce<{ name: string }>(
      database.superuserUrl,
      `SELECT name FROM devices WHERE tenant_id = $1 AND device_type = 'WEB' ORDER BY name`,
      [tenantId],
    );
    return rows.map(({ name }) => name);
  };
  const failing = (reason: string) => (): Promise<never> => Promise.reject(new Error(reason));
  function countCommits(): () => number {
    const queries = jest.spyOn(pg.Client.prototype, 'query');
    return () => queries.mock.calls.filter(([query]) => (query as { text?: string }).text === 'COMMIT').length;
  }

  it('share a transaction: all those that came while another had it', async () => {
    const committed = countCommits();
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => run(1, writing(name)));
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(committed()).toBe(2); // the first goes at once, and alone
    expect(await names()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('share one only up to so many entries and pushes', async () => {
    const committed = countCommits();
    const large = Array.from({ length: 5 }, (_, index) => run(400, writing(`large ${index}`)));
    await Promise.all([...large, run(1_000, writing('whole'))]);
    expect(committed()).toBe(1 + 2 + 1);
    const small = Array.from({ length: 66 }, (_, index) => run(1, writing(`small ${index}`)));
    await Promise.all(small);
    expect(committed()).toBe(4 + 2);
    expect(await names()).toHaveLength(72);
  });

  it('fail each alone, and leave nothing of what failed, where one spoils it for all', async () => {
    const settled = await Promise.allSettled([
      run(1, writing('first', failing('out of luck'))),
      run(1, writing('second')),
      run(1, writing('third', failing('out of luck again'))),
      commits.run(
        tenantId,
        1,
        writing('fourth', (tx) => tx.send({ text: 'SELECT 1 / 0' })),
      ),
      run(1, writing('fifth')),
    ]);
    expect(settled).toMatchObject([
      { reason: { message: 'out of luck' } },
      { value: 'second' },
      { reason: { message: 'out of luck again' } },
      { reason: { message: 'division by zero' } },
      { value: 'fifth' },
    ]);
    expect(await names()).toEqual(['fifth', 'second']);
  });

  it('are told what is their own fault, and share the transaction all the same', async () => {
    const committed = countCommits();
    const refused = (): Promise<string> => Promise.reject(new ProblemError('DEVICE_REVOKED'));
    const settled = await Promise.allSettled([
      run(1, writing('first')),
      run(1, writing('second')),
      run(1, refused),
      run(1, writing('fourth')),
    ]);
    expect(settled).toMatchObject([
      { value: 'first' },
      { value: 'second' },
      { reason: { code: 'DEVICE_REVOKED' } },
      { value: 'fourth' },
    ]);
    expect(committed()).toBe(2);
    expect(await names()).toEqual(['first', 'fourth', 'second']);
  });

  it.each([
    ['the connection is lost', 'SELECT pg_terminate_backend(pg_backend_pid())'],
    ['a statement takes too long', `SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(1)`],
  ])('fail together, and may be pushed again, where %s', async (_what, text) => {
    const first = run(1, writing('first'));
    const rest = await Promise.allSettled([
      run(1, writing('second')),
      commits.run(
        tenantId,
        1,
        writing('third', (tx) => tx.send({ text })),
      ),
      run(1, writing('fourth')),
    ]);
    expect(rest.map((result) => result.status === 'rejected' && isTransient(result.reason))).toEqual([
      true,
      true,
      true,
    ]);
    expect(await first).toBe('first');
    expect(await names()).toEqual(['first']);
    expect(await run(1, writing('again'))).toBe('again');
  });

  it('are never told that they are recorded when the commit did not go through', async () => {
    const swallowing = writing('lost', (tx) => tx.send({ text: 'SELECT 1 / 0' }).catch(() => undefined));
    await expect(run(1, swallowing)).rejects.toThrow('rolled back');
    const deferred = writing('twins', (tx) =>
      tx.send({
        text: `INSERT INTO products (tenant_id, id, name, sku, version, lamport_ts, client_lamport, device_id, edit_id, created_at, updated_at)
               SELECT $1, gen_random_uuid(), 'twin', 'one SKU', 1, n, 1, $1, $1, now(), now() FROM generate_series(1, 2) AS n`,
        values: [tenantId],
      }),
    );
    const all = ['a', 'b'].map((name) => run(1, writing(name)));
    const settled = await Promise.allSettled([...all, run(1, deferred)]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await names()).toEqual(['a', 'b']);
  });

  it('can’t send anything once their transaction is over', async () => {
    let kept: TenantTransaction | undefined;
    await run(1, (tx) => {
      kept = tx;
      return Promise.resolve('kept');
    });
    await expect(kept?.send({ text: 'SELECT 1' })).rejects.toThrow('The transaction has ended');
  });

  it('hold one connection, however many they are, while a stranger has the clock', async () => {
    await withClient(database.superuserUrl, async (stranger) => {
      await stranger.query('BEGIN');
      await stranger.query('SELECT FROM tenant_clocks WHERE tenant_id = $1 FOR UPDATE', [tenantId]);
      const operation = { tenant_id: tenantId, device_id: deviceId, product_id: randomUUID() };
      const pushes = Array.from({ length: 12 }, (_, index) =>
        ledger.push(tenantId, deviceId, [anOperation({ ...operation, lamport_ts: index })]),
      );
      const other = await ledger.addTenant();
      const elsewhere = anOperation({ tenant_id: other.tenantId, device_id: other.deviceId });
      const { outcomes } = await ledger.push(other.tenantId, other.deviceId, [elsewhere]);
      expect(outcomes).toMatchObject([{ status: 'accepted' }]);
      const [{ held } = { held: -1 }] = await queryOnce<{ held: number }>(
        database.superuserUrl,
        `SELECT count(*)::int AS held FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'agrotour_app' AND state <> 'idle'`,
      );
      expect(held).toBe(1);
      await stranger.query('COMMIT');
      const lamports = (await Promise.all(pushes)).map(({ serverLamport }) => serverLamport);
      expect(lamports).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    });
  });
});
