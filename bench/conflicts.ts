import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type pg from 'pg';
import type { OperationDto, PushResponseDto } from '../src/sync/push/push.dto.js';
import { Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment, type EnrolledDevice, withEnvironment } from './environment.js';
import { machineLine, range, whole } from './figures.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import { wholeNumber } from './options.js';
import { median, type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';

const USAGE = `Usage: npm run bench -- conflicts [options]
  --conflicts <n>     that wait for the heuristics at once, at most 1000 (1000)
  --rounds <n>        of settling them (3)
  --pushes <n>        with concurrent neighbours, and as many without (60)
  --json <file>       also write the results there
  --profile <folder>  also write a processor profile of the service there; it slows the service down`;

interface ConflictOptions {
  readonly conflicts: number;
  readonly rounds: number;
  readonly pushes: number;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

/** Operations of a push, and of what its neighbours did to the same product. */
const BATCH = 100;
const WARM_UP_PUSHES = 10;
const SETTLE_TIMEOUT_MS = 120_000;
const POLL_MS = 20;

/** All that a run found out; `--json` writes it as it is. */
interface ConflictReport {
  readonly benchmark: 'conflicts';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Pick<ConflictOptions, 'conflicts' | 'rounds' | 'pushes'>;
  /** From the answer of the push that made the conflicts until the heuristics have looked at the last one, in milliseconds. */
  readonly settlingMs: { readonly oneProduct: Spread; readonly hundredProducts: Spread };
  /** Of a push of 100 sales of one product, in milliseconds. */
  readonly pushMs: { readonly alone: number; readonly withNeighbours: number };
  /** Of the medians. */
  readonly ratio: number;
}

/** How long the heuristics take for a day's conflicts, and what neighbours on the same product cost a push. */
export async function benchmarkConflicts(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await withEnvironment({ profileFolder: options.profileFolder }, (environment) =>
    withClient(environment.databaseUrl, (client) => measure(environment, client, options)),
  );
  printReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): ConflictOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      conflicts: { type: 'string', default: '1000' },
      rounds: { type: 'string', default: '3' },
      pushes: { type: 'string', default: '60' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    conflicts: wholeNumber('--conflicts', values.conflicts, 1_000, USAGE),
    rounds: wholeNumber('--rounds', values.rounds, 1_000, USAGE),
    pushes: wholeNumber('--pushes', values.pushes, 100_000, USAGE),
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}

async function measure(
  environment: BenchmarkEnvironment,
  client: pg.Client,
  options: ConflictOptions,
): Promise<ConflictReport> {
  const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
  const machine = describeMachine(environment.dataFolder, rows[0]?.server_version ?? 'unknown');
  const [oneProduct, hundredProducts]: [number[], number[]] = [[], []];
  for (let round = 0; round < options.rounds; round += 1) {
    oneProduct.push(await settling(environment, client, options.conflicts, 1));
    hundredProducts.push(await settling(environment, client, options.conflicts, 100));
  }
  const pushMs = await pushing(environment, options.pushes);
  return {
    benchmark: 'conflicts',
    at: new Date().toISOString(),
    machine,
    options: { conflicts: options.conflicts, rounds: options.rounds, pushes: options.pushes },
    settlingMs: { oneProduct: spreadOf(oneProduct), hundredProducts: spreadOf(hundredProducts) },
    pushMs,
    ratio: pushMs.withNeighbours / pushMs.alone,
  };
}

/** A device, its connection, and how far it has counted. */
class Till {
  private readonly connection: Connection;
  private clock = 0;

  constructor(
    serviceUrl: string,
    private readonly device: EnrolledDevice,
  ) {
    this.connection = new Connection(serviceUrl, '/sync/push', device.token);
  }

  operation(fields: Partial<OperationDto>): OperationDto {
    const { tenantId, deviceId, userId } = this.device;
    this.clock += 1;
    return {
      operation_id: randomUUID(),
      ...{ tenant_id: tenantId, device_id: deviceId, device_type: 'DESKTOP', created_by: userId },
      ...{ product_id: randomUUID(), operation: 'INCREMENT', delta: 1, reason: 'RESTOCK', lamport_ts: this.clock },
      ...fields,
    };
  }

  /** An unpaid sale by a device that has not heard of anything since lamport `base`. */
  claim(productId: string, base: number, createdAt: string): OperationDto {
    return this.operation({
      ...{ product_id: productId, operation: 'DECREMENT', reason: 'SALE', payment_status: 'PENDING' },
      ...{ base_lamport: base, created_at: createdAt },
    });
  }

  async push(
    operations: readonly OperationDto[],
  ): Promise<{ readonly durationMs: number; readonly answer: PushResponseDto }> {
    const { deviceId } = this.device;
    const body = { operations, client_lamport: this.clock, device_id: deviceId, sent_at: new Date().toISOString() };
    const { status, body: bytes, durationMs } = await this.connection.post(Buffer.from(JSON.stringify(body)));
    if (status !== 200) throw new BenchmarkError(`A push was answered with ${status}: ${bytes.toString()}`);
    return { durationMs, answer: JSON.parse(bytes.toString()) as PushResponseDto };
  }

  close(): void {
    this.connection.close();
  }
}

/** Runs `work` with two tills of a new tenant. */
async function withTills<T>(
  environment: BenchmarkEnvironment,
  work: (ana: Till, ben: Till, tenantId: string) => Promise<T>,
): Promise<T> {
  const tenantId = await environment.createTenant('Benchmark');
  const ana = new Till(environment.url, await environment.enrolDevice(tenantId, 'Ana'));
  const ben = new Till(environment.url, await environment.enrolDevice(tenantId, 'Ben'));
  try {
    return await work(ana, ben, tenantId);
  } finally {
    ana.close();
    ben.close();
  }
}

/** Two tills sell the same last goods: of each pair the worker finds out which was first. @returns milliseconds */
function settling(
  environment: BenchmarkEnvironment,
  client: pg.Client,
  conflicts: number,
  products: number,
): Promise<number> {
  return withTills(environment, async (ana, ben, tenantId) => {
    const productIds = Array.from({ length: products }, () => randomUUID());
    const each = Array.from({ length: conflicts }, (_, number) => productIds[number % products] ?? '');
    const goods = productIds.map((product_id) =>
      ana.operation({ product_id, delta: each.filter((productId) => productId === product_id).length || 1 }),
    );
    const { answer: opened } = await ana.push(goods);
    const base = opened.server_lamport;
    await ana.push(each.map((productId) => ana.claim(productId, base, '2026-03-01T12:00:00Z')));
    const { answer } = await ben.push(each.map((productId) => ben.claim(productId, base, '2026-03-01T11:00:00Z')));
    const startedMs = performance.now();
    const held = answer.results.filter(({ status }) => status === 'conflict').length;
    if (held !== conflicts) throw new BenchmarkError(`Of ${conflicts} claims ${held} are in conflict.`);
    for (;;) {
      const waiting = await countAwaiting(client, tenantId);
      const durationMs = performance.now() - startedMs;
      if (waiting === 0) return durationMs;
      if (durationMs > SETTLE_TIMEOUT_MS) throw new BenchmarkError(`${waiting} conflicts wait still.`);
      await sleep(POLL_MS);
    }
  });
}

async function countAwaiting(client: pg.Client, tenantId: string): Promise<number> {
  await client.query('BEGIN');
  await client.query(`SELECT set_config('app.tenant_id', $1, true)`, [tenantId]);
  const { rows } = await client.query<{ waiting: string }>(
    `SELECT count(*) AS waiting FROM sync_conflicts WHERE tenant_id = $1 AND awaits = 'HEURISTIC'`,
    [tenantId],
  );
  await client.query('COMMIT');
  return Number(rows[0]?.waiting ?? 0);
}

/** In turns: a push of sales after as many concurrent ones of the same product by another till, and one without. */
function pushing(environment: BenchmarkEnvironment, pushes: number): Promise<ConflictReport['pushMs']> {
  return withTills(environment, async (ana, ben) => {
    const durations: { alone: number[]; withNeighbours: number[] } = { alone: [], withNeighbours: [] };
    for (let push = -WARM_UP_PUSHES; push < pushes; push += 1) {
      for (const kind of push % 2 === 0
        ? (['alone', 'withNeighbours'] as const)
        : (['withNeighbours', 'alone'] as const)) {
        const productId = randomUUID();
        const { answer } = await ana.push([ana.operation({ product_id: productId, delta: 10 * BATCH })]);
        const base = answer.server_lamport;
        const sales = (till: Till): OperationDto[] =>
          Array.from({ length: BATCH }, () => till.claim(productId, base, '2026-03-01T12:00:00Z'));
        if (kind === 'withNeighbours') await ben.push(sales(ben));
        const { durationMs } = await ana.push(sales(ana));
        if (push >= 0) durations[kind].push(durationMs);
      }
    }
    return { alone: median(durations.alone), withNeighbours: median(durations.withNeighbours) };
  });
}

function printReport({ machine, options, settlingMs, pushMs, ratio }: ConflictReport): void {
  const { oneProduct, hundredProducts } = settlingMs;
  const lines = [
    '',
    `conflicts: ${whole(options.conflicts)} at once, ${whole(options.rounds)} times; pushes of ${BATCH}, ${whole(options.pushes)} of each`,
    machineLine(machine),
    '',
    formatTable([
      ['until all are settled', 'median, ms', 'least to most'],
      ['of one product', whole(oneProduct.median), range(oneProduct)],
      ['of a hundred products', whole(hundredProducts.median), range(hundredProducts)],
    ]),
    '',
    formatTable([
      [`a push of ${BATCH} sales of one product`, 'median, ms'],
      ['alone', pushMs.alone.toFixed(1)],
      [`with ${BATCH} concurrent ones by another till`, pushMs.withNeighbours.toFixed(1)],
      ['ratio', ratio.toFixed(2)],
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
