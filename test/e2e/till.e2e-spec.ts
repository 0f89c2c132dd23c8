import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { pullAll } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { createTenant, type RunningService, startService } from '../support/service.js';

const TILL = path.resolve('client/examples/till/dist/main.js');

/** The example as a person uses it: lines in, lines out. */
class TillAtWork {
  private said = '';
  readonly process: ChildProcessWithoutNullStreams;
  private readonly exited: Promise<unknown[]>;

  constructor(options: Readonly<Record<'url' | 'token' | 'store', string>>) {
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    this.process = spawn(process.execPath, [TILL, ...args]);
    this.exited = once(this.process, 'exit');
    for (const output of [this.process.stdout, this.process.stderr]) {
      output.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    }
  }

  /** Types a line, if there is one. @returns what was said from then on, up to what is waited for */
  async says(expected: RegExp, typed?: string): Promise<string> {
    if (typed !== undefined) {
      this.said = '';
      this.process.stdin.write(`${typed}\n`);
    }
    try {
      return await eventually(String(expected), () => expected.exec(this.said)?.[0]);
    } catch (cause) {
      throw new Error(`The till said:\n${this.said}`, { cause });
    }
  }

  async end(signal?: 'SIGKILL'): Promise<number | null> {
    if (signal) this.process.kill(signal);
    else this.process.stdin.end();
    const [code] = await this.exited;
    return code as number | null;
  }
}

describe('the till on a terminal', () => {
  let database: TestDatabase;
  let service: RunningService;
  let folder: string;
  const started: TillAtWork[] = [];

  beforeAll(async () => {
    execFileSync('npm', ['run', '--silent', 'build:till']);
    folder = mkdtempSync(path.join(tmpdir(), 'agrotour-test-'));
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    for (const till of started) till.process.kill('SIGKILL');
    await service.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const open = (options: ConstructorParameters<typeof TillAtWork>[0]): TillAtWork => {
    const till = new TillAtWork(options);
    started.push(till);
    return till;
  };

  it('sells while the service is down, is killed, and still brings each sale to the server once', async () => {
    const tenant = await createTenant(service);
    const options = { url: service.url, token: (await tenant.enrol()).token, store: path.join(folder, 'till') };
    await service.stop();
    const before = open(options);
    await before.says(/offline/);
    await before.says(/Added Honey/, 'add Honey, 4.20, 10');
    await before.says(/Added Goat cheese/, 'add Goat cheese, 12.50, 40');
    await before.says(/Sold 2 × Goat cheese .*, 1 × Honey/, 'sell 2 goat, 1 honey');
    await before.end('SIGKILL');

    const till = open(options);
    expect(await till.says(/#3.*\n#4.*/, 'outbox')).toBe('#3 sale -2 Goat cheese\n#4 sale -1 Honey');
    await till.says(/Goat cheese +12\.50 +38 +0 +\+38/, 'products');
    service = await startService({ DATABASE_URL: database.appUrl, PORT: new URL(service.url).port });
    await till.says(/\* online/);
    expect(await till.says(/The server has everything|#\d+/, 'outbox')).toBe('The server has everything');
    await till.says(/Goat cheese +12\.50 +38 +38\n/, 'products');
    const log = await pullAll(service, tenant.adminToken);
    const sales = log.filter(({ reason }) => reason === 'SALE');
    expect(sales.map(({ delta, amount }) => [delta, amount])).toEqual([
      [2, 25],
      [1, 4.2],
    ]);
    expect(await till.end()).toBe(0);
  });

  it('tells of what the server can’t take, and sends it again when somebody asks for that', async () => {
    const tenant = await createTenant(service);
    const options = { url: service.url, token: (await tenant.enrol()).token, store: path.join(folder, 'rejected') };
    const till = open(options);
    await till.says(/\* online/);
    await till.says(/Added/, 'add Goat cheese, 12.50, 1');
    await till.says(/Sold/, 'owe 2 goat cheese');
    const [, number = ''] = /#(\d+)/.exec(await till.says(/Rejected: #\d+ sale -2 Goat cheese, not paid/)) ?? [];
    await till.says(/Restocked 5 × Goat cheese \(6 left\)/, 'restock 5 goat cheese');
    await till.says(/sent again/, `retry ${number}`);
    await till.says(/Nothing was rejected/, 'rejected');
    await eventually('the sale is confirmed', async () =>
      (await pullAll(service, tenant.adminToken)).some(
        ({ reason, stock_after }) => reason === 'SALE' && stock_after === 4,
      ),
    );
    expect(await till.end()).toBe(0);
  });

  it('lets no second till into its store, and says why', async () => {
    const tenant = await createTenant(service);
    const options = { url: service.url, token: (await tenant.enrol()).token, store: path.join(folder, 'shared') };
    const first = open(options);
    await first.says(/The till is open/);
    const second = open(options);
    await second.says(/Another till has .*shared open/);
    expect(await second.end()).toBe(1);
    expect(await first.end()).toBe(0);
  });
});
