import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ProductEditDto } from '../../src/sync/push/push.dto.js';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { expectChain, pullAll, replay, TestDevice } from '../support/devices.js';
import { expectProblem } from '../support/problems.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
} from '../support/service.js';

describe('products and payments', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let ana: TestDevice;
  let ben: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    ana = await TestDevice.enrol(tenant, 'Ana’s phone');
    ben = await TestDevice.enrol(tenant, 'Ben’s till');
  });

  interface Lists {
    operations?: unknown[];
    products?: unknown[];
    payments?: unknown[];
  }

  async function push(device: TestDevice, lists: Lists): Promise<Answer['body'][]> {
    const answer = await device.push(service, lists.operations ?? [], { ...lists });
    expect(answer.status).toBe(200);
    return answer.body.results as Answer['body'][];
  }

  /** The newest state of what a pull from the start hands out. */
  async function pulled(): Promise<Answer['body']> {
    return (await ana.pull(service, 0, 1_000)).body;
  }

  const productOf = async (id: string): Promise<Answer['body']> =>
    (await pulled()).products.find((product: { id: string }) => product.id === id);

  /** A product that Ana made. @returns its id and lamport. */
  async function aProduct(fields: Partial<ProductEditDto> = {}): Promise<{ id: string; lamport: number }> {
    const edit = aProductEdit({ name: 'Goat cheese', price: 10, category: 'Cheese', ...fields });
    const [result] = await push(ana, { products: [edit] });
    expect(result).toMatchObject({ status: 'accepted', id: edit.id, version: 1, warnings: [] });
    return { id: edit.id, lamport: result.server_lamport as number };
  }

  describe('a product', () => {
    it('is pushed, pulled, and known when it is pushed again', async () => {
      const edit = aProductEdit({
        name: 'Queso «curado» ñ',
        description: 'two\nlines',
        price: 12.5,
        sku: 'QC-1',
        category: 'Queso',
        reorder_point: 3,
      });
      const [result] = await push(ana, { products: [edit] });
      expect(await productOf(edit.id)).toEqual({
        id: edit.id,
        name: 'Queso «curado» ñ',
        description: 'two\nlines',
        price: 12.5,
        sku: 'QC-1',
        category: 'Queso',
        reorder_point: 3,
        is_deleted: false,
        version: 1,
        lamport_ts: result.server_lamport,
        device_id: ana.id,
        updated_by: null,
        created_at: expect.any(String),
        updated_at: expect.any(String),
      });
      expect(await push(ana, { products: [edit] })).toMatchObject([
        { status: 'duplicate', original: { status: 'accepted', server_lamport: result.server_lamport, version: 1 } },
      ]);
    });

    it('takes the higher lamport, and keeps in the log what a lower one or a tie said', async () => {
      const { id, lamport } = await aProduct();
      const [tie] = await push(ben, { products: [{ id, price: 11, lamport_ts: lamport }] });
      expect(tie).toMatchObject({
        status: 'ignored',
        server_lamport: lamport,
        version: 1,
        resolution: { method: 'HARDCODED', requires_approval: false },
      });
      expect(await push(ben, { products: [{ id, price: 12, lamport_ts: lamport + 1 }] })).toMatchObject([
        { status: 'accepted', version: 2 },
      ]);
      expect(await productOf(id)).toMatchObject({ price: 12, name: 'Goat cheese', version: 2 });
      const conflict = await request(`${service.url}/sync/conflicts/${tie.conflict_id as string}`, {
        token: tenant.adminToken,
      });
      expect(conflict.body).toMatchObject({
        kind: 'FIELD_EDIT',
        status: 'RESOLVED_AUTO',
        fields: ['price'],
        a: { device_id: ben.id, payload: { price: 11 } },
        b: { device_id: ana.id, payload: { price: 10 } },
        winner_id: (conflict.body as { b: { id: string } }).b.id,
      });
    });

    it('says nothing of a stale edit that says what stands', async () => {
      const { id } = await aProduct();
      const [result] = await push(ben, { products: [{ id, price: 10, lamport_ts: 0 }] });
      expect(result).toMatchObject({ status: 'ignored' });
      expect(result).not.toHaveProperty('conflict_id');
    });

    it('tells a second device that makes the same product that its stock was not taken', async () => {
      const { id } = await aProduct({ current_stock: 10 });
      const [result] = await push(ben, { products: [{ id, name: 'Goat cheese', current_stock: 7, lamport_ts: 0 }] });
      expect(result).toMatchObject({ status: 'ignored', warnings: ['STOCK_IGNORED'] });
      expect(await ana.stockOf(service, id)).toBe(10);
    });

    it('keeps both edits of a device that made them offline, one after the other', async () => {
      const id = randomUUID();
      const results = await push(ana, {
        products: [
          aProductEdit({ id, name: 'One', lamport_ts: 1 }),
          { id, name: 'Two', lamport_ts: 2 },
          { id, price: 3, lamport_ts: 3 },
        ],
      });
      expect(results.map((result) => [result.status, result.version])).toEqual([
        ['accepted', 1],
        ['accepted', 2],
        ['accepted', 3],
      ]);
      expect(await productOf(id)).toMatchObject({ name: 'Two', price: 3 });
    });

    it('merges edits of different fields from one version, and decides only a field that both changed', async () => {
      const { id, lamport } = await aProduct();
      await push(ben, { products: [{ id, price: 11, category: 'Fresh', lamport_ts: lamport + 1, version: 1 }] });
      // Ana has not seen that, and her clock is behind.
      const [merged] = await push(ana, {
        products: [{ id, name: 'Cheese of goat', price: 9, lamport_ts: 2, version: 1 }],
      });
      expect(merged).toMatchObject({
        status: 'accepted',
        version: 3,
        resolution: { method: 'HARDCODED', requires_approval: false },
      });
      expect(await productOf(id)).toMatchObject({ name: 'Cheese of goat', price: 11, category: 'Fresh', version: 3 });
      const conflicts = await request(`${service.url}/sync/conflicts?product_id=${id}`, { token: tenant.adminToken });
      expect(conflicts.body).toMatchObject({
        total: 1,
        conflicts: [
          { id: merged.conflict_id, fields: ['price'], a: { payload: { price: 9 } }, b: { payload: { price: 11 } } },
        ],
      });
    });

    it('is deleted into a tombstone that no stale edit revives, and a newer one that says so does', async () => {
      const { id, lamport } = await aProduct({ sku: 'QC-9' });
      const [deleted] = await push(ben, { products: [{ id, is_deleted: true, lamport_ts: lamport + 1, version: 1 }] });
      expect(deleted).toMatchObject({ status: 'accepted', version: 2 });
      const stale = await push(ana, {
        products: [
          { id, name: 'Alive?', is_deleted: false, lamport_ts: 2 },
          { id, name: 'Alive!', is_deleted: false, lamport_ts: 900, version: 1 },
          { id, price: 5, lamport_ts: 901 },
        ],
      });
      expect(stale).toMatchObject([{ status: 'ignored' }, { status: 'ignored' }, { code: 'PRODUCT_DELETED' }]);
      expect(await productOf(id)).toMatchObject({ is_deleted: true, name: 'Goat cheese', version: 2 });
      const other = await push(ana, { products: [aProductEdit({ sku: 'QC-9', lamport_ts: 902 })] });
      expect(other).toMatchObject([{ status: 'accepted' }]); // the SKU is free
      const back = { id, is_deleted: false, lamport_ts: 3_000, version: 2 };
      expect(await push(ana, { products: [back] })).toMatchObject([{ code: 'SKU_TAKEN' }]);
      expect(await push(ana, { products: [{ ...back, sku: 'QC-10' }] })).toMatchObject([{ status: 'accepted' }]);
      expect(await productOf(id)).toMatchObject({ is_deleted: false, sku: 'QC-10', name: 'Goat cheese' });
    });

    it('stays deleted for the device whose edit stood, if it says so at a lamport that the deletion has passed', async () => {
      const { id } = await aProduct();
      const [second] = await push(ana, { products: [{ id, price: 2, lamport_ts: 20 }] });
      const [deleted] = await push(ben, { products: [{ id, is_deleted: true, lamport_ts: 12, version: 1 }] });
      expect(deleted).toMatchObject({ status: 'accepted', server_lamport: (second.server_lamport as number) + 1 });
      const [revived] = await push(ana, { products: [{ id, name: 'Alive', is_deleted: false, lamport_ts: 21 }] });
      expect(revived).toMatchObject({ status: 'ignored', conflict_id: expect.any(String) });
      expect(await productOf(id)).toMatchObject({ is_deleted: true, price: 2 });
    });

    it('has its SKU to itself among the living of its tenant, and two may swap theirs in one push', async () => {
      const [first, second] = [await aProduct({ sku: 'A' }), await aProduct({ sku: 'B', lamport_ts: 2 })];
      const taken = await push(ana, { products: [aProductEdit({ sku: 'A', lamport_ts: 3 })] });
      expect(taken).toMatchObject([{ status: 'rejected', code: 'SKU_TAKEN' }]);
      const swapped = await push(ana, {
        products: [
          { id: first.id, sku: null, lamport_ts: 4 },
          { id: second.id, sku: 'A', lamport_ts: 5 },
          { id: first.id, sku: 'B', lamport_ts: 6 },
        ],
      });
      expect(swapped.map((result) => result.status)).toEqual(Array(3).fill('accepted'));
      expect(await productOf(first.id)).toMatchObject({ sku: 'B' });
      expect(await productOf(second.id)).toMatchObject({ sku: 'A' });
      const stranger = await TestDevice.enrol(await createTenant(service));
      expect(await push(stranger, { products: [aProductEdit({ sku: 'A' })] })).toMatchObject([{ status: 'accepted' }]);
    });

    it('opens with its stock as an event, whatever was sold of it before, and only once', async () => {
      const id = randomUUID();
      await push(ben, { operations: [ben.sale(id, 2, { payment_status: 'PAID' })] });
      const [opened] = await push(ana, { products: [aProductEdit({ id, current_stock: 10 })] });
      expect(opened).toMatchObject({ status: 'accepted', warnings: [] });
      expect(await ana.stockOf(service, id)).toBe(8);
      const [ignored] = await push(ana, { products: [{ id, current_stock: 99, lamport_ts: 2 }] });
      expect(ignored).toMatchObject({ status: 'accepted', warnings: ['STOCK_IGNORED'] });
      expect(await ana.stockOf(service, id)).toBe(8);
      const events = await pullAll(service, ana.token);
      expect(events).toMatchObject([
        { operation: 'DECREMENT', effect: -2 },
        { operation: 'INCREMENT', effect: 10, stock_after: 8, device_type: 'SERVER', device_id: ana.id },
      ]);
      expectChain(tenant.id, events);
      expect(replay(events).get(id)).toBe(8);
      // A baseline of nothing is one, too.
      const empty = aProductEdit({ current_stock: 0, lamport_ts: 3 });
      await push(ana, { products: [empty] });
      expect(await push(ana, { operations: [ana.sale(empty.id, 1)] })).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
    });

    it('is known to the operations of the same push, and deleted to those that knew; the others are held', async () => {
      const id = randomUUID();
      const results = await push(ana, {
        products: [aProductEdit({ id, current_stock: 5 })],
        operations: [ana.sale(id, 3)],
      });
      expect(results).toMatchObject([
        { operation_id: expect.any(String), status: 'accepted', warnings: [] },
        { id, status: 'accepted' },
      ]);
      const [gone] = await push(ana, { products: [{ id, is_deleted: true, lamport_ts: 50 }] });
      const lamport = gone.server_lamport as number;
      const sales = await push(ben, {
        operations: [
          ben.sale(id, 1, { base_lamport: lamport - 1 }),
          ben.sale(id, 1, { base_lamport: lamport }),
          ben.sale(id, 1), // no base, and the device never pulled: its lamport says that it can't have known
        ],
      });
      expect(sales).toMatchObject([{ status: 'conflict' }, { code: 'PRODUCT_DELETED' }, { status: 'conflict' }]);
    });
  });

  describe('a payment', () => {
    it('is pushed and pulled, and whether the money arrived is not for the device to say', async () => {
      const payment = aPaymentEdit({ amount: 25_000.5, payment_method: 'POS_OFFLINE', pos_transaction_id: 'T-1' });
      const [result] = await push(ana, {
        payments: [{ ...payment, reconciled: true, reconciliation_status: 'CONFIRMED' }],
      });
      expect(result).toMatchObject({ status: 'accepted', id: payment.id, version: 1 });
      expect((await pulled()).payments).toMatchObject([
        {
          id: payment.id,
          sale_id: payment.sale_id,
          amount: 25_000.5,
          pos_transaction_id: 'T-1',
          reconciliation_status: 'PENDING',
          reconciled: false,
          lamport_ts: result.server_lamport,
        },
      ]);
      expect(await push(ana, { payments: [payment] })).toMatchObject([{ status: 'duplicate' }]);
    });

    it('is a conflict for people if another has its POS transaction, the same one when it is sent again', async () => {
      const first = aPaymentEdit({ pos_transaction_id: 'T-2', amount: 5 });
      const second = aPaymentEdit({ pos_transaction_id: 'T-2', amount: 6 });
      await push(ana, { payments: [first] });
      const [result] = await push(ben, { payments: [second] });
      expect(result).toMatchObject({
        status: 'conflict',
        id: second.id,
        resolution: { method: null, requires_approval: true, winner_id: null },
      });
      expect(await push(ben, { payments: [second] })).toEqual([result]);
      // The worker may just be looking at it: then it comes with the next pull.
      const page = await eventually('the conflict in a pull', async () => {
        const found = await pulled();
        return found.conflicts.length > 0 && found;
      });
      expect(page.payments).toHaveLength(1);
      expect(page.conflicts).toMatchObject([
        {
          id: result.conflict_id,
          kind: 'DUPLICATE_PAYMENT',
          status: 'PENDING',
          a: { id: second.id, payload: { amount: 6, pos_transaction_id: 'T-2' } },
          b: { id: first.id, payload: { amount: 5 } },
        },
      ]);
      const stranger = await TestDevice.enrol(await createTenant(service));
      expect(await push(stranger, { payments: [second] })).toMatchObject([{ status: 'accepted' }]);
    });
  });

  it('rejects the entries of a group together, whatever they are', async () => {
    const group_id = randomUUID();
    const { id } = await aProduct({ current_stock: 1 });
    const before = await pulled();
    const results = await push(ana, {
      operations: [ana.sale(id, 2, { group_id })],
      products: [aProductEdit({ group_id, lamport_ts: 5 })],
      payments: [aPaymentEdit({ group_id, lamport_ts: 6 }), aPaymentEdit({ lamport_ts: 7 })],
    });
    expect(results).toMatchObject([
      { code: 'INSUFFICIENT_STOCK', suggestion: { available: 1 } },
      { code: 'GROUP_REJECTED' },
      { code: 'GROUP_REJECTED' },
      { status: 'accepted' },
    ]);
    const after = await pulled();
    expect(after.products).toEqual(before.products);
    expect(after.payments).toHaveLength(1);
  });

  it('pulls all kinds in one order, page by page', async () => {
    const { id } = await aProduct({ current_stock: 5 });
    await push(ana, { operations: [ana.sale(id, 1)], payments: [aPaymentEdit({ lamport_ts: 3 })] });
    await push(ben, { products: [{ id, name: 'Stale', lamport_ts: 0 }] });
    const whole = await pulled();
    const seen: number[] = [];
    for (let cursor = 0, more = true; more;) {
      const { body } = await ben.pull(service, cursor, 1);
      const entries = [...body.operations, ...body.products, ...body.payments, ...body.conflicts];
      expect(entries).toHaveLength(1);
      seen.push(entries[0].lamport_ts as number);
      cursor = body.next_lamport as number;
      more = body.has_more as boolean;
      const upTo = whole.operations.filter((event: { lamport_ts: number }) => event.lamport_ts <= cursor).at(-1);
      expect(body.chain_hash).toBe(upTo?.chain_hash ?? '0'.repeat(64));
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toHaveLength(5);
  });

  it.each<[list: 'products' | 'payments', path: string, why: string, spoilt: unknown]>([
    ['products', 'price', 'no number', 'NaN'],
    ['products', 'price', 'too large', 1e300],
    ['products', 'price', 'negative', -1],
    ['products', 'price', 'too many decimals', 0.001],
    ['products', 'name', 'blank', ' '],
    ['products', 'name', 'too long', 'x'.repeat(301)],
    ['products', 'name', 'a control character', 'a\u0000b'],
    ['products', 'sku', 'a number', 7],
    ['products', 'current_stock', 'negative', -1],
    ['products', 'current_stock', 'a fraction', 1.5],
    ['products', 'reorder_point', 'too large', 2 ** 31],
    ['products', 'is_deleted', 'no boolean', 'yes'],
    ['products', 'lamport_ts', 'negative', -1],
    ['products', 'version', 'not safe', 2 ** 53],
    ['products', 'name', 'null', null],
    ['payments', 'amount', 'null', null],
    ['payments', 'sale_id', 'missing', undefined],
    ['payments', 'payment_method', 'unknown', 'BARTER'],
    ['payments', 'receipt_photo', 'too long', 'x'.repeat(2_049)],
    ['payments', 'notes', 'too long', 'x'.repeat(2_001)],
  ])('rejects one of the %s whose %s is %s, and its neighbours land', async (list, path, _why, spoilt) => {
    const good = list === 'products' ? aProductEdit() : aPaymentEdit();
    const bad = { ...(list === 'products' ? aProductEdit() : aPaymentEdit()), [path]: spoilt };
    const operation = ana.operation();
    const [sold, rejected, landed] = await push(ana, { operations: [operation], [list]: [bad, good] });
    expect(sold.status).toBe('accepted');
    expect(landed).toMatchObject({ id: good.id, status: 'accepted' });
    expect(rejected).toMatchObject({ id: bad.id, status: 'rejected', code: 'VALIDATION' });
    expect(rejected.errors[0].path).toBe(`${list}[0].${path}`);
  });

  it('names the limit to whoever sends a photo inline', async () => {
    const photo = `data:image/jpeg;base64,${'A'.repeat(3_000_000)}`;
    const [result] = await push(ana, { payments: [aPaymentEdit({ receipt_photo: photo })] });
    expect(result).toMatchObject({ code: 'VALIDATION', message: expect.stringContaining('2048 characters') });
    const huge = `data:image/jpeg;base64,${'A'.repeat(5_242_880)}`;
    const answer = await ana.push(service, [], { payments: [aPaymentEdit({ receipt_photo: huge })] });
    expectProblem(answer, 'PAYLOAD_TOO_LARGE');
    expect(JSON.stringify(answer.body)).toContain('5 MiB');
  });

  it('rejects what is another’s', async () => {
    const results = await push(ana, {
      products: [aProductEdit({ tenant_id: randomUUID() }), aProductEdit({ device_id: ben.id })],
      payments: [aPaymentEdit({ lamport_ts: 2_000_000 })],
    });
    expect(results).toMatchObject([
      { code: 'TENANT_MISMATCH' },
      { code: 'DEVICE_MISMATCH' },
      { code: 'LAMPORT_OUT_OF_RANGE' },
    ]);
    expect((await pulled()).server_lamport).toBe(0);
  });
});
