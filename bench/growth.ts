import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import { PULL_LIMIT_MAX, type PullResponseDto } from '../src/sync/pull/pull.dto.js';
import { ratios } from './best-form.js';
import { Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment, withTwoEnvironments } from './environment.js';
import { EVENTS_MAX, fillWithTenants, settle } from './event-log.js';
import { machineLine, whole } from './figures.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import { wholeNumber } from './options.js';
import { PushLoad } from './push-load.js';
import { ROUNDS_MAX } from './push.js';
import { Shop } from './shop.js';
import { median, spreadOf } from './statistics.js';
import { formatTable } from './table.js';
import { type Target, TARGET_HEADINGS, targetRow } from './target.js';
import { Meter, together, type Turn } from './turn.js';
import { randomNumbers } from './workload.js';

const USAGE = `Usage: npm run bench -- growth [options]
  --events <n>        in the log of the large tenant (10000000)
  --tenants <n>       others, on the same database (10000)
  --rounds <n>        turns that each tenant takes (20)
  --pushes <n>        of 100, in a turn (30)
  --pulls <n>         of ${whole(PULL_LIMIT_MAX)}, in a turn (20)
  --json <file>       also write the results there`;

interface GrowthOptions {
  readonly events: number;
  readonly tenants: number;
  readonly rounds: number;
  readonly pushes: number;
  readonly pulls: number;
}

const TENANTS_MAX = 100_000;
const TURN_MAX = 10_000;
const BATCH = 100;
/** Of each of the others. */
const EVENTS_OF_OTHERS = 100;
/** Not measured: the service compiles its code, connections are opened, and a fresh tenant gets enough to be pulled. */
const WARM_UP_PUSHES = 100;
const WARM_UP_PULLS = 50;
/** Over the same with an empty log and nothing beside it. */
const GROWTH_MAX = 1.5;

/** All that a run found out; `--json` writes it as it is. */
interface GrowthReport {
  readonly benchmark: 'growth';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: GrowthOptions;
  readonly targets: readonly Target[];
  readonly pairs: readonly { readonly name: string; readonly grown: SideReport; readonly alone: SideReport }[];
}

interface SideReport {
  readonly push: Cost;
  readonly pull: Cost;
}

interface Cost {
  /** The median of each round. */
  readonly ms: readonly number[];
  /** Of service and PostgreSQL together; undefined where the system does not tell. */
  readonly cpuSecondsPerThousand: number | undefined;
}

