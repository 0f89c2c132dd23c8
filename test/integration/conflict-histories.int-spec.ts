import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { ResolutionOrder } from '../../src/conflicts/domain/resolution-order.js';
import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import { ProblemError } from '../../src/problems/problem.js';
import type { PushOutcome } from '../../src/sync/domain/push-outcome.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

const NUM_RUNS = Number(process.env['CONFLICT_HISTORIES'] ?? 30);
const TIMEOUT_MS = Math.max(300_000, NUM_RUNS * 2_000);
const PERSON = randomUUID();
const PRODUCTS = ['7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01', '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a02'];
const HOUR_MS = 3_600_000;

/** What a device does while nobody hears of it. */
interface Deed {
  readonly what: 'RESTOCK' | 'SALE' | 'RESERVATION' | 'DAMAGE' | 'COUNT' | 'CANCEL' | 'CONFIRM';
  readonly product: number;
  readonly delta: number;
  readonly payment: 'PAID' | 'PENDING' | 'CANCELLED' | null;
  /** Which of the operations that the device knows it names. */
  readonly named: number;
  /** Hours before now; null: it doesn't say. */
  readonly hoursAgo: number | null;
  readonly saysBase: boolean;
}

type Step =
  | { readonly step: 'record'; readonly device: number; readonly deed: Deed }
  | { readonly step: 'push' | 'pull'; readonly device: number; readonly size: number }
  | { readonly step: 'settle' }
  | { readonly step: 'resolve'; readonly which: number; readonly order: 'A' | 'B' | 'BOTH' | 'NEITHER' | 'SUGGESTION' };

