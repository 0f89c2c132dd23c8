import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { EmbeddedPostgres } from '../../src/database/embedded/embedded-postgres.js';
import { migrate } from '../../src/database/migrate.js';
import { openDataSource, withClient } from '../support/database.js';
import { type Plan, planOf } from './plan.js';
import { Servers } from './servers.js';
import { shrink } from './shrink.js';
import { type Run, Simulation } from './simulation.js';

const USAGE = `Usage: npm run simulate -- [options]
  --seed <n>      the first seed (1)
  --seeds <n>     how many of them, one after the other (200, or as many as the minutes allow)
  --minutes <m>   until so many minutes are over
  --steps <n>     of each seed (60)
  --twice         run each seed twice: both must go the same way (those in which servers race are left out)
  --trace         print what happens, though nothing goes wrong
  --quick         don't leave out steps of one that breaks
`;

type RunPlan = (plan: Plan) => Promise<Run>;

/** Tries seed after seed. Ends at the first that breaks an invariant, with the few steps that it takes. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...{ seed: { type: 'string', default: '1' }, seeds: { type: 'string' }, minutes: { type: 'string' } },
      ...{ steps: { type: 'string', default: '60' }, twice: { type: 'boolean' }, trace: { type: 'boolean' } },
      ...{ quick: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const startMs = performance.now();
  const secondsGone = (): number => Math.round((performance.now() - startMs) / 1_000);
  const first = Number(values.seed);
  const secondsMax = values.minutes === undefined ? Infinity : Number(values.minutes) * 60;
  const last = values.minutes === undefined || values.seeds ? first + Number(values.seeds ?? 200) : Infinity;
  await inWorld(async (run) => {
    let seed = first;
    for (; seed < last && secondsGone() < secondsMax; seed += 1) {
      const plan = planOf(seed, Number(values.steps));
      if (values.twice && plan.isRacing) continue;
      const { faults, trace } = await run(plan);
      if (values.trace) print(...trace, '');
      const again = values.twice ? await run(plan) : undefined;
      const found = again ? [...faults, ...differences(trace, again.trace)] : faults;
      if (found.length === 0) continue;
      print(`Seed ${seed} breaks:`, ...found, '');
      if (faults.length > 0 && !values.quick) await explain(plan, run);
      print(`Again: npm run simulate -- --seed ${seed} --seeds 1 --steps ${values.steps}`);
      process.exitCode = 1;
      return;
    }
    print(`${seed - first} seeds from ${first} on, in ${secondsGone()} s: all invariants hold.`);
  });
}

/** Prints the few steps that it takes. */
async function explain(plan: Plan, run: RunPlan): Promise<void> {
  const least = await shrink(plan, async (shorter) => (await run(shorter)).faults.length > 0);
  const { faults, trace } = await run(least);
  print(`${least.steps.length} of ${plan.steps.length} steps are enough:`, ...trace, '', ...faults, '');
}

function differences(trace: readonly string[], again: readonly string[]): readonly string[] {
  const index = trace.findIndex((line, at) => line !== again[at]);
  if (index < 0 && trace.length === again.length) return [];
  return [`I8: line ${index} is once\n${trace[index]}\nand once\n${again[index]}`];
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Two servers on a database of their own. */
async function inWorld(work: (run: RunPlan) => Promise<void>): Promise<void> {
  Logger.overrideLogger(false);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-simulation-'));
  try {
    const postgres = await EmbeddedPostgres.start(folder);
    try {
      await migrate(postgres.ownerUrl);
      await hurry(postgres.ownerUrl);
      const source: DataSource = await openDataSource(postgres.appUrl);
      const servers = await Servers.start(postgres.appUrl, 2);
      await work((plan) => Simulation.run(plan, servers, source));
      await servers.stop();
      await source.destroy();
    } finally {
      await postgres.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What would survive a power cut is not asked here: a commit need not wait for the disk. */
async function hurry(ownerUrl: string): Promise<void> {
  await withClient(ownerUrl, async (client) => {
    await client.query(`ALTER DATABASE ${client.database} SET synchronous_commit = off`);
  });
}

await main();
