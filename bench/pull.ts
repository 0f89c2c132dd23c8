import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import type pg from 'pg';
import type { StockEventDto } from '../src/inventory/inventory.dto.js';
import { PULL_LIMIT_MAX, type PullResponseDto } from '../src/sync/pull/pull.dto.js';
import { Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment, withEnvironment } from './environment.js';
import { EVENTS_MAX, fillWithEvents } from './event-log.js';
import { machineLine, whole } from './figures.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import { wholeNumber } from './options.js';
import { quantile } from './statistics.js';
import { formatTable } from './table.js';
import type { TargetFindings, TargetOptions } from './target.js';
import { randomNumbers } from './workload.js';

const USAGE = `Usage: npm run bench -- pull [options]
  --events <n>        in the tenant's log (1000000)
  --pulls <n>         by the service and by the bare read each (500)
  --limit <n>         entries of a pull, at most ${PULL_LIMIT_MAX} (${PULL_LIMIT_MAX})
  --json <file>       also write the results there
  --profile <folder>  also write a processor profile of the service there; it slows the service down`;

/** What is pulled, and how often. */
interface PullScenario {
  readonly events: number;
  readonly pulls: number;
  readonly limit: number;
}

interface PullOptions extends PullScenario {
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

/** Not measured: the service compiles its code, PostgreSQL reads its pages. */
const WARM_UP_PULLS = 50;
/** For the table of targets. */
const TARGET_PULLS = 200;

/** All that a run found out; `--json` writes it as it is. */
interface PullReport {
  readonly benchmark: 'pull';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: PullScenario;
  /** Of an answer, the median. */
  readonly bytes: number;
  readonly service: SideReport;
  readonly bare: SideReport;
  /** Pages a second of the service over those of the bare read. */
  readonly ratio: SideReport;
}

/** Milliseconds, or a ratio of them. */
interface SideReport {
  readonly median: number;
  readonly p99: number;
}

/** Pulls from a long log, against a bare read of the same rows. */
export async function benchmarkPull(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await withEnvironment({ profileFolder: options.profileFolder }, (environment) =>
    measure(environment, options),
  );
  printReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** The pull whose speed was promised, against the bare read. */
export async function pullTargets({ events }: TargetOptions): Promise<TargetFindings> {
  const report = await withEnvironment({ profileFolder: undefined }, (environment) =>
    measure(environment, { events, pulls: TARGET_PULLS, limit: PULL_LIMIT_MAX }),
  );
  const { machine, service, bare, ratio } = report;
  const pull = {
    name: `pull of ${whole(PULL_LIMIT_MAX)} / bare read to JSON, pages a second`,
    aim: { atLeast: 0.7 },
    reached: ratio.median,
    note: `${service.median.toFixed(1)} ms, bare read ${bare.median.toFixed(1)} ms, medians of ${TARGET_PULLS}`,
  };
  return { machine, targets: [pull], details: report };
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): PullOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '1000000' },
      pulls: { type: 'string', default: '500' },
      limit: { type: 'string', default: `${PULL_LIMIT_MAX}` },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    events: wholeNumber('--events', values.events, EVENTS_MAX, USAGE),
    pulls: wholeNumber('--pulls', values.pulls, 1_000_000, USAGE),
    limit: wholeNumber('--limit', values.limit, PULL_LIMIT_MAX, USAGE),
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}

async function measure(environment: BenchmarkEnvironment, options: PullScenario): Promise<PullReport> {
  const tenantId = await environment.createTenant('Benchmark');
  const device = await environment.enrolDevice(tenantId, 'Till');
  await fillWithEvents(environment, [tenantId], options.events);
  return withClient(environment.databaseUrl, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const machine = describeMachine(environment.dataFolder, rows[0]?.server_version ?? 'unknown');
    await client.query(`SELECT set_config('app.tenant_id', $1, false)`, [tenantId]);
    const connection = new Connection(environment.url, '/sync/pull', device.token);
    try {
      const bench = new PullBenchmark(connection, client, tenantId, options);
      for (let pull = 0; pull < WARM_UP_PULLS; pull += 1) await bench.round();
      const rounds = [];
      for (let pull = 0; pull < options.pulls; pull += 1) rounds.push(await bench.round());
      const service = summarize(rounds.map((round) => round.serviceMs));
      const bare = summarize(rounds.map((round) => round.bareMs));
      return {
        benchmark: 'pull',
        at: new Date().toISOString(),
        machine,
        options: { events: options.events, pulls: options.pulls, limit: options.limit },
        bytes: quantile(
          rounds.map((round) => round.bytes),
          0.5,
        ),
        service,
        bare,
        ratio: { median: bare.median / service.median, p99: bare.p99 / service.p99 },
      };
    } finally {
      connection.close();
    }
  });
}

const WRITERS = {
  TEXT: (value: string) => `"${value}"`,
  NUMBER: (value: string) => value,
  TIME: (value: string) => `"${value.slice(0, 10)}T${value.slice(11, -3)}Z"`,
  BYTES: (value: string) => `"${value.slice(2)}"`,
};

