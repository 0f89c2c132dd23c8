import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PUSH_ENTRIES_MAX } from '../src/sync/push/push.dto.js';
import { withEnvironment } from './environment.js';
import { EVENTS_MAX } from './event-log.js';
import { wholeNumber } from './options.js';
import { type Effort, PushBench, type PushScenario } from './push-bench.js';
import { printPushReport, type PushReport } from './push-report.js';
import { withRedis } from './redis.js';

const USAGE = `Usage: npm run bench -- push [options]
  --operations <n>    in all, for the service (200000)
  --batch <n>         operations of a push, at most ${PUSH_ENTRIES_MAX} (100)
  --clients <n>       devices that push at the same time (64)
  --tenants <n>       among which the clients are shared out (8)
  --log <n>           events that are in the tenants' logs before, in all (0)
  --rounds <n>        turns that service and bare store take (10)
  --redis             queue and signals on a Redis that is started for it, instead of PostgreSQL
  --json <file>       also write the results there
  --profile <folder>  also write a processor profile of the service there; it slows the service down`;

interface PushOptions {
  readonly scenario: PushScenario;
  readonly effort: Effort;
  readonly redis: boolean;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

export const OPERATIONS_MAX = 10_000_000;
export const CLIENTS_MAX = 1_000;
export const ROUNDS_MAX = 1_000;
export const SECONDS_MAX = 600;

/** Pushes of sales over HTTP, against the bare store that writes the same rows. */
export async function benchmarkPush(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = options.redis
    ? await withRedis((redisUrl) => measure(options, redisUrl))
    : await measure(options, undefined);
  if (report === undefined) return;
  printPushReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): PushOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      operations: { type: 'string', default: '200000' },
      batch: { type: 'string', default: '100' },
      clients: { type: 'string', default: '64' },
      tenants: { type: 'string', default: '8' },
      log: { type: 'string', default: '0' },
      rounds: { type: 'string', default: '10' },
      redis: { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  const clients = wholeNumber('--clients', values.clients, CLIENTS_MAX, USAGE);
  return {
    scenario: {
      clients,
      tenants: wholeNumber('--tenants', values.tenants, clients, USAGE),
      batch: wholeNumber('--batch', values.batch, PUSH_ENTRIES_MAX, USAGE),
      log: wholeNumber('--log', values.log, EVENTS_MAX, USAGE, 0),
    },
    effort: {
      rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX, USAGE),
      length: { operations: wholeNumber('--operations', values.operations, OPERATIONS_MAX, USAGE) },
    },
    redis: values.redis,
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}

async function measure(options: PushOptions, redisUrl: string | undefined): Promise<PushReport> {
  const { scenario, effort, profileFolder } = options;
  return withEnvironment({ profileFolder, redisUrl }, (environment) =>
    PushBench.with(environment, async (bench) => {
      const result = await bench.measure(scenario, effort);
      const [roundTripsPerPush] = await bench.countRoundTrips([scenario]);
      return {
        benchmark: 'push',
        at: new Date().toISOString(),
        machine: bench.machine,
        queue: redisUrl === undefined ? 'postgres' : 'redis',
        rounds: effort.rounds,
        result: { ...result, roundTripsPerPush },
      };
    }),
  );
}
