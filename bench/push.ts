import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import {
  type OperationDto,
  PUSH_ENTRIES_MAX,
  type PushRequestDto,
  type PushResponseDto,
} from '../src/sync/push/push.dto.js';
import { BareStore } from './bare-store.js';
import { type Answer, Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment, withEnvironment } from './environment.js';
import { describeMachine } from './machine.js';
import { judgeMemoryGrowth, type MemorySample } from './memory-growth.js';
import { wholeNumber } from './options.js';
import { cpuSecondsOf, cpuSecondsOfFamily, residentMemoryOf } from './process-usage.js';
import { printPushReport, type PushReport, type SideReport } from './push-report.js';
import { quantile, spreadOf } from './statistics.js';
import { type Till, Workload } from './workload.js';

const USAGE = `Usage: npm run bench -- push [options]
  --operations <n>    in all, for the service and for the bare store each (200000)
  --batch <n>         operations of a push, at most ${PUSH_ENTRIES_MAX} (100)
  --tenants <n>       that push at the same time (1)
  --clients <n>       devices of each that push at the same time (4)
  --rounds <n>        turns that service and bare store take (10)
  --json <file>       also write the results there
  --profile <folder>  also write a processor profile of the service there; it slows the service down`;

interface PushOptions {
  readonly operations: number;
  readonly batch: number;
  readonly tenants: number;
  readonly clients: number;
  readonly rounds: number;
  readonly jsonFile: string | undefined;
  readonly profileFolder: string | undefined;
}

const OPERATIONS_MAX = 10_000_000;
const MEMORY_SAMPLE_EVERY_OPERATIONS = 2_000;
/** Pushed by each client before anything is measured: the service compiles its code and opens its connections. */
const WARM_UP_PUSHES = 10;

/** Pushes of sales over HTTP, against the bare store that writes the same rows. */
export async function benchmarkPush(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await withEnvironment({ profileFolder: options.profileFolder }, (environment) =>
    measure(environment, options),
  );
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
      tenants: { type: 'string', default: '1' },
      clients: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '10' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    operations: wholeNumber('--operations', values.operations, OPERATIONS_MAX, USAGE),
    batch: wholeNumber('--batch', values.batch, PUSH_ENTRIES_MAX, USAGE),
    tenants: wholeNumber('--tenants', values.tenants, 100, USAGE),
    clients: wholeNumber('--clients', values.clients, 1_000, USAGE),
    rounds: wholeNumber('--rounds', values.rounds, 1_000, USAGE),
    jsonFile: values.json,
    profileFolder: values.profile,
  };
}

/** What was measured while one side worked. */
interface Turn {
  readonly operations: number;
  readonly seconds: number;
  /** Of each push, or each transaction. */
  readonly durationsMs: readonly number[];
  readonly cpu: CpuSeconds;
}

/** Processor seconds; undefined where the system does not tell. */
interface CpuSeconds {
  readonly service: number | undefined;
  readonly postgres: number | undefined;
  /** Of the process that makes the load, and is the client of the bare store. */
  readonly client: number;
}

interface Round {
  readonly service: Turn;
  readonly store: Turn;
}

/** A tenant of the service, and its twin, which the bare store fills on a connection of its own. */
interface Shop {
  readonly tenantId: string;
  readonly storeTenantId: string;
  readonly store: BareStore;
  /** The tenant's clock, as its clients know it. */
  serverLamport: number;
}

interface Client {
  readonly shop: Shop;
  readonly till: Till;
  readonly connection: Connection;
}

/** A push as it is sent. */
interface PreparedPush {
  readonly client: Client;
  readonly operations: readonly OperationDto[];
  readonly body: Buffer;
}

