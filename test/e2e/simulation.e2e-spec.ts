import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { MUTATIONS } from '../simulation/mutations/mutations.js';

/** Of each of two processes: as many as cores, of the machines that this runs on. */
const SEEDS = 100;
const STEPS = 25;

/** Processes of their own: there the service runs within them, on a database of its own. */
describe('devices, servers and a network that can’t be trusted', () => {
  it('lose nothing, double nothing, and come together', async () => {
    const outputs = await Promise.all([simulate(1, SEEDS), simulate(1 + SEEDS, SEEDS)]);
    expect(outputs[0]).toContain(`${SEEDS} seeds from 1 on`);
    expect(outputs[1]).toContain(`${SEEDS} seeds from ${1 + SEEDS} on`);
  }, 300_000);

  it('go the same way when a seed is run again, down to the log', async () => {
    expect(await simulate(1, 12, '--twice')).toContain('12 seeds from 1 on');
  }, 120_000);
});

describe('the mutations that the simulation is proven by', () => {
  it('are of code that is there', () => {
    const lost = MUTATIONS.filter(({ file, find }) => readFileSync(file, 'utf8').split(find).length !== 2);
    expect(lost.map(({ name }) => name)).toEqual([]);
  });
});

/** @returns what it prints: of a seed that breaks, the few steps that it takes */
async function simulate(seed: number, seeds: number, ...options: readonly string[]): Promise<string> {
  const main = path.resolve('dist/test/simulation/main.js');
  const chosen = ['--seed', `${seed}`, '--seeds', `${seeds}`, '--steps', `${STEPS}`, ...options];
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...chosen], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.once('exit', resolve));
  return output;
}
