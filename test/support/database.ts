import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { ConflictEntity } from '../../src/conflicts/persistence/conflict.entity.js';
import { ProductEntity } from '../../src/inventory/persistence/product.entity.js';
import { StockEventEntity } from '../../src/inventory/persistence/stock-event.entity.js';
import { StockLevelEntity } from '../../src/inventory/persistence/stock-level.entity.js';
import { PaymentEntity } from '../../src/payments/persistence/payment.entity.js';
import { DeviceEntity } from '../../src/tenancy/persistence/device.entity.js';
import { TenantEntity } from '../../src/tenancy/persistence/tenant.entity.js';

/** A database of a test file's own, cloned from the migrated one. */
export interface TestDatabase {
  /** Of the restricted role, as the service has it. */
  readonly appUrl: string;
  readonly ownerUrl: string;
  readonly superuserUrl: string;
  /** Drops it, whoever is still connected. */
  drop(): Promise<void>;
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(`CREATE DATABASE ${name} TEMPLATE agrotour OWNER agrotour_owner`);
  await withClient(urlOf('TEST_SUPERUSER_URL', 'postgres'), async (client) => {
    // A clone doesn't take over the rights on the database itself: here it gets those of the embedded one, no more.
    await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    const { rows } = await client.query<{ grant: string }>(
      `SELECT format('GRANT %s ON DATABASE %I TO %s', privilege_type, $1::text, grantee::regrole) AS grant
       FROM pg_database, aclexplode(datacl) WHERE datname = 'agrotour' AND grantee <> datdba`,
      [name],
    );
    for (const { grant } of rows) await client.query(grant);
  });
  return describeDatabase(name);
}

function describeDatabase(name: string): TestDatabase {
  return {
    appUrl: urlOf('TEST_APP_URL', name),
    ownerUrl: urlOf('TEST_OWNER_URL', name),
    superuserUrl: urlOf('TEST_SUPERUSER_URL', name),
    drop: () => asSuperuser(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** A database of a test's own without any schema, as an owner finds it before the first migration. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asSuperuser(`CREATE DATABASE ${name} TEMPLATE template0 OWNER agrotour_owner`);
  return describeDatabase(name);
}

/** One statement on a connection of its own. */
export async function queryOnce<Row extends pg.QueryResultRow>(
  url: string,
  statement: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  return withClient(url, async (client) => (await client.query<Row>(statement, parameters)).rows);
}

/** Whether the service waits for a lock just now, on so many connections at least. */
export async function isLockWaited(superuserUrl: string, connections = 1): Promise<boolean> {
  // On a connection of its own: within a transaction the list of activities stands still.
  const waiting = await queryOnce(
    superuserUrl,
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND usename = 'agrotour_app' AND wait_event_type = 'Lock'`,
  );
  return waiting.length >= connections;
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A pool of the restricted role with every entity, as the service's modules together make it. */
/** Has whoever reads `table` wait until `work` is done; for at most five seconds, their own lock's time limit. */
export function whileLocked<T>(superuserUrl: string, table: string, work: () => Promise<T>): Promise<T> {
  return withClient(superuserUrl, async (client) => {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    try {
      return await work();
    } finally {
      await client.query('COMMIT');
    }
  });
}

export function openDataSource(url: string, poolMax = 4): Promise<DataSource> {
  const entities = [
    TenantEntity,
    DeviceEntity,
    StockEventEntity,
    StockLevelEntity,
    ProductEntity,
    PaymentEntity,
    ConflictEntity,
  ];
  return new DataSource({ ...dataSourceOptions(url, poolMax), entities }).initialize();
}

async function asSuperuser(statement: string): Promise<void> {
  await withClient(urlOf('TEST_SUPERUSER_URL', 'postgres'), async (client) => {
    // Two files that clone at once: the template is busy for a moment.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(statement);
  });
}

function urlOf(variable: string, database: string): string {
  const url = new URL(process.env[variable] ?? '');
  url.pathname = `/${database}`;
  return url.href;
}
