import { spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const SEEDS = 150;

/** A process of its own: there the service runs within it, on a database of its own. */
describe('devices, servers and a network that can’t be trusted', () => {
  it('lose nothing, double nothing, and come together', async () => {
    const main = path.resolve('dist/test/simulation/main.js');
    const child = spawn(process.execPath, ['--enable-source-maps', main, '--seeds', `${SEEDS}`], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(output).toContain(`${SEEDS} seeds from 1 on`);
    expect(code).toBe(0);
  }, 300_000);
});
