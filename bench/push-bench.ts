import pg from 'pg';
import { bestForm, ratios } from './best-form.js';
import type { BenchmarkEnvironment } from './environment.js';
import { judgeMemoryGrowth, type MemoryGrowth, type MemorySample } from './memory-growth.js';
import { describeMachine, type Machine } from './machine.js';
import { PushLoad } from './push-load.js';
import { recycleWal } from './recycled-wal.js';
import { RoundTripCounter } from './round-trips.js';
import { Shop } from './shop.js';
import { quantile, type Spread, spreadOf } from './statistics.js';
import { STORE_WAYS, StoreSide, type StoreWay } from './store-side.js';
import { Meter, rateOf, together, type Turn } from './turn.js';

/** Who pushes what. */
export interface PushScenario {
  readonly clients: number;
  /** Among which the clients are shared out. */
  readonly tenants: number;
  readonly batch: number;
  /** Events there were before, in all tenants together. */
  readonly log: number;
}

/** How long it is measured: so many turns of each side, and either so many operations in all or so long a turn. */
export interface Effort {
  readonly rounds: number;
  readonly length: { readonly operations: number } | { readonly secondsOfTurn: number };
}

/** All that was found out of a scenario; `--json` writes it as it is. */
export interface PushResult {
  readonly scenario: PushScenario;
  readonly service: SideReport;
  /** SQL round trips of a push, with those of the guards; undefined if they were not counted. */
  readonly roundTripsPerPush: number | undefined;
  readonly stores: readonly StoreReport[];
  /** Operations per second of the service over those of the bare store, round by round. */
  readonly ratio: {
    readonly ofOneConnection: RatioReport;
    readonly ofBest: RatioReport;
  };
  /** Of the service; undefined where there is no /proc. */
  readonly memory: MemoryReport | undefined;
}

export interface SideReport {
  readonly operationsPerSecond: Spread;
  /** Of the pushes, or transactions, of all rounds. */
  readonly pushMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** While this side had its turn. */
  readonly cpuSecondsPerThousand: {
    readonly service: number | undefined;
    readonly postgres: number | undefined;
    /** Of the benchmark's own process. */
    readonly client: number;
  };
  readonly walBytesPerPush: number;
  readonly rounds: readonly { readonly operations: number; readonly seconds: number }[];
}

export interface StoreReport extends StoreWay, SideReport {}

/** Over the fastest way, on at most so many connections, that the bare store wrote in the same run. */
export interface RatioReport extends Spread {
  readonly over: StoreWay;
}

export interface MemoryReport {
  /** Before the first round. */
  readonly startMiB: number;
  readonly peakMiB: number;
  readonly samples: readonly MemorySample[];
  /** undefined if the run was too short to tell. */
  readonly growth: MemoryGrowth | undefined;
}

/** What a turn of the bare store takes of that of the service, for each of its ways, half before it and half after. */
const STORE_SHARE = 0.25;
const STORE_TURN_SECONDS = 0.5;
/** Warm is a load that was pushed for so long, in one turn: connections are open, and statements prepared. */
const WARM_UP_SECONDS = 1;
/** Warm is a service that has worked for so long in all: its code is compiled. One that runs for a shop started days ago. */
const SERVED_SECONDS = 15;
/** Of each client, to count round trips; one before, so that connections are open and statements prepared. */
const COUNTED_PUSHES = 2;

/** Service and bare store on one database, for one scenario after another. */
export class PushBench {
  private servedSeconds = 0;

  private constructor(
    private readonly environment: BenchmarkEnvironment,
    readonly database: pg.Client,
    readonly meter: Meter,
    private readonly stores: StoreSide,
    readonly machine: Machine,
  ) {}

  static async with<T>(environment: BenchmarkEnvironment, work: (bench: PushBench) => Promise<T>): Promise<T> {
    const database = new pg.Client({ connectionString: environment.databaseUrl, application_name: 'bench' });
    database.on('error', () => undefined); // queries report their own; when all is stopped the server may end it first
    await database.connect();
    await recycleWal(environment);
    const meter = new Meter(environment, database);
    const stores = await StoreSide.open(environment, database, meter);
    try {
      const { rows } = await database.query<{ server_version: string }>('SHOW server_version');
      const machine = describeMachine(environment.dataFolder, rows[0]?.server_version ?? 'unknown');
      const result = await work(new PushBench(environment, database, meter, stores, machine));
      await stores.compareContents();
      return result;
    } finally {
      await stores.close();
      await database.end();
    }
  }

  /** @param shops the scenario's, if they were made before */
  async measure(scenario: PushScenario, effort: Effort, shops?: readonly Shop[]): Promise<PushResult> {
    const load = await this.load(scenario, shops);
    try {
      const pushesEach = await this.warmUp(load, scenario, effort);
      const transactionsEach = await this.calibrateStores(scenario, effort);
      load.forgetMemory();
      const startMiB = load.residentMiB;
      const rounds: Round[] = [];
      for (let number = 1; number <= effort.rounds; number += 1) {
        const round = await this.round(load, pushesEach, transactionsEach);
        rounds.push(round);
        process.stderr.write(`round ${number} of ${effort.rounds}: ${describeRound(round)}\n`);
      }
      await load.compareContents();
      return { ...judge(scenario, rounds), memory: describeMemory(startMiB, load.memorySamples) };
    } finally {
      load.close();
    }
  }

