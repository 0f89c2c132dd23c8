import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import type pg from 'pg';
import type { SnapshotEndDto } from '../src/sync/snapshot/snapshot.dto.js';
import { BenchmarkError, type BenchmarkEnvironment, type EnrolledDevice, withEnvironment } from './environment.js';
import { cpu, machineLine, range, whole } from './figures.js';
import { fillWithProducts } from './catalogue.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import type { MemorySample } from './memory-growth.js';
import { wholeNumber } from './options.js';
import { cpuSecondsOf, cpuSecondsOfFamily, residentMemoryOf } from './process-usage.js';
import { median, type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';

const USAGE = `Usage: npm run bench -- snapshot [options]
  --rows <n>          products, each with its stock level (100000)
  --rounds <n>        turns that service and bare read take (5)
  --gzip              ask for the snapshot in gzip
  --json <file>       also write the results there
  --profile <folder>  also write a processor profile of the service there; it slows the service down`;

interface SnapshotOptions {
  readonly rows: number;
  readonly rounds: number;
  readonly gzip: boolean;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

const ROWS_MAX = 10_000_000;
const MEMORY_SAMPLE_EVERY_MS = 100;
const BARE_BATCH_ROWS = 1_000;

/** What one snapshot, or one bare read, took. */
interface Turn {
  /** Products and stock levels. */
  readonly lines: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly cpu: CpuSeconds;
}

/** Undefined where the system does not tell. */
interface CpuSeconds {
  readonly service: number | undefined;
  readonly postgres: number | undefined;
  /** Of this process: it receives the snapshot, and is the client of the bare read. */
  readonly client: number;
}

interface Round {
  readonly service: Turn;
  /** One before the service's turn and one after: on a shared machine the processor's speed changes within seconds. */
  readonly bare: readonly [Turn, Turn];
}

/** All that a run found out; `--json` writes it as it is. */
interface SnapshotReport {
  readonly benchmark: 'snapshot';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Pick<SnapshotOptions, 'rows' | 'rounds' | 'gzip'>;
  readonly bytes: number;
  readonly service: SideReport;
  readonly bare: SideReport;
  /** Lines per second of the service over those of the bare read, round by round. */
  readonly ratio: Spread;
  /** Of the service while it sends; undefined where there is no /proc. */
  readonly memory: MemoryReport | undefined;
}

interface SideReport {
  readonly linesPerSecond: Spread;
  /** Medians. For 100,000 products with their levels. */
  readonly cpuSecondsPer100k: CpuSeconds;
  /** Of the side alone with PostgreSQL: service and PostgreSQL, or client and PostgreSQL. */
  readonly productsPerCpuSecond: number | undefined;
}

interface MemoryReport {
  readonly startMiB: number;
  readonly peakMiB: number;
  readonly samples: readonly MemorySample[];
}

/** The snapshot of a tenant with many products, against a bare read of the same rows. */
export async function benchmarkSnapshot(args: readonly string[]): Promise<void> {
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

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): SnapshotOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      gzip: { type: 'boolean', default: false },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    rows: wholeNumber('--rows', values.rows, ROWS_MAX, USAGE),
    rounds: wholeNumber('--rounds', values.rounds, 1_000, USAGE),
    gzip: values.gzip,
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}

async function measure(environment: BenchmarkEnvironment, options: SnapshotOptions): Promise<SnapshotReport> {
  const tenantId = await environment.createTenant('Benchmark');
  const device = await environment.enrolDevice(tenantId, 'Till');
  process.stderr.write(`making ${whole(options.rows)} products\n`);
  await fillWithProducts(environment, tenantId, options.rows);
  return withClient(environment.databaseUrl, async (client) => {
    const bench = new SnapshotBenchmark(environment, device, client, options);
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    const machine = describeMachine(environment.dataFolder, rows[0]?.server_version ?? 'unknown');
    const startMiB = residentMemoryOf(environment.servicePid)?.nowMiB;
    await bench.round(); // the service compiles its code, PostgreSQL reads its pages
    bench.memorySamples.length = 0;
    bench.linesSent = 0;
    const rounds: Round[] = [];
    for (let number = 1; number <= options.rounds; number += 1) {
      const round = await bench.round();
      rounds.push(round);
      process.stderr.write(`round ${number} of ${options.rounds}: ${describeRound(round)}\n`);
    }
    const memory = residentMemoryOf(environment.servicePid);
    const serviceTurns = rounds.map((round) => round.service);
    return {
      benchmark: 'snapshot',
      at: new Date().toISOString(),
      machine,
      options: { rows: options.rows, rounds: options.rounds, gzip: options.gzip },
      bytes: serviceTurns[0]?.bytes ?? 0,
      service: summarize(options.rows, serviceTurns, 'service'),
      bare: summarize(
        options.rows,
        rounds.flatMap((round) => round.bare),
        'client',
      ),
      ratio: spreadOf(rounds.map(ratioOf)),
      memory:
        startMiB !== undefined && memory
          ? { startMiB, peakMiB: memory.peakMiB, samples: bench.memorySamples }
          : undefined,
    };
  });
}

const BARE_READS = [
  `SELECT id, name, description, price, sku, category, reorder_point, deleted_lamport, version, lamport_ts, device_id,
          updated_by, created_at, updated_at
   FROM products WHERE tenant_id = $1 AND deleted_lamport IS NULL`,
  'SELECT product_id, quantity, tracked, last_lamport FROM stock_levels WHERE tenant_id = $1',
];

class SnapshotBenchmark {
  readonly memorySamples: MemorySample[] = [];
  linesSent = 0;

  constructor(
    private readonly environment: BenchmarkEnvironment,
    private readonly device: EnrolledDevice,
    private readonly client: pg.Client,
    private readonly options: SnapshotOptions,
  ) {}

  async round(): Promise<Round> {
    const before = await this.bareRead();
    const service = await this.snapshot();
    const after = await this.bareRead();
    return { service, bare: [before, after] };
  }

  /** Receives a whole snapshot, and keeps nothing but the number of its lines. */
  private async snapshot(): Promise<Turn> {
    let end = '';
    const turn = await this.measureTurn(async () => {
      const sampling = setInterval(() => {
        const memory = residentMemoryOf(this.environment.servicePid);
        if (memory) this.memorySamples.push({ operations: this.linesSent, usedMiB: memory.nowMiB });
      }, MEMORY_SAMPLE_EVERY_MS);
      try {
        const response = await this.ask();
        let [lines, bytes] = [0, 0];
        const receive = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
          for await (const chunk of chunks) {
            bytes += chunk.length;
            for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) {
              lines += 1;
              this.linesSent += 1;
            }
            end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 200))).slice(-200);
          }
        };
        await (this.options.gzip ? pipeline(response, createGunzip(), receive) : receive(response));
        return { lines: lines - 2, bytes: response.socket.bytesRead || bytes };
      } finally {
        clearInterval(sampling);
      }
    });
    const last = JSON.parse(end.trimEnd().split('\n').at(-1) ?? '') as SnapshotEndDto;
    if (last.products !== this.options.rows || last.stock_levels !== this.options.rows) {
      throw new BenchmarkError(`The snapshot of ${this.options.rows} products ended with ${JSON.stringify(last)}.`);
    }
    return turn;
  }

  private async ask(): Promise<http.IncomingMessage> {
    const headers = {
      authorization: `Bearer ${this.device.token}`,
      'accept-encoding': this.options.gzip ? 'gzip' : 'identity',
    };
    const request = http.get(new URL('/sync/snapshot', this.environment.url), { headers, agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    if (response.statusCode === 200) return response;
    throw new BenchmarkError(`The snapshot was answered with ${response.statusCode}.`);
  }

  /** The same rows, at one instant and in batches too, by as little as can read them: nothing is made of them. */
  private bareRead(): Promise<Turn> {
    return this.measureTurn(async () => {
      let lines = 0;
      await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
      await this.client.query(`SELECT set_config('app.tenant_id', $1, true)`, [this.device.tenantId]);
      for (const query of BARE_READS) {
        await this.client.query(`DECLARE bare NO SCROLL CURSOR FOR ${query}`, [this.device.tenantId]);
        for (let batch = BARE_BATCH_ROWS; batch === BARE_BATCH_ROWS; lines += batch) {
          batch = (await this.client.query(`FETCH ${BARE_BATCH_ROWS} FROM bare`)).rows.length;
        }
        await this.client.query('CLOSE bare');
      }
      await this.client.query('COMMIT');
      if (lines !== 2 * this.options.rows) throw new BenchmarkError(`The bare read found ${lines} rows.`);
      return { lines, bytes: 0 };
    });
  }

  private async measureTurn(work: () => Promise<Pick<Turn, 'lines' | 'bytes'>>): Promise<Turn> {
    const before = this.cpuSeconds();
    const startedMs = performance.now();
    const done = await work();
    const seconds = (performance.now() - startedMs) / 1_000;
    const after = this.cpuSeconds();
    const since = (later: number | undefined, earlier: number | undefined): number | undefined =>
      later === undefined || earlier === undefined ? undefined : later - earlier;
    return {
      ...done,
      seconds,
      cpu: {
        service: since(after.service, before.service),
        postgres: since(after.postgres, before.postgres),
        client: after.client - before.client,
      },
    };
  }

  private cpuSeconds(): CpuSeconds {
    const { user, system } = process.cpuUsage();
    return {
      service: cpuSecondsOf(this.environment.servicePid),
      postgres: cpuSecondsOfFamily(this.environment.postmasterPid),
      client: (user + system) / 1_000_000,
    };
  }
}

/** @param side whose processor time counts, besides PostgreSQL's */
function summarize(products: number, turns: readonly Turn[], side: 'service' | 'client'): SideReport {
  const per100k = (seconds: number): number => (seconds / products) * 100_000;
  const medianOf = (part: 'service' | 'postgres'): number | undefined => {
    const known = turns.flatMap((turn) => turn.cpu[part] ?? []);
    return known.length === turns.length ? per100k(median(known)) : undefined;
  };
  const together = turns.flatMap(({ cpu: spent }) => {
    const own = spent[side];
    return own === undefined || spent.postgres === undefined ? [] : [products / (own + spent.postgres)];
  });
  return {
    linesPerSecond: spreadOf(turns.map(rateOf)),
    cpuSecondsPer100k: {
      service: medianOf('service'),
      postgres: medianOf('postgres'),
      client: per100k(median(turns.map((turn) => turn.cpu.client))),
    },
    productsPerCpuSecond: together.length === turns.length ? median(together) : undefined,
  };
}

function rateOf(turn: Turn): number {
  return turn.lines / turn.seconds;
}

function ratioOf({ service, bare: [before, after] }: Round): number {
  return rateOf(service) / ((before.lines + after.lines) / (before.seconds + after.seconds));
}

function describeRound(round: Round): string {
  const bare = median(round.bare.map(rateOf));
  return `service ${whole(rateOf(round.service))} lines/s, bare read ${whole(bare)}/s, ratio ${ratioOf(round).toFixed(3)}`;
}

function printReport({ machine, options, bytes, service, bare, ratio, memory }: SnapshotReport): void {
  const perCpuSecond = (side: SideReport): string =>
    side.productsPerCpuSecond === undefined ? '?' : whole(side.productsPerCpuSecond);
  const rows = [
    ['', 'service', 'bare read'],
    ['lines/s, median', whole(service.linesPerSecond.median), whole(bare.linesPerSecond.median)],
    ['  least to most of a round', range(service.linesPerSecond), range(bare.linesPerSecond)],
    ['CPU s per 100,000 products: service', cpu(service.cpuSecondsPer100k.service), ''],
    [
      'CPU s per 100,000 products: PostgreSQL',
      cpu(service.cpuSecondsPer100k.postgres),
      cpu(bare.cpuSecondsPer100k.postgres),
    ],
    ['CPU s per 100,000 products: client', cpu(service.cpuSecondsPer100k.client), cpu(bare.cpuSecondsPer100k.client)],
    ['products per CPU second', perCpuSecond(service), perCpuSecond(bare)],
    ['  of these lines', twice(service), twice(bare)],
  ];
  const lines = [
    '',
    `snapshot: ${whole(options.rows)} products with their stock levels, ${options.rounds} rounds, ` +
      `${(bytes / 1_000_000).toFixed(1)} MB ${options.gzip ? 'in gzip' : 'as they are'}`,
    machineLine(machine),
    '',
    formatTable(rows),
    '',
    `service / bare read: ${ratio.median.toFixed(3)} (${ratio.min.toFixed(3)} to ${ratio.max.toFixed(3)})`,
    ...(memory ? ['', ...memoryLines(memory)] : []),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A product is two lines: its own and its level's. */
function twice({ productsPerCpuSecond }: SideReport): string {
  return productsPerCpuSecond === undefined ? '?' : whole(2 * productsPerCpuSecond);
}

const MEMORY_SHOWN = 10;

/** The most in each tenth of the run: in between lies the sawtooth of the garbage collector. */
function memoryLines({ startMiB, peakMiB, samples }: MemoryReport): string[] {
  const tenths = Array.from({ length: MEMORY_SHOWN }, (_, index) =>
    samples.slice(
      Math.floor((samples.length * index) / MEMORY_SHOWN),
      Math.floor((samples.length * (index + 1)) / MEMORY_SHOWN),
    ),
  ).filter((tenth) => tenth.length > 0);
  const rows = [
    ['RSS of the service, MiB: start', startMiB.toFixed(0)],
    ...tenths.map((tenth) => [
      `  most up to ${whole(tenth.at(-1)?.operations ?? 0)} lines`,
      Math.max(...tenth.map(({ usedMiB }) => usedMiB)).toFixed(0),
    ]),
    ['  peak', peakMiB.toFixed(0)],
  ];
  return [formatTable(rows)];
}
