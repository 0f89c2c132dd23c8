import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { Order } from '../../src/conflicts/domain/resolution-order.js';
import type { RecordedEvent } from '../../src/inventory/domain/stock-event.js';
import type { PullPage } from '../../src/sync/domain/pull-page.js';
import type { PushOutcome } from '../../src/sync/domain/push-outcome.js';
import type { OperationDto } from '../../src/sync/push/push.dto.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { type PushLists, TestLedger } from '../support/ledger.js';

const PERSON = randomUUID();
const PRODUCT = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';
const NOON = Date.parse('2026-03-01T12:00:00Z');
const at = (minutes: number): string => new Date(NOON + minutes * 60_000).toISOString();

describe('settling conflicts', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let tenantId: string;
  let shop: string;
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
    ({ tenantId, deviceId: shop } = await ledger.addTenant());
    ana = await ledger.addDevice(tenantId);
    ben = await ledger.addDevice(tenantId);
  });

  const operation = (device: string, fields: Partial<OperationDto>): OperationDto =>
    anOperation({ tenant_id: tenantId, device_id: device, product_id: PRODUCT, ...fields });
  const restock = (units: number) => push(shop, operation(shop, { delta: units, lamport_ts: 1 }));
  /** A claim by a device that has seen the restock, which is at lamport 2, and nothing after it. */
  const claim = (device: string, units: number, fields: Partial<OperationDto> = {}): OperationDto =>
    operation(device, {
      ...{ operation: 'DECREMENT', delta: units, reason: 'SALE', payment_status: 'PENDING' },
      ...{ lamport_ts: 3, base_lamport: 2, ...fields },
    });
  const count = (device: string, units: number, fields: Partial<OperationDto> = {}): OperationDto =>
    operation(device, {
      ...{ operation: 'SET', delta: units, reason: 'COUNT', lamport_ts: 3, base_lamport: 2, ...fields },
    });
  async function push(device: string, ...operations: OperationDto[]): Promise<PushOutcome> {
    const { outcomes } = await ledger.push(tenantId, device, operations);
    const last = outcomes.at(-1);
    if (!last) throw new Error('Something was pushed');
    return last;
  }
  const stock = async (): Promise<number> => {
    const [row] = await ledger.database.transaction(tenantId, (tx) =>
      tx.manager.query<{ quantity: number }[]>('SELECT quantity FROM stock_levels'),
    );
    return row?.quantity ?? NaN;
  };
  /** All that a new device pulls. */
  async function pulled(): Promise<Pick<PullPage, 'events' | 'conflicts'>> {
    const all = { events: [] as RecordedEvent[], conflicts: [] as RecordedConflict[] };
    for (let cursor = 0; ;) {
      const page = await ledger.pull(tenantId, shop, cursor);
      all.events.push(...page.events);
      all.conflicts.push(...page.conflicts);
      if (!page.hasMore) return all;
      cursor = page.nextLamport;
    }
  }
  async function onlyConflict(): Promise<RecordedConflict> {
    const [conflict, ...others] = (await pulled()).conflicts;
    expect(others).toEqual([]);
    if (!conflict) throw new Error('There is no conflict');
    return conflict;
  }
  const settle = () => ledger.resolutions.settleAwaiting(tenantId);
  const resolve = async (order: Order, winnerId: string | null = null): Promise<RecordedConflict> =>
    ledger.resolutions.resolve(tenantId, PERSON, (await onlyConflict()).id, { order, winnerId, feedback: 'Asked Ana' });
  /** I1, I7: the ledger verifies, and a replica that adds up effects has the server's stock. */
  async function expectSound(): Promise<void> {
    expect(await ledger.verify(tenantId)).toEqual([]);
    const { events } = await pulled();
    expect(events.reduce((sum, { effect }) => sum + effect, 0)).toBe(await stock());
  }

  describe('of claims to the same last goods', () => {
    it('takes the unpaid claim back in the push of the paid sale', async () => {
      await restock(5);
      await push(ana, claim(ana, 3));
      const outcome = await push(ben, claim(ben, 4, { payment_status: 'PAID' }));
      expect(outcome).toMatchObject({
        status: 'accepted',
        warnings: ['UNKNOWN_PRODUCT'],
        conflict: { method: 'HARDCODED', confidence: 1 },
      });
      expect(await stock()).toBe(1);
      expect(await onlyConflict()).toMatchObject({
        kind: 'OVERSELL',
        status: 'RESOLVED_AUTO',
        stockThen: 2,
        resolution: { verdict: 'A' },
        decisions: [{ name: 'paid-beats-unpaid', answer: { verdict: 'A' } }],
      });
      await expectSound();
    });

    it('gives the goods to the claim that was clearly made first', async () => {
      await restock(5);
      await push(ana, claim(ana, 3, { created_at: at(0), lamport_ts: 30 }));
      expect(await push(ben, claim(ben, 3, { created_at: at(-60), lamport_ts: 3 }))).toMatchObject({
        status: 'conflict',
        conflict: { method: null },
      });
      expect(await stock()).toBe(2);
      expect(await settle()).toEqual({ settled: 1, suggested: 0, failures: [] });
      expect(await stock()).toBe(2);
      expect(await onlyConflict()).toMatchObject({ resolution: { method: 'HEURISTIC', verdict: 'A' } });
      await expectSound();
      expect(await settle()).toEqual({ settled: 0, suggested: 0, failures: [] });
    });

    it('refuses the later claim', async () => {
      await restock(5);
      await push(ana, claim(ana, 3, { created_at: at(-60), lamport_ts: 3 }));
      await push(ben, claim(ben, 3, { created_at: at(0), lamport_ts: 30 }));
      await settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'B' } });
      expect(await stock()).toBe(2);
      await expectSound();
    });

    it('leaves two that nothing tells apart to people, with a suggestion at most', async () => {
      await restock(5);
      await push(ana, claim(ana, 3));
      await push(ben, claim(ben, 3));
      expect(await settle()).toEqual({ settled: 0, suggested: 1, failures: [] });
      expect(await onlyConflict()).toMatchObject({ status: 'PENDING', awaits: 'PERSON' });
    });

    it('only suggests where both were paid, however sure', async () => {
      await restock(5);
      await push(ana, claim(ana, 3, { payment_status: 'PAID', created_at: at(-600) }));
      await push(ben, claim(ben, 3, { payment_status: 'PAID', created_at: at(0), lamport_ts: 40 }));
      await settle();
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
      await restock(5);
      await push(ana, claim(ana, 3));
      await push(ben, claim(ben, 3));
      await settle();
      const { [side ?? 'a']: winner } = await onlyConflict();
      const resolved = await resolve(order, side && winner.id);
      expect(resolved).toMatchObject({
        status: 'RESOLVED_MANUAL',
        resolution: { method: 'MANUAL', resolvedBy: PERSON, feedback: 'Asked Ana', winnerId: side && winner.id },
      });
      expect(await stock()).toBe(left);
      await expectSound();
      expect(await resolve(order, side && winner.id)).toEqual(resolved);
      await expect(resolve(order === 'BOTH' ? 'NEITHER' : 'BOTH')).rejects.toMatchObject({ code: 'ALREADY_RESOLVED' });
      await expectSound();
    });

    it('lets both stand if there is enough by then', async () => {
      await restock(5);
      await push(ana, claim(ana, 3));
      await push(ben, claim(ben, 3));
      await push(shop, operation(shop, { delta: 9, lamport_ts: 3, base_lamport: 3 }));
      await settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'BOTH', confidence: 1 } });
      expect(await stock()).toBe(8);
      await expectSound();
    });

    it('forgets a claim that was cancelled while it waited', async () => {
      await restock(5);
      await push(ana, claim(ana, 3));
      const held = claim(ben, 3);
      await push(ben, held);
      const cancel = {
        reason: 'CANCEL',
        delta: 3,
        ref_operation_id: held.operation_id ?? null,
        lamport_ts: 3,
      } as const;
      expect(await push(ben, operation(ben, cancel))).toMatchObject({ status: 'accepted' });
      expect(await push(ben, operation(ben, { ...cancel, delta: 1, lamport_ts: 4 }))).toMatchObject({
        status: 'rejected',
        code: 'QUANTITY_OUT_OF_RANGE',
      });
      await settle();
      expect(await onlyConflict()).toMatchObject({ resolution: { verdict: 'B', confidence: 1 } });
      expect(await stock()).toBe(2);
      await expectSound();
    });
  });

  describe('of a count and what others did meanwhile', () => {
    it('puts what came after the count on top, and takes the rest as counted', async () => {
      await restock(20);
      await push(ana, claim(ana, 3, { payment_status: 'PAID', created_at: at(-60), lamport_ts: 3 }));
      await push(ana, claim(ana, 5, { payment_status: 'PAID', created_at: at(60), lamport_ts: 60 }));
      expect(await push(ben, count(ben, 16, { created_at: at(0), lamport_ts: 30 }))).toMatchObject({
        status: 'conflict',
        conflict: { method: null },
      });
      expect(await stock()).toBe(12);
      await settle();
      expect(await onlyConflict()).toMatchObject({
        kind: 'STOCK_COUNT',
        resolution: { method: 'HEURISTIC', verdict: 'BOTH' },
      });
      expect(await stock()).toBe(11);
      await expectSound();
    });

    it('holds a sale that was pushed after a concurrent count, and finds out whether it is in the count', async () => {
      await restock(20);
      await push(ben, count(ben, 16, { created_at: at(0), lamport_ts: 30 }));
      await push(ana, claim(ana, 3, { payment_status: 'PAID', created_at: at(-60), lamport_ts: 3 }));
      await push(ana, claim(ana, 5, { payment_status: 'PAID', created_at: at(60), lamport_ts: 60 }));
      expect(await stock()).toBe(16);
      expect(await settle()).toMatchObject({ settled: 2 });
      expect(await stock()).toBe(11);
      await expectSound();
    });

    it('believes the count that had seen more', async () => {
      await restock(20);
      await push(shop, operation(shop, { delta: 1, lamport_ts: 3, base_lamport: 2 }));
      await push(ana, count(ana, 18, { base_lamport: 4, lamport_ts: 5 }));
      expect(await push(ben, count(ben, 15))).toMatchObject({
        status: 'conflict',
        conflict: { method: 'HARDCODED', confidence: 0.95 },
      });
      expect(await stock()).toBe(18);
      await expectSound();
    });

    it.each([
      ['WINNER', 'a', 16],
      ['WINNER', 'b', 17],
      ['BOTH', null, 13],
      ['NEITHER', null, 20],
    ] as const)('does as a person decides: %s %s', async (order, side, left) => {
      await restock(20);
      await push(ana, claim(ana, 3));
      await push(ben, count(ben, 16));
      await settle();
      const { [side ?? 'a']: winner } = await onlyConflict();
      await resolve(order, side && winner.id);
      expect(await stock()).toBe(left);
      await expectSound();
    });
  });

  it('leaves a count to people that more has happened since than can be looked at', async () => {
    await restock(5_000);
    const busy = Array.from({ length: 900 }, (_, index) => index);
    for (const morning of [0, 1, 2]) {
      await push(
        ana,
        ...busy.map((index) => claim(ana, 1, { payment_status: 'PAID', lamport_ts: 3 + morning * 900 + index })),
      );
    }
    await push(ben, count(ben, 4_000));
    await push(ana, claim(ana, 1, { payment_status: 'PAID', lamport_ts: 9_000, base_lamport: 8_000 }));
    expect(await settle()).toEqual({ settled: 0, suggested: 1, failures: [] });
    const pending = await onlyConflict();
    expect(pending).toMatchObject({ awaits: 'PERSON', suggestion: null, stockThen: 2_300 });
    await resolve('WINNER', pending.a.id);
    expect(await stock()).toBe(3_999); // what came after it, on top
    await expectSound();
  });

  describe('of an operation on a product that another device deleted', () => {
    const pushLists = (device: string, lists: PushLists) => ledger.push(tenantId, device, lists);
    beforeEach(async () => {
      await pushLists(shop, {
        products: [aProductEdit({ id: PRODUCT, sku: 'QC-1', current_stock: 10, lamport_ts: 1 })],
      });
      await pushLists(shop, { products: [aProductEdit({ id: PRODUCT, is_deleted: true, lamport_ts: 9 })] });
    });

    it('lets a paid sale stand', async () => {
      expect(await push(ana, claim(ana, 3, { payment_status: 'PAID', base_lamport: 3 }))).toMatchObject({
        status: 'conflict',
      });
      await settle();
      expect(await onlyConflict()).toMatchObject({ kind: 'DELETED_PRODUCT', resolution: { verdict: 'BOTH' } });
      expect(await stock()).toBe(7);
      await expectSound();
    });

    it('restores the product if a person decides for the operation alone', async () => {
      await push(ana, claim(ana, 3, { base_lamport: 3 }));
      await settle();
      const pending = await onlyConflict();
      expect(pending.awaits).toBe('PERSON');
      await resolve('WINNER', pending.a.id);
      expect(await stock()).toBe(7);
      const { products } = await ledger.pull(tenantId, shop, 0);
      expect(products).toMatchObject([{ id: PRODUCT, deletedLamport: null, fields: { isDeleted: false } }]);
      await expectSound();
    });
  });

  describe('of two payments with one POS transaction', () => {
    const paid = (device: string, amount: number) =>
      ledger.push(tenantId, device, { payments: [aPaymentEdit({ amount, pos_transaction_id: 'T-1' })] });
    it.each([
      ['WINNER', 'a', ['PENDING', 'FAILED']],
      ['WINNER', 'b', [null, 'PENDING']],
      ['BOTH', null, ['PENDING', 'PENDING']],
      ['NEITHER', null, [null, 'FAILED']],
    ] as const)('does as a person decides: %s %s', async (order, side, [second, first]) => {
      await paid(ana, 10);
      await paid(ben, 10);
      await settle();
      const pending = await onlyConflict();
      expect(pending).toMatchObject({ awaits: 'PERSON', suggestion: { verdict: 'B' } });
      await resolve(order, side && pending[side].id);
      const { payments } = await ledger.pull(tenantId, shop, 0);
      const statusOf = (id: string) => payments.find((payment) => payment.id === id)?.reconciliation.status ?? null;
      expect([statusOf(pending.a.id), statusOf(pending.b.id)]).toEqual([second, first]);
    });
  });

  it('refuses a winner that is no side, a suggestion that is not there, and what is not known', async () => {
    await restock(5);
    await push(ana, claim(ana, 3));
    await push(ben, claim(ben, 3));
    await expect(resolve('WINNER', randomUUID())).rejects.toMatchObject({ code: 'VALIDATION' });
    await expect(resolve('SUGGESTION')).rejects.toMatchObject({ code: 'VALIDATION' });
    const order = { order: 'BOTH', winnerId: null, feedback: null } as const;
    await expect(ledger.resolutions.resolve(tenantId, PERSON, randomUUID(), order)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const { tenantId: other } = await ledger.addTenant();
    const { id } = await onlyConflict();
    await expect(ledger.resolutions.resolve(other, PERSON, id, order)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is settled once, whoever comes first of worker and person', async () => {
    await restock(5);
    await push(ana, claim(ana, 3, { created_at: at(0), lamport_ts: 30 }));
    await push(ben, claim(ben, 3, { created_at: at(-60) }));
    const { id, b } = await onlyConflict();
    const order = { order: 'WINNER', winnerId: b.id, feedback: null } as const;
    await Promise.allSettled([
      settle(),
      ledger.resolutions.resolve(tenantId, PERSON, id, order),
      settle(),
      ledger.resolutions.resolve(tenantId, PERSON, id, { ...order, order: 'NEITHER', winnerId: null }),
    ]);
    expect((await onlyConflict()).resolution).not.toBeNull();
    await expectSound();
  });
});
