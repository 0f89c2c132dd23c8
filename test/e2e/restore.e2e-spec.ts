import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import { newFolder, TestCluster } from '../support/cluster.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, pullAll, replay } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';
import { type Entry, Till } from '../support/till.js';

/** Servers are made, copied, stopped and started. */
const RESTORE_TIMEOUT_MS = 180_000;

/** A service with a database of its own, and one way to back it up and to restore it. */
interface Site {
  readonly service: RunningService;
  backUp(): Promise<void>;
  /** Loses the database, and brings back what it was at `backUp`. */
  restore(): Promise<void>;
  end(): Promise<void>;
}

/** A copy of the database in the same server: as a dump that is restored into a database made anew. */
async function siteWithCopies(): Promise<Site> {
  const database: TestDatabase = await createTestDatabase();
  const name = new URL(database.superuserUrl).pathname.slice(1);
  const maintenance = new URL(database.superuserUrl);
  maintenance.pathname = '/postgres';
  const copy = async (from: string, to: string): Promise<void> => {
    await queryOnce(maintenance.href, `CREATE DATABASE ${to} TEMPLATE ${from} OWNER agrotour_owner`);
    await queryOnce(maintenance.href, `REVOKE ALL ON DATABASE ${to} FROM PUBLIC`);
    await queryOnce(maintenance.href, `GRANT CONNECT, TEMPORARY ON DATABASE ${to} TO agrotour_app`);
  };
  let service = await startService({ DATABASE_URL: database.appUrl });
  return {
    get service() {
      return service;
    },
    async backUp() {
      await service.stop(); // a database that someone is connected to can't be copied
      await copy(name, `${name}_backup`);
      service = await startService({ DATABASE_URL: database.appUrl });
    },
    async restore() {
      await service.stop();
      await database.drop();
      await copy(`${name}_backup`, name);
      service = await startService({ DATABASE_URL: database.appUrl });
    },
    async end() {
      await service.stop();
      await database.drop();
      await queryOnce(maintenance.href, `DROP DATABASE IF EXISTS ${name}_backup WITH (FORCE)`);
    },
  };
}

/** A base backup and the archived log, recovered to a point in time at the same address; the service runs on throughout. */
async function siteWithArchive(): Promise<Site> {
  const archive = newFolder('archive');
  const server = await TestCluster.create();
  await server.stop();
  await server.start({ archive_mode: 'on', archive_command: `cp %p ${archive}/%f` });
  const backup = await server.baseBackup(); // long before: the rest of what is restored comes out of the archive
  const service = await startService({ DATABASE_URL: server.appUrl });
  let restored: TestCluster | undefined;
  return {
    service,
    async backUp() {
      await queryOnce(server.superuserUrl, `SELECT pg_create_restore_point('while all was well')`);
    },
    async restore() {
      await queryOnce(server.superuserUrl, 'SELECT pg_switch_wal()');
      await server.stop();
      restored = await backup.copy(server);
      restored.write('recovery.signal', '');
      await restored.start({
        restore_command: `cp ${archive}/%f %p`,
        recovery_target_name: 'while all was well',
        recovery_target_action: 'promote',
        hot_standby: 'off',
      });
      await eventually('the service has found its database again', async () => {
        return (await request(`${service.url}/health/ready`)).status === 200;
      });
    },
    async end() {
      await service.stop();
      for (const cluster of [server, backup, restored]) await cluster?.remove();
      rmSync(archive, { recursive: true, force: true });
    },
  };
}

/** A copy of the data folder, put back: PostgreSQL can't know, so a person says so. */
async function siteWithFolders(): Promise<Site> {
  const server = await TestCluster.create();
  let service = await startService({ DATABASE_URL: server.appUrl });
  let backup: TestCluster | undefined;
  return {
    get service() {
      return service;
    },
    async backUp() {
      await service.stop();
      await server.stop();
      backup = await server.copy(server);
      await server.start();
      service = await startService({ DATABASE_URL: server.appUrl });
    },
    async restore() {
      await service.stop();
      await server.remove();
      await backup?.start();
      service = await startService({ DATABASE_URL: server.appUrl });
      const told = spawnSync(process.execPath, [path.resolve('dist/tools/new-epoch.js'), '--all'], {
        env: { PATH: process.env['PATH'], DATABASE_URL: server.appUrl },
        encoding: 'utf8',
      });
      expect(told).toMatchObject({ status: 0, stderr: '' });
    },
    async end() {
      await service.stop();
      await server.remove();
      await backup?.remove();
    },
  };
}

