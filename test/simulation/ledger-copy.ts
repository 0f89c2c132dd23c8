import type { PulledPage } from '../support/ledger.js';
import { hash } from 'node:crypto';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { RecordedProduct } from '../../src/inventory/domain/product.js';
import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import type { RecordedPayment } from '../../src/payments/domain/payment.js';

/** What of an event is another with each run: the tenant's id is, and the hashes have it in them. */
const WITHOUT = { tenantId: undefined, contentHash: undefined, chainHash: undefined, syncedAt: undefined };

/** Pulls from a cursor. */
export type Pull = (cursor: number) => Promise<PulledPage>;

/** The tenant's log as one sees it who follows it from the first entry, and believes nothing. */
export class LedgerCopy {
  readonly events: RecordedEvent[] = [];
  readonly products = new Map<string, RecordedProduct>();
  readonly payments = new Map<string, RecordedPayment>();
  readonly conflicts = new Map<string, RecordedConflict>();
  /** Lamport of the last entry. */
  head = 0;
  private mayHaveGrown = true;
  private readonly byId = new Map<string, RecordedEvent>();
  private readonly stocks = new Map<string, number>();

  constructor(private readonly pull: Pull) {}

  eventOf(operationId: string): RecordedEvent | undefined {
    return this.byId.get(operationId);
  }

  /** Of a product right after `lamport`. */
  stockAt(productId: string, lamport: number): number {
    return this.events.findLast((event) => event.productId === productId && event.lamport <= lamport)?.stockAfter ?? 0;
  }

  /** Somebody may have written. */
  expectMore(): void {
    this.mayHaveGrown = true;
  }

  /** Reads what is new. @returns what can't be right about it */
  async follow(): Promise<readonly string[]> {
    const faults: string[] = [];
    for (let hasMore = this.mayHaveGrown; hasMore;) {
      const page = await this.pull(this.head);
      for (const event of page.events) faults.push(...this.append(event, page.nextLamport));
      for (const product of page.products) this.products.set(product.id, product);
      for (const payment of page.payments) this.payments.set(payment.id, payment);
      for (const conflict of page.conflicts) this.conflicts.set(conflict.id, conflict);
      this.head = page.nextLamport;
      ({ hasMore } = page);
    }
    this.mayHaveGrown = false;
    return faults;
  }

  /** Reads all of it again. @returns where that is not what was read before */
  async readAgain(): Promise<readonly string[]> {
    const again = new LedgerCopy(this.pull);
    const faults = [...(await again.follow())];
    again.events.forEach((event, index) => {
      const before = this.events[index];
      if (!before || before.lamport > event.lamport)
        faults.push(`I4: ${event.lamport} came after the pull that passed it`);
      else if (textOf(before) !== textOf(event)) faults.push(`I5: ${event.lamport} was changed`);
    });
    if (again.events.length < this.events.length) faults.push('I5: events are gone');
    if (statesOf(again) !== statesOf(this)) faults.push('I4: a product, a payment or a conflict was not pulled');
    return faults.slice(0, 3);
  }

  /** Of all that the log says but for server times: the same for the same pushes in the same order (I8). */
  digest(): string {
    const said = this.events.map((event) => ({ ...event, ...WITHOUT }));
    // Sides by their devices: an edit's id is made of all that it says, and the tenant is a part of that.
    const settled = sorted(this.conflicts).map(({ kind, status, entityId, a, b, resolution, lamport }) => [
      ...[kind, status, entityId, a.deviceId, b.deviceId, resolution?.verdict, lamport],
    ]);
    const states = [...sorted(this.products), ...sorted(this.payments)].map(({ id, fields, version }) => [
      id,
      fields,
      version,
    ]);
    return hash('sha256', textOf([said, settled, states]));
  }

  /** One line for each event, for people. */
  lines(): readonly string[] {
    const nameOf = (id: string | null): string => (id === null ? '' : ` of ${this.byId.get(id)?.lamport ?? id}`);
    return this.events.map(
      ({
        lamport,
        kind,
        delta,
        reason,
        paymentStatus,
        refOperationId,
        productId,
        disposition,
        effect,
        stockAfter,
        ...event
      }) =>
        `${lamport}: ${event.deviceId.slice(0, 4)} ${kind} ${delta} ${reason} ${paymentStatus ?? ''}${nameOf(refOperationId)}` +
        ` at ${event.baseLamport}, product ${productId.slice(0, 4)}: ${disposition}, ${effect} to ${stockAfter}`,
    );
  }

  private append(event: RecordedEvent, next: number): readonly string[] {
    const { lamport, operationId, productId, effect, stockAfter } = event;
    const faults: string[] = [];
    const last = this.events.at(-1)?.lamport ?? 0;
    if (lamport <= Math.max(last, this.head) || lamport > next)
      faults.push(`I4: ${lamport} comes after ${last} in a page from ${this.head} to ${next}`);
    if (this.byId.has(operationId)) faults.push(`I2: ${operationId} is in the log twice`);
    const stock = (this.stocks.get(productId) ?? 0) + effect;
    if (stock !== stockAfter) faults.push(`I1: stock after ${lamport} is ${stockAfter}, effects come to ${stock}`);
    this.stocks.set(productId, stock);
    this.byId.set(operationId, event);
    this.events.push(event);
    return faults;
  }
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part,
  );
}

function statesOf({ products, payments, conflicts }: LedgerCopy): string {
  return textOf([sorted(products), sorted(payments), sorted(conflicts)]);
}

/** In the order of the log, and not of ids, which may be new with each run. */
export function sorted<T extends { readonly id: string; readonly lamport: number }>(
  states: ReadonlyMap<string, T>,
): T[] {
  return [...states.values()].sort((one, other) => one.lamport - other.lamport);
}
