import type { ClientEvents, Status } from './client-events.js';
import { BatchPace } from './domain/batch-pace.js';
import type { OutboxEntry, Recorded, RejectedEntry } from './domain/entry.js';
import type { LocalPayment, LocalProduct } from './domain/overlay.js';
import { Emitter } from './emitter.js';
import { type Channel, type Environment, platform } from './environment.js';
import { LocalView, type Stock } from './local-view.js';
import { Outbox } from './outbox.js';
import { PendingView } from './pending-view.js';
import { StoreError } from './problem.js';
import {
  type Author,
  type PaymentFields,
  type ProductFields,
  Recorder,
  type Stamped,
  type StockMovement,
} from './recorder.js';
import { Replica } from './replica.js';
import { type Database, Store, type StoreTransaction } from './storage/store.js';
import { FORMAT, type Meta, META, META_KEY, metaOf, OUTBOX, REJECTED, replicaTables } from './storage/tables.js';
import { SyncLoop } from './sync-loop.js';
import { pushesOf, type SyncReport, SyncRound } from './sync-round.js';
import { Transport } from './transport.js';
import { type Conflict, PULL_LIMIT_MAX, PUSH_ENTRIES_MAX, type PushRequest } from './wire.js';

export interface SyncClientOptions extends Author {
  /** Of the abstract-level family. Closed with the client. */
  readonly database: Database;
  /** Of the server, without a path: https://sync.example.com */
  readonly baseUrl: string;
  /** @param refused the token that the server has just refused: give another, or the same if there is none */
  readonly token: (refused?: string) => Promise<string> | string;
  /** Where the device's clock starts: `lamport` of the answer to its enrolment. */
  readonly initialLamport?: number;
  /** Of one push, at most, before it is packed: by default 500 entries and 256 KiB. A group goes whole all the same. */
  readonly batch?: { readonly entriesMax?: number; readonly bytesMax?: number };
  /** Entries of one pull. */
  readonly pullLimit?: number;
  readonly requestTimeoutMs?: number;
  /** What the server has taken is kept for the case that it is restored from a backup: so many entries. */
  readonly journalEntriesMax?: number;
  readonly background?: { readonly pollMs?: number; readonly pollWhileLiveMs?: number; readonly gatherMs?: number };
  readonly environment?: Partial<Environment>;
}

/** What was recorded: `id` names it for the server, `lamport` for `retry` and `discard`. */
export interface Receipt {
  readonly id: string;
  readonly lamport: number;
}

/** Offline first: everything is recorded here, at once and for good, and synced when that is possible. */
export class SyncClient {
  private readonly events = new Emitter<ClientEvents>();
  private readonly pace: BatchPace;
  private loop: SyncLoop | undefined;
  private shown: Status = 'stopped';
  private round: Promise<SyncReport> | undefined;
  private nextRound: Promise<SyncReport> | undefined;

  private constructor(
    private readonly options: SyncClientOptions,
    private readonly environment: Environment,
    private readonly store: Store,
    private readonly outboxes: Outbox,
    private readonly replica: Replica,
    private readonly view: LocalView,
    private readonly recorder: Recorder,
    private readonly transport: Transport,
    private readonly channel: Channel | undefined,
  ) {
    const { entriesMax = 500, bytesMax = 256 * 1024 } = options.batch ?? {};
    this.pace = new BatchPace({ entriesMax, bytesMax });
  }

  /** @throws StoreError if the database can't be opened, or belongs to another device or business */
  static async open(options: SyncClientOptions): Promise<SyncClient> {
    const environment = { ...platform(), ...options.environment };
    await openDatabase(options.database);
    const name = `agrotour-sync:${options.tenantId}:${options.deviceId}`;
    const store = new Store(options.database, environment.locks, name);
    const pending = new PendingView();
    const outbox = new Outbox(pending, options.journalEntriesMax ?? 20_000);
    const { baseUrl, token, requestTimeoutMs = 60_000 } = options;
    const client = new SyncClient(
      ...([options, environment, store, outbox, new Replica(store, outbox, pending), new LocalView(store)] as const),
      ...([new Recorder(options, environment)] as const),
      ...([new Transport({ baseUrl, token, requestTimeoutMs }, environment), environment.openChannel(name)] as const),
    );
    await client.claim();
    client.hearOtherTabs();
    return client;
  }

