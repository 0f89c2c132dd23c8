import { Batch, type BatchLimits } from './domain/batch.js';
import { entityOf, groupOf, type OutboxEntry, type Recorded, type RejectedEntry } from './domain/entry.js';
import { type Settlement, settlementOf } from './domain/settlement.js';
import type { PendingView } from './pending-view.js';
import type { Store, StoreTransaction } from './storage/store.js';
import {
  ACKNOWLEDGED,
  JOURNAL,
  lamportKey,
  lamportKeyOf,
  type Meta,
  metaOf,
  OPERATIONS,
  OUTBOX,
  REJECTED,
} from './storage/tables.js';
import type { EntryResult } from './wire.js';

const FORGOTTEN_AT_ONCE = 1_000;

/** An entry with what the server said of it. */
export interface SettledEntry {
  readonly entry: OutboxEntry;
  readonly result: EntryResult;
  readonly settlement: Settlement;
}

/**
 * What the device has recorded and the server has not answered yet. An entry is stored before it is first sent, and leaves
 * on the server's word alone.
 */
export class Outbox {
  constructor(
    private readonly pending: PendingView,
    private readonly journalEntriesMax: number,
  ) {}

  /** Takes what was recorded at these lamports, with what it does to what the device shows. */
  async add(
    tx: StoreTransaction,
    meta: Meta,
    recorded: readonly (Recorded & { readonly lamport: number })[],
  ): Promise<Meta> {
    for (const one of recorded) {
      const entry: OutboxEntry = { ...one, bytes: new TextEncoder().encode(JSON.stringify(one.body)).length };
      this.enter(tx, entry);
      await this.pending.add(tx, entry);
    }
    return { ...meta, waiting: meta.waiting + recorded.length };
  }

  /** The oldest that fit in one push. */
  async next(tx: StoreTransaction, limits: BatchLimits): Promise<readonly OutboxEntry[]> {
    const batch = new Batch(limits);
    for await (const [, entry] of tx.rows(OUTBOX)) if (!batch.add(entry)) break;
    return batch.close();
  }

  /**
   * Enters what the server said of the entries of a push.
   * @param results in the order of `entries`
   */
  async settle(
    tx: StoreTransaction,
    meta: Meta,
    entries: readonly OutboxEntry[],
    results: readonly EntryResult[],
    rejectedAt: string,
  ): Promise<{ readonly meta: Meta; readonly settled: readonly SettledEntry[] }> {
    const settled: SettledEntry[] = [];
    // Another tab may have been answered for them meanwhile, or the app has discarded one.
    const kept = await tx.getMany(
      OUTBOX,
      entries.map(({ lamport }) => lamportKey(lamport)),
    );
    for (const [index, entry] of kept.entries()) {
      const result = results[index];
      if (!entry || !result) continue;
      const settlement = settlementOf(result);
      this.leave(tx, entry);
      await this.carryOut(tx, meta, entry, result, settlement, rejectedAt);
      settled.push({ entry, result, settlement });
    }
    const journaled = settled.filter(({ settlement }) => settlement.is !== 'REJECTED').length;
    const left = { ...meta, waiting: meta.waiting - settled.length, journaled: meta.journaled + journaled };
    return { meta: await this.prune(tx, left), settled };
  }

  /** Puts a rejected entry back at the end of the outbox, with the others of its group. */
  async retry(
    tx: StoreTransaction,
    meta: Meta,
    lamport: number,
    change: (entry: RejectedEntry) => Recorded,
  ): Promise<Meta> {
    const chosen = await tx.get(REJECTED, lamportKey(lamport));
    if (!chosen) return meta;
    const group = groupOf(chosen);
    const again: RejectedEntry[] = [];
    if (group === undefined) again.push(chosen);
    else for await (const [, entry] of tx.rows(REJECTED)) if (groupOf(entry) === group) again.push(entry);
    let { clock } = meta;
    const recorded = again.map((entry) => {
      tx.remove(REJECTED, lamportKey(entry.lamport));
      clock += 1;
      const { kind, body } = entry === chosen ? change(entry) : entry;
      return { kind, body: { ...body, lamport_ts: clock }, lamport: clock } as Recorded & { lamport: number };
    });
    return this.add(
      tx,
      { ...meta, clock },
      recorded.map((one) => withBase(one, meta.base)),
    );
  }

  /** Forgets a rejected entry. */
  discard(tx: StoreTransaction, meta: Meta, lamport: number): Promise<Meta> {
    tx.remove(REJECTED, lamportKey(lamport));
    return Promise.resolve(meta);
  }

  /** Puts everything back that the server has taken: it has lost some of it, and what it has not it knows again by its id. */
  async takeBack(tx: StoreTransaction, meta: Meta): Promise<Meta> {
    for await (const [key] of tx.rows(ACKNOWLEDGED)) tx.remove(ACKNOWLEDGED, key);
    let { waiting } = meta;
    for await (const [key, entry] of tx.rows(JOURNAL)) {
      tx.remove(JOURNAL, key);
      this.enter(tx, entry);
      waiting += 1;
    }
    return { ...meta, waiting, journaled: 0 };
  }

