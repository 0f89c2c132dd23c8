import { type AcknowledgedEntry, entityOf, type OutboxEntry } from './domain/entry.js';
import {
  changeOf,
  NOTHING_PENDING,
  type PendingStock,
  type StockChange,
  sumOf,
  withChange,
  withoutChange,
} from './domain/optimistic-stock.js';
import type { StoreTransaction, Table } from './storage/store.js';
import {
  CHANGES,
  entityOfKey,
  HOLDS,
  lamportKeyOf,
  PAYMENT_EDITS,
  PENDING,
  PRODUCT_EDITS,
  rangeOf,
} from './storage/tables.js';
import type { Operation, StockEvent } from './wire.js';

/** What the device shows on top of what the server said: all that it has recorded and no pull has brought yet. */
export class PendingView {
  async add(tx: StoreTransaction, entry: OutboxEntry): Promise<void> {
    const { kind, body, lamport } = entry;
    const key = lamportKeyOf(entityOf(entry), lamport);
    switch (kind) {
      case 'operation':
        return this.addOperation(tx, body, key);
      case 'product':
        tx.put(PRODUCT_EDITS, key, body);
        return;
      case 'payment':
        tx.put(PAYMENT_EDITS, key, body);
    }
  }

  /** The replica has it now, or it has no effect; once, whoever says so again. */
  async drop(tx: StoreTransaction, { kind, lamport, entityId }: AcknowledgedEntry): Promise<void> {
    const key = lamportKeyOf(entityId, lamport);
    switch (kind) {
      case 'operation':
        return this.dropChange(tx, entityId, key);
      case 'product':
        tx.remove(PRODUCT_EDITS, key);
        return;
      case 'payment':
        tx.remove(PAYMENT_EDITS, key);
    }
  }

  /** As `drop`, of what a snapshot has: what operations come to was taken out of the sums when it began to count. */
  async forget(tx: StoreTransaction, entry: AcknowledgedEntry): Promise<void> {
    if (entry.kind === 'operation') tx.remove(CHANGES, lamportKeyOf(entry.entityId, entry.lamport));
    else await this.drop(tx, entry);
  }

  /**
   * Makes what is shown of each product's stock what its changes come to. It keeps a sum for each product in memory, and
   * no change.
   * @param counts whether the operation of this lamport is one of them still
   */
  async sumAnew(tx: StoreTransaction, counts: (lamport: number) => boolean = () => true): Promise<void> {
    const sums = new Map<string, PendingStock>();
    for await (const [key, change] of tx.rows(CHANGES)) {
      if (!counts(change.at)) continue;
      const productId = entityOfKey(key);
      sums.set(productId, withChange(sums.get(productId) ?? NOTHING_PENDING, change));
    }
    for await (const [productId] of tx.rows(PENDING)) if (!sums.has(productId)) tx.remove(PENDING, productId);
    for (const [productId, pending] of sums) tx.put(PENDING, productId, pending);
  }

  /** What reservations hold by what the log says of them. */
  async followHolds(tx: StoreTransaction, events: readonly StockEvent[]): Promise<void> {
    const named = await tx.getMany(
      HOLDS,
      events.map((event) => event.ref_operation_id ?? ''),
    );
    const holds = new Map<string, number>();
    events.forEach((event, index) => {
      const { ref_operation_id: ref, operation, reason, disposition, delta } = event;
      const held = ref === null ? undefined : (holds.get(ref) ?? named[index]);
      if (operation === 'DECREMENT' && reason === 'RESERVATION' && disposition === 'APPLIED') {
        holds.set(event.operation_id, delta);
      }
      if (ref === null || held === undefined) return;
      if (operation === 'VOID' || (operation === 'DECREMENT' && reason === 'SALE')) holds.set(ref, 0);
      if (operation === 'INCREMENT' && reason === 'CANCEL') holds.set(ref, Math.max(0, held - delta));
    });
    for (const [operationId, units] of holds) keepHold(tx, operationId, units);
  }

  private async addOperation(tx: StoreTransaction, operation: Operation, key: string): Promise<void> {
    const { operation_id, operation: does, product_id, reason, ref_operation_id: ref, delta } = operation;
    const held = ref == null ? 0 : ((await tx.get(HOLDS, ref)) ?? 0);
    const confirms = does === 'DECREMENT' && reason === 'SALE' && held > 0;
    const change = changeOf(operation, confirms ? held : 0);
    tx.put(CHANGES, key, change);
    tx.put(PENDING, product_id, withChange((await tx.get(PENDING, product_id)) ?? NOTHING_PENDING, change));
    if (does === 'DECREMENT' && reason === 'RESERVATION') keepHold(tx, operation_id ?? '', delta);
    if (confirms) keepHold(tx, ref ?? '', 0);
    if (does === 'INCREMENT' && reason === 'CANCEL' && held > 0) keepHold(tx, ref ?? '', held - delta);
  }

  private async dropChange(tx: StoreTransaction, productId: string, key: string): Promise<void> {
    const [change, pending] = [await tx.get(CHANGES, key), await tx.get(PENDING, productId)];
    if (!change || !pending) return;
    tx.remove(CHANGES, key);
    const left = withoutChange(pending, change) ?? (await sumOfChanges(tx, CHANGES, productId));
    if (left.entries > 0) tx.put(PENDING, productId, left);
    else tx.remove(PENDING, productId);
  }
}

function keepHold(tx: StoreTransaction, operationId: string, units: number): void {
  if (units > 0) tx.put(HOLDS, operationId, units);
  else tx.remove(HOLDS, operationId);
}

async function sumOfChanges(
  tx: StoreTransaction,
  changes: Table<StockChange>,
  productId: string,
): Promise<PendingStock> {
  const left: StockChange[] = [];
  for await (const [, change] of tx.rows(changes, rangeOf(productId))) left.push(change);
  return sumOf(left);
}