/** The columns that an answer is made of, and how each is written in JSON. */
const COLUMNS: Readonly<Record<string, keyof typeof WRITERS>> = {
  ...{ operation_id: 'TEXT', product_id: 'TEXT', device_id: 'TEXT', device_type: 'TEXT', operation: 'TEXT' },
  ...{ delta: 'NUMBER', reason: 'TEXT', payment_status: 'TEXT', amount: 'NUMBER' },
  ...{ location_lat: 'NUMBER', location_lng: 'NUMBER', lamport_ts: 'NUMBER', client_lamport: 'NUMBER' },
  ...{ base_lamport: 'NUMBER', version: 'NUMBER', group_id: 'TEXT', ref_operation_id: 'TEXT', expires_at: 'TIME' },
  ...{ created_at: 'TIME', created_by: 'TEXT', updated_by: 'TEXT', effect: 'NUMBER', stock_after: 'NUMBER' },
  ...{ disposition: 'TEXT', synced_at: 'TIME', content_hash: 'BYTES', chain_hash: 'BYTES' },
};
const MEMBERS = Object.entries(COLUMNS).map(([name, kind], index) => ({
  key: `${index > 0 ? ',' : ''}"${name}":`,
  write: WRITERS[kind],
}));

/** The page as the primary key has it. */
const BARE_READ = `
  SELECT ${Object.keys(COLUMNS).join(', ')}
  FROM stock_events WHERE tenant_id = $1 AND lamport_ts > $2 ORDER BY lamport_ts LIMIT $3`;

/** As PostgreSQL sends them: texts, which nobody looks into. */
const RAW_TYPES = { getTypeParser: () => (value: unknown) => value };

interface Round {
  readonly serviceMs: number;
  readonly bareMs: number;
  readonly bytes: number;
}

/** Both sides read the page after the same cursor, which moves at random: hardly a page is read twice. */
class PullBenchmark {
  private readonly random = randomNumbers(20_261_122);
  private rounds = 0;

  constructor(
    private readonly connection: Connection,
    private readonly client: pg.Client,
    private readonly tenantId: string,
    private readonly options: PullScenario,
  ) {}

  /** The two take turns in being first, since the second finds the page in memory. */
  async round(): Promise<Round> {
    const { events, limit } = this.options;
    const cursor = Math.floor(this.random() * Math.max(1, events - limit));
    this.rounds += 1;
    if (this.rounds % 2 === 0) {
      const bare = await this.bareRead(cursor);
      return this.judge(cursor, await this.pull(cursor), bare);
    }
    const pulled = await this.pull(cursor);
    return this.judge(cursor, pulled, await this.bareRead(cursor));
  }

  private async pull(cursor: number): Promise<{ durationMs: number; body: Buffer }> {
    const body = Buffer.from(JSON.stringify({ last_lamport: cursor, limit: this.options.limit }));
    const answer = await this.connection.post(body);
    if (answer.status === 200) return answer;
    throw new BenchmarkError(`A pull was answered with ${answer.status}: ${answer.body.toString()}`);
  }

  private async bareRead(cursor: number): Promise<{ durationMs: number; json: string }> {
    const startedMs = performance.now();
    const { rows } = await this.client.query<(string | null)[]>({
      name: 'bare',
      text: BARE_READ,
      values: [this.tenantId, cursor, this.options.limit],
      rowMode: 'array',
      types: RAW_TYPES,
    });
    const json = `{"operations":[${rows.map(toJson).join(',')}]}`;
    const durationMs = performance.now() - startedMs;
    return { durationMs, json };
  }

  /** @throws BenchmarkError if the two did not read the same. */
  private judge(
    cursor: number,
    pulled: { durationMs: number; body: Buffer },
    bare: { durationMs: number; json: string },
  ): Round {
    const [own, others] = [pulled.body.toString(), bare.json].map(
      (json) => (JSON.parse(json) as PullResponseDto).operations,
    );
    const isWhole = own?.length === Math.min(this.options.limit, this.options.events);
    // What stands there is compared, not how it is written: 12.50 is 12.5.
    if (!isWhole || !isDeepStrictEqual(own, others?.map(withTimes))) {
      throw new BenchmarkError(`After ${cursor} the service and the bare read found different events.`);
    }
    return { serviceMs: pulled.durationMs, bareMs: bare.durationMs, bytes: pulled.body.length };
  }
}

function toJson(row: readonly (string | null)[]): string {
  let json = '{';
  for (const [index, { key, write }] of MEMBERS.entries()) {
    const value = row[index] ?? null;
    json += value === null ? `${key}null` : key + write(value);
  }
  return `${json}}`;
}

/** Times in milliseconds, as the service writes them: PostgreSQL leaves zeros at the end out. */
function withTimes(operation: StockEventDto): StockEventDto {
  const time = (text: string | null): string | null => text && new Date(text).toISOString();
  const { expires_at, created_at, synced_at } = operation;
  return { ...operation, expires_at: time(expires_at), created_at: time(created_at), synced_at: time(synced_at) ?? '' };
}

function summarize(durationsMs: readonly number[]): SideReport {
  return { median: quantile(durationsMs, 0.5), p99: quantile(durationsMs, 0.99) };
}

function printReport({ machine, options, bytes, service, bare, ratio }: PullReport): void {
  const rows = [
    ['', 'service', 'bare read', 'service / bare read, pages a second'],
    ['median, ms', service.median.toFixed(1), bare.median.toFixed(1), ratio.median.toFixed(2)],
    ['p99, ms', service.p99.toFixed(1), bare.p99.toFixed(1), ratio.p99.toFixed(2)],
  ];
  const lines = [
    '',
    `pull: ${whole(options.limit)} entries of a log of ${whole(options.events)}, ${whole(options.pulls)} times, ` +
      `${whole(bytes / 1_000)} kB an answer`,
    machineLine(machine),
    '',
    formatTable(rows),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
