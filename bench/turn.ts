import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import type { BenchmarkEnvironment } from './environment.js';
import { cpuSecondsOf, cpuSecondsOfFamily } from './process-usage.js';

/** What was measured while one side worked. */
export interface Turn {
  readonly operations: number;
  readonly seconds: number;
  /** Of each push, or each transaction. */
  readonly durationsMs: readonly number[];
  readonly cpu: CpuSeconds;
  /** Written ahead by all that the database did meanwhile. */
  readonly walBytes: number;
}

/** Processor seconds; undefined where the system does not tell. */
export interface CpuSeconds {
  readonly service: number | undefined;
  readonly postgres: number | undefined;
  /** Of the process that makes the load, and is the client of the bare store. */
  readonly client: number;
}

/** Measures what the machine does while one side has its turn. */
export class Meter {
  constructor(
    private readonly environment: BenchmarkEnvironment,
    private readonly client: pg.Client,
  ) {}

  /** @param work returns how long each push took. */
  async turn(operations: number, work: () => Promise<readonly number[]>): Promise<Turn> {
    const walBefore = await this.walBytes();
    const before = this.cpuSeconds();
    const startedMs = performance.now();
    const durationsMs = await work();
    const seconds = (performance.now() - startedMs) / 1_000;
    const after = this.cpuSeconds();
    return {
      operations,
      seconds,
      durationsMs,
      cpu: combine(after, before, (later, earlier) => later - earlier),
      walBytes: (await this.walBytes()) - walBefore,
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

  private async walBytes(): Promise<number> {
    const { rows } = await this.client.query<{ bytes: string }>(
      `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes`,
    );
    return Number(rows[0]?.bytes);
  }
}

export function together(turns: readonly Turn[]): Turn {
  return {
    operations: sum(turns.map((turn) => turn.operations)),
    seconds: sum(turns.map((turn) => turn.seconds)),
    durationsMs: turns.flatMap((turn) => turn.durationsMs),
    cpu: turns.map((turn) => turn.cpu).reduce((a, b) => combine(a, b, (first, second) => first + second)),
    walBytes: sum(turns.map((turn) => turn.walBytes)),
  };
}

export function rateOf(turn: Turn): number {
  return turn.operations / turn.seconds;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
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