async function measure(environment: BenchmarkEnvironment, options: PushOptions): Promise<PushReport> {
  const bench = await PushBenchmark.prepare(environment, options);
  try {
    const machine = describeMachine(environment.dataFolder, await bench.serverVersion());
    const startMiB = residentMemoryOf(environment.servicePid)?.nowMiB;
    await bench.stockUp();
    await bench.warmUp();
    const rounds: Round[] = [];
    for (let number = 1; number <= options.rounds; number += 1) {
      const round = await bench.round();
      rounds.push(round);
      process.stderr.write(`round ${number} of ${options.rounds}: ${describeRound(round)}\n`);
    }
    await bench.compareContents();
    const memory = residentMemoryOf(environment.servicePid);
    return {
      benchmark: 'push',
      at: new Date().toISOString(),
      machine,
      options: {
        tenants: options.tenants,
        clients: options.clients,
        batch: options.batch,
        rounds: options.rounds,
        operations: sum(rounds.map((round) => round.service.operations)),
      },
      service: summarize(rounds.map((round) => round.service)),
      store: summarize(rounds.map((round) => round.store)),
      ratio: spreadOf(rounds.map(ratioOf)),
      memory:
        startMiB !== undefined && memory
          ? {
              startMiB,
              endMiB: memory.nowMiB,
              peakMiB: memory.peakMiB,
              samples: bench.memorySamples,
              growth: judgeMemoryGrowth(bench.memorySamples),
            }
          : undefined,
    };
  } finally {
    await bench.close();
  }
}

/** The two sides, and the tills whose operations both of them get. */
class PushBenchmark {
  readonly memorySamples: MemorySample[] = [];
  private readonly workload: Workload;
  private operationsTaken = 0;

  private constructor(
    private readonly environment: BenchmarkEnvironment,
    private readonly options: PushOptions,
    private readonly shops: readonly Shop[],
    private readonly clients: readonly Client[],
  ) {
    this.workload = new Workload(this.operationsMax);
  }

  static async prepare(environment: BenchmarkEnvironment, options: PushOptions): Promise<PushBenchmark> {
    const shops: Shop[] = [];
    const clients: Client[] = [];
    for (let number = 1; number <= options.tenants; number += 1) {
      const tenantId = await environment.createTenant(`Bench: the service ${number}`);
      const storeTenantId = await environment.createTenant(`Bench: the bare store ${number}`);
      const store = await BareStore.connect(environment.databaseUrl, storeTenantId);
      const shop: Shop = { tenantId, storeTenantId, store, serverLamport: 0 };
      shops.push(shop);
      for (let till = 1; till <= options.clients; till += 1) {
        const device = await environment.enrolDevice(tenantId, `Till ${till}`);
        const connection = new Connection(environment.url, '/sync/push', device.token);
        clients.push({ shop, till: { ...device, clock: 0, base: 0 }, connection });
      }
    }
    return new PushBenchmark(environment, options, shops, clients);
  }

  async serverVersion(): Promise<string> {
    return (await this.shops[0]?.store.serverVersion()) ?? 'unknown';
  }

  /** Of each client in a round, so that all together come as near as they can to the operations asked for. */
  private get pushesPerRound(): number {
    const { operations, rounds, batch } = this.options;
    return Math.max(1, Math.round(operations / rounds / batch / this.clients.length));
  }

  private get operationsMax(): number {
    const { rounds, batch } = this.options;
    return (this.pushesPerRound * rounds + WARM_UP_PUSHES) * batch * this.clients.length;
  }

  /** The opening stock of both sides. */
  async stockUp(): Promise<void> {
    const first = this.shops.flatMap((shop) => this.clients.find((client) => client.shop === shop) ?? []);
    const pushes = first.map((client) => [toPush(client, this.workload.openingStock(client.till))]);
    await this.pushAll(pushes);
    await this.writeAll(pushes.flat());
  }

  async warmUp(): Promise<void> {
    const pushes = this.preparePushes(WARM_UP_PUSHES);
    await this.pushAll(pushes);
    await this.writeAll(inTurns(pushes));
    this.memorySamples.length = 0;
    this.operationsTaken = 0;
  }