/** The same for the same seed. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  const result = [...values];
  let state = seed;
  for (let left = result.length; left > 1; left -= 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const index = state % left;
    [result[index], result[left - 1]] = [result[left - 1] as T, result[index] as T];
  }
  return result;
}

function inBatches<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, i) => values.slice(i * size, (i + 1) * size));
}

describe.each([
  ['from a copy of the database', siteWithCopies, 1],
  ['to a point in time, under a service that runs on', siteWithArchive, 2],
  ['from a copy of its data folder, which new-epoch tells', siteWithFolders, 3],
])('a server that is restored %s', (_, makeSite, seed) => {
  let site: Site;
  let tenant: TestTenant;

  beforeEach(async () => {
    site = await makeSite();
    tenant = await createTenant(site.service);
  }, RESTORE_TIMEOUT_MS);
  afterEach(() => site.end());

  async function enrol(id: string = randomUUID()): Promise<Till> {
    const enrolled = await request(`${site.service.url}/devices`, {
      token: tenant.adminToken,
      body: { id, name: 'Till', device_type: 'DESKTOP' },
    });
    expect(enrolled).toMatchObject({ status: 201 });
    return new Till(tenant.id, id, enrolled.body.token as string);
  }

  const stockOf = (entries: readonly Entry[]): Map<string, number> => {
    const stock = new Map<string, number>();
    for (const { operation, product } of entries) {
      const productId = operation?.product_id ?? product?.id ?? '';
      const effect = operation
        ? (operation.operation === 'INCREMENT' ? 1 : -1) * operation.delta
        : product?.current_stock;
      stock.set(productId, (stock.get(productId) ?? 0) + (effect ?? 0));
    }
    return stock;
  };

  const idsOf = (entries: readonly Entry[]): string[] =>
    entries.flatMap(({ operation }) => (operation?.operation_id == null ? [] : [operation.operation_id]));

  /** Of the log, which has the opening balances of products too. */
  const pushedIds = (log: readonly StockEventDto[], known: ReadonlySet<string>): string[] =>
    log.map((event) => event.operation_id).filter((id) => known.has(id));

  it(
    'gets back all that it had acknowledged, and nothing twice',
    async () => {
      const [cheese, honey] = [randomUUID(), randomUUID()];
      const [ana, ben, eva] = [await enrol(), await enrol(), await enrol()];

      // Before the backup.
      ana.edit({ id: cheese, name: 'Goat cheese', current_stock: 500 });
      ana.restock(honey, 500);
      await ana.push(site.service);
      for (const till of [ben, eva]) {
        for (let sale = 0; sale < 5; sale += 1) till.sell(cheese, 1);
        await till.push(site.service);
      }
      for (const till of [ana, ben, eva]) await till.pullToHead(site.service);
      expect(new Set([ana.epoch, ben.epoch, eva.epoch]).size).toBe(1);
      const epoch = ana.epoch;

      await site.backUp();

      // After it: all this the backup lacks, a device, a product and a product's name among it.
      const late = await enrol();
      const everyone = [ana, ben, eva, late];
      const restoredHead = ana.cursor;
      for (const till of everyone) {
        await till.pullToHead(site.service);
        expect(till).toMatchObject({ restored: false, epoch });
        for (let round = 0; round < 4; round += 1) {
          till.restock(honey, 2);
          till.sell(honey, 3, round % 2 === 0);
          till.sell(cheese, 1);
          if (round % 2 === 0) await till.push(site.service);
        }
        till.edit({ name: `Of till ${till.id}`, current_stock: 10 });
        await till.push(site.service);
      }
      ben.edit({ id: cheese, name: 'Goat cheese, cured', version: 1 });
      await ben.push(site.service);
      for (const till of everyone) await till.pullToHead(site.service);
      expect(everyone.flatMap((till) => till.outbox)).toEqual([]);
      const had = everyone.flatMap((till) => till.acknowledged);
      const lostHead = ana.cursor;
      expect(lostHead).toBeGreaterThan(restoredHead + 40);
      const names = new Map([...ana.catalogue].map(([id, { name }]) => [id, name]));

      await site.restore();

      // Ben pulls: his cursor is beyond the log, and is set back.
      const page = await ben.pull(site.service);
      expect(page).toMatchObject({ operations: [], next_lamport: page.server_lamport, has_more: false });
      expect(page.server_lamport).toBeLessThan(lostHead);
      expect(ben.restored).toBe(true);
      // Ana sells before she has heard of anything; the answer tells.
      ana.sell(honey, 1);
      const all = [...had, ...ana.outbox];
      await ana.push(site.service);
      expect(ana.restored).toBe(true);
      expect(ana.epoch).not.toBe(epoch);
      // Her clock was past all that was lost, and so is the log's now: by lamport alone, Eva would see nothing amiss.
      expect(eva.cursor).toBeLessThan((await eva.pull(site.service)).server_lamport);
      expect(eva.restored).toBe(true);
      // The late device is not known any more: no verdict on what it has. An admin enrols it again, under its id.
      const unknown = await request(`${site.service.url}/sync/pull`, { token: late.token, body: { last_lamport: 0 } });
      expectProblem(unknown, 'DEVICE_UNKNOWN');
      await enrol(late.id);
      await late.pull(site.service);

      // All go back, and push again what they find missing, in any order and some of it twice; Eva all she ever had.
      for (const till of everyone) {
        expect(till).toMatchObject({ restored: true, epoch: ana.epoch });
        await till.goBack(site.service);
      }
      eva.outbox = [...eva.acknowledged, ...eva.outbox];
      const batches = everyone.flatMap((till, index) =>
        inBatches(shuffled(till.outbox, seed + index), 5).map((entries) => ({ till, entries })),
      );
      for (const [index, { till, entries }] of shuffled(batches, seed).entries()) {
        await till.push(site.service, entries);
        if (index % 3 > 0) continue;
        const again = await till.push(site.service, entries);
        expect(again.map(({ status }) => status)).toEqual(entries.map(() => 'duplicate'));
      }

      // Nothing lost, nothing doubled.
      for (const till of everyone) {
        expect(till.outbox).toEqual([]);
        await till.pullToHead(site.service);
        expect(till).toMatchObject({ restored: false, epoch: ana.epoch });
      }
      const log = await pullAll(site.service, ana.token);
      expectChain(tenant.id, log);
      const ids = idsOf(all);
      expect(new Set(ids).size).toBe(ids.length);
      expect(pushedIds(log, new Set(ids)).sort()).toEqual(ids.toSorted());
      expect(log).toHaveLength(ids.length + 5); // and the opening balance of each product
      expect(replay(log)).toEqual(stockOf(all));
      for (const till of everyone) {
        expect(till.log).toEqual(log);
        expect(new Map([...till.catalogue].map(([id, { name }]) => [id, name]))).toEqual(names);
      }
      const snapshot = await request(`${site.service.url}/sync/snapshot`, { token: ana.token });
      expect(JSON.parse(String(snapshot.body).split('\n')[0] ?? '')).toMatchObject({
        type: 'header',
        epoch: ana.epoch,
      });
      const verified = await request(`${site.service.url}/inventory/verify`, {
        token: tenant.adminToken,
        method: 'POST',
      });
      expect(verified.body).toMatchObject({ ok: true, differences: [] });
    },
    RESTORE_TIMEOUT_MS,
  );
});