  /** What the log has up to this lamport is confirmed by the replica from now on. */
  async confirm(tx: StoreTransaction, upTo: number): Promise<void> {
    for await (const [key, entry] of tx.rows(ACKNOWLEDGED, { before: lamportKey(upTo + 1) })) {
      tx.remove(ACKNOWLEDGED, key);
      await this.pending.drop(tx, entry);
    }
  }

  /**
   * Lamports of all that is recorded and a snapshot of this lamport lacks: what waits, and what was taken since. A set of
   * numbers is all that is in memory of a long outbox.
   */
  async lamportsBeyond(tx: StoreTransaction, snapshotLamport: number): Promise<ReadonlySet<number>> {
    const found = new Set<number>();
    for await (const [, { lamport }] of tx.rows(OUTBOX)) found.add(lamport);
    for await (const [, { lamport }] of tx.rows(ACKNOWLEDGED, { from: lamportKey(snapshotLamport + 1) }))
      found.add(lamport);
    return found;
  }

  /**
   * Forgets what was acknowledged and a snapshot has that counts by now, a few at a time: a device that was offline for a
   * year has hundreds of thousands. If it is cut, the rest is left for the next time.
   */
  async forgetConfirmed(store: Store): Promise<void> {
    let isMore = true;
    while (isMore) {
      isMore = await store.transaction(async (tx) => {
        const { base } = await metaOf(tx);
        let forgotten = 0;
        for await (const [key, entry] of tx.rows(ACKNOWLEDGED, { before: lamportKey(base + 1) })) {
          if (forgotten === FORGOTTEN_AT_ONCE) return true;
          tx.remove(ACKNOWLEDGED, key);
          await this.pending.forget(tx, entry);
          forgotten += 1;
        }
        // Whatever was summed up meanwhile may have had some of it.
        if (forgotten > 0) await this.pending.sumAnew(tx);
        return false;
      });
    }
  }

  /** The log has these operations, though the answer that said so was lost: their effect is confirmed, and not pending. */
  async confirmOperations(tx: StoreTransaction, operationIds: readonly string[]): Promise<void> {
    const lamports = await tx.getMany(OPERATIONS, operationIds);
    for (const lamport of lamports) {
      const entry = lamport === undefined ? undefined : await tx.get(OUTBOX, lamportKey(lamport));
      if (entry) await this.pending.drop(tx, { kind: entry.kind, lamport: entry.lamport, entityId: entityOf(entry) });
    }
  }

  private enter(tx: StoreTransaction, entry: OutboxEntry): void {
    tx.put(OUTBOX, lamportKey(entry.lamport), entry);
    if (entry.kind === 'operation') tx.put(OPERATIONS, entry.body.operation_id ?? '', entry.lamport);
  }

  private leave(tx: StoreTransaction, entry: OutboxEntry): void {
    tx.remove(OUTBOX, lamportKey(entry.lamport));
    if (entry.kind === 'operation') tx.remove(OPERATIONS, entry.body.operation_id ?? '');
  }

  private async carryOut(
    tx: StoreTransaction,
    meta: Meta,
    entry: OutboxEntry,
    result: EntryResult,
    settlement: Settlement,
    rejectedAt: string,
  ): Promise<void> {
    const { kind, lamport } = entry;
    const acknowledged = { kind, lamport, entityId: entityOf(entry) };
    const key = lamportKey(lamport);
    switch (settlement.is) {
      case 'TAKEN': {
        tx.put(JOURNAL, key, entry);
        const { serverLamport } = settlement;
        if (serverLamport <= meta.base) await this.pending.drop(tx, acknowledged);
        else tx.put(ACKNOWLEDGED, lamportKeyOf(lamportKey(serverLamport), lamport), acknowledged);
        return;
      }
      case 'WITHOUT_EFFECT':
        tx.put(JOURNAL, key, entry);
        await this.pending.drop(tx, acknowledged);
        return;
      case 'REJECTED': {
        const { code = 'REJECTED', message, errors = [], suggestion = null } = result;
        tx.put(REJECTED, key, { ...entry, code, message, errors, suggestion, rejectedAt });
        await this.pending.drop(tx, acknowledged);
      }
    }
  }

  /** A tenth at a time, so that not every push has to look for the oldest. */
  private async prune(tx: StoreTransaction, meta: Meta): Promise<Meta> {
    if (meta.journaled <= this.journalEntriesMax * 1.1) return meta;
    let { journaled } = meta;
    for await (const [key] of tx.rows(JOURNAL)) {
      if (journaled <= this.journalEntriesMax) break;
      tx.remove(JOURNAL, key);
      journaled -= 1;
    }
    return { ...meta, journaled };
  }
}

/** What is tried again is decided by what the device knows now. */
function withBase<R extends Recorded>(recorded: R, base: number): R {
  return recorded.kind === 'operation' ? { ...recorded, body: { ...recorded.body, base_lamport: base } } : recorded;
}
