import { Batch, type BatchLimits } from './domain/batch.js';
import type { BatchPace } from './domain/batch-pace.js';
import type { OutboxEntry } from './domain/entry.js';
import type { ClientEvents } from './client-events.js';
import type { Environment } from './environment.js';
import type { Emitter } from './emitter.js';
import type { Outbox, SettledEntry } from './outbox.js';
import { SyncError } from './problem.js';
import { type Replica, ReplicaDivergedError } from './replica.js';
import type { Store } from './storage/store.js';
import { type Meta, META, META_KEY, metaOf } from './storage/tables.js';
import type { Transport } from './transport.js';
import type { EntryResult, PushRequest, PushResponse } from './wire.js';

/** What a round of sync has done. */
export interface SyncReport {
  /** Entries that were answered, and of these… */
  readonly pushed: number;
  readonly accepted: number;
  readonly duplicates: number;
  /** …those that compete with what others did, or lost to it (ignored ones included). */
  readonly conflicts: number;
  readonly rejected: number;
  /** Entries that came from the server. */
  readonly pulled: number;
  /** Whether the replica was made anew. */
  readonly snapshot: boolean;
  /** Where the replica is now. */
  readonly lamport: number;
}

export interface RoundOptions {
  /** Kept from round to round: what is known of the line. */
  readonly pace: BatchPace;
  readonly pullLimit: number;
}

/** In one round: where a fresh one doesn't fit the log either, another won't. */
const SNAPSHOTS_MAX = 2;

/** One round: all that waits is pushed, and all that is new is pulled. Each step is kept as soon as it is done. */
export class SyncRound {
  private readonly report = { pushed: 0, accepted: 0, duplicates: 0, conflicts: 0, rejected: 0, pulled: 0 };
  private snapshots = 0;

  constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly replica: Replica,
    private readonly transport: Transport,
    private readonly events: Emitter<ClientEvents>,
    private readonly environment: Pick<Environment, 'now'>,
    private readonly options: RoundOptions,
    private readonly signal?: AbortSignal,
  ) {}

  /** @throws SyncError of the first thing that failed, after all else was tried: a push that fails keeps no pull back */
  async run(): Promise<SyncReport> {
    await this.outbox.forgetConfirmed(this.store); // what a round before this one left when it was cut
    const failure = await this.pushAll().then(
      () => undefined,
      (error: unknown) => toSyncError(error),
    );
    // A server that was restored has forgotten some of what was pushed: once that is back in the outbox, it goes at once.
    const { base, wasRestored } = await this.pullAll(failure !== undefined && isInDoubt(failure));
    if (failure) throw failure;
    if (wasRestored) await this.pushAll();
    const lamport = wasRestored ? (await this.pullAll()).base : base;
    return { ...this.report, snapshot: this.snapshots > 0, lamport };
  }

  private async pushAll(): Promise<void> {
    const { pace } = this.options;
    let entriesMax = Infinity;
    // What is recorded from now on is for the next round: this one comes to an end.
    const { clock } = await this.store.transaction(metaOf);
    for (;;) {
      const limits = { ...pace.now, entriesMax: Math.min(entriesMax, pace.now.entriesMax) };
      const entries = await this.store.transaction((tx) => this.outbox.next(tx, limits));
      const [first] = entries;
      if (!first || first.lamport > clock) return;
      try {
        await this.settle(entries, await this.push(entries));
        pace.quicken();
      } catch (error) {
        if (error instanceof SyncError && error.code === 'NETWORK') pace.slow();
        const isTooLarge = error instanceof SyncError && error.status === 413;
        if (!isTooLarge) throw error;
        if (entries.length === 1) await this.reject(first, error);
        else entriesMax = Math.ceil(entries.length / 2);
      }
    }
  }

  private async push(entries: readonly OutboxEntry[]): Promise<PushResponse> {
    const { clock, deviceId } = await this.store.transaction(metaOf);
    const request: PushRequest = {
      ...listsOf(entries),
      client_lamport: clock,
      device_id: deviceId,
      sent_at: new Date(this.environment.now()).toISOString(),
    };
    const response = await this.transport.push(request, this.signal);
    if (response.results.length !== entries.length) throw new SyncError('BAD_ANSWER', 'Some entries have no result.');
    return response;
  }

  private async settle(
    entries: readonly OutboxEntry[],
    { results, server_lamport }: { readonly results: readonly EntryResult[]; readonly server_lamport: number },
  ): Promise<void> {
    const now = new Date(this.environment.now()).toISOString();
    const settled = await this.store.transaction(async (tx) => {
      const before = await metaOf(tx);
      const ordered = inOrderOfResults(entries);
      const { meta, settled } = await this.outbox.settle(tx, before, ordered, results, now);
      tx.put(META, META_KEY, { ...meta, clock: Math.max(meta.clock, server_lamport) });
      return settled;
    });
    this.count(settled);
    this.tell(settled);
  }

  /** One that no push can carry: the app has to know. */
  private async reject(entry: OutboxEntry, { code, message }: SyncError): Promise<void> {
    const result: EntryResult = { status: 'rejected', server_lamport: null, code, message };
    await this.settle([entry], { results: [result], server_lamport: 0 });
  }

  /**
   * @param isPushInDoubt whether some of the outbox may be in the log. The log itself tells, a snapshot does not: what is in
   *   it would be shown twice. So a new replica is filled from the log then.
   */
  private async pullAll(isPushInDoubt = false): Promise<{ readonly base: number; readonly wasRestored: boolean }> {
    let wasRestored = false;
    for (;;) {
      const meta = await this.store.transaction(metaOf);
      const isNew = meta.epoch === null;
      if (meta.wantsSnapshot && !(isNew && isPushInDoubt)) {
        await this.takeSnapshot(meta);
        continue;
      }
      const request = { last_lamport: meta.base, limit: this.options.pullLimit };
      const page = await this.transport.pull(request, this.signal).catch((error: unknown) => {
        if (error instanceof SyncError && error.code === 'CURSOR_TOO_OLD') return undefined;
        throw error;
      });
      const isRestored = page !== undefined && meta.epoch !== null && page.epoch !== meta.epoch;
      if (!page || isRestored) {
        wasRestored ||= isRestored;
        await this.startAnew(isRestored ? page.epoch : undefined);
        continue;
      }
      const applied = await this.applyPage(page, meta);
      if (!applied) continue;
      this.report.pulled +=
        page.operations.length + page.products.length + page.payments.length + page.conflicts.length;
      if (!page.has_more) return { base: page.next_lamport, wasRestored };
    }
  }

  /** @returns false if the replica has to be made anew, or somebody else was faster */
  private async applyPage(page: Awaited<ReturnType<Transport['pull']>>, asked: Meta): Promise<boolean> {
    try {
      const applied = await this.store.transaction(async (tx) => {
        const meta = await metaOf(tx);
        // Another tab has pulled it meanwhile: applied twice, effects would count twice.
        const isAsAsked = meta.base === asked.base && meta.generation === asked.generation;
        if (!isAsAsked || meta.wantsSnapshot !== asked.wantsSnapshot) return undefined;
        const result = await this.replica.apply(tx, meta, page);
        tx.put(META, META_KEY, { ...result.meta, wantsSnapshot: false });
        return result;
      });
      if (!applied) return false;
      if (applied.productIds.length > 0) this.events.emit('stock', { productIds: applied.productIds });
      for (const conflict of applied.conflicts) this.events.emit('conflict', { conflict });
      return true;
    } catch (error) {
      if (!(error instanceof ReplicaDivergedError)) throw error;
      await this.startAnew();
      return false;
    }
  }

  /** @param epoch the new one, if it is the server's database that is another */
  private async startAnew(epoch?: string): Promise<void> {
    await this.store.transaction(async (tx) => {
      const meta = await metaOf(tx);
      const kept = epoch === undefined ? meta : await this.outbox.takeBack(tx, { ...meta, epoch });
      tx.put(META, META_KEY, { ...kept, wantsSnapshot: true });
    });
  }

  private async takeSnapshot({ generation }: Meta): Promise<void> {
    this.snapshots += 1;
    if (this.snapshots > SNAPSHOTS_MAX) throw new SyncError('BAD_ANSWER', 'The log does not fit the snapshot.');
    const next = generation + 1;
    const header = await this.replica.fill(next, this.transport.snapshot(this.signal)).catch((error: unknown) => {
      if (error instanceof ReplicaDivergedError) throw new SyncError('NETWORK', error.message);
      throw error;
    });
    await this.store.transaction(async (tx) => {
      const meta = await metaOf(tx);
      const isRestored = meta.epoch !== null && meta.epoch !== header.epoch;
      const kept = isRestored ? await this.outbox.takeBack(tx, meta) : meta;
      tx.put(META, META_KEY, await this.replica.switchTo(tx, kept, next, header));
    });
    await this.outbox.forgetConfirmed(this.store);
    this.events.emit('stock', { productIds: 'ALL' });
  }

  private count(settled: readonly SettledEntry[]): void {
    this.report.pushed += settled.length;
    for (const { result } of settled) {
      switch (result.status) {
        case 'accepted':
          this.report.accepted += 1;
          break;
        case 'duplicate':
          this.report.duplicates += 1;
          break;
        case 'conflict':
        case 'ignored':
          this.report.conflicts += 1;
          break;
        case 'rejected':
          this.report.rejected += 1;
      }
    }
  }

  private tell(settled: readonly SettledEntry[]): void {
    const productIds = new Set<string>();
    for (const { entry, result, settlement } of settled) {
      if (settlement.is === 'TAKEN') continue;
      if (entry.kind === 'operation') productIds.add(entry.body.product_id);
      if (entry.kind === 'product') productIds.add(entry.body.id);
      if (settlement.is === 'REJECTED') this.events.emit('rejected', { entry, result });
    }
    if (productIds.size > 0) this.events.emit('stock', { productIds: [...productIds] });
  }
}