describe('npm run new-epoch', () => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  const run = (...options: string[]): { status: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [path.resolve('dist/tools/new-epoch.js'), ...options],
      {
        env: { PATH: process.env['PATH'], DATABASE_URL: database.appUrl },
        encoding: 'utf8',
      },
    );
    return { status, stdout, stderr };
  };
  const epochOf = async (tenantId: string): Promise<string> => {
    const token = await tokens.sign({ role: 'staff', userId: randomUUID(), tenantId });
    const answer = await request(`${service.url}/sync/pull`, { token, body: { last_lamport: 0 } });
    expect(answer).toMatchObject({ status: 200 });
    return answer.body.epoch as string;
  };

  it('changes the epoch of one tenant, or of all, while the service runs', async () => {
    const [first, second] = [(await createTenant(service)).id, (await createTenant(service)).id];
    const before = [await epochOf(first), await epochOf(second)];
    expect(run('--tenant', second)).toEqual({ status: 0, stdout: `${second}\n`, stderr: '' });
    const between = [await epochOf(first), await epochOf(second)];
    expect(between[0]).toBe(before[0]);
    expect(between[1]).not.toBe(before[1]);
    expect(run('--all')).toEqual({ status: 0, stdout: `${first}\n${second}\n`, stderr: '' }); // the oldest first
    const after = [await epochOf(first), await epochOf(second)];
    expect(new Set([...before, ...between, ...after]).size).toBe(5);
  });

  it.each([
    ['neither', [], /^Give either --tenant <uuid> or --all\.\n\nUsage: /],
    ['both', ['--all', '--tenant', randomUUID()], /^Give either --tenant/],
    ['no UUID', ['--tenant', 'mine'], /^--tenant must be a UUID/],
    ['an unknown tenant', ['--tenant', '99999999-0000-4000-8000-000000000009'], /^There is no tenant 99999999/],
    ['an unknown option', ['--everything'], /^Unknown option/],
  ])('tells a person who names %s what is wrong, and changes nothing', async (_, options, message) => {
    const { id } = await createTenant(service);
    const before = await epochOf(id);
    expect(run(...options)).toEqual({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(await epochOf(id)).toBe(before);
  });
});
