import 'reflect-metadata';
import { drawChart } from './chart.js';
import { benchmarkClient } from './client.js';
import { benchmarkConflicts } from './conflicts.js';
import { BenchmarkError, InterruptedError } from './environment.js';
import { benchmarkGrowth } from './growth.js';
import { benchmarkIsolation } from './isolation.js';
import { benchmarkMatrix } from './matrix.js';
import { benchmarkPull } from './pull.js';
import { benchmarkPush } from './push.js';
import { benchmarkSnapshot } from './snapshot.js';
import { benchmarkTargets } from './targets.js';
import { benchmarkValidation } from './validation.js';

/** By name; each reads its own options. */
const BENCHMARKS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  targets: benchmarkTargets,
  push: benchmarkPush,
  matrix: benchmarkMatrix,
  growth: benchmarkGrowth,
  pull: benchmarkPull,
  snapshot: benchmarkSnapshot,
  conflicts: benchmarkConflicts,
  isolation: benchmarkIsolation,
  client: benchmarkClient,
  validation: benchmarkValidation,
  chart: drawChart,
};
const DEFAULT = 'targets';

const USAGE = `Usage: npm run bench -- [name] [options]
Benchmarks: ${Object.keys(BENCHMARKS).join(', ')}; without a name ${DEFAULT}. Their options: npm run bench -- <name> --help`;

async function main(args: readonly string[]): Promise<void> {
  const [first = DEFAULT, ...rest] = args;
  const named = !first.startsWith('-');
  const name = named ? first : DEFAULT;
  const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (benchmark === undefined) throw new BenchmarkError(`There is no benchmark ${name}.\n\n${USAGE}`);
  await benchmark(named ? rest : args);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // What a person typed, or what the service did wrong, is told in a line; the rest is a fault of the bench.
  const forPeople =
    error instanceof BenchmarkError ||
    error instanceof InterruptedError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.stderr.write(`${forPeople ? error.message : String((error as Error | undefined)?.stack ?? error)}\n`);
  process.exit(error instanceof InterruptedError ? 130 : 1);
});
