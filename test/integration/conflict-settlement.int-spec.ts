import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { Order } from '../../src/conflicts/domain/resolution-order.js';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { type PushLists, TestLedger } from '../support/ledger.js';
import { at, TestShop } from '../support/shop.js';

const PERSON = randomUUID();
const PRODUCT = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';

describe('settling conflicts', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let shop: TestShop;
  let ana: string;
  let ben: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    shop = await TestShop.open(ledger, PRODUCT);
    ({ ana, ben } = shop);
  });

  async function onlyConflict(): Promise<RecordedConflict> {
    const [conflict, ...others] = (await shop.pulled()).conflicts;
    expect(others).toEqual([]);
    if (!conflict) throw new Error('There is no conflict');
    return conflict;
  }
  const resolve = async (order: Order, winnerId: string | null = null): Promise<RecordedConflict> =>
    ledger.resolutions.resolve(shop.tenantId, PERSON, (await onlyConflict()).id, {
      order,
      winnerId,
      feedback: 'Asked Ana',
    });

  describe('of claims to the same last goods', () => {
    it('takes the unpaid claim back in the push of the paid sale', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3));
      const outcome = await shop.push(ben, shop.sale(ben, 4, { payment_status: 'PAID' }));
      expect(outcome).toMatchObject({
        status: 'accepted',
        warnings: ['UNKNOWN_PRODUCT'],
        conflict: { method: 'HARDCODED', confidence: 1 },
      });
      expect(await shop.stock()).toBe(1);
      expect(await onlyConflict()).toMatchObject({
        kind: 'OVERSELL',
        status: 'RESOLVED_AUTO',
        stockThen: 2,
        resolution: { verdict: 'A' },
        decisions: [{ name: 'paid-beats-unpaid', answer: { verdict: 'A' } }],
      });
      await shop.expectSound();
    });

    it('gives the goods to the claim that was clearly made first', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { created_at: at(0), lamport_ts: 30 }));
      expect(await shop.push(ben, shop.sale(ben, 3, { created_at: at(-60), lamport_ts: 3 }))).toMatchObject({
        status: 'conflict',
        conflict: { method: null },
      });
      expect(await shop.stock()).toBe(2);
      expect(await shop.settle()).toEqual({ settled: 1, suggested: 0, failures: [] });
      expect(await shop.stock()).toBe(2);
      expect(await onlyConflict()).toMatchObject({ resolution: { method: 'HEURISTIC', verdict: 'A' } });
      await shop.expectSound();
      expect(await shop.settle()).toEqual({ settled: 0, suggested: 0, failures: [] });
    });

    it('refuses the later claim', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { created_at: at(-60), lamport_ts: 3 }));
      await shop.push(ben, shop.sale(ben, 3, { created_at: at(0), lamport_ts: 30 }));
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'B' } });
      expect(await shop.stock()).toBe(2);
      await shop.expectSound();
    });

    it('leaves two that nothing tells apart to people, with a suggestion at most', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3));
      await shop.push(ben, shop.sale(ben, 3));
      expect(await shop.settle()).toEqual({ settled: 0, suggested: 1, failures: [] });
      expect(await onlyConflict()).toMatchObject({ status: 'PENDING', awaits: 'PERSON' });
    });

    it('only suggests where both were paid, however sure', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID', created_at: at(-600) }));
      await shop.push(ben, shop.sale(ben, 3, { payment_status: 'PAID', created_at: at(0), lamport_ts: 40 }));
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({
        status: 'PENDING',
        awaits: 'PERSON',
        suggestion: { verdict: 'B', confidence: expect.any(Number) },
      });
    });

    it.each([
      ['WINNER', 'a', 2],
      ['WINNER', 'b', 2],
      ['BOTH', null, -1],
      ['NEITHER', null, 5],
    ] as const)('does as a person decides: %s %s', async (order, side, left) => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3));
      await shop.push(ben, shop.sale(ben, 3));
      await shop.settle();
      const { [side ?? 'a']: winner } = await onlyConflict();
      const resolved = await resolve(order, side && winner.id);
      expect(resolved).toMatchObject({
        status: 'RESOLVED_MANUAL',
        resolution: { method: 'MANUAL', resolvedBy: PERSON, feedback: 'Asked Ana', winnerId: side && winner.id },
      });
      expect(await shop.stock()).toBe(left);
      await shop.expectSound();
      expect(await resolve(order, side && winner.id)).toEqual(resolved);
      await expect(resolve(order === 'BOTH' ? 'NEITHER' : 'BOTH')).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' });
      await shop.expectSound();
    });

    it('lets both stand if there is enough by then', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3));
      await shop.push(ben, shop.sale(ben, 3));
      await shop.push(shop.till, shop.operation(shop.till, { delta: 9, lamport_ts: 3, base_lamport: 3 }));
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'BOTH', confidence: 1 } });
      expect(await shop.stock()).toBe(8);
      await shop.expectSound();
    });

    it('forgets a claim that was cancelled while it waited', async () => {
      await shop.restock(5);
      await shop.push(ana, shop.sale(ana, 3));
      const held = shop.sale(ben, 3);
      await shop.push(ben, held);
      const cancel = {
        reason: 'CANCEL',
        delta: 3,
        ref_operation_id: held.operation_id ?? null,
        lamport_ts: 3,
      } as const;
      expect(await shop.push(ben, shop.operation(ben, cancel))).toMatchObject({ status: 'accepted' });
      expect(await shop.push(ben, shop.operation(ben, { ...cancel, delta: 1, lamport_ts: 4 }))).toMatchObject({
        status: 'rejected',
        code: 'QUANTITY_OUT_OF_RANGE',
      });
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'B', confidence: 1 } });
      expect(await shop.stock()).toBe(2);
      await shop.expectSound();
    });
  });

  describe('of a count and what others did meanwhile', () => {
    it('puts what came after the count on top, and takes the rest as counted', async () => {
      await shop.restock(20);
      await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID', created_at: at(-60), lamport_ts: 3 }));
      await shop.push(ana, shop.sale(ana, 5, { payment_status: 'PAID', created_at: at(60), lamport_ts: 60 }));
      expect(await shop.push(ben, shop.count(ben, 16, { created_at: at(0), lamport_ts: 30 }))).toMatchObject({
        status: 'conflict',
        conflict: { method: null },
      });
      expect(await shop.stock()).toBe(12);
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({
        kind: 'STOCK_COUNT',
        resolution: { method: 'HEURISTIC', verdict: 'BOTH' },
      });
      expect(await shop.stock()).toBe(11);
      await shop.expectSound();
    });

    it('holds a sale that was pushed after a concurrent count, and finds out whether it is in the count', async () => {
      await shop.restock(20);
      await shop.push(ben, shop.count(ben, 16, { created_at: at(0), lamport_ts: 30 }));
      await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID', created_at: at(-60), lamport_ts: 3 }));
      await shop.push(ana, shop.sale(ana, 5, { payment_status: 'PAID', created_at: at(60), lamport_ts: 60 }));
      expect(await shop.stock()).toBe(16);
      expect(await shop.settle()).toMatchObject({ settled: 2 });
      expect(await shop.stock()).toBe(11);
      await shop.expectSound();
    });

    it('believes the count that had seen more', async () => {
      await shop.restock(20);
      await shop.push(shop.till, shop.operation(shop.till, { delta: 1, lamport_ts: 3, base_lamport: 2 }));
      await shop.push(ana, shop.count(ana, 18, { base_lamport: 4, lamport_ts: 5 }));
      expect(await shop.push(ben, shop.count(ben, 15))).toMatchObject({
        status: 'conflict',
        conflict: { method: 'HARDCODED', confidence: 0.95 },
      });
      expect(await shop.stock()).toBe(18);
      await shop.expectSound();
    });

    it.each([
      ['WINNER', 'a', 16],
      ['WINNER', 'b', 17],
      ['BOTH', null, 13],
      ['NEITHER', null, 20],
    ] as const)('does as a person decides: %s %s', async (order, side, left) => {
      await shop.restock(20);
      await shop.push(ana, shop.sale(ana, 3));
      await shop.push(ben, shop.count(ben, 16));
      await shop.settle();
      const { [side ?? 'a']: winner } = await onlyConflict();
      await resolve(order, side && winner.id);
      expect(await shop.stock()).toBe(left);
      await shop.expectSound();
    });
  });

  it('leaves a count to people that more has happened since than can be looked at', async () => {
    await shop.restock(5_000);
    const busy = Array.from({ length: 900 }, (_, index) => index);
    for (const morning of [0, 1, 2]) {
      await shop.push(
        ana,
        ...busy.map((index) => shop.sale(ana, 1, { payment_status: 'PAID', lamport_ts: 3 + morning * 900 + index })),
      );
    }
    await shop.push(ben, shop.count(ben, 4_000));
    await shop.push(ana, shop.sale(ana, 1, { payment_status: 'PAID', lamport_ts: 9_000, base_lamport: 8_000 }));
    expect(await shop.settle()).toEqual({ settled: 0, suggested: 1, failures: [] });
    const pending = await onlyConflict();
    expect(pending).toMatchObject({ awaits: 'PERSON', suggestion: null, stockThen: 2_300 });
    await resolve('WINNER', pending.a.id);
    expect(await shop.stock()).toBe(3_999); // what came after it, on top
    await shop.expectSound();
  });

  describe('of an operation on a product that another device deleted', () => {
    const pushLists = (device: string, lists: PushLists) => ledger.push(shop.tenantId, device, lists);
    beforeEach(async () => {
      await pushLists(shop.till, {
        products: [aProductEdit({ id: PRODUCT, sku: 'QC-1', current_stock: 10, lamport_ts: 1 })],
      });
      await pushLists(shop.till, { products: [aProductEdit({ id: PRODUCT, is_deleted: true, lamport_ts: 9 })] });
    });

    it('lets a paid sale stand', async () => {
      expect(await shop.push(ana, shop.sale(ana, 3, { payment_status: 'PAID', base_lamport: 3 }))).toMatchObject({
        status: 'conflict',
      });
      await shop.settle();
      expect(await onlyConflict()).toMatchObject({ kind: 'DELETED_PRODUCT', resolution: { verdict: 'BOTH' } });
      expect(await shop.stock()).toBe(7);
      await shop.expectSound();
    });

    it('restores the product if a person decides for the operation alone', async () => {
      await shop.push(ana, shop.sale(ana, 3, { base_lamport: 3 }));
      await shop.settle();
      const pending = await onlyConflict();
      expect(pending.awaits).toBe('PERSON');
      await resolve('WINNER', pending.a.id);
      expect(await shop.stock()).toBe(7);
      const { products } = await ledger.pull(shop.tenantId, shop.till, 0);
      expect(products).toMatchObject([{ id: PRODUCT, deletedLamport: null, fields: { isDeleted: false } }]);
      await shop.expectSound();
    });
  });

  describe('of two payments with one POS transaction', () => {
    const paid = (device: string, amount: number) =>
      ledger.push(shop.tenantId, device, { payments: [aPaymentEdit({ amount, pos_transaction_id: 'T-1' })] });
    it.each([
      ['WINNER', 'a', ['PENDING', 'FAILED']],
      ['WINNER', 'b', [null, 'PENDING']],
      ['BOTH', null, ['PENDING', 'PENDING']],
      ['NEITHER', null, [null, 'FAILED']],
    ] as const)('does as a person decides: %s %s', async (order, side, [second, first]) => {
      await paid(ana, 10);
      await paid(ben, 10);
      await shop.settle();
      const pending = await onlyConflict();
      expect(pending).toMatchObject({ awaits: 'PERSON', suggestion: { verdict: 'B' } });
      await resolve(order, side && pending[side].id);
      const { payments } = await ledger.pull(shop.tenantId, shop.till, 0);
      const statusOf = (id: string) => payments.find((payment) => payment.id === id)?.reconciliation.status ?? null;
      expect([statusOf(pending.a.id), statusOf(pending.b.id)]).toEqual([second, first]);
    });
  });

  it('refuses a winner that is no side, a suggestion that is not there, and what is not known', async () => {
    await shop.restock(5);
    await shop.push(ana, shop.sale(ana, 3));
    await shop.push(ben, shop.sale(ben, 3));
    await expect(resolve('WINNER', randomUUID())).rejects.toMatchObject({ code: 'VALIDATION' });
    await expect(resolve('SUGGESTION')).rejects.toMatchObject({ code: 'VALIDATION' });
    const order = { order: 'BOTH', winnerId: null, feedback: null } as const;
    await expect(ledger.resolutions.resolve(shop.tenantId, PERSON, randomUUID(), order)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { tenantId: other } = await ledger.addTenant();
    const { id } = await onlyConflict();
    await expect(ledger.resolutions.resolve(other, PERSON, id, order)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is settled once, whoever comes first of worker and person', async () => {
    await shop.restock(5);
    await shop.push(ana, shop.sale(ana, 3, { created_at: at(0), lamport_ts: 30 }));
    await shop.push(ben, shop.sale(ben, 3, { created_at: at(-60) }));
    const { id, b } = await onlyConflict();
    const order = { order: 'WINNER', winnerId: b.id, feedback: null } as const;
    await Promise.allSettled([
      shop.settle(),
      ledger.resolutions.resolve(shop.tenantId, PERSON, id, order),
      shop.settle(),
      ledger.resolutions.resolve(shop.tenantId, PERSON, id, { ...order, order: 'NEITHER', winnerId: null }),
    ]);
    expect((await onlyConflict()).resolution).not.toBeNull();
    await shop.expectSound();
  });
});
