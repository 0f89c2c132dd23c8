import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { eventually } from '../support/eventually.js';

/** With the start of a service of its own. */
const TIMEOUT_MS = 120_000;

describe('npm run demo', () => {
  let temporary: string;

  beforeEach(() => {
    // With a blank, and of its own: whatever the demo leaves behind is found by its name.
    temporary = mkdtempSync(path.join(os.tmpdir(), 'agrotour demo '));
    chmodSync(temporary, 0o755);
  });
  afterEach(() => {
    rmSync(temporary, { recursive: true, force: true });
  });

  const play = (...options: string[]) => {
    const child = spawn(process.execPath, [path.resolve('dist/tools/demo/main.js'), ...options], {
      env: { PATH: process.env['PATH'], TMPDIR: temporary },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    return { child, exited, stdout: () => stdout, stderr: () => stderr };
  };
  /** Processes whose environment names the demo's folder: its own, its service's, its PostgreSQL's. */
  const processes = (): string[] =>
    readdirSync('/proc').filter((pid) => {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
      return readOr(`/proc/${pid}/environ`, '').includes(temporary);
    });
  const expectNothingLeft = (): void => {
    expect(readdirSync(temporary)).toEqual([]);
    if (existsSync('/proc/self/environ')) expect(processes()).toEqual([]);
  };

  it(
    'plays conflicts to their end, and its final stock is the sum of all effects that it told of',
    async () => {
      const demo = play('--once');
      expect([await demo.exited, demo.stderr()]).toEqual([0, '']);
      const told = demo.stdout();
      for (const line of [
        'OVERSELL: settled by a rule, in the push, confidence 1',
        "VOID: Ben's reservation of 3 is taken back",
        'SET 9 (count): HELD',
        "RELEASE: Ben's count of 9 takes effect",
        'STOCK_COUNT: settled by the heuristics, in a worker, confidence 0.999',
        'OVERSELL: waits for a person',
        'Suggestion B, confidence 0.999',
        'OVERSELL: settled by a person',
        "VOID: Ben's sale of 5 is refused",
        'POST /inventory/verify: ok',
      ]) {
        expect(told).toContain(line);
      }
      const rows = [...told.matchAll(/^ +(\d+) {2}(?:Ana|Ben|server) .* ([+−]\d+) +(−?\d+)$/gm)].map(
        ([, lamport, effect, stock]) => [lamport, effect, stock].map(units),
      );
      expect(rows).toHaveLength(12);
      let running = 0;
      for (const [lamport, effect = NaN, stock] of rows) {
        running += effect;
        expect([lamport, stock]).toEqual([lamport, running]);
      }
      expect(/^Final stock: (\S+)$/m.exec(told)?.[1]).toBe(String(running));
      expect(running).toBe(2);
      expect(told.split('\n').filter((line) => line.length > 100 || line.includes('\u001b'))).toEqual([]);
      expectNothingLeft();
    },
    TIMEOUT_MS,
  );

  it(
    'stops when it is told to, and leaves nothing behind',
    async () => {
      const demo = play('--once');
      await eventually('the service has started', () => demo.stdout().includes('The shop'), 60_000);
      expect(processes().length).toBeGreaterThan(1);
      demo.child.kill('SIGINT');
      expect([await demo.exited, demo.stderr()]).toEqual([130, 'Stopped by SIGINT.\n']);
      expectNothingLeft();
    },
    TIMEOUT_MS,
  );

  it('tells how it is called if it is called otherwise', async () => {
    const demo = play('--twice');
    expect(await demo.exited).toBe(1);
    expect(demo.stderr()).toMatch(/^Unknown option '--twice'.*\n\nUsage: npm run demo/s);
  });
});

function units(text = ''): number {
  return Number(text.replace('−', '-'));
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise; // it has ended meanwhile, or is not ours to look into
  }
}
