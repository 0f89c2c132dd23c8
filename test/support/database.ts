import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { StockEventEntity } from '../../src/inventory/persistence/stock-event.entity.js';
import { StockLevelEntity } from '../../src/inventory/persistence/stock-level.entity.js';
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
  return {
    appUrl: urlOf('TEST_APP_URL', name),
    ownerUrl: urlOf('TEST_OWNER_URL', name),
    superuserUrl: urlOf('TEST_SUPERUSER_URL', name),
    drop: () => asSuperuser(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

/** A pool of the restricted role with every entity, as the service's modules together make it. */
export function openDataSource(url: string, poolMax = 4): Promise<DataSource> {
  const entities = [TenantEntity, DeviceEntity, StockEventEntity, StockLevelEntity];
  return new DataSource({ ...dataSourceOptions(url, poolMax), entities }).initialize();
}

async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client(urlOf('TEST_SUPERUSER_URL', 'postgres'));
  await client.connect();
  try {
    // Two files that clone at once: the template is busy for a moment.
    await client.query('SELECT pg_advisory_lock(1)');
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function urlOf(variable: string, database: string): string {
  const url = new URL(process.env[variable] ?? '');
  url.pathname = `/${database}`;
  return url.href;
}