const device = fc.nat({ max: 3 });
const deeds: fc.Arbitrary<Deed> = fc.record({
  what: fc.constantFrom('RESTOCK', 'SALE', 'SALE', 'SALE', 'RESERVATION', 'DAMAGE', 'COUNT', 'CANCEL', 'CONFIRM'),
  product: fc.nat({ max: PRODUCTS.length - 1 }),
  delta: fc.integer({ min: 1, max: 6 }),
  payment: fc.constantFrom('PAID', 'PENDING', 'CANCELLED', null),
  named: fc.nat({ max: 30 }),
  hoursAgo: fc.option(fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10)),
  saysBase: fc.boolean(),
});
const stepsOf = (recorded: fc.Arbitrary<Deed>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ step: fc.constant('record' as const), device, deed: recorded }) },
    {
      weight: 4,
      arbitrary: fc.record({
        step: fc.constantFrom('push' as const, 'push' as const, 'pull' as const),
        device,
        size: fc.integer({ min: 1, max: 8 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ step: 'settle' } as const) },
    {
      weight: 1,
      arbitrary: fc.record({
        step: fc.constant('resolve' as const),
        which: fc.nat({ max: 20 }),
        order: fc.constantFrom('A', 'B', 'BOTH', 'NEITHER', 'SUGGESTION'),
      }),
    },
  );
const steps = stepsOf(deeds);

/** What stock is where nobody counted it: all that came and went and stands, each once, whoever decided on it. */
function sumOfWhatStands(events: readonly RecordedEvent[]): number {
  const decided = (kind: RecordedEvent['kind']) =>
    new Map(events.filter((event) => event.kind === kind).map((event) => [event.refOperationId, event.lamport]));
  const [released, voided] = [decided('RELEASE'), decided('VOID')];
  /** Since when it had an effect, be it that it was taken back later. */
  const effectiveAt = ({ operationId, disposition, lamport }: RecordedEvent) =>
    disposition === 'APPLIED' ? lamport : released.get(operationId);
  const standing = events.filter((event) => effectiveAt(event) !== undefined && !voided.has(event.operationId));
  const sales = events.filter(({ kind, reason }) => kind === 'DECREMENT' && reason === 'SALE');
  // The sale of what was reserved takes the place of the reservation, and takes it along if it is taken back.
  const isSold = (reservation: RecordedEvent) =>
    sales.some((sale) => {
      const from = effectiveAt(sale);
      if (sale.refOperationId !== reservation.operationId || from === undefined) return false;
      return standing.includes(sale) || from > (effectiveAt(reservation) ?? Infinity);
    });
  return standing.reduce((sum, event) => {
    const { operationId, refOperationId, kind, reason, delta } = event;
    if (kind === 'INCREMENT') return reason === 'CANCEL' && refOperationId !== null ? sum : sum + delta;
    if (kind !== 'DECREMENT' || (reason === 'RESERVATION' && isSold(event))) return sum;
    const back = standing.filter(
      (e) => e.refOperationId === operationId && e.kind === 'INCREMENT' && e.reason === 'CANCEL',
    );
    return sum - delta + back.reduce((units, cancellation) => units + cancellation.delta, 0);
  }, 0);
}

/** A device with its own clock, an outbox, and a replica that adds up effects. */
class Till {
  clock = 0;
  /** The last lamport it has applied. */
  base = 0;
  readonly outbox: OperationDto[] = [];
  readonly outcomes = new Map<string, PushOutcome>();
  readonly known: { id: string; product: string }[] = [];
  readonly stock = new Map<string, number>();
  readonly events: number[] = [];

  constructor(
    private readonly tenantId: string,
    readonly id: string,
  ) {}

  record({ what, product, delta, payment, named, hoursAgo, saysBase }: Deed): void {
    this.clock = Math.max(this.clock, this.base) + 1;
    const target = this.known[named % Math.max(1, this.known.length)];
    const product_id = PRODUCTS[product] ?? '';
    const fields = {
      RESTOCK: { operation: 'INCREMENT', reason: 'RESTOCK' },
      SALE: { operation: 'DECREMENT', reason: 'SALE', payment_status: payment },
      RESERVATION: { operation: 'DECREMENT', reason: 'RESERVATION', payment_status: payment },
      DAMAGE: { operation: 'DECREMENT', reason: 'DAMAGE' },
      COUNT: { operation: 'SET', reason: 'COUNT' },
      CANCEL: { operation: 'INCREMENT', reason: 'CANCEL', ref_operation_id: target?.id ?? null },
      CONFIRM: { operation: 'DECREMENT', reason: 'SALE', payment_status: 'PAID', ref_operation_id: target?.id ?? null },
    } as const;
    const names = what === 'CANCEL' || what === 'CONFIRM';
    const operation = anOperation({
      ...{ tenant_id: this.tenantId, device_id: this.id, delta, lamport_ts: this.clock, ...fields[what] },
      product_id: names && target ? target.product : product_id,
      ...(saysBase && { base_lamport: this.base }),
      created_at: hoursAgo === null ? null : new Date(Date.now() - hoursAgo * HOUR_MS).toISOString(),
    });
    this.outbox.push(operation);
    this.known.push({ id: operation.operation_id ?? '', product: operation.product_id });
  }

  /** Where, among what it knows, the last sale of its own is that has units left to bring back; −1 if there is none. */
  lastSaleWithUnits(): number {
    const isLeft = ({ operation_id: id, reason, delta }: OperationDto) => {
      const back = this.outbox.filter(({ ref_operation_id }) => ref_operation_id === id);
      return reason === 'SALE' && back.reduce((units, one) => units + one.delta, 0) < delta;
    };
    const sale = this.outbox.findLast(isLeft);
    return this.known.findIndex(({ id }) => id === sale?.operation_id);
  }

  apply(events: readonly RecordedEvent[], nextLamport: number): void {
    for (const { lamport, productId, effect, operationId, deviceId } of events) {
      expect(lamport).toBeGreaterThan(this.base);
      this.events.push(lamport);
      this.stock.set(productId, (this.stock.get(productId) ?? 0) + effect);
      if (deviceId !== this.id) this.known.push({ id: operationId, product: productId });
    }
    this.base = nextLamport;
    this.clock = Math.max(this.clock, nextLamport);
  }
}

describe('histories of several devices, with rules, heuristics and people', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  async function tillsOf(count: number): Promise<{ tenantId: string; tills: Till[] }> {
    const { tenantId, deviceId } = await ledger.addTenant();
    const ids = [deviceId];
    while (ids.length < count) ids.push(await ledger.addDevice(tenantId));
    return { tenantId, tills: ids.map((id) => new Till(tenantId, id)) };
  }

  async function push(tenantId: string, till: Till, size: number): Promise<void> {
    const batch = till.outbox.slice(0, size);
    if (batch.length === 0) return;
    const { outcomes } = await ledger.push(tenantId, till.id, batch);
    till.outbox.splice(0, batch.length);
    batch.forEach(({ operation_id: id }, index) => {
      const outcome = outcomes[index];
      if (outcome) till.outcomes.set(id ?? '', outcome);
    });
  }

  async function pull(tenantId: string, till: Till, size: number): Promise<void> {
    for (;;) {
      const page = await ledger.pull(tenantId, till.id, till.base, size);
      till.apply(page.events, page.nextLamport);
      if (!page.hasMore) return;
    }
  }

  const conflictsOf = async (tenantId: string, till: Till): Promise<readonly RecordedConflict[]> =>
    (await ledger.pull(tenantId, till.id, 0)).conflicts;

  /** Some decisions don't fit any more, and say so. */
  async function resolve(tenantId: string, conflict: RecordedConflict, order: ResolutionOrder): Promise<void> {
    try {
      await ledger.resolutions.resolve(tenantId, PERSON, conflict.id, order);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      expect(['ALREADY_RESOLVED', 'RESOLUTION_OVERTAKEN', 'VALIDATION']).toContain(error.code);
    }
  }

  async function take(tenantId: string, tills: readonly Till[], step: Step): Promise<void> {
    switch (step.step) {
      case 'record':
        tills[step.device % tills.length]?.record(step.deed);
        return;
      case 'push':
      case 'pull': {
        const till = tills[step.device % tills.length];
        if (till) await (step.step === 'push' ? push : pull)(tenantId, till, step.size);
        return;
      }
      case 'settle':
        expect((await ledger.resolutions.settleAwaiting(tenantId)).failures).toEqual([]);
        return;
      case 'resolve': {
        const [till] = tills;
        const pending = till ? (await conflictsOf(tenantId, till)).filter(({ awaits }) => awaits) : [];
        const conflict = pending[step.which % Math.max(1, pending.length)];
        if (!conflict) return;
        const { a, b } = conflict;
        const feedback = null;
        if (step.order === 'A' || step.order === 'B') {
          await resolve(tenantId, conflict, { order: 'WINNER', winnerId: step.order === 'A' ? a.id : b.id, feedback });
        } else await resolve(tenantId, conflict, { order: step.order, winnerId: null, feedback });
      }
    }
  }

  /** All that must hold once everybody has pushed and pulled, and the heuristics have looked. */
  async function expectSound(tenantId: string, tills: readonly Till[]): Promise<void> {
    const [reader] = tills;
    if (!reader) throw new Error('There are tills');
    expect(await ledger.verify(tenantId)).toEqual([]); // I1
    const { events, conflicts, serverLamport } = await ledger.pull(tenantId, reader.id, 0);
    const levels = await ledger.database.transaction(tenantId, (tx) =>
      tx.manager.query<{ product_id: string; quantity: number }[]>('SELECT product_id, quantity FROM stock_levels'),
    );
    for (const till of tills) {
      expect(till.events).toEqual(events.map(({ lamport }) => lamport)); // I4
      expect([...till.stock].sort()).toEqual(levels.map((level) => [level.product_id, level.quantity]).sort()); // I7
      for (const [id, outcome] of till.outcomes) {
        const found = events.filter(({ operationId }) => operationId === id);
        expect(found).toHaveLength(outcome.status === 'rejected' ? 0 : 1); // I2, I3
      }
    }
    const decided = new Set(
      events.filter(({ kind }) => kind === 'VOID' || kind === 'RELEASE').map((e) => e.refOperationId),
    );
    const held = events
      .filter((e) => e.disposition === 'HELD' && !decided.has(e.operationId))
      .map((e) => e.operationId);
    const waiting = conflicts.filter(({ awaits }) => awaits !== null);
    expect(waiting.map(({ a }) => a.id).sort()).toEqual(held.sort());
    expect(waiting.every(({ awaits }) => awaits === 'PERSON')).toBe(true);
    // No machine takes a paid sale back for another claim.
    for (const { kind, resolution, b } of conflicts) {
      const loses = kind === 'OVERSELL' && resolution?.verdict === 'A' && resolution.method !== 'MANUAL';
      if (!loses) continue;
      expect(b.payload['paymentStatus']).not.toBe('PAID');
      expect(b.payload['reason']).not.toBe('DAMAGE');
    }
    expect(await ledger.resolutions.settleAwaiting(tenantId)).toEqual({ settled: 0, suggested: 0, failures: [] });
    expect((await ledger.pull(tenantId, reader.id, 0)).serverLamport).toBe(serverLamport);
  }

  async function comeTogether(tenantId: string, tills: readonly Till[]): Promise<void> {
    for (const till of tills) await push(tenantId, till, 1_000);
    expect((await ledger.resolutions.settleAwaiting(tenantId)).failures).toEqual([]);
    for (const till of tills) await pull(tenantId, till, 1_000);
  }

  it(
    'keep the ledger sound, and leave no conflict to nobody (I1 to I4, I7)',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 2, max: 5 }),
          fc.constantFrom('CONTENTION' as const, 'CONCURRENCY' as const),
          fc.constantFrom(0, 0.8, 1),
          fc.array(steps, { minLength: 20, maxLength: 70 }),
          async (count, conflictDetection, heuristicThreshold, history) => {
            const { tenantId, tills } = await tillsOf(count);
            await ledger.database.transaction(tenantId, (tx) =>
              new TenantRepository().updateSettings(tx, { conflictDetection, heuristicThreshold }),
            );
            for (const step of history) await take(tenantId, tills, step);
            await comeTogether(tenantId, tills);
            await expectSound(tenantId, tills);
            // People decide what is left, each thing once, and twice the same.
            const [till] = tills;
            if (!till) return;
            for (const conflict of (await conflictsOf(tenantId, till)).filter(({ awaits }) => awaits)) {
              const decide = (order: ResolutionOrder) =>
                ledger.resolutions.resolve(tenantId, PERSON, conflict.id, order);
              let order: ResolutionOrder = { order: 'WINNER', winnerId: conflict.b.id, feedback: null };
              const once = await decide(order).catch((error: unknown) => {
                // The other side may be gone by now. What is left is to let it fall alone, unless that settled it.
                expect(error).toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
                order = { order: 'NEITHER', winnerId: null, feedback: null };
                return decide(order).catch(() => undefined);
              });
              if (once) expect(await decide(order)).toEqual(once);
            }
            await comeTogether(tenantId, tills);
            await expectSound(tenantId, tills);
            expect((await conflictsOf(tenantId, till)).filter(({ awaits }) => awaits)).toEqual([]);
          },
        ),
        { numRuns: NUM_RUNS, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'come to what stands, each once, where nobody counts: sales, reservations, cancellations and what becomes of them',
    async () => {
      const uncounted = deeds.filter(({ what }) => what !== 'COUNT');
      await fc.assert(
        fc.asyncProperty(fc.array(stepsOf(uncounted), { minLength: 20, maxLength: 60 }), async (history) => {
          const { tenantId, tills } = await tillsOf(3);
          const [shop] = tills;
          if (!shop) return;
          const products = PRODUCTS.map((id) => aProductEdit({ id, sku: id, current_stock: 8, lamport_ts: 1 }));
          await ledger.push(tenantId, shop.id, { products });
          // What was sold before they knew of the deletion is held, with all that hangs on it.
          const deletedAt = Math.floor(history.length / 3);
          for (const [index, step] of history.entries()) {
            await take(tenantId, tills, step);
            if (index !== deletedAt) continue;
            const { serverLamport } = await ledger.pull(tenantId, shop.id, 0);
            const deletion = { id: PRODUCTS[0] ?? '', is_deleted: true, lamport_ts: serverLamport + 1 };
            await ledger.push(tenantId, shop.id, { products: [aProductEdit(deletion)] });
          }
          await comeTogether(tenantId, tills);
          await expectSound(tenantId, tills);
          const { events } = await ledger.pull(tenantId, shop.id, 0);
          for (const id of PRODUCTS) {
            expect(shop.stock.get(id)).toBe(sumOfWhatStands(events.filter(({ productId }) => productId === id)));
          }
        }),
        { numRuns: NUM_RUNS, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'come to the same stock in whatever order pushes arrive that commute',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.tuple(device, fc.constantFrom('RESTOCK' as const, 'SALE' as const), fc.integer({ min: 1, max: 9 })),
            {
              minLength: 4,
              maxLength: 16,
            },
          ),
          fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
          async (deedsOfAll, keys) => {
            const stocks: unknown[] = [];
            for (const order of [[0, 1, 2, 3], [0, 1, 2, 3].sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0))]) {
              const { tenantId, tills } = await tillsOf(4);
              const blank = { product: 0, payment: 'PENDING', named: 0, hoursAgo: null, saysBase: true } as const;
              tills[0]?.record({ ...blank, what: 'RESTOCK', delta: 1_000 });
              if (tills[0]) await push(tenantId, tills[0], 1);
              for (const till of tills) await pull(tenantId, till, 10);
              for (const [which, what, delta] of deedsOfAll) tills[which]?.record({ ...blank, what, delta });
              for (const which of order) if (tills[which]) await push(tenantId, tills[which], 100);
              expect(await conflictsOf(tenantId, tills[0] ?? new Till('', ''))).toEqual([]);
              for (const till of tills) await pull(tenantId, till, 100);
              stocks.push(tills.map(({ stock }) => [...stock.values()]));
            }
            expect(stocks[1]).toEqual(stocks[0]);
          },
        ),
        { numRuns: Math.ceil(NUM_RUNS / 3) },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'let the paid sale have the last goods, in whatever order it and unpaid claims arrive',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 3 }), fc.integer({ min: 1, max: 5 }), async (place, delta) => {
          const { tenantId, tills } = await tillsOf(4);
          const blank = { product: 0, named: 0, hoursAgo: null, saysBase: true } as const;
          tills[0]?.record({ ...blank, what: 'RESTOCK', delta: 5, payment: null });
          if (tills[0]) await push(tenantId, tills[0], 1);
          for (const till of tills) await pull(tenantId, till, 10);
          for (const [index, till] of tills.entries()) {
            const payment = index === place ? 'PAID' : 'PENDING';
            till.record({ ...blank, what: 'SALE', delta: index === place ? 5 : delta, payment });
            await push(tenantId, till, 1);
          }
          await comeTogether(tenantId, tills);
          const { events, conflicts } = await ledger.pull(tenantId, tills[0]?.id ?? '', 0);
          const paid = events.find(({ paymentStatus }) => paymentStatus === 'PAID');
          expect(paid?.disposition).toBe('APPLIED');
          expect(
            events.some(({ kind, refOperationId }) => kind === 'VOID' && refOperationId === paid?.operationId),
          ).toBe(false);
          expect(tills.map(({ stock }) => stock.get(PRODUCTS[0] ?? ''))).toEqual([0, 0, 0, 0]);
          expect(conflicts.filter(({ awaits }) => awaits)).toEqual([]);
        }),
        { numRuns: Math.ceil(NUM_RUNS / 3) },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'come to what is truly on the shelf, whoever counted it when, if clocks are right',
    async () => {
      const happenings = fc.array(
        fc.record({
          device: fc.nat({ max: 2 }),
          what: fc.constantFrom('SALE', 'SALE', 'RESTOCK', 'COUNT', 'RETURN'),
          delta: fc.integer({ min: 1, max: 5 }),
        }),
        { minLength: 2, maxLength: 9 },
      );
      await fc.assert(
        fc.asyncProperty(
          happenings,
          fc.constantFrom([0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]),
          async (day, order) => {
            const { tenantId, tills } = await tillsOf(3);
            const blank = { product: 0, payment: 'PAID', named: 0, saysBase: true } as const;
            tills[0]?.record({ ...blank, what: 'RESTOCK', delta: 100, hoursAgo: 100 });
            if (tills[0]) await push(tenantId, tills[0], 1);
            for (const till of tills) await pull(tenantId, till, 10);
            // All are offline now. Things go missing that nobody records: only a count finds out.
            let shelf = 90;
            let counted = false;
            const counts = day.filter(({ what }) => what === 'COUNT').length;
            for (const [index, { device: which, what, delta }] of day.entries()) {
              const hoursAgo = 90 - index * 8;
              const till = tills[which];
              if (what === 'RETURN') {
                // A count between a sale and what was brought back of it, and another to hold both, is for people to see.
                const named = counts > 1 ? -1 : (till?.lastSaleWithUnits() ?? -1);
                if (named < 0) continue;
                shelf += 1;
                till?.record({ ...blank, what: 'CANCEL', delta: 1, named, hoursAgo });
                continue;
              }
              if (what === 'COUNT') counted = true;
              else shelf += what === 'SALE' ? -delta : delta;
              till?.record({ ...blank, what, delta: what === 'COUNT' ? shelf : delta, hoursAgo });
            }
            for (const which of order) if (tills[which]) await push(tenantId, tills[which], 100);
            await comeTogether(tenantId, tills);
            await expectSound(tenantId, tills);
            const [till] = tills;
            const pending = till ? (await conflictsOf(tenantId, till)).filter(({ awaits }) => awaits) : [];
            expect(pending).toEqual([]);
            expect(till?.stock.get(PRODUCTS[0] ?? '')).toBe(counted ? shelf : shelf + 10);
          },
        ),
        { numRuns: NUM_RUNS * 2 },
      );
    },
    TIMEOUT_MS,
  );
});
