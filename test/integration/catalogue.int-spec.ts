import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import { CatalogueService, type Page } from '../../src/inventory/catalogue.service.js';
import { type Alert, ALERT_KINDS, type AlertKind, type AlertPlace } from '../../src/inventory/domain/alert.js';
import { EMPTY_LEVEL, type StockLevel } from '../../src/inventory/domain/ledger.js';
import type { Product, ProductFields } from '../../src/inventory/domain/product.js';
import { AlertRepository } from '../../src/inventory/persistence/alert.repository.js';
import {
  type ProductFilter,
  ProductListingRepository,
  type ProductPlace,
} from '../../src/inventory/persistence/product-listing.repository.js';
import { ProductRepository } from '../../src/inventory/persistence/product.repository.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';

/** The same ids in every tenant: whose they are is for the tenant to tell. */
const IDS = Array.from({ length: 8 }, () => randomUUID());
const EVERYTHING: ProductFilter = { search: null, category: null, sku: null, withDeleted: true };

/** Of few letters, so that names meet; with all that means something in a pattern, and letters beyond ASCII. */
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...String.raw`aAbB%_\'"ñÑÉé🧀 `), minLength: 1, maxLength });

const seldom = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const fieldsOf = (index: number): fc.Arbitrary<ProductFields> =>
  fc.record({
    name: text(3),
    description: fc.option(text(4)),
    price: fc.constant(null),
    sku: fc.option(text(2).map((start) => `${start}${index}`)), // unique
    category: fc.option(fc.constantFrom('a', 'A', 'b')),
    reorderPoint: fc.option(fc.integer({ min: 0, max: 3 })),
    isDeleted: fc.nat(3).map((value) => value === 0),
  });
const shelf = fc
  .array(fc.constant(null), { maxLength: IDS.length, size: 'max' })
  .chain((slots) => fc.tuple(...slots.map((_, index) => fieldsOf(index))))
  .map((all) => all.map((fields, index) => aProduct(IDS[index] ?? '', fields, index + 1)));