  /**
   * The service has its turn between the two halves of the bare store's, so that both see the same weather: on a shared
   * machine the speed of the processor changes within seconds.
   */
  async round(): Promise<Round> {
    const pushes = this.preparePushes(this.pushesPerRound);
    const all = inTurns(pushes);
    const middle = Math.ceil(all.length / 2);
    const before = await this.writeAll(all.slice(0, middle));
    const service = await this.pushAll(pushes);
    const after = await this.writeAll(all.slice(middle));
    return { service, store: together(before, after) };
  }

  /**
   * Both sides got the same operations, and each kept its books by itself.
   * @throws BenchmarkError if they differ: then something was lost or doubled, and no speed counts.
   */
  async compareContents(): Promise<void> {
    for (const shop of this.shops) await this.compareContentsOf(shop);
  }

  private async compareContentsOf(shop: Shop): Promise<void> {
    const service = await shop.store.contentsOf(shop.tenantId);
    const store = await shop.store.contentsOf(shop.storeTenantId);
    if (service.eventCount !== store.eventCount) {
      throw new BenchmarkError(`The service has ${service.eventCount} events where ${store.eventCount} were pushed.`);
    }
    const differences = service.levels.filter((level, index) => level !== store.levels[index]);
    if (service.levels.length !== store.levels.length || differences.length > 0) {
      throw new BenchmarkError(`The stock of ${differences.length} products is not the sum of what was pushed.`);
    }
  }

  async close(): Promise<void> {
    for (const { connection } of this.clients) connection.close();
    for (const { store } of this.shops) await store.disconnect();
  }

  /**
   * `pushesEach` of every client, as bytes. Before a round each till has pulled all there is, so its clock and its base
   * are the log's head: then it has sold offline.
   */
  private preparePushes(pushesEach: number): PreparedPush[][] {
    return this.clients.map((client) => {
      const { till, shop } = client;
      till.base = shop.serverLamport;
      till.clock = Math.max(till.clock, shop.serverLamport);
      return Array.from({ length: pushesEach }, () =>
        toPush(client, this.workload.operations(till, this.options.batch)),
      );
    });
  }

  /** Every client sends its pushes one after another, all clients at the same time. */
  private async pushAll(pushes: readonly (readonly PreparedPush[])[]): Promise<Turn> {
    const answered: { push: PreparedPush; answer: Answer }[] = [];
    const turn = await this.measureTurn(pushes.flat(), async () => {
      await Promise.all(
        pushes.map(async (own) => {
          for (const push of own) {
            const answer = await push.client.connection.post(push.body);
            answered.push({ push, answer });
            this.sampleMemory(push.operations.length);
          }
        }),
      );
      return answered.map(({ answer }) => answer.durationMs);
    });
    for (const { push, answer } of answered) {
      const { shop } = push.client;
      shop.serverLamport = Math.max(shop.serverLamport, lamportOfAccepted(push, answer));
    }
    return turn;
  }

  /** Each tenant's one after another, all tenants at the same time. */
  private async writeAll(pushes: readonly PreparedPush[]): Promise<Turn> {
    const prepared = pushes.map(({ client: { shop }, operations }) => ({ shop, rows: shop.store.prepare(operations) }));
    return this.measureTurn(pushes, async () => {
      const durationsMs: number[] = [];
      await Promise.all(
        this.shops.map(async (shop) => {
          for (const transaction of prepared) {
            if (transaction.shop !== shop) continue;
            const startedMs = performance.now();
            await shop.store.write(transaction.rows);
            durationsMs.push(performance.now() - startedMs);
          }
        }),
      );
      return durationsMs;
    });
  }

