import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newProducts, pullAll, replay, TestDevice } from '../support/devices.js';
import { createTenant, type RunningService, startService } from '../support/service.js';

const INT4_MAX = 2_147_483_647;

describe('a push', () => {
  let database: TestDatabase;
  let service: RunningService;
  let device: TestDevice;
  let product: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    device = await TestDevice.enrol(await createTenant(service));
    product = randomUUID();
  });

  /** Pushes, and returns the results. */
  const results = async (operations: readonly unknown[], envelope?: Record<string, unknown>): Promise<unknown[]> => {
    const answer = await device.push(service, operations, envelope);
    expect(answer.status).toBe(200);
    return answer.body.results as unknown[];
  };

  describe('of operations that share a group', () => {
    it('records all of them or none', async () => {
      const [scarce, group_id] = [randomUUID(), randomUUID()];
      const answers = await results([
        device.restock(product, 10),
        device.restock(scarce, 1),
        device.sale(product, 4, { group_id }),
        device.sale(scarce, 2, { group_id }),
        device.sale(product, 1, { group_id }),
        device.sale(product, 10),
      ]);
      expect(answers).toMatchObject([
        { status: 'accepted' },
        { status: 'accepted' },
        { status: 'rejected', code: 'GROUP_REJECTED' },
        { status: 'rejected', code: 'INSUFFICIENT_STOCK', suggestion: { available: 1 } },
        { status: 'rejected', code: 'GROUP_REJECTED' },
        { status: 'accepted', server_lamport: 7 }, // what the group took before it fell is there again
      ]);
      expect(await device.stockOf(service, product)).toBe(0);
      expect(await pullAll(service, device.token)).toHaveLength(3);
    });

    it('records the group when its lines all stand', async () => {
      const group_id = randomUUID();
      const lines = [1, 2].map(() => device.sale(product, 5, { group_id }));
      expect(await results([device.restock(product, 10), ...lines])).toMatchObject([
        { status: 'accepted' },
        { status: 'accepted' },
        { status: 'accepted' },
      ]);
      expect(await pullAll(service, device.token)).toMatchObject([{ group_id: null }, { group_id }, { group_id }]);
    });

    it('rejects them all for one that can’t be read', async () => {
      const group_id = randomUUID();
      const bad = { ...device.operation({ group_id }), delta: 'five' };
      expect(await results([device.operation({ group_id }), bad, device.operation()])).toMatchObject([
        { status: 'rejected', code: 'GROUP_REJECTED' },
        { status: 'rejected', code: 'VALIDATION', operation_id: bad.operation_id },
        { status: 'accepted' },
      ]);
    });

    it('accepts them once stock is there, under the same ids', async () => {
      const group_id = randomUUID();
      const lines = [device.sale(product, 2, { group_id }), device.sale(product, 3, { group_id })];
      await results([device.restock(product, 4)]);
      expect(await results(lines)).toMatchObject([{ code: 'GROUP_REJECTED' }, { code: 'INSUFFICIENT_STOCK' }]);
      await results([device.restock(product, 1)]);
      expect(await results(lines)).toMatchObject([{ status: 'accepted' }, { status: 'accepted' }]);
    });
  });

  it('is decided in good time, however many groups fall one after the other', async () => {
    const scarce = randomUUID();
    await results([device.restock(scarce, 1)]);
    const restocks = newProducts(500).map((id) => device.restock(id, 1));
    const falling = restocks.map(() => device.sale(scarce, 2, { group_id: randomUUID() }));
    const startedAt = Date.now();
    const answers = (await results([...restocks, ...falling])) as { status: string }[];
    expect(Date.now() - startedAt).toBeLessThan(2_000); // as many entries without groups take a tenth of it
    expect(answers.filter((answer) => answer.status === 'accepted')).toHaveLength(500);
  });

  describe('of what is known already', () => {
    it('answers duplicate with the first outcome, and changes nothing (I2)', async () => {
      const operation = device.operation({ product_id: product, delta: 12 });
      const first = await device.push(service, [operation]);
      const again = await device.push(service, [operation]);
      expect(again.body.results).toMatchObject([
        {
          status: 'duplicate',
          operation_id: operation.operation_id,
          server_lamport: first.body.results[0].server_lamport,
          original: { status: 'accepted', effect: 12, stock_after: 12, disposition: 'APPLIED' },
        },
      ]);
      expect(again.body.server_lamport).toBe(first.body.server_lamport);
      expect(await pullAll(service, device.token)).toHaveLength(1);
    });

    it('answers duplicate to the second of two equal lines of one batch', async () => {
      const operation = device.operation({ product_id: product, delta: 3 });
      expect(await results([operation, operation, device.operation()])).toMatchObject([
        { status: 'accepted' },
        { status: 'duplicate', original: { effect: 3 } },
        { status: 'accepted' },
      ]);
      expect(await device.stockOf(service, product)).toBe(3);
    });

    it.each<[what: string, change: Record<string, unknown>]>([
      ['delta', { delta: 2 }],
      ['product', { product_id: randomUUID() }],
      ['amount', { amount: 0.01 }],
      ['lamport', { lamport_ts: 99 }],
      ['base', { base_lamport: 0 }],
      ['user', { created_by: randomUUID() }],
      ['note of who changed it', { updated_by: randomUUID() }],
      ['group', { group_id: randomUUID() }],
    ])('rejects the same id with another %s, in a later push and in the same', async (_what, change) => {
      const operation = device.operation();
      const other = { ...operation, ...change };
      const mismatch = { status: 'rejected', code: 'IDEMPOTENCY_MISMATCH', operation_id: operation.operation_id };
      expect(await results([operation, other])).toMatchObject([{ status: 'accepted' }, mismatch]);
      expect(await results([other, operation])).toMatchObject([mismatch, { status: 'duplicate' }]);
      expect(await pullAll(service, device.token)).toHaveLength(1);
    });

    it('knows an operation without an id by its content', async () => {
      const operation = { ...device.operation({ created_at: '2026-03-01T09:30:00Z' }), operation_id: undefined };
      const sameInstant = { ...operation, created_at: '2026-03-01T06:30:00.000-03:00' };
      const [first, second, third] = (await results([
        operation,
        sameInstant,
        { ...operation, created_at: '2026-03-01T09:30:01Z' },
      ])) as { status: string; operation_id: string }[];
      expect([first?.status, second?.status, third?.status]).toEqual(['accepted', 'duplicate', 'accepted']);
      expect(second?.operation_id).toBe(first?.operation_id);
      expect(first?.operation_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
    });

    it('knows an operation by the hash the device gave it', async () => {
      const hash = 'aB'.repeat(32);
      const operation = { ...device.operation({ operation_hash: hash }), operation_id: null };
      expect(await results([operation, { ...operation, operation_hash: hash.toLowerCase() }])).toMatchObject([
        { status: 'accepted' },
        { status: 'duplicate' },
      ]);
      expect(await results([{ ...operation, delta: 2 }])).toMatchObject([{ code: 'IDEMPOTENCY_MISMATCH' }]);
    });

    it('takes ids in either case for the same', async () => {
      const operation = device.operation();
      const shouting = Object.fromEntries(
        Object.entries(operation).map(([name, value]) => [
          name,
          typeof value === 'string' && name.endsWith('_id') ? value.toUpperCase() : value,
        ]),
      );
      const envelope = { device_id: device.id.toUpperCase(), tenant_id: device.tenantId.toUpperCase() };
      expect(await results([operation])).toMatchObject([{ status: 'accepted' }]);
      expect(await results([shouting], envelope)).toMatchObject([
        { status: 'duplicate', operation_id: operation.operation_id },
      ]);
    });

    it('does not remember a rejection', async () => {
      const sale = device.sale(product, 5);
      await results([device.restock(product, 1)]);
      expect(await results([sale])).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
      expect(await results([device.restock(product, 4), sale])).toMatchObject([
        { status: 'accepted' },
        { status: 'accepted' },
      ]);
    });
  });

  describe('of stock movements', () => {
    it('refuses an unpaid claim beyond the stock, says what is there, and leaves no trace (I9)', async () => {
      const before = await device.push(service, [device.restock(product, 3)]);
      const short = [
        device.sale(product, 4),
        device.sale(product, 4, { payment_status: 'PENDING' }),
        device.sale(product, 4, { payment_status: 'CANCELLED' }),
      ];
      const after = await device.push(service, short);
      for (const result of after.body.results) {
        expect(result).toMatchObject({
          status: 'rejected',
          code: 'INSUFFICIENT_STOCK',
          suggestion: { available: 3 },
          server_lamport: null,
        });
      }
      expect(after.body.server_lamport).toBe(before.body.server_lamport);
      expect(await device.stockOf(service, product)).toBe(3);
    });

    it('sees what the lines before left: the last item is not sold twice', async () => {
      expect(
        await results([device.restock(product, 1), device.sale(product, 1), device.sale(product, 1)]),
      ).toMatchObject([
        { status: 'accepted' },
        { status: 'accepted' },
        { status: 'rejected', suggestion: { available: 0 } },
      ]);
    });

    it('records a paid sale beyond the stock with a warning: it happened', async () => {
      const paid = { payment_status: 'PAID', amount: 25_000 } as const;
      expect(await results([device.restock(product, 1), device.sale(product, 4, paid)])).toMatchObject([
        { warnings: ['UNKNOWN_PRODUCT'] },
        { status: 'accepted', warnings: ['OVERSOLD', 'UNKNOWN_PRODUCT'] },
      ]);
      expect(await device.stockOf(service, product)).toBe(-3);
      expect(await results([device.sale(product, 1)])).toMatchObject([{ suggestion: { available: 0 } }]);
    });

    it('lets stock go below zero while nobody has counted it', async () => {
      const [sold] = (await results([device.sale(product, 2)])) as { status: string; warnings: string[] }[];
      expect(sold).toMatchObject({ status: 'accepted', warnings: ['UNKNOWN_PRODUCT'] });
      expect(await results([device.restock(product, 3), device.sale(product, 2)])).toMatchObject([
        { status: 'accepted' },
        { status: 'rejected', suggestion: { available: 1 } },
      ]);
    });

    it('sets stock to a count, zero included', async () => {
      const count = (units: number): unknown =>
        device.operation({ product_id: product, operation: 'SET', reason: 'COUNT', delta: units });
      await results([device.sale(product, 5), count(7), count(0), count(0), count(2)]);
      const events = await pullAll(service, device.token);
      expect(events.map(({ effect, stock_after }) => [effect, stock_after])).toEqual([
        [-5, -5],
        [12, 7],
        [-7, 0],
        [0, 0],
        [2, 2],
      ]);
      expect(replay(events)).toEqual(new Map([[product, 2]]));
    });

    it('keeps stock within ±2,147,483,647', async () => {
      const out = { status: 'rejected', code: 'QUANTITY_OUT_OF_RANGE' };
      expect(
        await results([
          device.sale(product, INT4_MAX),
          device.sale(product, 1),
          device.operation({ product_id: product, operation: 'SET', reason: 'COUNT', delta: INT4_MAX }),
          device.restock(product, 1),
        ]),
      ).toMatchObject([{ status: 'accepted' }, out, { status: 'accepted' }, out]);
      const events = await pullAll(service, device.token);
      expect(events.map((event) => event.effect)).toEqual([-INT4_MAX, 2 * INT4_MAX]);
      expect(await device.stockOf(service, product)).toBe(INT4_MAX);
    });

    it('keeps products apart', async () => {
      const products = newProducts(50);
      await results(products.map((id, index) => device.restock(id, index + 1)));
      const stock = replay(await pullAll(service, device.token));
      expect(stock).toEqual(new Map(products.map((id, index) => [id, index + 1])));
    });
  });

  describe('of lamports', () => {
    it('gives each entry one past all that was seen', async () => {
      const operations = [device.operation({ lamport_ts: 0 }), device.operation({ lamport_ts: 50 })];
      expect(await results(operations, { client_lamport: 42 })).toMatchObject([
        { server_lamport: 43 },
        { server_lamport: 51 },
      ]);
      expect(await results([device.operation({ lamport_ts: 1 })])).toMatchObject([{ server_lamport: 52 }]);
      expect(await pullAll(service, device.token)).toMatchObject([
        { lamport_ts: 43, client_lamport: 0 },
        { lamport_ts: 51, client_lamport: 50 },
        { lamport_ts: 52, client_lamport: 1 },
      ]);
    });

    it('believes a clock that is a million ahead, and no more', async () => {
      const lead = device.operation({ lamport_ts: 1_000_000 });
      expect(await results([lead], { client_lamport: 1_000_001 })).toMatchObject([{ code: 'LAMPORT_OUT_OF_RANGE' }]);
      expect(await results([lead])).toMatchObject([{ status: 'accepted', server_lamport: 1_000_001 }]);
      // Known since before: it answers, wherever the sender's clock is now.
      expect(await results([lead], { client_lamport: Number.MAX_SAFE_INTEGER })).toMatchObject([
        { status: 'duplicate' },
      ]);
    });

    it('warns when a device gives one lamport to two operations', async () => {
      const [first, second, third] = [7, 7, 7].map((lamport_ts) => device.operation({ lamport_ts }));
      expect(await results([first, second, device.operation({ lamport_ts: 8 })])).toMatchObject([
        { warnings: ['UNKNOWN_PRODUCT'] },
        { status: 'accepted', warnings: ['UNKNOWN_PRODUCT', 'DEVICE_CLOCK_REUSED'] },
        { warnings: ['UNKNOWN_PRODUCT'] },
      ]);
      expect(await results([third])).toMatchObject([{ warnings: ['UNKNOWN_PRODUCT', 'DEVICE_CLOCK_REUSED'] }]);
      expect(await results([first])).toMatchObject([{ status: 'duplicate' }]);
    });

    it('lets two devices have the same lamport', async () => {
      const tenant = await createTenant(service);
      const [one, two] = [await TestDevice.enrol(tenant), await TestDevice.enrol(tenant)];
      for (const till of [one, two]) {
        const { body } = await till.push(service, [till.operation({ lamport_ts: 5 })]);
        expect(body.results).toMatchObject([{ status: 'accepted', warnings: ['UNKNOWN_PRODUCT'] }]);
      }
    });

    it('warns of a wall clock that is off, and records the sale', async () => {
      const sentAt = (offMs: number): Record<string, unknown> => ({
        sent_at: new Date(Date.now() + offMs).toISOString(),
      });
      const skewed = [{ status: 'accepted', warnings: ['UNKNOWN_PRODUCT', 'CLOCK_SKEW'] }];
      expect(await results([device.operation()], sentAt(-6 * 60_000))).toMatchObject(skewed);
      expect(await results([device.operation()], sentAt(6 * 60_000))).toMatchObject(skewed);
      expect(await results([device.operation()], sentAt(60_000))).toMatchObject([{ warnings: ['UNKNOWN_PRODUCT'] }]);
    });
  });

  it('hands every field on to pull as it came', async () => {
    const operation = device.operation({
      product_id: product,
      device_type: 'MOBILE',
      operation: 'DECREMENT',
      delta: 5,
      reason: 'RESERVATION',
      payment_status: 'PENDING',
      amount: -123_456_789_012.34,
      location_lat: -31.416668,
      location_lng: 5e-324,
      lamport_ts: 41,
      base_lamport: 40,
      version: Number.MAX_SAFE_INTEGER,
      group_id: randomUUID(),
      ref_operation_id: randomUUID(),
      expires_at: '9999-12-31T23:59:59.999Z',
      created_at: '1970-01-01T00:00:00.001Z',
      updated_by: randomUUID(),
    });
    await results([operation]);
    const [event] = await pullAll(service, device.token);
    const sent = { ...operation, client_lamport: 41, lamport_ts: 42, effect: -5 };
    expect({ tenant_id: device.tenantId, ...event }).toMatchObject(sent);
  });
});
