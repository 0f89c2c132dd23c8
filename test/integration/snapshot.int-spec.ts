import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DataSource, IsNull } from 'typeorm';
import { LongReads } from '../../src/database/long-reads.js';
import { ProductEntity, toProduct } from '../../src/inventory/persistence/product.entity.js';
import { StockLevelEntity } from '../../src/inventory/persistence/stock-level.entity.js';
import { toProductWire } from '../../src/inventory/product.wire.js';
import { hex } from '../../src/inventory/stock-event.wire.js';
import { toPaymentWire } from '../../src/payments/payment.wire.js';
import { PaymentEntity, toPayment } from '../../src/payments/persistence/payment.entity.js';
import type { SnapshotPart } from '../../src/sync/snapshot/domain/snapshot-part.js';
import { SnapshotRepository } from '../../src/sync/snapshot/persistence/snapshot.repository.js';
import type { SnapshotLine } from '../../src/sync/snapshot/snapshot.dto.js';
import { SnapshotService } from '../../src/sync/snapshot/snapshot.service.js';
import { toSnapshotText } from '../../src/sync/snapshot/snapshot.wire.js';
import { AccessService } from '../../src/tenancy/access.service.js';
import { GENESIS_HASH } from '../../src/tenancy/domain/lamport-clock.js';
import type { DevicePrincipal } from '../../src/tenancy/domain/principal.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type PushLists, TestLedger } from '../support/ledger.js';

/** Values that are easily lost or changed on the way from a column to JSON. */
const TEXTS = ['Queso «curado» ñ', 'quote " and backslash \\', 'two\nlines\tand a tab', '🧀 \u2028 \u2029', ' ', '{}'];
const AMOUNTS = [0.1, 12.5, 999_999_999_999.99, 0, 0.07, 1_000_000];

type Receive = (part: SnapshotPart) => Promise<void> | void;
const take: Receive = () => undefined;