  /** Tills of the scenario, ready to push. */
  async load(scenario: PushScenario, shops?: readonly Shop[], serviceUrl?: string): Promise<PushLoad> {
    const tenants = shops ?? (await Shop.open(this.environment, scenario.tenants, scenario.log));
    return PushLoad.open(this.environment, this.database, this.meter, tenants, scenario, serviceUrl);
  }

  /**
   * SQL round trips of a push, of each scenario on tenants of its own: counted after all is measured, with a second service,
   * since counting takes time. As many clients push at once as were measured, since what they share counts once.
   */
  async countRoundTrips(scenarios: readonly PushScenario[]): Promise<number[]> {
    return RoundTripCounter.beside(this.environment, async (serviceUrl, counter) => {
      const counts: number[] = [];
      for (const scenario of scenarios) {
        const load = await this.load({ ...scenario, log: 0 }, undefined, serviceUrl);
        try {
          await load.push(load.prepare(1));
          counter.take();
          const { durationsMs } = await load.push(load.prepare(COUNTED_PUSHES));
          counts.push(counter.take() / durationsMs.length);
        } finally {
          load.close();
        }
      }
      return counts;
    });
  }

  /**
   * The service has its turn between the two halves of the bare store's, so that both see the same weather: on a shared
   * machine the speed of the processor changes within seconds.
   */
  private async round(load: PushLoad, pushesEach: number, transactionsEach: readonly number[]): Promise<Round> {
    const pushes = load.prepare(pushesEach);
    const half = async (): Promise<Turn[]> => {
      const turns: Turn[] = [];
      for (const [index, way] of STORE_WAYS.entries()) {
        turns.push(await this.stores.write(way, load.batch, transactionsEach[index] ?? 1));
      }
      return turns;
    };
    const before = await half();
    const service = await load.push(pushes);
    const after = await half();
    return { service, stores: before.map((turn, index) => together([turn, ...after.slice(index, index + 1)])) };
  }

  /** @returns how many pushes each client sends in a turn */
  private async warmUp(load: PushLoad, { clients, batch }: PushScenario, { rounds, length }: Effort): Promise<number> {
    let pushesEach = 1;
    let turn = await load.push(load.prepare(pushesEach));
    while (turn.seconds < WARM_UP_SECONDS) {
      pushesEach *= 2;
      turn = await load.push(load.prepare(pushesEach));
    }
    this.servedSeconds += turn.seconds;
    while (this.servedSeconds < SERVED_SECONDS) {
      turn = await load.push(load.prepare(pushesEach));
      this.servedSeconds += turn.seconds;
    }
    const operations = 'operations' in length ? length.operations / rounds : rateOf(turn) * length.secondsOfTurn;
    return Math.max(1, Math.round(operations / batch / clients));
  }

  /** @returns how many transactions each connection of each way writes in half a turn */
  private async calibrateStores({ batch }: PushScenario, { length }: Effort): Promise<number[]> {
    const seconds = 'secondsOfTurn' in length ? length.secondsOfTurn * STORE_SHARE : STORE_TURN_SECONDS;
    const transactions: number[] = [];
    for (const way of STORE_WAYS) transactions.push(await this.stores.calibrate(way, batch, seconds / 2));
    return transactions;
  }
}

interface Round {
  readonly service: Turn;
  /** As STORE_WAYS. */
  readonly stores: readonly Turn[];
}

function judge(scenario: PushScenario, rounds: readonly Round[]): Omit<PushResult, 'memory'> {
  const rates = rounds.map((round) => rateOf(round.service));
  const ways = STORE_WAYS.map((way, index) => {
    const turns = rounds.flatMap((round) => round.stores[index] ?? []);
    return { ...way, rates: turns.map(rateOf), turns };
  });
  const ratioOver = (connectionsMax?: number): RatioReport => {
    const { form, connections, rates: limits } = bestForm(ways, connectionsMax);
    return { over: { form, connections }, ...spreadOf(ratios(rates, limits)) };
  };
  return {
    scenario,
    service: summarize(rounds.map((round) => round.service)),
    roundTripsPerPush: undefined,
    stores: ways.map(({ form, connections, turns }) => ({ form, connections, ...summarize(turns) })),
    ratio: { ofOneConnection: ratioOver(1), ofBest: ratioOver() },
  };
}

export function summarize(turns: readonly Turn[]): SideReport {
  const { operations, durationsMs, cpu, walBytes } = together(turns);
  const perThousand = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : seconds / (operations / 1_000);
  return {
    operationsPerSecond: spreadOf(turns.map(rateOf)),
    pushMs: { p50: quantile(durationsMs, 0.5), p99: quantile(durationsMs, 0.99), max: quantile(durationsMs, 1) },
    cpuSecondsPerThousand: {
      service: perThousand(cpu.service),
      postgres: perThousand(cpu.postgres),
      client: cpu.client / (operations / 1_000),
    },
    walBytesPerPush: walBytes / durationsMs.length,
    rounds: turns.map((turn) => ({ operations: turn.operations, seconds: turn.seconds })),
  };
}

export function describeMemory(
  startMiB: number | undefined,
  samples: readonly MemorySample[],
): MemoryReport | undefined {
  if (startMiB === undefined) return undefined;
  return {
    startMiB,
    peakMiB: Math.max(startMiB, ...samples.map((sample) => sample.usedMiB)),
    samples: [...samples],
    growth: judgeMemoryGrowth(samples),
  };
}

function describeRound({ service, stores }: Round): string {
  const store = stores.map((turn) => Math.round(rateOf(turn)).toLocaleString('en')).join(' ');
  return `service ${Math.round(rateOf(service)).toLocaleString('en')}/s, bare store ${store}/s`;
}
