import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { TenantTransaction } from '../../src/database/tenant-database.js';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Where one tenant may have very many rows. */
const LARGE = ['stock_events', 'stock_levels', 'products', 'payments', 'state_versions', 'sync_conflicts'];

let database: TestDatabase;
let source: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  source = await openDataSource(database.appUrl, 1);
});
afterAll(async () => {
  await source.destroy();
  await database.drop();
});

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Of a page that begins somewhere in the log. */
const IN_ORDER_OF_THE_LOG = ['encoded events after', 'next states', 'chain hash at'];

/** Whether a node reads rows of a tenant without looking for any of them in particular: two columns at least have one value each. */
const readsAll = (name: string, node: PlanNode): boolean =>
  LARGE.includes(node['Relation Name'] ?? '') &&
  !node['Node Type'].startsWith('Modify') &&
  !(node['Index Cond'] ?? '').match(IN_ORDER_OF_THE_LOG.includes(name) ? / AND / : / = .* AND .* = /);

it('statements whose plans are kept look rows up by key, also where a plan is made while tables are empty', async () => {
  const ledger = new TestLedger(source);
  const { tenantId, deviceId } = await ledger.addTenant();
  const by = { tenant_id: tenantId, device_id: deviceId };
  const [product, counted] = [randomUUID(), randomUUID()];
  const sale = { ...by, operation: 'DECREMENT', reason: 'SALE', payment_status: 'PAID' } as const;
  await ledger.push(tenantId, deviceId, {
    operations: [anOperation({ ...by, product_id: counted, lamport_ts: 1 })],
    products: [aProductEdit({ id: product, sku: 'C-1', current_stock: 2, lamport_ts: 2 })],
    payments: [aPaymentEdit({ lamport_ts: 3, pos_transaction_id: 'T-1' })],
  });
  const reserved = anOperation({
    ...by,
    operation: 'DECREMENT',
    reason: 'RESERVATION',
    product_id: product,
    lamport_ts: 4,
  });
  await ledger.push(tenantId, deviceId, [reserved]);
  await ledger.push(tenantId, deviceId, {
    operations: [
      anOperation({ ...sale, product_id: product, lamport_ts: 5, ref_operation_id: reserved.operation_id ?? null }),
      anOperation({ ...by, operation: 'SET', reason: 'ADJUSTMENT', delta: 3, product_id: counted, lamport_ts: 6 }),
    ],
    products: [aProductEdit({ id: product, name: 'Goat cheese', version: 1, lamport_ts: 7 })],
  });
  await ledger.pull(tenantId, deviceId, 0);

  const statements = await source.query<{ name: string; statement: string }[]>(
    'SELECT name, statement FROM pg_prepared_statements ORDER BY name',
  );
  expect(statements.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'known operations',
      'counts of others',
      'rivals',
      'referenced operations',
      'append events',
    ]),
  );
  const readingAll = async (tx: TenantTransaction): Promise<string[]> => {
    const reading: string[] = [];
    for (const { name, statement } of statements) {
      const [row] = await tx.manager.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }[]>(
        `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${statement}`,
      );
      const nodes = row ? nodesOf(row['QUERY PLAN'][0].Plan) : [];
      reading.push(
        ...nodes
          .filter((node) => readsAll(name, node))
          .map((node) => `${name}: ${node['Node Type']} of ${node['Relation Name']}, ${node['Index Cond']}`),
      );
    }
    return reading;
  };
  expect(await ledger.database.transaction(tenantId, readingAll, { keepPlans: true })).toEqual([]);
  // Where it is known how few rows a tenant has, all of them may be read until there are more; those of others never are.
  await queryOnce(database.superuserUrl, `ANALYZE ${LARGE.join(', ')}`);
  const reading = await ledger.database.transaction(tenantId, readingAll, { keepPlans: true });
  expect(reading.filter((what) => what.includes('Seq Scan'))).toEqual([]);
});