describe('a snapshot', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let tenantId: string;
  let deviceId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    ({ tenantId, deviceId } = await ledger.addTenant());
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const serviceOn = ({ database: tenants }: TestLedger): SnapshotService =>
    new SnapshotService(
      tenants,
      new LongReads(8),
      new TenantClockRepository(),
      new SnapshotRepository(),
      new AccessService(tenants, new TenantRepository()),
    );
  const deviceOf = (tenant: string, device: string): DevicePrincipal => ({
    role: 'device',
    userId: device,
    tenantId: tenant,
    deviceId: device,
  });

  /** The lines as a client reads them; `receive` sees each part first. */
  async function snapshot(
    tenant: { tenantId: string; deviceId: string },
    receive: Receive = take,
    from = ledger,
  ): Promise<SnapshotLine[]> {
    let text = '';
    await serviceOn(from).send(deviceOf(tenant.tenantId, tenant.deviceId), {
      receive: async (part) => {
        await receive(part);
        text += toSnapshotText(part);
      },
      end: () => Promise.resolve(),
      cutOff: (reason) => {
        throw reason;
      },
    });
    expect(text.endsWith('\n')).toBe(true);
    return text
      .slice(0, -1)
      .split('\n')
      .map((line) => JSON.parse(line) as SnapshotLine);
  }

  const linesOf = <T extends SnapshotLine['type']>(
    lines: readonly SnapshotLine[],
    type: T,
  ): Extract<SnapshotLine, { type: T }>[] =>
    lines.filter((line): line is Extract<SnapshotLine, { type: T }> => line.type === type);
  function headerOf(lines: readonly SnapshotLine[]): Extract<SnapshotLine, { type: 'header' }> {
    const [first] = lines;
    if (first?.type !== 'header') throw new Error('There is no header');
    return first;
  }
  const byId = <T extends { id: string }>(states: readonly T[]): T[] =>
    [...states].sort((a, b) => a.id.localeCompare(b.id));

  it('has every living product, stock level and open payment, each value as it is everywhere else', async () => {
    const shop = await ledger.addTenant();
    const products = TEXTS.map((text, index) =>
      aProductEdit({
        name: `${index} ${text.replaceAll(/\s/g, ' ')}`,
        description: text,
        category: text.replaceAll(/\s/g, ' '),
        sku: `SKU ${index}`,
        price: AMOUNTS[index] ?? null,
        reorder_point: index,
        updated_by: randomUUID(),
      }),
    );
    const payments = AMOUNTS.map((amount, index) =>
      aPaymentEdit({
        amount: index % 2 ? amount : -amount,
        notes: TEXTS[index] ?? null,
        pos_transaction_id: `T${index}`,
      }),
    );
    // More than a batch of each, and most levels of products that nobody has told of.
    const plain = Array.from({ length: 300 }, () => ({ product: aProductEdit(), payment: aPaymentEdit() }));
    const operations = Array.from({ length: 1_300 }, (_, index) =>
      anOperation({
        tenant_id: shop.tenantId,
        device_id: shop.deviceId,
        product_id: products[index]?.id ?? randomUUID(),
        ...(index % 3
          ? { delta: index }
          : ({ operation: 'DECREMENT', reason: 'SALE', payment_status: 'PAID' } as const)),
      }),
    );
    const push = (lists: PushLists): Promise<unknown> => ledger.push(shop.tenantId, shop.deviceId, lists);
    await push({ products: [...products, aProductEdit({ description: null, price: null })], payments });
    await push({ products: plain.map(({ product }) => product), payments: plain.map(({ payment }) => payment) });
    await push({ operations: operations.slice(0, 650) });
    await push({ operations: operations.slice(650) });

    const lines = await snapshot(shop);
    const stored = await ledger.database.transaction(shop.tenantId, async ({ manager }) => ({
      products: (await manager.find(ProductEntity)).map((row) => ({
        type: 'product',
        ...toProductWire(toProduct(row)),
      })),
      levels: await manager.find(StockLevelEntity),
      payments: (await manager.find(PaymentEntity)).map((row) => ({
        type: 'payment',
        ...toPaymentWire(toPayment(row)),
      })),
    }));
    expect(stored.products).toHaveLength(307);
    expect(byId(linesOf(lines, 'product'))).toEqual(byId(stored.products));
    expect(byId(linesOf(lines, 'payment'))).toEqual(byId(stored.payments));
    expect(stored.levels).toHaveLength(1_300);
    const levels = stored.levels.map(({ productId, quantity, tracked, lastLamport }) => ({
      type: 'stock_level',
      id: productId,
      product_id: productId,
      quantity,
      tracked,
      last_lamport: lastLamport,
    }));
    expect(byId(linesOf(lines, 'stock_level').map((level) => ({ id: level.product_id, ...level })))).toEqual(
      byId(levels),
    );
    expect(lines.map(({ type }) => type)).toEqual([
      'header',
      ...Array<string>(307).fill('product'),
      ...Array<string>(1_300).fill('stock_level'),
      ...Array<string>(306).fill('payment'),
      'end',
    ]);
    expect(lines.at(-1)).toEqual({ type: 'end', products: 307, stock_levels: 1_300, payments: 306 });
  });

  it('leaves out deleted products, and payments that were reconciled', async () => {
    const shop = await ledger.addTenant();
    const [kept, deleted] = [aProductEdit(), aProductEdit()];
    const [open, confirmed] = [aPaymentEdit(), aPaymentEdit()];
    await ledger.push(shop.tenantId, shop.deviceId, { products: [kept, deleted], payments: [open, confirmed] });
    await ledger.push(shop.tenantId, shop.deviceId, {
      products: [{ id: deleted.id, is_deleted: true, lamport_ts: 100 }],
      operations: [anOperation({ tenant_id: shop.tenantId, device_id: shop.deviceId, product_id: kept.id })],
    });
    await ledger.database.transaction(shop.tenantId, (tx) =>
      tx.manager.query(`UPDATE payments SET reconciliation_status = 'CONFIRMED' WHERE id = $1`, [confirmed.id]),
    );
    const lines = await snapshot(shop);
    expect(linesOf(lines, 'product').map(({ id }) => id)).toEqual([kept.id]);
    expect(linesOf(lines, 'payment').map(({ id }) => id)).toEqual([open.id]);
    expect(lines.at(-1)).toEqual({ type: 'end', products: 1, stock_levels: 1, payments: 1 });
  });

  it('of a tenant that has nothing is a header and an end', async () => {
    const shop = await ledger.addTenant();
    const lines = await snapshot(shop);
    expect(lines).toHaveLength(2);
    expect(headerOf(lines)).toMatchObject({ lamport: 0, tenant_id: shop.tenantId, chain_hash: hex(GENESIS_HASH) });
    expect(lines.at(-1)).toEqual({ type: 'end', products: 0, stock_levels: 0, payments: 0 });
  });

  it('shows nothing of another tenant, not even on a connection that has served it', async () => {
    const alone = await openDataSource(database.appUrl, 1);
    try {
      const one = new TestLedger(alone);
      const device = randomUUID(); // ids that two tenants share must not matter
      const productId = randomUUID();
      const [ana, ben] = [await one.addTenant(device), await one.addTenant(device)];
      for (const [shop, delta] of [
        [ana, 1],
        [ben, 2],
      ] as const) {
        const mine = { tenant_id: shop.tenantId, device_id: device, product_id: productId };
        await one.push(shop.tenantId, device, {
          operations: [anOperation({ ...mine, delta }), anOperation({ ...mine, product_id: randomUUID() })],
          products: [aProductEdit({ id: productId, name: shop.tenantId })],
          payments: [aPaymentEdit({ notes: shop.tenantId })],
        });
      }
      for (const [shop, delta] of [
        [ana, 1],
        [ben, 2],
        [ana, 1],
      ] as const) {
        const lines = await snapshot(shop, take, one);
        expect(linesOf(lines, 'product')).toMatchObject([{ id: productId, name: shop.tenantId }]);
        expect(linesOf(lines, 'payment')).toMatchObject([{ notes: shop.tenantId }]);
        expect(linesOf(lines, 'stock_level')).toHaveLength(2);
        expect(linesOf(lines, 'stock_level')).toContainEqual(
          expect.objectContaining({ product_id: productId, quantity: delta }),
        );
      }
    } finally {
      await alone.destroy();
    }
  });

  it('is of one lamport while others push, and pull goes on exactly there', async () => {
    const shop = await ledger.addTenant();
    const { tenantId: id } = shop;
    const productIds = Array.from({ length: 5 }, () => randomUUID());
    let stop = false;
    const pushing = [shop.deviceId, await ledger.addDevice(id), await ledger.addDevice(id)].map(async (device) => {
      for (let lamport = 1; !stop; lamport += 1) {
        const named = { tenant_id: id, device_id: device, lamport_ts: lamport };
        await ledger.push(id, device, {
          operations: productIds.map((productId) => anOperation({ ...named, product_id: productId, delta: 3 })),
          products: [
            aProductEdit({ id: productIds[lamport % 5] ?? '', name: `${device} ${lamport}`, lamport_ts: lamport }),
          ],
          payments: [aPaymentEdit({ lamport_ts: lamport })],
        });
      }
    });
    const snapshots: SnapshotLine[][] = [];
    // Each part waits for some pushes to come in between.
    for (let number = 0; number < 8; number += 1) snapshots.push(await snapshot(shop, () => sleep(20)));
    stop = true;
    await Promise.all(pushing);

    const log = await ledger.database.transaction(id, (tx) =>
      tx.manager.query<{ lamport: number; product_id: string; effect: number; chain_hash: Buffer }[]>(
        `SELECT lamport_ts::integer AS lamport, product_id, effect::integer, chain_hash FROM stock_events
         WHERE tenant_id = $1 ORDER BY lamport_ts`,
        [id],
      ),
    );
    const lamports = snapshots.map((lines) => headerOf(lines).lamport);
    expect(new Set(lamports).size).toBeGreaterThan(1);
    for (const lines of snapshots) {
      const header = headerOf(lines);
      const before = log.filter(({ lamport }) => lamport <= header.lamport);
      expect(header.chain_hash).toBe(before.at(-1)?.chain_hash.toString('hex') ?? hex(GENESIS_HASH));
      const stock = new Map<string, number>();
      for (const event of before) stock.set(event.product_id, (stock.get(event.product_id) ?? 0) + event.effect);
      const levels = linesOf(lines, 'stock_level');
      expect(new Map(levels.map((level) => [level.product_id, level.quantity]))).toEqual(stock);
      // Pulled on from there, it comes to what a device has that pulled everything.
      const states = new Map<string, number>();
      const payments = new Set(linesOf(lines, 'payment').map((payment) => payment.id));
      for (const product of linesOf(lines, 'product')) {
        expect(product.lamport_ts).toBeLessThanOrEqual(header.lamport);
        states.set(product.id, product.lamport_ts);
      }
      for (let cursor = header.lamport, more = true; more;) {
        const page = await ledger.pull(id, shop.deviceId, cursor, 100);
        for (const { productId, effect } of page.events) stock.set(productId, (stock.get(productId) ?? 0) + effect);
        for (const product of page.products) states.set(product.id, product.lamport);
        for (const payment of page.payments) payments.add(payment.id);
        cursor = page.nextLamport;
        more = page.hasMore;
      }
      const now = await ledger.database.transaction(id, async ({ manager }) => ({
        levels: await manager.find(StockLevelEntity),
        products: await manager.findBy(ProductEntity, { deletedLamport: IsNull() }),
        payments: await manager.find(PaymentEntity),
      }));
      expect(stock).toEqual(new Map(now.levels.map((level) => [level.productId, level.quantity])));
      expect(states).toEqual(new Map(now.products.map((product) => [product.id, product.lamport])));
      expect([...payments].sort()).toEqual(now.payments.map((payment) => payment.id).sort());
    }
  });

  it('ends its transaction and gives its place back as soon as the receiver takes no more', async () => {
    const device = deviceOf(tenantId, deviceId);
    const snapshots = serviceOn(ledger);
    for (let time = 0; time < 5; time += 1) {
      let parts = 0;
      const sending = snapshots.send(device, {
        receive: () => ((parts += 1) > 1 ? Promise.reject(new Error('enough')) : Promise.resolve()),
        end: () => Promise.resolve(),
        cutOff: () => undefined,
      });
      await expect(sending).rejects.toThrow('enough');
      expect(
        await queryOnce(
          database.superuserUrl,
          `SELECT state, query FROM pg_stat_activity
           WHERE datname = current_database() AND usename = 'agrotour_app' AND state LIKE 'idle in transaction%'`,
        ),
      ).toEqual([]);
    }
  });

  it('is cut off when its device is revoked meanwhile, and not because nobody could be asked', async () => {
    const revoked = await ledger.addDevice(tenantId);
    const reasons: Error[] = [];
    const sending = serviceOn(ledger).send(deviceOf(tenantId, revoked), {
      receive: async () => {
        await eventually('a verdict on the device', () => reasons.length > 0);
        throw reasons[0] ?? new Error('never');
      },
      end: () => Promise.resolve(),
      cutOff: (reason) => reasons.push(reason),
    });
    const ended = expect(sending).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    await ledger.database.transaction(tenantId, (tx) => new DeviceRepository().revoke(tx, revoked, new Date()));
    await ended;

    const alone = await openDataSource(database.appUrl, 1); // which the snapshot has
    try {
      const lines = await snapshot({ tenantId, deviceId }, () => sleep(1_200), new TestLedger(alone));
      expect(lines.at(-1)?.type).toBe('end');
    } finally {
      await alone.destroy();
    }
  });
});
