import { arrivalsMs } from './arrivals.js';
import { withEnvironment } from './environment.js';
import { whole } from './figures.js';
import { FLAT_GROWTH_MAX } from './memory-growth.js';
import {
  describeMemory,
  type MemoryReport,
  PushBench,
  type PushResult,
  type PushScenario,
  type RatioReport,
} from './push-bench.js';
import { describeWay, formatResults, verdict } from './push-report.js';
import { withRedis } from './redis.js';
import { median, quantile, spreadOf } from './statistics.js';
import type { Target, TargetFindings, TargetOptions } from './target.js';
import { rateOf } from './turn.js';

const STORM: PushScenario = { clients: 64, tenants: 8, batch: 100, log: 0 };
const ONE_TENANT: PushScenario = { clients: 8, tenants: 1, batch: 100, log: 0 };
const SINGLE_OPERATIONS: PushScenario = { clients: 64, tenants: 1, batch: 1, log: 0 };
/** Of a client alone, in each round: as many as make a median that stands still. */
const UNLOADED_PUSHES = 20;
/** Pushed at a time while memory is watched: what is prepared for a turn is held by the benchmark until it is sent. */
const OPERATIONS_OF_TURN = 50_000;

/** The pushes whose speed was promised, against the bare store. */
export async function pushTargets(options: TargetOptions): Promise<TargetFindings> {
  const effort = { rounds: options.rounds, length: { secondsOfTurn: options.seconds } };
  const findings = await withEnvironment({ profileFolder: undefined }, (environment) =>
    PushBench.with(environment, async (bench) => {
      const storm = await bench.measure(STORM, effort);
      const oneTenant = await bench.measure(ONE_TENANT, effort);
      const single = await bench.measure(SINGLE_OPERATIONS, effort);
      const waits = await measureWaits(bench, options, storm.service.operationsPerSecond.median);
      const memory = await watchMemory(bench, options.operations);
      const roundTrips = await bench.countRoundTrips([STORM, ONE_TENANT, SINGLE_OPERATIONS]);
      const results = [storm, oneTenant, single].map((result, index) => ({
        ...result,
        roundTripsPerPush: roundTrips[index],
      }));
      return { machine: bench.machine, storm, oneTenant, single, waits, memory, results };
    }),
  );
  const withRedisQueue = await withRedis((redisUrl) =>
    withEnvironment({ profileFolder: undefined, redisUrl }, (environment) =>
      PushBench.with(environment, (bench) => bench.measure(STORM, effort)),
    ),
  );
  const { machine, storm, oneTenant, single, waits, memory, results } = findings;
  return {
    machine,
    targets: [
      ratioTarget('push of 100, 64 clients of 8 tenants / best bare store', 0.5, storm, storm.ratio.ofBest),
      ...(withRedisQueue
        ? [ratioTarget('  the same, queue and signals on Redis', 0.5, withRedisQueue, withRedisQueue.ratio.ofBest)]
        : []),
      ratioTarget(
        'push of 100, 8 clients of one tenant / one connection',
        0.5,
        oneTenant,
        oneTenant.ratio.ofOneConnection,
      ),
      ratioTarget('push of 1, 64 clients of one tenant / one connection', 1.5, single, single.ratio.ofOneConnection),
      waitsTarget(waits),
      memoryTarget(memory, options.operations),
    ],
    table: formatResults(results),
    details: { results, withRedisQueue, waits, memory },
  };
}

/** Of one round: what a push takes alone, and among others that arrive half as fast as the service can take them. */
interface Waits {
  /** That arrived: half of what the service had just taken. */
  readonly pushesPerSecond: number;
  readonly unloadedMs: readonly number[];
  readonly loadedMs: readonly number[];
}

/**
 * All that is compared is measured within the same few seconds: how fast the service is, how long a push takes alone, before
 * and after, and how long under half of the load.
 */
async function measureWaits(
  bench: PushBench,
  { rounds, seconds }: TargetOptions,
  saturation: number,
): Promise<Waits[]> {
  const load = await bench.load(STORM);
  const alone = async (): Promise<readonly number[]> => (await load.pushAlone(UNLOADED_PUSHES)).durationsMs;
  try {
    const pushesEach = Math.max(1, Math.round((saturation * seconds) / STORM.batch / STORM.clients));
    await load.push(load.prepare(1));
    const waits: Waits[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const before = await alone();
      const pushesPerSecond = rateOf(await load.push(load.prepare(pushesEach))) / STORM.batch / 2;
      const arrivals = arrivalsMs(pushesPerSecond, 2 * seconds, round);
      const { durationsMs: loadedMs } = await load.pushAsTheyArrive(arrivals);
      waits.push({ pushesPerSecond, unloadedMs: [...before, ...(await alone())], loadedMs });
    }
    return waits;
  } finally {
    load.close();
  }
}

async function watchMemory(bench: PushBench, operations: number): Promise<MemoryReport | undefined> {
  const load = await bench.load(STORM);
  try {
    const startMiB = load.residentMiB;
    const pushesEach = Math.max(1, Math.round(Math.min(operations, OPERATIONS_OF_TURN) / STORM.batch / STORM.clients));
    for (let pushed = 0; pushed < operations;) {
      pushed += (await load.push(load.prepare(pushesEach))).operations;
      process.stderr.write(`memory: ${pushed} operations, ${load.residentMiB?.toFixed(0) ?? '?'} MiB\n`);
    }
    await load.compareContents();
    return describeMemory(startMiB, load.memorySamples);
  } finally {
    load.close();
  }
}

function ratioTarget(name: string, atLeast: number, { service }: PushResult, ratio: RatioReport): Target {
  const { over, ...spread } = ratio;
  return {
    name,
    aim: { atLeast },
    reached: spread.median,
    spread,
    note: `${whole(service.operationsPerSecond.median)}/s, over ${describeWay(over)}`,
  };
}

function waitsTarget(waits: readonly Waits[]): Target {
  const p99OverMedian = (loadedMs: readonly number[], unloadedMs: readonly number[]): number =>
    quantile(loadedMs, 0.99) / median(unloadedMs);
  const ratio = spreadOf(waits.map(({ loadedMs, unloadedMs }) => p99OverMedian(loadedMs, unloadedMs)));
  const [loadedMs, unloadedMs] = [waits.flatMap((round) => round.loadedMs), waits.flatMap((round) => round.unloadedMs)];
  const together = `${quantile(loadedMs, 0.99).toFixed(0)} / ${median(unloadedMs).toFixed(1)} ms`;
  return {
    name: 'p99 of a push of 100 at half the saturating load / its unloaded median',
    aim: { atMost: 5 },
    reached: ratio.median,
    spread: ratio,
    note:
      `${median(waits.map(({ pushesPerSecond }) => pushesPerSecond)).toFixed(0)} pushes/s; ` +
      `of all rounds together ${p99OverMedian(loadedMs, unloadedMs).toFixed(2)}, ${together}`,
  };
}

function memoryTarget(memory: MemoryReport | undefined, operations: number): Target {
  const growth = memory?.growth;
  return {
    name: `memory in the second half of ${whole(operations)} operations / in the second quarter`,
    aim: { atMost: 1 + FLAT_GROWTH_MAX },
    reached: growth && growth.secondHalfMiB / growth.secondQuarterMiB,
    note: growth ? verdict(growth) : 'too few operations to tell, or no /proc',
  };
}
