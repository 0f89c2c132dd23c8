import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { type EmbeddedService, startEmbedded } from '../support/embedded-service.js';
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
import { tamper } from '../support/tampering.js';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command as npm runs it, with the whole environment but PATH. */
async function run(tool: 'verify' | 'rebuild', args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, [path.resolve(`dist/tools/${tool}.js`), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    cwd: '/',
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);

describe('verify and rebuild', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;
  const productId = randomUUID();

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    device = await TestDevice.enrol(tenant);
    const sales = [2, 3, 4].map((units) => device.sale(productId, units));
    expect((await device.push(service, [device.restock(productId, 20), ...sales])).status).toBe(200);
  });

  const ask = (what: 'verify' | 'rebuild'): ReturnType<typeof request> =>
    request(`${service.url}/inventory/${what}`, { method: 'POST', token: tenant.adminToken });

  it('finds a ledger right over HTTP and by the command', async () => {
    const answer = await ask('verify');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toEqual({ differences: [], events: 4, ok: true });
    expect(await run('verify', ['--tenant', tenant.id], { DATABASE_URL: database.appUrl })).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: `${tenant.id} ok, 4 events\n`,
    });
  });

  it('names exactly the event that was changed by force, over HTTP and by the command', async () => {
    const operationId = await tamper(
      database,
      tenant.id,
      'effect = effect - 1',
      'ORDER BY lamport_ts OFFSET 2 LIMIT 1',
    );
    const difference = {
      ...{ kind: 'EFFECT', lamport_ts: 7, operation_id: operationId, product_id: productId },
      ...{ field: 'effect', expected: -3, found: -4 },
    };
    expect((await ask('verify')).body).toEqual({ differences: [difference], events: 4, ok: false });

    const environment = { DATABASE_URL: database.appUrl };
    const { code, stdout } = await run('verify', ['--tenant', tenant.id.toUpperCase()], environment);
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout:
        `${tenant.id} EFFECT lamport 7 operation ${operationId} product ${productId}: effect is -4, expected -3\n` +
        `${tenant.id} NOT OK: 1 difference, 4 events\n`,
    });
    const asJson = await run('verify', ['--all', '--json'], environment);
    expect(asJson.code).toBe(1);
    expect(lines(asJson.stdout)).toEqual(
      expect.arrayContaining([
        { type: 'difference', tenant_id: tenant.id, ...difference },
        { type: 'tenant', tenant_id: tenant.id, ok: false, events: 4, differences: 1 },
      ]),
    );
  });

  it.each([
    ['over HTTP', async () => (await ask('rebuild')).body as unknown],
    [
      'by the command',
      async () => {
        const { code, stdout } = await run('rebuild', ['--tenant', tenant.id], { DATABASE_URL: database.appUrl });
        expect({ code, stdout }).toEqual({ code: 0, stdout: `${tenant.id} 1 of 1 products repaired, at lamport 8\n` });
        return { products: 1, repaired: 1, lamport: 8 };
      },
    ],
  ])('mends a level %s', async (_how, rebuild) => {
    await queryOnce(database.superuserUrl, `UPDATE stock_levels SET quantity = 99 WHERE tenant_id = $1`, [tenant.id]);
    expect(await device.stockOf(service, productId)).toBe(99);
    expect((await ask('verify')).body).toEqual({
      differences: [
        {
          ...{ kind: 'LEVEL', lamport_ts: null, operation_id: null, product_id: productId },
          ...{ field: 'quantity', expected: 11, found: 99 },
        },
      ],
      ...{ events: 4, ok: false },
    });
    expect(await rebuild()).toEqual({ products: 1, repaired: 1, lamport: 8 });
    expect(await device.stockOf(service, productId)).toBe(11);
    expect((await ask('verify')).body).toMatchObject({ ok: true });
  });

  it('is for admins', async () => {
    for (const path of ['verify', 'rebuild']) {
      for (const token of [
        device.token,
        await tenant.staffToken(),
        await tokens.sign({ role: 'operator', userId: randomUUID() }),
      ]) {
        expectProblem(await request(`${service.url}/inventory/${path}`, { method: 'POST', token }), 'FORBIDDEN');
      }
    }
  });

  it('answers times as times, even those that are none', async () => {
    await tamper(database, tenant.id, `synced_at = '-infinity'`, 'ORDER BY lamport_ts OFFSET 1 LIMIT 1');
    const { differences } = (await ask('verify')).body as { differences: Record<string, unknown>[] };
    expect(differences).toMatchObject([{ kind: 'TIME', field: 'synced_at', found: '-Infinity' }]);
    expect(differences[0]?.['expected']).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/);
  });

  describe('whose answer is long', () => {
    const EVENTS = 60_000;
    const open: ClientRequest[] = [];
    afterEach(() => {
      for (const asked of open.splice(0)) asked.destroy();
    });

    /** Events of which nothing is right: more differences than fit into any buffer between here and there. */
    beforeEach(async () => {
      await queryOnce(
        database.superuserUrl,
        `INSERT INTO stock_events (tenant_id, lamport_ts, operation_id, product_id, device_id, device_type, operation, delta,
           reason, client_lamport, created_by, effect, stock_after, disposition, synced_at, content_hash, chain_hash)
         SELECT $1, n, gen_random_uuid(), $2, $2, 'DESKTOP', 'DECREMENT', 1, 'SALE', 0, $2, 0, 0, 'APPLIED', now(), sha256(''),
                sha256('') FROM generate_series(100, 99 + ${EVENTS}) AS n`,
        [tenant.id, productId],
      );
    });

    /** Asks, and reads nothing of the answer but its head. */
    async function askAndWait(): Promise<IncomingMessage> {
      const headers = { authorization: `Bearer ${tenant.adminToken}` };
      const asked = http.request(`${service.url}/inventory/verify`, { method: 'POST', headers, agent: false });
      open.push(asked);
      asked.on('error', () => undefined);
      asked.end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      expect(answer.statusCode).toBe(200);
      return answer;
    }

    async function read(answer: IncomingMessage): Promise<{ text: string; complete: boolean }> {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      await new Promise<void>((resolve) => answer.on('close', resolve).on('error', () => undefined));
      return { text, complete: answer.complete };
    }

    const waiting = (): Promise<{ pid: number }[]> =>
      queryOnce(
        database.superuserUrl,
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND usename = 'agrotour_app' AND state = 'idle in transaction'
           AND state_change < clock_timestamp() - interval '200 ms'`,
      );

    it('names every difference', async () => {
      const { text, complete } = await read(await askAndWait());
      expect(complete).toBe(true);
      const body = JSON.parse(text) as { differences: { lamport_ts: number | null }[]; events: number; ok: boolean };
      expect(body).toMatchObject({ events: EVENTS + 4, ok: false });
      expect(new Set(body.differences.map((difference) => difference.lamport_ts)).size).toBeGreaterThanOrEqual(EVENTS);
    });

    it('breaks off when the database fails midway: half an answer is never taken for a whole one', async () => {
      const answer = await askAndWait();
      const [reader] = await eventually('it waits for who reads slowly', async () => {
        const found = await waiting();
        return found.length > 0 && found;
      });
      await queryOnce(database.superuserUrl, 'SELECT pg_terminate_backend($1)', [reader?.pid]);
      const { text, complete } = await read(answer);
      expect(complete).toBe(false);
      expect(text).toMatch(/^\{"differences":\[/);
      expect(() => JSON.parse(text) as unknown).toThrow();
      expect((await request(`${service.url}/health/live`)).status).toBe(200);
    });

    it('lets a third one of a tenant wait its turn, and is over when who asked has gone', async () => {
      const [first] = [await askAndWait(), await askAndWait()];
      // At once: each waits for a place for ten seconds, and the two that have one may pause for thirty.
      const refused = await Promise.all([ask('verify'), ask('rebuild')]);
      for (const answer of refused) expectProblem(answer, 'TOO_MANY_STREAMS');
      expect(first.destroyed).toBe(false);
      for (const asked of open.splice(0)) asked.destroy();
      await eventually('both have ended', async () => (await ask('rebuild')).status === 200);
      expect(await waiting()).toEqual([]);
    });
  });

  it.each([
    ['no tenant is named', [], /--tenant <uuid> or --all[\s\S]*Usage/],
    ['both are asked for', ['--all', '--tenant', randomUUID()], /--tenant <uuid> or --all/],
    ['the tenant is no UUID', ['--tenant', 'demo'], /--tenant must be a UUID/],
    ['there is no such tenant', ['--tenant', randomUUID()], /There is no tenant/],
    ['an option is unknown', ['--every'], /Unknown option '--every'/],
  ])('tells with exit code 2 when %s', async (_what, args, words) => {
    const tools = ['verify', 'rebuild'] as const;
    for (const ended of await Promise.all(tools.map((tool) => run(tool, args, { DATABASE_URL: database.appUrl })))) {
      expect(ended).toMatchObject({ code: 2, stdout: '' });
      expect(ended.stderr).toMatch(words);
      expect(ended.stderr).not.toMatch(/\n\s+at /);
    }
  });

  it('tells with exit code 2 when there is no database', async () => {
    const dataDir = path.join(os.tmpdir(), `agrotour-none-${randomUUID()}`);
    for (const [env, words] of [
      [{ DATABASE_URL: 'postgres://agrotour_app:hidden@127.0.0.1:9/agrotour' }, /no connection with the database/],
      [
        { DATABASE_URL: database.appUrl.replace(/\/\/[^@]+@/, '//agrotour_app:hidden@') },
        /password authentication failed/,
      ],
      [{ DATABASE_URL: 'nonsense' }, /DATABASE_URL must be/],
      [{ DATA_DIR: dataDir }, /There is no database in DATA_DIR/],
    ] as [Record<string, string>, RegExp][]) {
      const { code, stderr } = await run('verify', ['--all'], env);
      expect(code).toBe(2);
      expect(stderr).toMatch(words);
      expect(stderr).not.toMatch(/\n\s+at |hidden/);
    }
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('verify and rebuild in embedded mode', () => {
  let dataDir: string;
  let service: EmbeddedService | undefined;
  const postmasterFile = (): string => path.join(dataDir, 'postgres', 'postmaster.pid');

  beforeAll(() => {
    dataDir = path.join(mkdtempSync(path.join(os.tmpdir(), 'agrotour verify ')), 'data');
  });
  afterEach(async () => {
    await service?.stop();
  });
  afterAll(() => {
    rmSync(path.dirname(dataDir), { recursive: true, force: true });
  });

  it('work beside the service, after it, and after it was killed', async () => {
    service = startEmbedded(dataDir);
    await service.commands();
    const beside = await run('verify', ['--all'], { DATA_DIR: dataDir });
    expect(beside).toMatchObject({ code: 0, stderr: '' });
    expect(beside.stdout).toMatch(/^[0-9a-f-]{36} ok, \d+ events\n$/);
    expect(existsSync(postmasterFile())).toBe(true);

    await service.stop();
    expect(await run('verify', ['--all'], { DATA_DIR: dataDir })).toEqual(beside);
    expect(existsSync(postmasterFile())).toBe(false);

    service = startEmbedded(dataDir);
    await service.commands();
    await service.kill();
    expect(existsSync(postmasterFile())).toBe(true); // the server outlives it
    expect(await run('rebuild', ['--all'], { DATA_DIR: dataDir })).toMatchObject({ code: 0, stderr: '' });
    expect(await run('verify', ['--all'], { DATA_DIR: dataDir })).toEqual(beside);

    service = startEmbedded(dataDir); // finds all as it was
    await service.commands();
  });
});
