import type { AbstractLevel } from 'abstract-level';
import type { Locks } from './locks.js';

/** Any database of the abstract-level family: LevelDB, IndexedDB, memory, SQLite by an adapter… */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the formats that its own methods take don't matter here
export type Database = AbstractLevel<any, any, any>;

/** Rows of one kind: JSON values under keys whose order is that of their text. */
export interface Table<V> {
  readonly name: string;
  /** Never set: it only tells the compiler what the rows are. */
  readonly row?: V;
}

export function table<V>(name: string): Table<V> {
  return { name };
}

export interface Range {
  /** The first key; by default that of the table. */
  readonly from?: string;
  /** Up to and without this key; by default the end of the table. */
  readonly before?: string;
}

const SEPARATOR = '!';
/** The character after the separator: no key of a table is beyond it. */
const AFTER = '"';
const FORMAT = { keyEncoding: 'utf8', valueEncoding: 'json' } as const;
/** LevelDB: on the disk before the call returns, not only in the system's memory. Others don't know it. */
const DURABLE = { ...FORMAT, sync: true } as const;
/** Transactions that share a batch: more would only make each of them wait longer. */
const SHARING_MAX = 256;

/** A transaction that waits for its turn. */
interface Waiting {
  readonly run: (tx: StoreTransaction) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The one door to the database. What a transaction writes is written in one batch, whole or not at all, and is durable when
 * it returns. One runs at a time, in all tabs; those that come while a batch is being written share the next.
 */
export class Store {
  private waiting: Waiting[] = [];
  private draining = false;

  constructor(
    private readonly database: Database,
    private readonly locks: Locks,
    /** Tells this store from others of the same origin. */
    readonly name: string,
  ) {}

  transaction<T>(work: (tx: StoreTransaction) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push({ run: work, resolve: resolve as Waiting['resolve'], reject });
      void this.drain();
    });
  }

  /** Rows in the order of their keys, outside of a transaction. */
  async *rows<V>(of: Table<V>, range: Range = {}): AsyncGenerator<readonly [string, V]> {
    for await (const [key, value] of this.database.iterator<string, V>({ ...limitsOf(of, range), ...FORMAT })) {
      yield [key.slice(of.name.length + SEPARATOR.length), value];
    }
  }

  /** Removes rows that nobody reads any more. */
  async clear(of: Table<unknown>): Promise<void> {
    await this.database.clear({ ...limitsOf(of, {}), keyEncoding: 'utf8' });
  }

  /** Writes rows that nobody reads yet: they need no turn, and are durable with the transaction that makes them known. */
  async fill(rows: readonly (readonly [table: Table<unknown>, key: string, value: unknown])[]): Promise<void> {
    const puts = rows.map(([of, key, value]) => ({ type: 'put' as const, key: keyOf(of, key), value }));
    await this.database.batch(puts, FORMAT);
  }

  private async drain(): Promise<void> {
    if (this.draining) return;
    this.draining = true;
    while (this.waiting.length > 0) {
      try {
        await this.locks.exclusive(this.name, () => this.share());
      } catch (error) {
        for (const { reject } of this.waiting.splice(0)) reject(error);
      }
    }
    this.draining = false;
  }

  /** One batch of all that wait: each sees what those before it have done, and one that fails leaves nothing in it. */
  private async share(): Promise<void> {
    const batch = new StoreTransaction(this.database);
    const done: (() => void)[] = [];
    const sharing = this.waiting.splice(0, SHARING_MAX);
    for (const { run, resolve, reject } of sharing) {
      const own = new StoreTransaction(this.database, batch);
      try {
        const result = await run(own);
        own.keep();
        done.push(() => {
          resolve(result);
        });
      } catch (error) {
        reject(error);
      }
    }
    try {
      await batch.write();
      for (const resolve of done) resolve();
    } catch (error) {
      for (const { reject } of sharing) reject(error);
    }
  }
}

/** Reads what the database has, with all that was written before in the same transaction. */
export class StoreTransaction {
  /** By the database's key; undefined: removed. */
  private readonly writes = new Map<string, unknown>();

  constructor(
    private readonly database: Database,
    private readonly outer?: StoreTransaction,
  ) {}

  async get<V>(of: Table<V>, key: string): Promise<V | undefined> {
    const [value] = await this.getMany(of, [key]);
    return value;
  }

  /** In the order of the keys; undefined where there is no row. */
  async getMany<V>(of: Table<V>, keys: readonly string[]): Promise<(V | undefined)[]> {
    const places = keys.map((key) => keyOf(of, key));
    const missing = places.filter((place) => !this.wrote(place));
    const read = missing.length > 0 ? await this.database.getMany<string, V>(missing, FORMAT) : [];
    const found = new Map(missing.map((place, index) => [place, read[index]]));
    return places.map((place) => (found.has(place) ? found.get(place) : (this.lastWritten(place) as V | undefined)));
  }

  /** In the order of their keys. */
  async *rows<V>(of: Table<V>, range: Range = {}): AsyncGenerator<readonly [string, V]> {
    const skip = of.name.length + SEPARATOR.length;
    const limits = limitsOf(of, range);
    const written = this.written();
    const added = [...written.keys()].filter((key) => key >= limits.gte && key < limits.lt).sort();
    for await (const [key, value] of this.database.iterator<string, V>({ ...limits, ...FORMAT })) {
      for (let next = added[0]; next !== undefined && next <= key; next = added[0]) {
        added.shift();
        const kept = written.get(next) as V | undefined;
        if (kept !== undefined) yield [next.slice(skip), kept];
      }
      if (!written.has(key)) yield [key.slice(skip), value];
    }
    for (const key of added) {
      const kept = written.get(key) as V | undefined;
      if (kept !== undefined) yield [key.slice(skip), kept];
    }
  }

  put<V>(of: Table<V>, key: string, value: V): void {
    this.writes.set(keyOf(of, key), value);
  }

  remove(of: Table<unknown>, key: string): void {
    this.writes.set(keyOf(of, key), undefined);
  }

  /** Hands what was written on to the transaction around this one. */
  keep(): void {
    for (const [key, value] of this.writes) this.outer?.writes.set(key, value);
  }

  async write(): Promise<void> {
    if (this.writes.size === 0) return;
    const batch = [...this.writes].map(([key, value]) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
    );
    await this.database.batch(batch, DURABLE);
  }

  private wrote(place: string): boolean {
    return this.writes.has(place) || (this.outer?.wrote(place) ?? false);
  }

  private lastWritten(place: string): unknown {
    return this.writes.has(place) ? this.writes.get(place) : this.outer?.lastWritten(place);
  }

  private written(): ReadonlyMap<string, unknown> {
    return this.outer ? new Map([...this.outer.written(), ...this.writes]) : this.writes;
  }
}

function keyOf(of: Table<unknown>, key: string): string {
  return of.name + SEPARATOR + key;
}

function limitsOf(of: Table<unknown>, { from = '', before }: Range): { gte: string; lt: string } {
  return { gte: keyOf(of, from), lt: before === undefined ? of.name + AFTER : keyOf(of, before) };
}