/** What a push and a pull cost beside very much else, against the same where there is nothing else. */
export async function benchmarkGrowth(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '10000000' },
      tenants: { type: 'string', default: '10000' },
      rounds: { type: 'string', default: '20' },
      pushes: { type: 'string', default: '30' },
      pulls: { type: 'string', default: '20' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const options: GrowthOptions = {
    events: wholeNumber('--events', values.events, EVENTS_MAX, USAGE, PULL_LIMIT_MAX),
    tenants: wholeNumber('--tenants', values.tenants, TENANTS_MAX, USAGE),
    rounds: wholeNumber('--rounds', values.rounds, ROUNDS_MAX, USAGE),
    pushes: wholeNumber('--pushes', values.pushes, TURN_MAX, USAGE),
    pulls: wholeNumber('--pulls', values.pulls, TURN_MAX, USAGE),
  };
  // A database and a service each: what is compared is measured in the same minute, and one of the two stays empty.
  const report = await withTwoEnvironments({ profileFolder: undefined }, (empty, full) =>
    measure(empty, full, options),
  );
  process.stdout.write(`\n${toText(report)}\n`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measure(
  empty: BenchmarkEnvironment,
  full: BenchmarkEnvironment,
  options: GrowthOptions,
): Promise<GrowthReport> {
  await fillWithTenants(full, options.tenants, EVENTS_OF_OTHERS);
  return withClient(empty.databaseUrl, (ofEmpty) =>
    withClient(full.databaseUrl, async (ofFull) => {
      const { rows } = await ofFull.query<{ server_version: string }>('SHOW server_version');
      const machine = describeMachine(full.dataFolder, rows[0]?.server_version ?? 'unknown');
      // Two of each, so that both services have done the same work.
      const pairs: readonly Pair[] = [
        {
          name: `an empty log beside ${whole(options.tenants)} tenants`,
          alone: await Side.open(empty, ofEmpty, 0),
          grown: await Side.open(full, ofFull, 0),
        },
        {
          name: `a log of ${whole(options.events)}`,
          alone: await Side.open(empty, ofEmpty, 0),
          grown: await Side.open(full, ofFull, options.events),
        },
      ];
      const sides = pairs.flatMap(({ alone, grown }) => [alone, grown]);
      try {
        for (const environment of [empty, full]) await settle(environment);
        for (let round = 1; round <= options.rounds; round += 1) {
          for (const { alone, grown } of pairs) {
            const [first, second] = round % 2 === 0 ? [alone, grown] : [grown, alone];
            await first.round(options);
            await second.round(options);
          }
          process.stderr.write(`round ${round} of ${options.rounds}\n`);
        }
        for (const side of sides) await side.compareContents();
      } finally {
        for (const side of sides) side.close();
      }
      const reports = pairs.map(({ name, alone, grown }) => ({ name, alone: alone.report(), grown: grown.report() }));
      return {
        benchmark: 'growth',
        at: new Date().toISOString(),
        machine,
        options,
        targets: reports.flatMap(({ name, alone, grown }) => compare(name, grown, alone)),
        pairs: reports,
      };
    }),
  );
}

/** What is compared, in turns. */
interface Pair {
  readonly name: string;
  readonly alone: Side;
  readonly grown: Side;
}

/** A tenant, the one till that pushes there, and pulls from its log. */
class Side {
  private readonly random = randomNumbers(20_261_123);
  private readonly pushTurns: Turn[] = [];
  private readonly pullTurns: Turn[] = [];

  private constructor(
    private readonly meter: Meter,
    private readonly load: PushLoad,
    private readonly connection: Connection,
    /** Between which pulls begin: from there on there are operations alone, and enough of them. */
    private readonly cursors: { readonly min: number; readonly max: number },
  ) {}

  /** @param events in the tenant's log before */
  static async open(environment: BenchmarkEnvironment, database: pg.Client, events: number): Promise<Side> {
    const shops = await Shop.open(environment, 1, events);
    const meter = new Meter(environment, database);
    const load = await PushLoad.open(environment, database, meter, shops, { clients: 1, batch: BATCH });
    const [shop] = shops;
    const [till] = (await shop?.takeTills(1)) ?? [];
    if (shop === undefined || till === undefined) throw new Error('There is no till');
    const opened = shop.head;
    await load.pushAlone(WARM_UP_PUSHES);
    const cursors =
      events > 0 ? { min: 0, max: events - PULL_LIMIT_MAX } : { min: opened, max: shop.head - PULL_LIMIT_MAX };
    const connection = new Connection(environment.url, '/sync/pull', till.token);
    const side = new Side(meter, load, connection, cursors);
    await side.pull(WARM_UP_PULLS);
    return side;
  }

  async round({ pushes, pulls }: GrowthOptions): Promise<void> {
    this.pushTurns.push(await this.load.pushAlone(pushes));
    this.pullTurns.push(await this.pull(pulls));
  }

  report(): SideReport {
    return { push: costOf(this.pushTurns), pull: costOf(this.pullTurns) };
  }

  compareContents(): Promise<void> {
    return this.load.compareContents();
  }

  close(): void {
    this.load.close();
    this.connection.close();
  }

  /** Pages from anywhere in the log, one after another. */
  private pull(count: number): Promise<Turn> {
    return this.meter.turn(count * PULL_LIMIT_MAX, async () => {
      const durationsMs: number[] = [];
      for (let number = 0; number < count; number += 1) durationsMs.push(await this.pullOnce());
      return durationsMs;
    });
  }

  private async pullOnce(): Promise<number> {
    const { min, max } = this.cursors;
    const cursor = min + Math.floor(this.random() * (max - min + 1));
    const { status, body, durationMs } = await this.connection.post(
      Buffer.from(JSON.stringify({ last_lamport: cursor, limit: PULL_LIMIT_MAX })),
    );
    if (status !== 200) throw new BenchmarkError(`A pull was answered with ${status}: ${body.toString()}`);
    const { operations } = JSON.parse(body.toString()) as PullResponseDto;
    if (operations.length === PULL_LIMIT_MAX) return durationMs;
    throw new BenchmarkError(`A pull after ${cursor} found ${operations.length} operations.`);
  }
}

function costOf(turns: readonly Turn[]): Cost {
  const { operations, cpu } = together(turns);
  const { service, postgres } = cpu;
  return {
    ms: turns.map((turn) => median(turn.durationsMs)),
    cpuSecondsPerThousand:
      service === undefined || postgres === undefined ? undefined : (service + postgres) / (operations / 1_000),
  };
}

function compare(name: string, grown: SideReport, alone: SideReport): Target[] {
  return (['push', 'pull'] as const).flatMap((path) => {
    const [cost, least] = [grown[path], alone[path]];
    const what = path === 'push' ? `push of ${BATCH}` : `pull of ${whole(PULL_LIMIT_MAX)}`;
    const spread = spreadOf(ratios(cost.ms, least.ms));
    const [own, others] = [cost.cpuSecondsPerThousand, least.cpuSecondsPerThousand];
    return [
      {
        name: `${what}, p50: ${name}`,
        aim: { atMost: GROWTH_MAX },
        reached: spread.median,
        spread,
        note: `${median(cost.ms).toFixed(1)} / ${median(least.ms).toFixed(1)} ms`,
      },
      {
        name: `${what}, CPU: ${name}`,
        aim: { atMost: GROWTH_MAX },
        reached: own === undefined || others === undefined ? undefined : own / others,
        note: own === undefined || others === undefined ? '' : `${own.toFixed(3)} / ${others.toFixed(3)} s per 1,000`,
      },
    ];
  });
}

function toText({ machine, options, targets }: GrowthReport): string {
  return [
    `growth: over an empty log with nothing beside it, ${options.rounds} rounds of ${options.pushes} pushes and ` +
      `${options.pulls} pulls`,
    machineLine(machine),
    '',
    formatTable([TARGET_HEADINGS, ...targets.map(targetRow)]),
    '',
    'CPU: seconds of service and PostgreSQL per 1,000 operations.',
  ].join('\n');
}
