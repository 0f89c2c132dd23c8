import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { Order } from '../../src/conflicts/domain/resolution-order.js';
import { ReservationDeadlineRepository } from '../../src/inventory/persistence/reservation-deadline.repository.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { ReservationExpiryService } from '../../src/inventory/reservation-expiry.service.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { at, TestShop } from '../support/shop.js';

const PERSON = randomUUID();
const PRODUCT = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';

/** What one decision makes of another: cancellations, reservations, counts and deletions around what is held. */
describe('settling what hangs together', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let expiry: ReservationExpiryService;
  let shop: TestShop;
  let ana: string;
  let ben: string;
  let carol: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    expiry = new ReservationExpiryService(
      ledger.database,
      new TenantRepository(),
      new TenantClockRepository(),
      new StockEventRepository(),
      new StockLevelRepository(),
      new ReservationDeadlineRepository(),
      { announce: () => undefined } as unknown as TenantSignals,
    );
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    shop = await TestShop.open(ledger, PRODUCT);
    ({ ana, ben, carol } = shop);
  });

  const naming = ({ operation_id }: OperationDto) => ({ ref_operation_id: operation_id ?? null });
  const cancel = (device: string, units: number, named: OperationDto, fields: Partial<OperationDto> = {}) =>
    shop.operation(device, {
      ...{ operation: 'INCREMENT', reason: 'CANCEL', delta: units, lamport_ts: 5, base_lamport: 2 },
      ...{ ...naming(named), ...fields },
    });
  /** The product is in the catalogue with so many units; whoever knows that knows nothing of what comes after. */
  async function catalogued(units: number): Promise<number> {
    await ledger.push(shop.tenantId, shop.till, {
      products: [aProductEdit({ id: PRODUCT, sku: 'QC-1', current_stock: units, lamport_ts: 1 })],
    });
    return head();
  }
  const remove = (lamport_ts: number) =>
    ledger.push(shop.tenantId, shop.till, { products: [aProductEdit({ id: PRODUCT, is_deleted: true, lamport_ts })] });
  const head = async (): Promise<number> => (await ledger.pull(shop.tenantId, shop.till, 0)).serverLamport;
  const conflicts = async () => (await ledger.pull(shop.tenantId, shop.till, 0)).conflicts;
  const conflictOf = async ({ operation_id }: OperationDto): Promise<RecordedConflict> => {
    const found = (await conflicts()).find(({ a, kind }) => a.id === operation_id && kind !== 'RESERVATION_CLOSED');
    if (!found) throw new Error('The operation is in no conflict');
    return found;
  };
  const resolve = async (held: OperationDto, order: Order, side: 'a' | 'b' | null = null) => {
    const conflict = await conflictOf(held);
    const winnerId = side && conflict[side].id;
    return ledger.resolutions.resolve(shop.tenantId, PERSON, conflict.id, { order, winnerId, feedback: null });
  };
  const expire = () => expiry.expireDue(shop.tenantId, new Date());
  async function expectStock(units: number): Promise<void> {
    expect(await shop.stock()).toBe(units);
    await shop.expectSound();
  }

  describe('a movement that a count has already', () => {
    const early = { payment_status: 'PAID', created_at: at(-120), lamport_ts: 3 } as const;
    const counted = (units: number) => shop.count(ana, units, { created_at: at(0), lamport_ts: 30 });

    it.each(['count first', 'sale first'] as const)(
      'gives its goods back when it is cancelled, the %s',
      async (order) => {
        await shop.restock(10);
        const sold = shop.sale(ben, 3, early);
        const pushes = [() => shop.push(ana, counted(7)), () => shop.push(ben, sold)];
        for (const one of order === 'count first' ? pushes : pushes.toReversed()) await one();
        expect(await shop.settle()).toMatchObject({ settled: 1 });
        await expectStock(7);
        await shop.push(ben, cancel(ben, 3, sold, { lamport_ts: 100, base_lamport: await head() }));
        await expectStock(10);
      },
    );

    it('is not lost when people withdraw the count', async () => {
      await shop.restock(10);
      await shop.push(ana, counted(6)); // one is missing, which nobody recorded
      const sold = shop.sale(ben, 3, early);
      await shop.push(ben, sold);
      const unsure = shop.sale(carol, 1, { payment_status: 'PAID', lamport_ts: 29, created_at: at(0) });
      await shop.push(carol, unsure);
      await shop.settle();
      await expectStock(6);
      await resolve(unsure, 'WINNER', 'a');
      await expectStock(10 - 3 - 1);
    });

    it('is one sale when a reservation of it is sold', async () => {
      await shop.restock(10);
      const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', created_at: at(-120) });
      await shop.push(ana, counted(7));
      await shop.push(ben, reserved);
      await shop.settle();
      await expectStock(7);
      const confirms = { payment_status: 'PAID', ...naming(reserved), lamport_ts: 99 } as const;
      expect(await shop.push(ben, shop.sale(ben, 3, { ...confirms, base_lamport: await head() }))).toMatchObject({
        status: 'accepted',
      });
      await expectStock(7);
    });

    it('comes back if its reservation lapses', async () => {
      await shop.restock(10);
      await shop.push(ana, counted(7));
      await shop.push(ben, shop.sale(ben, 3, { reason: 'RESERVATION', created_at: at(-120), expires_at: at(1) }));
      await shop.settle();
      await expire();
      await expectStock(10);
    });

    it('gives back what was cancelled of it after the count, while it still waited', async () => {
      await shop.restock(10);
      await shop.push(ana, counted(7));
      const sold = shop.sale(ben, 3, early);
      await shop.push(ben, sold);
      const base_lamport = await head();
      await shop.push(ben, cancel(ben, 2, sold, { lamport_ts: 100, base_lamport, created_at: at(60) }));
      await expectStock(7);
      await shop.settle();
      await expectStock(9);
      await shop.push(ben, cancel(ben, 1, sold, { lamport_ts: 101, base_lamport, created_at: at(70) }));
      await expectStock(10);
    });

    it('is taken as counted by a person who believes the count', async () => {
      await shop.restock(10);
      await shop.push(ana, shop.count(ana, 7));
      const sold = shop.sale(ben, 3, { payment_status: 'PAID' });
      await shop.push(ben, sold);
      expect(await shop.settle()).toMatchObject({ suggested: 1 });
      await resolve(sold, 'WINNER', 'b');
      await expectStock(7);
      await shop.push(ben, cancel(ben, 3, sold, { lamport_ts: 100, base_lamport: await head() }));
      await expectStock(10);
    });

    it('is known of where it was held for something else', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { created_at: at(-60) }));
      const held = shop.sale(ben, 3, { lamport_ts: 30, created_at: at(0) });
      expect(await shop.push(ben, held)).toMatchObject({ status: 'conflict' });
      // The same till counts the shelf afterwards: its own sale is gone from there.
      await shop.push(ben, shop.count(ben, 4, { lamport_ts: 31, base_lamport: await head(), created_at: at(10) }));
      await shop.settle();
      expect(await conflictOf(held)).toMatchObject({ resolution: { verdict: 'BOTH' } });
      await expectStock(4);
    });

    it('is known of where its product was deleted since', async () => {
      const base_lamport = await catalogued(10);
      await shop.push(shop.till, shop.count(shop.till, 7, { base_lamport, lamport_ts: 50, created_at: at(0) }));
      await remove(60);
      const sold = shop.sale(ben, 3, { ...early, lamport_ts: 4, base_lamport });
      await shop.push(ben, sold);
      await shop.settle();
      expect(await conflictOf(sold)).toMatchObject({ kind: 'DELETED_PRODUCT', resolution: { verdict: 'BOTH' } });
      await expectStock(7);
    });
  });

  describe('a reservation or a sale with its cancellation, both held', () => {
    it('counts a part once', async () => {
      const base_lamport = await catalogued(10);
      await remove(500);
      const sold = shop.sale(ben, 4, { payment_status: 'PAID', lamport_ts: 4, base_lamport });
      await shop.push(ben, sold, cancel(ben, 1, sold, { lamport_ts: 5, base_lamport }));
      await shop.settle();
      await expectStock(7);
    });

    it.each(['first', 'last'] as const)('makes nothing of what never left, with a person %s', async (turn) => {
      const base_lamport = await catalogued(10);
      await remove(9);
      const sold = shop.sale(ben, 3, { lamport_ts: 8, base_lamport });
      const cancelled = cancel(ben, 3, sold, { lamport_ts: 9, base_lamport });
      await shop.push(ben, sold, cancelled);
      if (turn === 'first') await resolve(cancelled, 'BOTH');
      await shop.settle();
      if (turn === 'last') await resolve(sold, 'BOTH');
      await expectStock(10);
      expect((await conflicts()).filter(({ awaits }) => awaits)).toEqual([]);
    });

    it('gives back all of a reservation that lapses meanwhile', async () => {
      await shop.restock(10);
      const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', expires_at: at(60) });
      await shop.push(ben, reserved);
      await shop.push(ana, shop.count(ana, 7, { base_lamport: await head(), lamport_ts: 10, created_at: at(-120) }));
      const cancelled = cancel(ben, 2, reserved, { lamport_ts: 11, base_lamport: 3, created_at: at(0) });
      expect(await shop.push(ben, cancelled)).toMatchObject({ status: 'conflict' });
      await expire();
      await shop.settle();
      await expectStock(10);
    });

    it('leaves a sale to be cancelled whose cancellation was refused', async () => {
      const before = await catalogued(10);
      const sold = shop.sale(ben, 3, { payment_status: 'PAID', lamport_ts: 3, base_lamport: before });
      await shop.push(ben, sold);
      const base_lamport = await head();
      await remove(9);
      const first = cancel(ben, 3, sold, { lamport_ts: 8, base_lamport });
      await shop.push(ben, first);
      const again = { lamport_ts: 9, base_lamport } as const;
      expect(await shop.push(ben, cancel(ben, 1, sold, again))).toMatchObject({ code: 'QUANTITY_OUT_OF_RANGE' });
      await resolve(first, 'WINNER', 'b');
      await expectStock(7);
      const second = cancel(ben, 3, sold, again);
      await shop.push(ben, second);
      await resolve(second, 'BOTH');
      await expectStock(10);
    });
  });

  it('lets a sale stand once, though it and the reservation that it confirms were both held', async () => {
    const base_lamport = await catalogued(10);
    await remove(9);
    const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', lamport_ts: 8, base_lamport });
    const sold = shop.sale(ben, 3, { payment_status: 'PAID', ...naming(reserved), lamport_ts: 9, base_lamport });
    await shop.push(ben, reserved, sold);
    await shop.settle();
    await expectStock(7);
    await expect(resolve(reserved, 'BOTH')).rejects.toMatchObject({
      code: expect.stringMatching(/RESOLUTION_OVERTAKEN|ALREADY_RESOLVED/),
    });
    await expectStock(7);
    expect((await conflicts()).filter(({ awaits }) => awaits)).toEqual([]);
  });

  it('takes a reservation along with the sale that confirmed it', async () => {
    await shop.restock(10);
    const reserved = shop.sale(ana, 3, { reason: 'RESERVATION' });
    const sold = shop.sale(ana, 6, { payment_status: 'PAID', ...naming(reserved), lamport_ts: 4 });
    await shop.push(ana, reserved, sold);
    await expectStock(4);
    const also = shop.sale(ben, 6, { payment_status: 'PAID' });
    await shop.push(ben, also);
    await resolve(also, 'NEITHER');
    await expectStock(10);
    // What it had reserved is held no more: to sell it all the same is an ordinary sale.
    const again = shop.sale(ana, 3, { payment_status: 'PAID', ...naming(reserved), lamport_ts: 9 });
    await shop.push(ana, again);
    await expectStock(7);
    expect((await conflicts()).find(({ a }) => a.id === again.operation_id)).toMatchObject({
      kind: 'RESERVATION_CLOSED',
    });
  });

  describe('more than one reason to hold it', () => {
    it('leaves an oversell of two paid sales to people, though the product was deleted', async () => {
      const base_lamport = await catalogued(3);
      await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID', base_lamport }));
      await remove(9);
      const sold = shop.sale(ben, 3, { payment_status: 'PAID', base_lamport, lamport_ts: 8 });
      await shop.push(ben, sold);
      await shop.settle();
      expect(await conflictOf(sold)).toMatchObject({ awaits: 'PERSON', suggestion: expect.anything() });
      await expectStock(0);
    });

    it.each([
      ['PENDING', 0, 'settled'],
      ['PAID', 0, 'for people'],
    ] as const)('sees the %s claim behind a count', async (payment, left, outcome) => {
      await shop.restock(10);
      await shop.push(carol, shop.count(carol, 3, { created_at: at(-600), lamport_ts: 3 }));
      const other = shop.sale(ana, 3, { payment_status: payment, base_lamport: await head(), lamport_ts: 50 });
      await shop.push(ana, other);
      const sold = shop.sale(ben, 3, { payment_status: 'PAID', base_lamport: 2, lamport_ts: 60, created_at: at(0) });
      await shop.push(ben, sold);
      expect(await shop.settle()).toMatchObject(outcome === 'settled' ? { settled: 1 } : { suggested: 1 });
      await expectStock(left);
      // The claim that yielded has an entry of its own, which says so.
      const yielded = (await conflicts()).filter(
        ({ b, a }) => b.id === other.operation_id && a.id === sold.operation_id,
      );
      expect(yielded).toMatchObject(
        outcome === 'settled' ? [{ kind: 'OVERSELL', resolution: { verdict: 'A', winnerId: sold.operation_id } }] : [],
      );
    });

    it('leaves goods that are broken to people, where there is not enough left', async () => {
      await shop.restock(10);
      await shop.push(ana, shop.count(ana, 1, { lamport_ts: 3, created_at: at(-600) }));
      const broken = { reason: 'DAMAGE', payment_status: null, lamport_ts: 100, created_at: at(0) } as const;
      await shop.push(ben, shop.sale(ben, 3, broken));
      expect(await shop.settle()).toMatchObject({ settled: 0, suggested: 1 });
    });

    it('says both that a sale beat a claim and that its reservation had lapsed', async () => {
      await shop.restock(10);
      const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', expires_at: at(60) });
      await shop.push(ben, reserved);
      await expire();
      await shop.push(ana, shop.sale(ana, 9, { lamport_ts: 4, base_lamport: 4 }));
      await shop.push(
        ben,
        shop.sale(ben, 3, { payment_status: 'PAID', ...naming(reserved), lamport_ts: 6, base_lamport: 3 }),
      );
      expect((await conflicts()).map(({ kind }) => kind).sort()).toEqual(['OVERSELL', 'RESERVATION_CLOSED']);
      await expectStock(7);
    });
  });

  describe('what a person agrees to', () => {
    it('takes all back that the suggestion would', async () => {
      await shop.restock(6);
      await shop.push(ana, shop.sale(ana, 3, { lamport_ts: 9 }));
      await shop.push(carol, shop.sale(carol, 3, { lamport_ts: 9 }));
      const held = shop.sale(ben, 6, { lamport_ts: 3 });
      await shop.push(ben, held);
      expect(await shop.settle()).toMatchObject({ suggested: 1 });
      await expect(resolve(held, 'WINNER', 'a')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
      await resolve(held, 'SUGGESTION');
      await expectStock(0);
      expect((await conflicts()).map(({ resolution }) => resolution)).toMatchObject([
        { verdict: 'A', method: 'MANUAL', resolvedBy: PERSON },
        { verdict: 'A', method: 'MANUAL', resolvedBy: PERSON },
      ]);
    });

    it('is asked again if the suggestion would be another by now', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { lamport_ts: 5 }));
      const held = shop.sale(ben, 3, { lamport_ts: 7 });
      await shop.push(ben, held);
      expect(await shop.settle()).toMatchObject({ suggested: 1 });
      await shop.push(shop.till, shop.operation(shop.till, { delta: 9, lamport_ts: 9, base_lamport: 2 }));
      await expect(resolve(held, 'SUGGESTION')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
      expect(await conflictOf(held)).toMatchObject({ resolution: { method: 'HEURISTIC', verdict: 'BOTH' } });
      await expectStock(8);
    });

    it('withdraws a count that another overrode since without moving anything', async () => {
      await shop.restock(10);
      await shop.push(carol, shop.sale(carol, 1, { payment_status: 'PAID' }));
      const first = shop.count(ana, 5);
      await shop.push(ana, first); // held against the sale
      await shop.push(ben, shop.count(ben, 8, { lamport_ts: 20, base_lamport: await head() })); // knew it all
      await expectStock(8);
      await resolve(first, 'WINNER', 'a'); // as if it had been made last
      await expectStock(5);
      const sold = shop.sale(shop.till, 1, { payment_status: 'PAID', base_lamport: 3, lamport_ts: 9 });
      await shop.push(shop.till, sold);
      const { b } = await conflictOf(sold);
      await resolve(sold, 'WINNER', 'a');
      expect([b.payload['delta'], await shop.stock()]).toEqual([8, 4]);
      await expectStock(4);
    });

    it('restores a product that was deleted, and not once more after a later deletion', async () => {
      const base_lamport = await catalogued(10);
      await remove(9);
      const [one, other] = [
        shop.sale(ben, 3, { lamport_ts: 8, base_lamport }),
        shop.sale(carol, 3, { lamport_ts: 8, base_lamport }),
      ];
      await shop.push(ben, one);
      await shop.push(carol, other);
      await resolve(one, 'WINNER', 'a');
      await remove((await head()) + 5);
      await resolve(other, 'WINNER', 'a');
      expect((await ledger.pull(shop.tenantId, shop.till, 0)).products).toMatchObject([
        { fields: { isDeleted: true } },
      ]);
      await expectStock(4);
    });

    it('can’t move stock beyond its range', async () => {
      const huge = 2_147_483_647;
      await shop.push(
        shop.till,
        shop.sale(shop.till, huge, { payment_status: 'PAID', lamport_ts: 1, base_lamport: 0 }),
      );
      await shop.push(ana, shop.count(ana, huge, { lamport_ts: 4, base_lamport: await head() }));
      const sold = shop.sale(ben, 3, { payment_status: 'PAID' });
      await shop.push(ben, sold);
      await expect(resolve(sold, 'NEITHER')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
      await expectStock(huge);
    });
  });

  describe('concurrency', () => {
    it('is with what lapsed after the count', async () => {
      await shop.restock(10);
      await shop.push(ben, shop.sale(ben, 3, { reason: 'RESERVATION', expires_at: at(60) }));
      const base_lamport = await head();
      await expire();
      const counted = shop.count(ana, 7, { base_lamport, lamport_ts: base_lamport + 1, created_at: at(0) });
      expect(await shop.push(ana, counted)).toMatchObject({ status: 'conflict' });
      await shop.settle();
      expect(await conflictOf(counted)).toMatchObject({ kind: 'STOCK_COUNT', resolution: { verdict: 'BOTH' } });
      await expectStock(10);
    });

    it('is with a claim that was released after what the device knew', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { created_at: at(0), lamport_ts: 30 }));
      const waiting = shop.sale(carol, 3);
      await shop.push(carol, waiting);
      const base_lamport = await head(); // Ben knows it as held
      await resolve(waiting, 'WINNER', 'a');
      await expectStock(2);
      const sold = shop.sale(ben, 4, { payment_status: 'PAID', base_lamport, lamport_ts: base_lamport + 1 });
      expect(await shop.push(ben, sold)).toMatchObject({ status: 'accepted', warnings: ['UNKNOWN_PRODUCT'] });
      await expectStock(1);
    });

    it('is with as many claims as it takes, without those of which nothing is left', async () => {
      await shop.restock(255);
      await shop.push(ana, ...Array.from({ length: 150 }, (_, index) => shop.sale(ana, 1, { lamport_ts: 3 + index })));
      const over = Array.from({ length: 105 }, (_, index) =>
        shop.sale(ana, 1, { reason: 'RESERVATION', lamport_ts: 200 + index }),
      );
      await shop.push(ana, ...over);
      await shop.push(ana, ...over.map((one, index) => cancel(ana, 1, one, { lamport_ts: 400 + index })));
      await expectStock(105);
      expect(await shop.push(ben, shop.sale(ben, 225, { payment_status: 'PAID' }))).toMatchObject({
        status: 'accepted',
        warnings: ['UNKNOWN_PRODUCT'],
      });
      await expectStock(0);
    });
  });

  it('leaves two paid sales to people, even if there is enough by now', async () => {
    await shop.restock(5);
    await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID' }));
    const held = shop.sale(ben, 3, { payment_status: 'PAID' });
    await shop.push(ben, held);
    await shop.push(shop.till, shop.operation(shop.till, { delta: 9, lamport_ts: 9 }));
    await shop.settle();
    expect(await conflictOf(held)).toMatchObject({ awaits: 'PERSON', suggestion: { verdict: 'BOTH', confidence: 1 } });
    await resolve(held, 'SUGGESTION');
    await expectStock(8);
  });

  describe('a claim that finds too little', () => {
    const paid = { payment_status: 'PAID' } as const;

    it('yields to paid ones also where these have taken more than there was', async () => {
      await shop.restock(5);
      for (let unit = 0; unit < 8; unit += 1)
        await shop.push(ben, shop.sale(ben, 1, { ...paid, lamport_ts: 10 + unit }));
      expect(await shop.push(ana, shop.sale(ana, 2))).toMatchObject({ status: 'conflict' });
      await expectStock(-3);
    });

    it('takes back an unpaid one if it was paid, whatever was broken since', async () => {
      await shop.restock(5);
      await shop.push(ben, shop.sale(ben, 2, { reason: 'RESERVATION' }));
      await shop.push(carol, shop.sale(carol, 3, { reason: 'DAMAGE', payment_status: null }));
      expect(await shop.push(ana, shop.sale(ana, 2, paid))).toMatchObject({ status: 'accepted' });
      await expectStock(0);
    });

    it('takes back one whose payment was cancelled, whatever others have claimed since', async () => {
      await shop.restock(5);
      await shop.push(ben, shop.sale(ben, 2, { payment_status: 'CANCELLED' }));
      await shop.push(carol, shop.sale(carol, 3));
      expect(await shop.push(ana, shop.sale(ana, 2))).toMatchObject({ status: 'accepted' });
      await expectStock(0);
    });

    it.each([
      ['for which the other is to be taken back', 'WINNER', 'a'],
      ['which is to fall with the other', 'NEITHER', null],
    ] as const)('and %s is not decided so once what the other had reserved was sold', async (_what, order, side) => {
      await shop.restock(5);
      const reserved = shop.sale(ben, 3, { ...paid, reason: 'RESERVATION' });
      await shop.push(ben, reserved);
      const held = shop.sale(ana, 4, paid);
      await shop.push(ana, held);
      await shop.settle();
      const base_lamport = await head();
      await shop.push(ben, shop.sale(ben, 3, { ...paid, ...naming(reserved), lamport_ts: 20, base_lamport }));
      await expect(resolve(held, order, side)).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
      await expectStock(2);
      await resolve(held, 'BOTH');
      await expectStock(-2);
    });
  });

  it('a deletion that a person has undone is held against nothing more', async () => {
    const base_lamport = await catalogued(10);
    await remove(base_lamport + 1);
    const [first, second] = [
      shop.sale(ana, 3, { base_lamport, lamport_ts: 40 }),
      shop.sale(ben, 2, { base_lamport, lamport_ts: 60 }),
    ];
    await shop.push(ana, first);
    await shop.push(ben, second);
    await resolve(first, 'WINNER', 'a');
    await shop.settle();
    expect((await conflictOf(second)).resolution).toMatchObject({ verdict: 'A', method: 'HEURISTIC', confidence: 1 });
    await expectStock(5);
  });

  it('a sale that was held is told to have found its reservation closed when it is released', async () => {
    await shop.restock(5);
    const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', expires_at: at(0) });
    await shop.push(ben, reserved);
    await expire();
    await shop.push(carol, shop.sale(carol, 4, { payment_status: 'PAID' }));
    const sold = shop.sale(ben, 3, { payment_status: 'PAID', ...naming(reserved), lamport_ts: 20 });
    expect(await shop.push(ben, sold)).toMatchObject({ status: 'conflict' });
    await shop.settle();
    expect((await conflicts()).map(({ kind }) => kind)).toEqual(['OVERSELL']);
    await resolve(sold, 'BOTH');
    expect((await conflicts()).map(({ kind }) => kind).sort()).toEqual(['OVERSELL', 'RESERVATION_CLOSED']);
    await expectStock(-2);
  });

  it('a decision that is refused again and again leaves no trail that grows', async () => {
    await shop.restock(5);
    await shop.push(ben, shop.sale(ben, 3));
    await shop.push(carol, shop.sale(carol, 2));
    const held = shop.sale(ana, 5);
    await shop.push(ana, held);
    await shop.settle();
    const refuse = () => expect(resolve(held, 'WINNER', 'a')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
    await refuse();
    const before = await conflictOf(held);
    for (let time = 0; time < 3; time += 1) await refuse();
    expect(await conflictOf(held)).toEqual(before);
  });

  describe('makes no difference when it comes', () => {
    const paid = { payment_status: 'PAID' } as const;

    it.each(['before', 'after'])('to a reservation that a count has: the worker %s it is sold', async (when) => {
      await shop.restock(100);
      const reserved = shop.sale(ben, 5, { reason: 'RESERVATION', created_at: at(-120), lamport_ts: 10 });
      await shop.push(ana, shop.count(ana, 67, { created_at: at(0), lamport_ts: 30 }));
      expect(await shop.push(ben, reserved)).toMatchObject({ status: 'conflict' });
      if (when === 'before') await shop.settle();
      const base_lamport = await head();
      const sold = shop.sale(ben, 5, {
        ...paid,
        ...naming(reserved),
        created_at: at(120),
        lamport_ts: 50,
        base_lamport,
      });
      await shop.push(ben, sold);
      await shop.settle();
      await expectStock(67);
      // Nor to what becomes of either later.
      await shop.push(ben, cancel(ben, 5, sold, { lamport_ts: 60, base_lamport: await head() }));
      await expectStock(72);
    });

    it.each(['before', 'after'])('nor once that count is withdrawn: the worker %s it is sold', async (when) => {
      await shop.restock(100);
      const reserved = shop.sale(ben, 5, { reason: 'RESERVATION', created_at: at(-120), lamport_ts: 10 });
      const sale = shop.sale(carol, 3, { ...paid, created_at: at(30), lamport_ts: 20 });
      await shop.push(ana, shop.count(ana, 67, { created_at: at(0), lamport_ts: 30 }));
      await shop.push(ben, reserved);
      if (when === 'before') await shop.settle();
      const base_lamport = await head();
      await shop.push(
        ben,
        shop.sale(ben, 5, { ...paid, ...naming(reserved), created_at: at(120), lamport_ts: 50, base_lamport }),
      );
      await shop.settle();
      await shop.push(carol, sale);
      await resolve(sale, 'WINNER', 'a');
      await expectStock(92); // 100, less what was sold
    });

    it.each(['count last', 'count first'])(
      'to a reservation whose sale is over before it was decided: %s',
      async (order) => {
        await shop.restock(100);
        const reserved = shop.sale(ben, 5, { reason: 'RESERVATION', created_at: at(120), lamport_ts: 30 });
        const sold = shop.sale(ben, 5, { ...paid, ...naming(reserved), created_at: at(240), lamport_ts: 50 });
        const back = cancel(ben, 5, sold, { created_at: at(360), lamport_ts: 70, base_lamport: 2 });
        const count = shop.count(ana, 67, { created_at: at(0), lamport_ts: 10 });
        if (order === 'count first') await shop.push(ana, count);
        await shop.push(ben, reserved, sold, back);
        if (order === 'count last') await shop.push(ana, count);
        await shop.settle();
        await expectStock(67);
      },
    );

    it('to a reservation that a count knew, whose sale is over before it was decided', async () => {
      await shop.restock(100);
      const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', created_at: at(-120), lamport_ts: 5 });
      await shop.push(ben, reserved);
      const base_lamport = await head();
      await shop.push(ana, shop.count(ana, 67, { created_at: at(0), lamport_ts: 10, base_lamport }));
      const sold = shop.sale(ben, 2, {
        ...paid,
        ...naming(reserved),
        created_at: at(240),
        lamport_ts: 50,
        base_lamport,
      });
      await shop.push(ben, sold);
      await shop.push(ben, cancel(ben, 2, sold, { created_at: at(360), lamport_ts: 70, base_lamport }));
      await shop.settle();
      await expectStock(70);
    });

    it.each(['before', 'after'])('to a reservation whose sale waits: the worker %s its time is over', async (when) => {
      await shop.restock(100);
      const reserved = shop.sale(ben, 3, {
        ...{ reason: 'RESERVATION', created_at: at(-120), lamport_ts: 5, expires_at: at(30) },
      });
      await shop.push(ben, reserved);
      const base_lamport = await head();
      await shop.push(ana, shop.count(ana, 50, { created_at: at(0), lamport_ts: 40, base_lamport }));
      const sold = shop.sale(ben, 4, {
        ...paid,
        ...naming(reserved),
        created_at: at(-60),
        lamport_ts: 20,
        base_lamport,
      });
      await shop.push(ben, sold);
      if (when === 'after') await expire();
      await shop.settle();
      await expire();
      await expectStock(50);
    });
  });

  it('a reservation lapses after all when the sale that waited falls', async () => {
    await shop.restock(100);
    const reserved = shop.sale(ben, 3, { reason: 'RESERVATION', lamport_ts: 5, expires_at: at(30) });
    await shop.push(ben, reserved);
    const base_lamport = await head();
    await shop.push(ana, shop.count(ana, 50, { lamport_ts: 40, base_lamport }));
    const sold = shop.sale(ben, 4, { ...naming(reserved), lamport_ts: 20, base_lamport });
    await shop.push(ben, sold);
    await expire();
    await expectStock(50);
    await resolve(sold, 'NEITHER');
    await expire();
    await expectStock(100);
  });

  it('a count that a person withdraws leaves to the one before it what that has', async () => {
    await shop.restock(100);
    await shop.push(
      ana,
      shop.count(ana, 72, { created_at: at(360), lamport_ts: 30 }),
      shop.count(ana, 65, { created_at: at(600), lamport_ts: 50 }),
    );
    const sold = shop.sale(ben, 3, { payment_status: 'PAID', created_at: at(0), lamport_ts: 10 });
    await shop.push(ben, sold);
    await resolve(sold, 'WINNER', 'a');
    await expectStock(72);
  });

  it('no decision is carried out against a count that does not stand any more', async () => {
    await shop.restock(20);
    await shop.push(carol, shop.count(carol, 15, { created_at: at(0), lamport_ts: 10 }));
    await shop.push(
      shop.till,
      shop.count(shop.till, 9, { created_at: at(0), lamport_ts: 10, base_lamport: await head() }),
    );
    const [first, second] = [ana, ben].map((device) =>
      shop.sale(device, 1, { payment_status: 'PAID', created_at: at(0), lamport_ts: 10 }),
    ) as [OperationDto, OperationDto];
    await shop.push(ana, first);
    await shop.push(ben, second);
    await shop.settle();
    await resolve(first, 'WINNER', 'a');
    await expect(resolve(second, 'WINNER', 'b')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
  });

  it('no decision is carried out against a deletion that does not stand any more', async () => {
    const base_lamport = await catalogued(10);
    await remove(base_lamport + 1);
    const [first, second] = [ana, ben].map((device) =>
      shop.sale(device, 2, { base_lamport, lamport_ts: base_lamport + 2 }),
    ) as [OperationDto, OperationDto];
    await shop.push(ana, first);
    await shop.push(ben, second);
    await resolve(first, 'WINNER', 'a');
    await expect(resolve(second, 'WINNER', 'b')).rejects.toMatchObject({ code: 'RESOLUTION_OVERTAKEN' });
    await resolve(second, 'WINNER', 'a');
    await expectStock(6);
  });

  it('a count that overrides another by a rule says so, and is no surer than the rule', async () => {
    await shop.restock(10);
    const more = (lamport_ts: number, minutes: number) =>
      shop.push(shop.till, shop.operation(shop.till, { delta: 1, lamport_ts, created_at: at(minutes) }));
    await more(3, -300);
    const base_lamport = await head();
    await shop.push(ana, shop.count(ana, 9, { created_at: at(0), lamport_ts: 30 }));
    await more(4, -200);
    const informed = shop.count(carol, 5, { created_at: at(-100), lamport_ts: 20, base_lamport });
    await shop.push(carol, informed);
    await shop.settle();
    const { decisions, resolution } = await conflictOf(informed);
    expect(decisions).toContainEqual(
      expect.objectContaining({ name: 'better-informed-count', answer: expect.objectContaining({ verdict: 'A' }) }),
    );
    expect(resolution?.confidence).toBeLessThanOrEqual(0.95);
  });
});