  /**
   * Records a movement or a count; several are the lines of one sale, and stand or fall together. Durable when it returns.
   * @throws InvalidEntryError if the server would refuse it anyway; then nothing was recorded
   */
  async recordStock(movement: StockMovement): Promise<Receipt>;
  async recordStock(movements: readonly StockMovement[]): Promise<readonly Receipt[]>;
  async recordStock(recorded: StockMovement | readonly StockMovement[]): Promise<Receipt | readonly Receipt[]> {
    const movements = Array.isArray(recorded) ? (recorded as readonly StockMovement[]) : [recorded as StockMovement];
    const receipts = await this.record((_, meta) => Promise.resolve(this.recorder.operations(movements, meta)));
    this.changed([...new Set(movements.map(({ productId }) => productId))]);
    const [receipt] = receipts;
    return Array.isArray(recorded) || !receipt ? receipts : receipt;
  }

  /** Creates a product, or changes what is given of it. @throws InvalidEntryError */
  async saveProduct(fields: ProductFields): Promise<Receipt> {
    return this.recordProduct(fields);
  }

  async deleteProduct(id: string): Promise<Receipt> {
    return this.recordProduct({ id, isDeleted: true });
  }

  /** Records a payment, or changes what is given of it. @throws InvalidEntryError */
  async recordPayment(fields: PaymentFields): Promise<Receipt> {
    const [receipt] = await this.record(async (tx, meta) => {
      const known = fields.id && (await tx.get(replicaTables(meta.generation).payments, fields.id));
      return [this.recorder.payment(fields, meta, known ? known.version : undefined)];
    });
    return existing(receipt);
  }

  /** @returns undefined of a product that nothing is known of */
  stock(productId: string): Promise<Stock | undefined> {
    return this.view.stock(productId);
  }

  product(id: string): Promise<LocalProduct | undefined> {
    return this.view.product(id);
  }

  /** By id. */
  products(filter: { readonly deleted?: boolean } = {}): AsyncGenerator<LocalProduct> {
    return this.view.products(filter);
  }

  /** By id. */
  payments(): AsyncGenerator<LocalPayment> {
    return this.view.payments();
  }

  /** By id. */
  conflicts(filter: { readonly open?: boolean } = {}): AsyncGenerator<Conflict> {
    return this.view.conflicts(filter);
  }

  /** What the server has not answered yet, the oldest first. */
  async *outbox(): AsyncGenerator<OutboxEntry> {
    for await (const [, entry] of this.store.rows(OUTBOX)) yield entry;
  }

  /** How much is in the outbox, and where clock and replica are. */
  async position(): Promise<{ readonly waiting: number; readonly clock: number; readonly lamport: number }> {
    const { waiting, clock, base } = await this.meta();
    return { waiting, clock, lamport: base };
  }

  /** What the server can't take as it is, the oldest first. */
  async *rejected(): AsyncGenerator<RejectedEntry> {
    for await (const [, entry] of this.store.rows(REJECTED)) yield entry;
  }

  /**
   * Pushes a rejected entry again, with all of its group.
   * @param mend what should be different, in the wire's words
   */
  async retry(lamport: number, mend: Partial<RejectedEntry['body']> = {}): Promise<void> {
    await this.change((tx, meta) =>
      this.outboxes.retry(
        tx,
        meta,
        lamport,
        (entry) => ({ kind: entry.kind, body: { ...entry.body, ...mend } }) as Recorded,
      ),
    );
    this.changed('ALL');
  }

  /** Forgets a rejected entry. */
  async discard(lamport: number): Promise<void> {
    await this.change((tx, meta) => this.outboxes.discard(tx, meta, lamport));
  }

  /** What waits, as pushes that an admin can import (`POST /devices/{id}/outbox`), for a device that is locked out. */
  async *exportOutbox(): AsyncGenerator<PushRequest> {
    const { clock, deviceId } = await this.meta();
    const limits = { entriesMax: PUSH_ENTRIES_MAX, bytesMax: 4 * 1024 * 1024 };
    yield* pushesOf(this.outbox(), limits, { client_lamport: clock, device_id: deviceId });
  }

  /**
   * Pushes what waits and pulls what is new, once.
   * @throws SyncError of the first thing that failed, after all else was tried
   */
  async sync({ signal }: { readonly signal?: AbortSignal } = {}): Promise<SyncReport> {
    if (!this.round) return (this.round = this.runRound(signal).finally(() => (this.round = undefined)));
    // One is under way, and may have missed what was recorded a moment ago: all who ask meanwhile share the next.
    this.nextRound ??= this.round
      .catch(() => undefined)
      .then(() => {
        this.nextRound = undefined;
        return this.sync(signal && { signal });
      });
    return this.nextRound;
  }

