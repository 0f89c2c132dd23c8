import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { BareStore, type PreparedTransaction, type StoreForm } from './bare-store.js';
import type { BenchmarkEnvironment } from './environment.js';
import { compareContents, readContents } from './tenant-contents.js';
import { type Meter, rateOf, type Turn } from './turn.js';
import { type Till, Workload } from './workload.js';

/** A form of the bare store, on so many connections at once. */
export interface StoreWay {
  readonly form: StoreForm;
  readonly connections: number;
}

const CONNECTIONS = 8;
export const STORE_WAYS: readonly StoreWay[] = (['unnest', 'cte'] as const).flatMap((form) =>
  [1, CONNECTIONS].map((connections) => ({ form, connections })),
);

/** A connection, the tenant that nobody else writes to, and a till to sell there. */
interface Writer {
  readonly store: BareStore;
  readonly workload: Workload;
  readonly till: Till;
}

/** The bare store in all its forms: what the service's figures are held against. */
export class StoreSide {
  private constructor(
    private readonly database: pg.Client,
    private readonly meter: Meter,
    private readonly writers: readonly Writer[],
  ) {}

  static async open(environment: BenchmarkEnvironment, database: pg.Client, meter: Meter): Promise<StoreSide> {
    const writers: Writer[] = [];
    while (writers.length < CONNECTIONS) {
      const tenantId = await environment.createTenant(`Bench: bare store ${writers.length + 1}`);
      writers.push({
        store: await BareStore.connect(environment.databaseUrl, tenantId),
        workload: new Workload(),
        till: { tenantId, deviceId: randomUUID(), userId: randomUUID(), clock: 0, base: 0 },
      });
    }
    return new StoreSide(database, meter, writers);
  }

  /**
   * Writes a transaction or two until it is known how fast `way` goes.
   * @returns how many transactions of `batch` each connection writes in `seconds`, at least one
   */
  async calibrate(way: StoreWay, batch: number, seconds: number): Promise<number> {
    await this.write(way, batch, 2); // prepares the statements
    let transactions = 2;
    let turn = await this.write(way, batch, transactions);
    while (turn.seconds < seconds / 2) {
      transactions *= 2;
      turn = await this.write(way, batch, transactions);
    }
    return Math.max(1, Math.round((rateOf(turn) * seconds) / batch / way.connections));
  }

  /** `transactions` of `batch` operations on each connection, one after another; the connections at the same time. */
  async write({ form, connections }: StoreWay, batch: number, transactions: number): Promise<Turn> {
    const writers = this.writers.slice(0, connections);
    const prepared = writers.map(({ store, workload, till }) =>
      Array.from({ length: transactions }, () => store.prepare(workload.operations(till, batch))),
    );
    return this.meter.turn(transactions * batch * connections, async () => {
      const durationsMs = await Promise.all(
        writers.map(({ store }, index) => writeAll(store, form, prepared[index] ?? [])),
      );
      return durationsMs.flat();
    });
  }

  /** @throws BenchmarkError if a table has anything else than what was written. */
  async compareContents(): Promise<void> {
    for (const { store } of this.writers) {
      compareContents(await readContents(this.database, store.tenantId), store.contents);
    }
  }

  async close(): Promise<void> {
    for (const { store } of this.writers) await store.disconnect();
  }
}

async function writeAll(
  store: BareStore,
  form: StoreForm,
  transactions: readonly PreparedTransaction[],
): Promise<number[]> {
  const durationsMs: number[] = [];
  for (const transaction of transactions) {
    const startedMs = performance.now();
    await store.write(form, transaction);
    durationsMs.push(performance.now() - startedMs);
  }
  return durationsMs;
}
