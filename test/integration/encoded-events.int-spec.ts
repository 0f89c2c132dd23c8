import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import type { StockEvent } from '../../src/inventory/domain/stock-event.js';
import { StockEventEntity } from '../../src/inventory/persistence/stock-event.entity.js';
import { StockEventRepository } from '../../src/inventory/persistence/stock-event.repository.js';
import { toStockEventWire } from '../../src/inventory/stock-event.wire.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

const uuid = fc.uuid();
const time = fc
  .date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const lamport = fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const coordinate = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.constantFrom(0, -0, 1e-7, -74.08, 5e-324, 0.1 + 0.2),
);

/** As rows may be, all columns at their bounds and without a value where they may be. */
const content: fc.Arbitrary<Omit<StockEvent, 'lamport'>> = fc.record({
  operationId: uuid,
  productId: uuid,
  deviceId: uuid,
  deviceType: fc.constantFrom('WEB', 'MOBILE', 'DESKTOP', 'SERVER'),
  kind: fc.constantFrom('INCREMENT', 'DECREMENT', 'SET'),
  delta: fc.constantFrom(0, 1, 2_147_483_647),
  reason: fc.constantFrom('SALE', 'RESTOCK', 'ADJUSTMENT'),
  paymentStatus: fc.constantFrom(null, 'PAID', 'PENDING'),
  amount: fc.option(fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map((cents) => cents / 100)),
  locationLat: fc.option(coordinate),
  locationLng: fc.option(coordinate),
  clientLamport: lamport,
  baseLamport: fc.option(lamport),
  version: fc.option(lamport),
  groupId: fc.option(uuid),
  refOperationId: fc.option(uuid),
  expiresAt: fc.option(time),
  createdAt: fc.option(time),
  createdBy: uuid,
  updatedBy: fc.option(uuid),
  effect: fc.integer({ min: -4_294_967_295, max: 4_294_967_295 }),
  stockAfter: fc.integer(),
  disposition: fc.constantFrom('APPLIED', 'HELD', 'VOIDED'),
  contentHash: hash,
  chainHash: hash,
});

describe('an event as a pull hands it out', () => {
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 2);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  it('says what it says everywhere else on the wire, whatever the server’s own formats are', async () => {
    await queryOnce(
      database.superuserUrl,
      `ALTER ROLE agrotour_app IN DATABASE ${new URL(database.appUrl).pathname.slice(1)}
       SET timezone = 'America/Bogota'`,
    );
    await source.destroy();
    source = await openDataSource(database.appUrl, 2);
    const tenants = new TenantDatabase(source);
    const { tenantId } = await new TestLedger(source).addTenant();
    const repository = new StockEventRepository();
    let head = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 20 }), time, async (drawn, syncedAt) => {
        const events = drawn.map((event, index) => ({
          ...{ ...event, operationId: randomUUID(), lamport: head + index + 1 },
        }));
        await tenants.transaction(tenantId, async (tx) => {
          await repository.append(tx, events, new Date(syncedAt));
          const encoded = await repository.encodedAfter(tx, head, 100);
          const rows = await tx.manager.find(StockEventEntity, {
            where: { tenantId },
            order: { lamport: 'DESC' },
            take: events.length,
          });
          const expected = rows.reverse().map(toStockEventWire);
          expect(encoded.map(({ json }) => JSON.parse(Buffer.from(json).toString()) as unknown)).toEqual(
            JSON.parse(JSON.stringify(expected)),
          );
          expect(encoded.map(({ lamport }) => lamport)).toEqual(expected.map((event) => event.lamport_ts));
          expect(encoded.map(({ chainHash }) => chainHash)).toEqual(expected.map((event) => event.chain_hash));
        });
        head += events.length;
      }),
      { numRuns: 60 },
    );
  });
});
