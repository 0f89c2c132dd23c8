import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Level } from 'level';
import { SyncClient } from '../client/src/index.js';
import { fillWithProducts } from './catalogue.js';
import { BenchmarkError, type BenchmarkEnvironment, type EnrolledDevice, withEnvironment } from './environment.js';
import { machineLine, whole } from './figures.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import { judgeMemoryGrowth, type MemoryGrowth, type MemorySample } from './memory-growth.js';
import { wholeNumber } from './options.js';
import { residentMemoryOf } from './process-usage.js';
import { median } from './statistics.js';
import { formatTable } from './table.js';

const USAGE = `Usage: npm run bench -- client [options]
  --sales <n>         recorded offline by one device, then synced (100000)
  --products <n>      of the store that is opened (50000)
  --opens <n>         how often (20)
  --json <file>       also write the results there`;

interface ClientOptions {
  readonly sales: number;
  readonly products: number;
  readonly opens: number;
  readonly jsonFile: string | undefined;
}

/** Sales that are recorded at the same time, as by somebody who scans quickly: the store writes them together. */
const AT_ONCE = 4;
const SAMPLE_EVERY_MS = 500;

interface Phase {
  readonly seconds: number;
  /** Of this process, which is the client and nothing else: what is alive in its heap, and beside it. */
  readonly memory: readonly MemorySample[];
  /** The most that was resident, with what the garbage collector had not looked at yet. */
  readonly peakMiB: number;
}

/** All that a run found out; `--json` writes it as it is. */
interface ClientReport {
  readonly benchmark: 'client';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Omit<ClientOptions, 'jsonFile'>;
  readonly recording: Phase;
  readonly syncing: Phase;
  /** Medians, and the slowest. */
  readonly openMs: { readonly median: number; readonly max: number };
  /** Of the first stock that is read after opening. */
  readonly firstStockMs: { readonly median: number; readonly max: number };
}

/** A device that was offline for very long, and one that is switched on. */
export async function benchmarkClient(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await withEnvironment({ profileFolder: undefined }, (environment) => measure(environment, options));
  printReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): ClientOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sales: { type: 'string', default: '100000' },
      products: { type: 'string', default: '50000' },
      opens: { type: 'string', default: '20' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    sales: wholeNumber('--sales', values.sales, 10_000_000, USAGE),
    products: wholeNumber('--products', values.products, 10_000_000, USAGE),
    opens: wholeNumber('--opens', values.opens, 10_000, USAGE),
    jsonFile: values.json,
  };
}

async function measure(environment: BenchmarkEnvironment, options: ClientOptions): Promise<ClientReport> {
  const version = await withClient(environment.databaseUrl, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'unknown';
  });
  const machine = describeMachine(environment.dataFolder, version);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-bench-'));
  try {
    const opening = await openOften(environment, path.join(folder, 'catalogue'), options);
    const long = await sellForLong(environment, path.join(folder, 'till'), options.sales);
    const { sales, products, opens } = options;
    return {
      benchmark: 'client',
      at: new Date().toISOString(),
      machine,
      options: { sales, products, opens },
      ...long,
      ...opening,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openTill(environment: BenchmarkEnvironment, device: EnrolledDevice, store: string): Promise<SyncClient> {
  const { tenantId, deviceId, userId, token } = device;
  return SyncClient.open({
    ...{ database: new Level<string, unknown>(store), baseUrl: environment.url, token: () => token },
    ...{ tenantId, deviceId, userId, deviceType: 'DESKTOP' },
  });
}

/** A day's sales, and a year's: the outbox is on the disk, and memory must not grow with it. */
async function sellForLong(
  environment: BenchmarkEnvironment,
  store: string,
  sales: number,
): Promise<Pick<ClientReport, 'recording' | 'syncing'>> {
  const device = await environment.enrolDevice(await environment.createTenant('Bench: a year offline'), 'Till');
  const till = await openTill(environment, device, store);
  const { id: productId } = await till.saveProduct({ name: 'Goat cheese', currentStock: 2 * sales });
  const sale = { productId, operation: 'DECREMENT', delta: 1, reason: 'SALE', paymentStatus: 'PAID' } as const;
  process.stderr.write(`recording ${whole(sales)} sales\n`);
  const recording = await timed(sales, async (progress) => {
    for (let recorded = 0; recorded < sales; recorded += AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, sales - recorded) }, () => till.recordStock(sale)));
      progress(recorded + AT_ONCE);
    }
  });
  process.stderr.write('syncing them\n');
  const syncing = await timed(sales, async (progress) => {
    const done = till.sync();
    const watching = setInterval(() => {
      void till.position().then(({ waiting }) => {
        progress(sales - waiting);
      });
    }, SAMPLE_EVERY_MS);
    const { pushed, accepted } = await done;
    clearInterval(watching);
    progress(sales);
    if (pushed !== sales + 1 || accepted !== sales + 1)
      throw new BenchmarkError(`Of ${sales + 1} entries ${pushed} were pushed and ${accepted} accepted.`);
  });
  const stock = await till.stock(productId);
  if (stock?.confirmed !== sales || stock.pending !== 0)
    throw new BenchmarkError(`The stock is not what was left: ${JSON.stringify(stock)}`);
  await till.close();
  return { recording, syncing };
}