describe('the catalogue', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let database: TenantDatabase;
  let catalogue: CatalogueService;
  const products = new ProductRepository();
  const levels = new StockLevelRepository();

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl);
    database = new TenantDatabase(source);
    const listing = new ProductListingRepository();
    catalogue = new CatalogueService(database, products, listing, levels, new AlertRepository());
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });

  /** A tenant of its own. @returns its id. */
  async function stock(shelved: readonly Product[], stocked: ReadonlyMap<string, StockLevel>): Promise<string> {
    const tenantId = randomUUID();
    await database.transaction(tenantId, async (tx) => {
      await products.save(tx, shelved, new Date(0));
      await levels.save(tx, stocked);
    });
    return tenantId;
  }

  it('lists what the filter lets through, by name in either case, in pages of any size', async () => {
    const filters = fc.record({
      search: seldom(text(1)),
      category: seldom(fc.constantFrom('a', 'A')),
      skuOf: seldom(fc.nat(IDS.length - 1)),
      withDeleted: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(shelf, filters, fc.integer({ min: 1, max: 4 }), async (shelved, { skuOf, ...rest }, limit) => {
        const filter = { ...rest, sku: shelved[skuOf ?? -1]?.fields.sku ?? null };
        const tenantId = await stock(shelved, new Map());
        const all = await walk<{ product: Product }, ProductPlace>(limit, (after) =>
          catalogue.list(tenantId, filter, after, limit),
        );
        expect(all.map(({ product }) => product.id)).toEqual(listed(shelved, filter).map(({ id }) => id));
      }),
      { numRuns: 100 },
    );
  });

  it('says of each product what is there of it', async () => {
    const level = { quantity: -3, tracked: true, lastLamport: 9 };
    const shelved = IDS.slice(0, 2).map((id, index) => aProduct(id, { name: 'a' }, index + 1));
    const tenantId = await stock(shelved, new Map([[IDS[1] ?? '', level]]));
    const { entries } = await catalogue.list(tenantId, EVERYTHING, null, 9);
    expect(new Map(entries.map((entry) => [entry.product.id, entry.level]))).toEqual(
      new Map([
        [IDS[0], EMPTY_LEVEL],
        [IDS[1], level],
      ]),
    );
    expect(await catalogue.get(tenantId, IDS[1] ?? '')).toMatchObject({ product: shelved[1], level });
    await expect(catalogue.get(tenantId, IDS[2] ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('goes on after the same place when products come and go between two pages', async () => {
    const shelved = ['a', 'c', 'e', 'g'].map((name, index) => aProduct(IDS[index] ?? '', { name }, index + 1));
    const tenantId = await stock(shelved, new Map());
    const first = await catalogue.list(tenantId, { ...EVERYTHING, withDeleted: false }, null, 2);
    await database.transaction(tenantId, (tx) =>
      products.save(
        tx,
        [
          aProduct(IDS[4] ?? '', { name: 'B' }, 5),
          aProduct(IDS[5] ?? '', { name: 'D' }, 6),
          aProduct(IDS[1] ?? '', { name: 'c', isDeleted: true }, 7),
        ],
        new Date(0),
      ),
    );
    const second = await catalogue.list(tenantId, { ...EVERYTHING, withDeleted: false }, first.next, 9);
    expect(second.entries.map(({ product }) => product.fields.name)).toEqual(['D', 'e', 'g']);
  });

  it('alerts of what is oversold, unknown or low, in pages of any size', async () => {
    const stocked = fc.array(
      fc.option(
        fc.record({ quantity: fc.integer({ min: -2, max: 4 }), tracked: fc.boolean(), lastLamport: fc.nat(2) }),
      ),
      { maxLength: IDS.length },
    );
    const kinds = fc.option(fc.constantFrom(...ALERT_KINDS));
    await fc.assert(
      fc.asyncProperty(shelf, stocked, kinds, fc.integer({ min: 1, max: 4 }), async (shelved, counts, kind, limit) => {
        const stockById = new Map(
          counts.flatMap((level, index) => (level ? [[IDS[index] ?? '', level] as const] : [])),
        );
        const tenantId = await stock(shelved, stockById);
        const all = await walk<Alert, AlertPlace>(limit, (after) => catalogue.listAlerts(tenantId, kind, after, limit));
        expect(all).toEqual(alertsOf(shelved, stockById).filter((alert) => alert.kind === (kind ?? alert.kind)));
      }),
      { numRuns: 60 },
    );
  });
});

/** All pages, each of `limit` but for the last, which is empty only if all is. */
async function walk<Entry, Place>(
  limit: number,
  page: (after: Place | null) => Promise<Page<Entry, Place>>,
): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let after: Place | null = null; ;) {
    const { entries, next }: Page<Entry, Place> = await page(after);
    all.push(...entries);
    expect(after === null || entries.length > 0).toBe(true);
    if (next === null) return all;
    expect(entries).toHaveLength(limit);
    after = next;
  }
}

/** What the filter lets through and in which order, said in the plainest way. */
function listed(shelved: readonly Product[], { search, category, sku, withDeleted }: ProductFilter): Product[] {
  const has = (field: string | null): boolean => field?.toLowerCase().includes(search?.toLowerCase() ?? '') === true;
  return shelved
    .filter(({ fields }) => withDeleted || !fields.isDeleted)
    .filter(({ fields }) => category === null || fields.category === category)
    .filter(({ fields }) => sku === null || fields.sku === sku)
    .filter(({ fields }) => search === null || [fields.name, fields.sku, fields.description].some(has))
    .sort((a, b) => compare(a.fields.name.toLowerCase(), b.fields.name.toLowerCase()) || compare(a.id, b.id));
}

function alertsOf(shelved: readonly Product[], stocked: ReadonlyMap<string, StockLevel>): Alert[] {
  const conditions: Record<AlertKind, (level: StockLevel, fields: ProductFields | undefined) => boolean> = {
    OVERSOLD: ({ tracked, quantity }) => tracked && quantity < 0,
    UNKNOWN_PRODUCT: ({ lastLamport }, fields) => lastLamport > 0 && !fields,
    LOW_STOCK: ({ quantity }, fields) =>
      fields?.reorderPoint != null && !fields.isDeleted && quantity < fields.reorderPoint,
  };
  const unmoved = shelved.map(({ id }) => [id, EMPTY_LEVEL] as const);
  const inOrder = [...new Map([...unmoved, ...stocked])].sort(([a], [b]) => compare(a, b));
  return ALERT_KINDS.flatMap((kind) =>
    inOrder.flatMap(([productId, level]): Alert[] => {
      const fields = shelved.find(({ id }) => id === productId)?.fields;
      if (!conditions[kind](level, fields)) return [];
      const { quantity, lastLamport } = level;
      return [
        {
          ...{ kind, productId, quantity, lastLamport },
          ...{ name: fields?.name ?? null, reorderPoint: fields?.reorderPoint ?? null },
        },
      ];
    }),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function aProduct(id: string, said: Partial<ProductFields>, lamport: number): Product {
  const fields: ProductFields = {
    ...{ name: 'Cheese', description: null, price: null, sku: null, category: null, reorderPoint: null },
    ...{ isDeleted: false, ...said },
  };
  return {
    ...{ id, fields, deletedLamport: fields.isDeleted ? lamport : null, version: 1, lamport },
    ...{ deviceId: id, clientLamport: lamport, editId: randomUUID(), updatedBy: null },
  };
}
