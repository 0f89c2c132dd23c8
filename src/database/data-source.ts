import { DataSource, type DataSourceOptions } from 'typeorm';
import { Tenancy1764000000000 } from '../../migrations/1764000000000-tenancy.js';
import { StockLedger1764000001000 } from '../../migrations/1764000001000-stock-ledger.js';
import { States1764000002000 } from '../../migrations/1764000002000-states.js';
import { Conflicts1764000003000 } from '../../migrations/1764000003000-conflicts.js';
import { DeviceStatus1764000004000 } from '../../migrations/1764000004000-device-status.js';
import { Reservations1764000005000 } from '../../migrations/1764000005000-reservations.js';
import { ClockTime1764000006000 } from '../../migrations/1764000006000-clock-time.js';
import { ConflictDecisions1764000007000 } from '../../migrations/1764000007000-conflict-decisions.js';
import { DeviceTokens1764000008000 } from '../../migrations/1764000008000-device-tokens.js';
import { AuditLog1764000009000 } from '../../migrations/1764000009000-audit-log.js';
import { TenantDeletion1764000010000 } from '../../migrations/1764000010000-tenant-deletion.js';
import { AuditTime1764000019000 } from '../../migrations/1764000019000-audit-time.js';
import { PlannerStatistics1764000020000 } from '../../migrations/1764000020000-planner-statistics.js';
import { gatheringSocket } from './gathering-socket.js';

/** In the order they run. Listed, not found by a pattern: what is not compiled in can't be forgotten in a deploy. */
const MIGRATIONS = [
  Tenancy1764000000000,
  StockLedger1764000001000,
  States1764000002000,
  Conflicts1764000003000,
  DeviceStatus1764000004000,
  Reservations1764000005000,
  ClockTime1764000006000,
  ConflictDecisions1764000007000,
  DeviceTokens1764000008000,
  AuditLog1764000009000,
  TenantDeletion1764000010000,
  AuditTime1764000019000,
  PlannerStatistics1764000020000,
];

/** More than any statement of a request may take (tenant-database.ts); 0 is no limit. */
const QUERY_TIMEOUT_MS = 20_000;

/** A pool of at most `poolMax` connections. The schema is made by migrations alone, never synchronized. */
export function dataSourceOptions(
  url: string,
  poolMax: number,
  queryTimeoutMs = QUERY_TIMEOUT_MS,
): DataSourceOptions & { type: 'postgres' } {
  return {
    type: 'postgres',
    url,
    migrations: MIGRATIONS,
    migrationsTableName: 'schema_migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    installExtensions: false,
    poolSize: poolMax,
    connectTimeoutMS: 10_000,
    applicationName: 'agrotour-sync-engine',
    extra: {
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      // Statements are sent without waiting for the answers to those before them (prepared.ts).
      pipeline: true,
      stream: gatheringSocket,
      // The server's own limits don't help when it is the server that hangs.
      query_timeout: queryTimeoutMs,
      // Whatever the server's default is: what a push reads after it has the clock lock must be what is committed then,
      // not what was when its transaction began. Set for the session, it costs no round trip of each transaction.
      options: '-c default_transaction_isolation=read\\ committed',
    },
  };
}

/** For what runs outside of Nest's modules: migrations, checks at start, tools. It has not connected yet. */
export function createDataSource(url: string, poolMax: number, queryTimeoutMs?: number): DataSource {
  return new DataSource(dataSourceOptions(url, poolMax, queryTimeoutMs));
}
