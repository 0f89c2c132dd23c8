import { afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokensService } from '../../src/tenancy/tokens.service.js';
import { DEMO_TENANT_ID } from '../../src/wire/examples.js';
import { type EmbeddedService, startEmbedded } from '../support/embedded-service.js';
import { eventually } from '../support/eventually.js';
import { request } from '../support/service.js';

const isRoot = process.getuid?.() === 0;
/** Another account than root's may only run the service if it can read it. */
const isReadableByAll = (() => {
  try {
    execFileSync('setpriv', [
      '--reuid=65534',
      '--regid=65534',
      '--clear-groups',
      'test',
      '-r',
      path.resolve('dist/src/main.js'),
    ]);
    return true;
  } catch {
    return false;
  }
})();

describe('the embedded database', () => {
  let root: string;
  const running: EmbeddedService[] = [];

  const folder = (name: string): string => {
    root = mkdtempSync(path.join(os.tmpdir(), 'agrotour embedded '));
    chmodSync(root, 0o755);
    return path.join(root, name);
  };
  const start = (dataDir: string, options: { uid?: number } = {}): EmbeddedService => {
    const service = startEmbedded(dataDir, options);
    running.push(service);
    return service;
  };
  const postmasterPid = (dataDir: string): number =>
    Number(readFileSync(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  /** Runs the command the service printed, as a newcomer would. */
  const paste = (command: string): Record<string, unknown> =>
    JSON.parse(execFileSync('bash', ['-c', `${command} --max-time 10`], { encoding: 'utf8' })) as Record<
      string,
      unknown
    >;

  afterEach(async () => {
    for (const service of running.splice(0)) await service.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it('serves from a folder with spaces, prints commands that work when pasted, and stops its server when it stops', async () => {
    const dataDir = folder('my data – ñandú');
    const service = start(dataDir);
    const [push, stock] = await service.commands();
    expect(paste(push)).toMatchObject({ results: [{ status: 'accepted' }, { status: 'accepted' }] });
    expect(paste(push)).toMatchObject({ results: [{ status: 'duplicate' }, { status: 'duplicate' }] });
    expect(paste(stock)).toMatchObject({ quantity: 12, tracked: true });
    const pid = postmasterPid(dataDir);
    expect(await service.stop()).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow();
    expect(existsSync(path.join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  it('stops cleanly, its server too, when it is told to while it starts', async () => {
    const dataDir = folder('data');
    const lockFile = path.join(dataDir, 'postgres', 'postmaster.pid');
    for (const delayMs of [0, 150, 350]) {
      const service = start(dataDir);
      while (!existsSync(lockFile)) await sleep(5);
      await sleep(delayMs);
      expect([delayMs, await service.stop(), service.stderr()]).toEqual([delayMs, 0, '']);
      expect(existsSync(lockFile)).toBe(false);
    }
  });

  it('takes over the server that a killed service left behind, with all that was recorded', async () => {
    const dataDir = folder('data');
    const first = start(dataDir);
    const [push] = await first.commands();
    paste(push);
    const pid = postmasterPid(dataDir);
    await first.kill();
    const second = start(dataDir);
    const [again, stock] = await second.commands();
    expect(postmasterPid(dataDir)).toBe(pid);
    expect(paste(again)).toMatchObject({ results: [{ status: 'duplicate' }, { status: 'duplicate' }] });
    expect(paste(stock)).toMatchObject({ quantity: 12 });
  });

  it('starts, though an operator has suspended its demo tenant, or deleted it', async () => {
    const dataDir = folder('data');
    const url = async (service: EmbeddedService): Promise<string> =>
      /http:[^ ]+(?=\/sync\/push)/.exec((await service.commands())[0])?.[0] ?? '';
    const first = start(dataDir);
    const tenant = `${await url(first)}/tenants/${DEMO_TENANT_ID}`;
    const { jwtSecret } = JSON.parse(readFileSync(path.join(dataDir, 'secrets.json'), 'utf8')) as { jwtSecret: string };
    const keys = { kind: 'secret', secret: jwtSecret } as const;
    const tokens = new TokensService({ keys, issuer: 'agrotour-sync-engine', audience: 'agrotour-sync' });
    const token = await tokens.sign({ role: 'operator', userId: randomUUID() });
    await request(tenant, { method: 'PATCH', token, body: { status: 'SUSPENDED' } });
    const { name } = (await request(tenant, { token })).body as { name: string };
    await first.stop();
    const second = start(dataDir);
    const [push] = await second.commands();
    expect(paste(push)).toMatchObject({ code: 'TENANT_SUSPENDED' });
    const again = `${await url(second)}/tenants/${DEMO_TENANT_ID}`;
    await request(`${again}?confirm=${encodeURIComponent(name)}`, { method: 'DELETE', token });
    await eventually('it is deleted', async () => (await request(again, { token })).body.status === 'DELETED');
    await second.stop();
    const third = start(dataDir);
    const [pushed] = await third.commands();
    expect(paste(pushed)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('recovers when service and server were killed together', async () => {
    const dataDir = folder('data');
    const first = start(dataDir);
    const [push] = await first.commands();
    paste(push);
    const pid = postmasterPid(dataDir);
    process.kill(pid, 'SIGKILL');
    await first.kill();
    while (existsSync(`/proc/${pid}`)) await sleep(20);
    const [, stock] = await start(dataDir).commands();
    expect(paste(stock)).toMatchObject({ quantity: 12 });
  });

  it('clears a lock file whose process id now belongs to another program', async () => {
    const dataDir = folder('data');
    const first = start(dataDir);
    await first.commands();
    await first.stop();
    const lockFile = path.join(dataDir, 'postgres', 'postmaster.pid');
    writeFileSync(lockFile, `${process.pid}\n${dataDir}\n1\n1\n\n127.0.0.1\n`);
    const [, stock] = await start(dataDir).commands();
    expect(stock).toContain('curl');
    expect(postmasterPid(dataDir)).not.toBe(process.pid);
  });

  it('tells a second service on the same folder that the first is there, and leaves the first alone', async () => {
    const dataDir = folder('data');
    const first = start(dataDir);
    const [push] = await first.commands();
    const second = start(dataDir);
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toMatch(/already runs on DATA_DIR/);
    expect(second.stderr()).toContain(`pid ${first.pid}`);
    expect(paste(push)).toMatchObject({ results: [{ status: 'accepted' }, { status: 'accepted' }] });
  });

  it('lets one of two first starts win', async () => {
    const dataDir = folder('data');
    const both = [start(dataDir), start(dataDir)];
    const loser = await Promise.race(both.map(async (service) => service.exited.then(() => service)));
    expect(loser.stderr()).toMatch(/already runs on DATA_DIR/);
    const winner = both.find((service) => service !== loser);
    const [push] = (await winner?.commands()) ?? [''];
    expect(paste(push)).toMatchObject({ results: [{ status: 'accepted' }, { status: 'accepted' }] });
  });

  it('clears what a first start left unfinished', async () => {
    const dataDir = folder('data');
    mkdirSync(path.join(dataDir, 'postgres.unfinished-999999999', 'base'), { recursive: true });
    await start(dataDir).commands();
    expect(existsSync(path.join(dataDir, 'postgres.unfinished-999999999'))).toBe(false);
  });

  it.each([
    [
      'of another PostgreSQL',
      (cluster: string) => {
        writeFileSync(path.join(cluster, 'PG_VERSION'), '15\n');
      },
      /made by PostgreSQL 15/,
    ],
    [
      'that is something else',
      (cluster: string) => {
        writeFileSync(path.join(cluster, 'notes.txt'), 'mine');
      },
      /not a PostgreSQL data directory/,
    ],
  ])('refuses a data directory %s, with what to do, and leaves it alone', async (_name, make, reason) => {
    const dataDir = folder('data');
    const cluster = path.join(dataDir, 'postgres');
    mkdirSync(cluster, { recursive: true });
    make(cluster);
    const service = start(dataDir);
    expect(await service.exited).toBe(1);
    expect(service.stderr()).toMatch(reason);
    expect(existsSync(cluster)).toBe(true);
  });

  it('says so when the secrets do not open the data', async () => {
    const dataDir = folder('data');
    const first = start(dataDir);
    await first.commands();
    await first.stop();
    const file = path.join(dataDir, 'secrets.json');
    const secrets = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    writeFileSync(file, JSON.stringify({ ...secrets, superuserPassword: 'another' }));
    const second = start(dataDir);
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toMatch(/secrets\.json does not open/);
  });

  (isRoot ? it : it.skip)('works for root in a folder that only root may enter', async () => {
    const dataDir = path.join(folder('private'), 'data');
    mkdirSync(path.dirname(dataDir), { mode: 0o700 });
    const [push] = await start(dataDir).commands();
    expect(paste(push)).toMatchObject({ results: [{ status: 'accepted' }, { status: 'accepted' }] });
  });

  (isRoot && isReadableByAll ? it : it.skip)('works for a user without rights', async () => {
    const dataDir = folder('data');
    mkdirSync(dataDir);
    chownSync(dataDir, 65_534, 65_534);
    const [push] = await start(dataDir, { uid: 65_534 }).commands();
    expect(paste(push)).toMatchObject({ results: [{ status: 'accepted' }, { status: 'accepted' }] });
  });
});