/** In the heap and beside it, once what is dead has gone. */
function livingMiB(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** @param work calls back with how many operations are done */
async function timed(operations: number, work: (progress: (done: number) => void) => Promise<void>): Promise<Phase> {
  const memory: MemorySample[] = [];
  let peakMiB = 0;
  const startedMs = performance.now();
  await work((done) => {
    peakMiB = Math.max(peakMiB, residentMemoryOf(process.pid)?.nowMiB ?? 0);
    const isDue = performance.now() - startedMs >= memory.length * SAMPLE_EVERY_MS;
    if (isDue || done >= operations) memory.push({ operations: done, usedMiB: livingMiB() });
  });
  return { seconds: (performance.now() - startedMs) / 1_000, memory, peakMiB };
}

/** Opened as by an app that starts: the store is on the disk, and the first thing that is shown is a stock. */
async function openOften(
  environment: BenchmarkEnvironment,
  store: string,
  { products, opens }: ClientOptions,
): Promise<Pick<ClientReport, 'openMs' | 'firstStockMs'>> {
  const tenantId = await environment.createTenant('Bench: a large catalogue');
  const device = await environment.enrolDevice(tenantId, 'Till');
  process.stderr.write(`making ${whole(products)} products\n`);
  await fillWithProducts(environment, tenantId, products);
  const first = await openTill(environment, device, store);
  await first.sync();
  const ids: string[] = [];
  for await (const { id } of first.products()) ids.push(id);
  await first.close();
  if (ids.length !== products) throw new BenchmarkError(`The store has ${ids.length} products of ${products}.`);
  const [openMs, firstStockMs]: [number[], number[]] = [[], []];
  for (let time = 0; time < opens; time += 1) {
    const beforeMs = performance.now();
    const till = await openTill(environment, device, store);
    const openedMs = performance.now();
    if (!(await till.stock(ids[(time * 7_919) % ids.length] ?? '')))
      throw new BenchmarkError('A product has no stock.');
    firstStockMs.push(performance.now() - openedMs);
    openMs.push(openedMs - beforeMs);
    await till.close();
  }
  return { openMs: medianAndMax(openMs), firstStockMs: medianAndMax(firstStockMs) };
}

function medianAndMax(values: readonly number[]): { readonly median: number; readonly max: number } {
  return { median: median(values), max: Math.max(...values) };
}

function printReport({ machine, options, recording, syncing, openMs, firstStockMs }: ClientReport): void {
  const { sales, products, opens } = options;
  const phase = (name: string, { seconds, memory, peakMiB }: Phase): string[] => {
    const most = Math.max(...memory.map(({ usedMiB }) => usedMiB));
    const figures = [whole(sales / seconds), seconds.toFixed(1), whole(most), verdict(judgeMemoryGrowth(memory))];
    return [name, ...figures, whole(peakMiB)];
  };
  const lines = [
    '',
    `client: ${whole(sales)} sales of one device that is offline, then synced; a store of ${whole(products)} products`,
    machineLine(machine),
    '',
    formatTable([
      ['', 'sales/s', 'seconds', 'most in use, MiB', 'second half against second quarter', 'most resident'],
      phase('recorded, each durable', recording),
      phase('synced', syncing),
    ]),
    '',
    formatTable([
      [`opened ${whole(opens)} times`, 'median, ms', 'slowest, ms'],
      ['open', openMs.median.toFixed(1), openMs.max.toFixed(1)],
      ['the first stock after that (aim: under 50)', firstStockMs.median.toFixed(1), firstStockMs.max.toFixed(1)],
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function verdict(growth: MemoryGrowth | undefined): string {
  if (!growth) return 'too few to tell';
  const { secondQuarterMiB, secondHalfMiB, flat } = growth;
  return `${whole(secondQuarterMiB)} to ${whole(secondHalfMiB)} MiB: ${flat ? 'flat' : 'grows'}`;
}