  /** Syncs in the background from now on: see `status` and its event. */
  start(): void {
    if (this.loop?.isRunning) return;
    const { pollMs = 30_000, pollWhileLiveMs = 300_000, gatherMs = 200 } = this.options.background ?? {};
    this.loop = new SyncLoop(
      (signal) => this.sync({ signal }),
      this.transport,
      this.environment,
      { pollMs, pollWhileLiveMs, gatherMs },
      (status, error) => {
        this.shown = status;
        this.events.emit('status', error === undefined ? { status } : { status, error });
      },
    );
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop?.stop();
    this.loop = undefined;
  }

  get status(): Status {
    return this.shown;
  }

  /** @returns what ends it */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.events.on(name, listener);
  }

  /** Events from now on, until `signal` aborts or the loop is left. */
  watch<Name extends keyof ClientEvents>(
    name: Name,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ClientEvents[Name]> {
    return this.events.watch(name, signal);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.round?.catch(() => undefined);
    this.channel?.close();
    await this.options.database.close();
  }

  private runRound(signal: AbortSignal | undefined): Promise<SyncReport> {
    const { pullLimit = PULL_LIMIT_MAX } = this.options;
    // No two tabs push at once. Other locks are only held while the store is written.
    return this.environment.locks.exclusive(`${this.store.name}:sync`, async () => {
      const round = new SyncRound(
        ...([this.store, this.outboxes, this.replica, this.transport, this.events, this.environment] as const),
        { pace: this.pace, pullLimit },
        signal,
      );
      const report = await round.run();
      this.events.emit('synced', { report });
      return report;
    });
  }

  private async recordProduct(fields: ProductFields & { readonly isDeleted?: boolean }): Promise<Receipt> {
    const [receipt] = await this.record(async (tx, meta) => {
      const known = fields.id && (await tx.get(replicaTables(meta.generation).products, fields.id));
      return [this.recorder.product(fields, meta, known ? known.version : undefined)];
    });
    this.changed([existing(receipt).id]);
    return existing(receipt);
  }

  private async record(
    make: (tx: StoreTransaction, meta: Meta) => Promise<readonly Stamped[]>,
  ): Promise<readonly Receipt[]> {
    const stamped: Stamped[] = [];
    await this.change(async (tx, meta) => {
      stamped.push(...(await make(tx, meta)));
      return this.outboxes.add(tx, { ...meta, clock: stamped.at(-1)?.lamport ?? meta.clock }, stamped);
    });
    this.loop?.recorded();
    return stamped.map(({ kind, body, lamport }) => ({
      id: kind === 'operation' ? (body.operation_id ?? '') : body.id,
      lamport,
    }));
  }

  private change(work: (tx: StoreTransaction, meta: Meta) => Promise<Meta>): Promise<void> {
    return this.store.transaction(async (tx) => {
      tx.put(META, META_KEY, await work(tx, await metaOf(tx)));
    });
  }

  private meta(): Promise<Meta> {
    return this.store.transaction(metaOf);
  }

  private changed(productIds: ClientEvents['stock']['productIds']): void {
    this.events.emit('stock', { productIds });
  }

  /** A store belongs to one device of one business, from its first use on. */
  private async claim(): Promise<void> {
    const { tenantId, deviceId, initialLamport = 0 } = this.options;
    await this.store.transaction(async (tx) => {
      const meta = await tx.get(META, META_KEY);
      if (meta && (meta.tenantId !== tenantId || meta.deviceId !== deviceId)) {
        throw new StoreError('The store belongs to another device or business.');
      }
      if (meta && meta.format !== FORMAT) throw new StoreError('The store was made by a newer version.');
      tx.put(META, META_KEY, {
        ...{ format: FORMAT, tenantId, deviceId, base: 0, epoch: null, chainHash: null, generation: 0 },
        ...{ wantsSnapshot: true, waiting: 0, journaled: 0, ...meta },
        clock: Math.max(meta?.clock ?? 0, initialLamport),
      });
    });
  }

  private hearOtherTabs(): void {
    const { channel } = this;
    if (!channel) return;
    const heard = new WeakSet<object>();
    channel.onMessage((message) => {
      const event = message as ClientEvents['stock'];
      heard.add(event);
      this.events.emit('stock', event);
    });
    this.events.on('stock', (event) => {
      if (!heard.has(event)) channel.post(event);
    });
  }
}

async function openDatabase(database: Database): Promise<void> {
  try {
    await database.open();
  } catch (cause) {
    throw new StoreError('The database can’t be opened. Is another process using it?', { cause });
  }
}

function existing<T>(receipt: T | undefined): T {
  if (!receipt) throw new Error('Nothing was recorded');
  return receipt;
}