  /** @param work returns how long each push took. */
  private async measureTurn(pushes: readonly PreparedPush[], work: () => Promise<readonly number[]>): Promise<Turn> {
    const before = this.cpuSeconds();
    const startedMs = performance.now();
    const durationsMs = await work();
    const seconds = (performance.now() - startedMs) / 1_000;
    const after = this.cpuSeconds();
    return {
      operations: sum(pushes.map((push) => push.operations.length)),
      seconds,
      durationsMs,
      cpu: combine(after, before, (later, earlier) => later - earlier),
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

  private sampleMemory(operations: number): void {
    const before = this.operationsTaken;
    this.operationsTaken += operations;
    const due =
      Math.floor(before / MEMORY_SAMPLE_EVERY_OPERATIONS) <
      Math.floor(this.operationsTaken / MEMORY_SAMPLE_EVERY_OPERATIONS);
    const memory = due ? residentMemoryOf(this.environment.servicePid) : undefined;
    if (memory) this.memorySamples.push({ operations: this.operationsTaken, usedMiB: memory.nowMiB });
  }
}

function toPush(client: Client, operations: readonly OperationDto[]): PreparedPush {
  const { till } = client;
  const request: PushRequestDto = {
    operations: [...operations],
    products: [],
    payments: [],
    client_lamport: till.clock,
    device_id: till.deviceId,
    sent_at: new Date().toISOString(),
    protocol_version: 1,
  };
  return { client, operations, body: Buffer.from(JSON.stringify(request)) };
}

/** The first push of each client, then the second of each, and so on: about as the service receives them. */
function inTurns(pushes: readonly (readonly PreparedPush[])[]): PreparedPush[] {
  return (pushes[0] ?? []).flatMap((_, index) => pushes.flatMap((own) => own[index] ?? []));
}

/**
 * Looked at between the turns, so that reading the answers does not take time from those who write them.
 * @returns the clock of the tenant after the push.
 * @throws BenchmarkError if any operation was not accepted.
 */
function lamportOfAccepted(push: PreparedPush, { status, body }: Answer): number {
  if (status !== 200) throw new BenchmarkError(`A push was answered with ${status}: ${body.toString()}`);
  const { results, server_lamport } = JSON.parse(body.toString()) as PushResponseDto;
  if (results.length !== push.operations.length) {
    throw new BenchmarkError(`A push of ${push.operations.length} operations got ${results.length} results.`);
  }
  const refused = results.find((result) => result.status !== 'accepted');
  if (refused) throw new BenchmarkError(`An operation was not accepted: ${JSON.stringify(refused)}`);
  return server_lamport;
}

function together(a: Turn, b: Turn): Turn {
  return {
    operations: a.operations + b.operations,
    seconds: a.seconds + b.seconds,
    durationsMs: [...a.durationsMs, ...b.durationsMs],
    cpu: combine(a.cpu, b.cpu, (first, second) => first + second),
  };
}

function combine(a: CpuSeconds, b: CpuSeconds, by: (a: number, b: number) => number): CpuSeconds {
  const known = (first: number | undefined, second: number | undefined): number | undefined =>
    first === undefined || second === undefined ? undefined : by(first, second);
  return {
    service: known(a.service, b.service),
    postgres: known(a.postgres, b.postgres),
    client: by(a.client, b.client),
  };
}

function summarize(turns: readonly Turn[]): SideReport {
  const durationsMs = turns.flatMap((turn) => turn.durationsMs);
  const { service, postgres, client } = turns
    .map((turn) => turn.cpu)
    .reduce((a, b) => combine(a, b, (first, second) => first + second));
  const thousands = sum(turns.map((turn) => turn.operations)) / 1_000;
  return {
    operationsPerSecond: spreadOf(turns.map(rateOf)),
    pushMs: { p50: quantile(durationsMs, 0.5), p99: quantile(durationsMs, 0.99), max: quantile(durationsMs, 1) },
    cpuSecondsPerThousand: {
      service: service === undefined ? undefined : service / thousands,
      postgres: postgres === undefined ? undefined : postgres / thousands,
      client: client / thousands,
    },
    rounds: turns.map((turn) => ({ operations: turn.operations, seconds: turn.seconds })),
  };
}

function rateOf(turn: Turn): number {
  return turn.operations / turn.seconds;
}

function ratioOf({ service, store }: Round): number {
  return rateOf(service) / rateOf(store);
}

function describeRound(round: Round): string {
  const [service, store] = [round.service, round.store].map((turn) => Math.round(rateOf(turn)).toLocaleString('en'));
  return `service ${service}/s, bare store ${store}/s, ratio ${ratioOf(round).toFixed(3)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
