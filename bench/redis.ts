import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';

/**
 * Runs `work` with a Redis that was started for it alone and keeps nothing.
 * @returns undefined if this machine has none: then `work` is not run, and a line says so.
 */
export async function withRedis<T>(work: (url: string) => Promise<T>): Promise<T | undefined> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    process.stderr.write('There is no redis-server on this machine: what needs one is skipped.\n');
    return undefined;
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-bench-redis-'));
  const port = await freePort();
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn('redis-server', options, { stdio: 'ignore', detached: true }); // Ctrl-C reaches us alone
  const exited = once(server, 'exit');
  try {
    const url = `redis://127.0.0.1:${port}`;
    const client = new Redis(url, { maxRetriesPerRequest: 100, retryStrategy: () => 50 });
    client.on('error', () => undefined); // refused until it listens
    await client.ping();
    client.disconnect();
    return await work(url);
  } finally {
    server.kill('SIGTERM');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