const KINDS = ['operation', 'product', 'payment'] as const;

/** Entries as pushes that keep to the limits. */
export async function* pushesOf(
  entries: AsyncIterable<OutboxEntry>,
  limits: BatchLimits,
  envelope: Pick<PushRequest, 'client_lamport' | 'device_id'>,
): AsyncGenerator<PushRequest> {
  let batch = new Batch(limits);
  let waiting: OutboxEntry[] = [];
  for await (const entry of entries) {
    waiting.push(entry);
    if (batch.add(entry)) continue;
    const taken = batch.close();
    yield { ...listsOf(taken), ...envelope };
    waiting = waiting.slice(taken.length);
    batch = new Batch(limits);
    for (const one of waiting) batch.add(one);
  }
  const last = batch.close();
  if (last.length > 0) yield { ...listsOf(last), ...envelope };
}

/** The server answers operations first, then products, then payments. */
function inOrderOfResults(entries: readonly OutboxEntry[]): readonly OutboxEntry[] {
  return KINDS.flatMap((kind) => entries.filter((entry) => entry.kind === kind));
}

function listsOf(entries: readonly OutboxEntry[]): Pick<PushRequest, 'operations' | 'products' | 'payments'> {
  return {
    operations: entries.flatMap((entry) => (entry.kind === 'operation' ? entry.body : [])),
    products: entries.flatMap((entry) => (entry.kind === 'product' ? entry.body : [])),
    payments: entries.flatMap((entry) => (entry.kind === 'payment' ? entry.body : [])),
  };
}

function toSyncError(error: unknown): SyncError {
  if (error instanceof SyncError) return error;
  throw error;
}

/** Whether the server may have taken what was pushed all the same. */
function isInDoubt({ status }: SyncError): boolean {
  return status === undefined || status >= 500;
}
