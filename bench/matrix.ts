import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PUSH_ENTRIES_MAX } from '../src/sync/push/push.dto.js';
import { withEnvironment } from './environment.js';
import { EVENTS_MAX } from './event-log.js';
import { machineLine, whole } from './figures.js';
import type { Machine } from './machine.js';
import { wholeNumber } from './options.js';
import { type Effort, PushBench, type PushResult, type PushScenario } from './push-bench.js';
import { formatResults } from './push-report.js';
import { ROUNDS_MAX, SECONDS_MAX } from './push.js';
import { withRedis } from './redis.js';
import { Shop } from './shop.js';

const MANY_TENANTS = 8;
const BATCHES = [1, 10, 100, 1_000];
/** A client has one tenant. */
const LOADS = [
  { clients: 1, tenants: 1 },
  { clients: 8, tenants: 1 },
  { clients: 8, tenants: MANY_TENANTS },
  { clients: 64, tenants: 1 },
  { clients: 64, tenants: MANY_TENANTS },
];

const USAGE = `Usage: npm run bench -- matrix [options]
  --seconds <n>       of each turn of the service, or what one push of each client takes (1)
  --rounds <n>        turns that service and bare store take in each cell (3)
  --batch <n>         pushes of this size alone (${BATCHES.join(', ')})
  --log <n>           events that are in the tenants' logs before the first cell, in all (0)
  --redis             queue and signals on a Redis that is started for it, instead of PostgreSQL
  --json <file>       also write the results there, for bench -- chart`;

interface MatrixOptions {
  readonly effort: Effort;
  readonly batches: readonly number[];
  readonly log: number;
  readonly redis: boolean;
  readonly jsonFile: string | undefined;
}

/** All that a run found out; `--json` writes it as it is. */
export interface MatrixReport {
  readonly benchmark: 'matrix';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly queue: 'postgres' | 'redis';
  readonly rounds: number;
  readonly results: readonly PushResult[];
}

/** Pushes of all sizes, by few and many clients, of one tenant and of many. */
export async function benchmarkMatrix(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = options.redis
    ? await withRedis((redisUrl) => measure(options, redisUrl))
    : await measure(options, undefined);
  if (report === undefined) return;
  printReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): MatrixOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      batch: { type: 'string' },
      log: { type: 'string', default: '0' },
      redis: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    effort: {
      rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX, USAGE),
      length: { secondsOfTurn: wholeNumber('--seconds', values.seconds, SECONDS_MAX, USAGE) },
    },
    batches: values.batch === undefined ? BATCHES : [wholeNumber('--batch', values.batch, PUSH_ENTRIES_MAX, USAGE)],
    log: wholeNumber('--log', values.log, EVENTS_MAX, USAGE, 0),
    redis: values.redis,
    jsonFile: values.json,
  };
}

async function measure({ effort, batches, log }: MatrixOptions, redisUrl: string | undefined): Promise<MatrixReport> {
  const scenarios: PushScenario[] = batches.flatMap((batch) => LOADS.map((load) => ({ ...load, batch, log })));
  return withEnvironment({ profileFolder: undefined, redisUrl }, (environment) =>
    PushBench.with(environment, async (bench) => {
      // A long log is made once, and grows a little from cell to cell; an empty one is made anew for each.
      const longLogs = new Map<number, Shop[]>();
      if (log > 0) {
        for (const tenants of [1, MANY_TENANTS]) longLogs.set(tenants, await Shop.open(environment, tenants, log));
      }
      const results: PushResult[] = [];
      for (const [index, scenario] of scenarios.entries()) {
        const { batch, clients, tenants } = scenario;
        process.stderr.write(`cell ${index + 1} of ${scenarios.length}: ${batch} a push, ${clients} of ${tenants}\n`);
        results.push(await bench.measure(scenario, effort, longLogs.get(tenants)));
      }
      const roundTrips = await bench.countRoundTrips(scenarios);
      return {
        benchmark: 'matrix',
        at: new Date().toISOString(),
        machine: bench.machine,
        queue: redisUrl === undefined ? 'postgres' : 'redis',
        rounds: effort.rounds,
        results: results.map((result, index) => ({ ...result, roundTripsPerPush: roundTrips[index] })),
      };
    }),
  );
}

function printReport({ machine, queue, rounds, results }: MatrixReport): void {
  const log = results[0]?.scenario.log ?? 0;
  const lines = [
    '',
    `push: ${log === 0 ? 'empty logs' : `logs of ${whole(log)}`}, ${rounds} rounds a cell, ` +
      `queue on ${queue === 'redis' ? 'Redis' : 'PostgreSQL'}`,
    machineLine(machine),
    '',
    formatResults(results),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
