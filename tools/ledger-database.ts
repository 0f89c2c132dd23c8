import { DataSource } from 'typeorm';
import { readEnvironment } from '../src/config/environment.js';
import { dataSourceOptions } from '../src/database/data-source.js';
import { EmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { readSecrets } from '../src/database/embedded/secrets.js';
import { assertMigrated, DatabaseRefusedError } from '../src/database/restricted-role.js';
import { TenantDatabase } from '../src/database/tenant-database.js';
import { StockEventEntity } from '../src/inventory/persistence/stock-event.entity.js';
import { StockLevelEntity } from '../src/inventory/persistence/stock-level.entity.js';
import { TenantClockRepository } from '../src/tenancy/persistence/tenant-clock.repository.js';
import { TenantEntity } from '../src/tenancy/persistence/tenant.entity.js';
import { CommandError } from './command.js';

/** One transaction at a time, and one to look beside it. */
export const POOL_MAX = 2;

/** What repositories that a command uses read through. */
const ENTITIES = [TenantEntity, StockEventEntity, StockLevelEntity];

/**
 * Runs `work` on the database of the environment, as the restricted role: that of DATABASE_URL, or the embedded one in
 * DATA_DIR, whether a service has it running or not. If none has, it runs for as long as the work takes, and a service
 * that is started meanwhile is told that the directory is in use.
 * @throws CommandError if there is no such database, or its schema is not that of this version.
 */
export async function withDatabase<T>(work: (database: TenantDatabase) => Promise<T>): Promise<T> {
  const { database, dataDir } = databaseEnvironment(process.env);
  if (database.kind === 'external') {
    return withPool(database.url, 'Set DATABASE_OWNER_URL and run "npm run migration:run".', work);
  }
  if (readSecrets(dataDir) === undefined) {
    throw new CommandError(
      `There is no database in DATA_DIR ${dataDir} yet: start the service once, or set DATABASE_URL.`,
    );
  }
  const hint = 'Start the service once: it brings its database up to date.';
  const running = await EmbeddedPostgres.find(dataDir);
  if (running) return withPool(running.appUrl, hint, work);
  const own = await EmbeddedPostgres.start(dataDir);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopped ??= own.stop());
  const onSignal = (): void => {
    stop().catch(() => undefined); // told below: what is under way loses its connection, and the command ends with that
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return await withPool(own.appUrl, hint, work);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await stop();
  }
}

/**
 * For commands that look at a clock and tell nobody its epoch: they need no right to ask what it is made of, and can
 * look at a standby, too.
 */
export function clocksWithoutEpoch(): TenantClockRepository {
  return new TenantClockRepository({ systemIdentifier: false, timeline: false });
}

/** Of the environment only what says where the database is: a command checks no tokens and listens nowhere. */
function databaseEnvironment({ DATABASE_URL, DATABASE_OWNER_URL, DATA_DIR }: NodeJS.ProcessEnv) {
  const notAsked = 'x'.repeat(64); // demanded with a DATABASE_URL
  return readEnvironment({ DATABASE_URL, DATABASE_OWNER_URL, DATA_DIR, JWT_SECRET: notAsked });
}

async function withPool<T>(url: string, hint: string, work: (database: TenantDatabase) => Promise<T>): Promise<T> {
  const source = new DataSource({ ...dataSourceOptions(url, POOL_MAX), entities: ENTITIES });
  await source.initialize().catch((cause: unknown) => {
    throw new CommandError(`There is no connection with the database: ${reasonOf(cause)}.`, { cause });
  });
  try {
    await assertMigrated(source).catch((error: unknown) => {
      if (!(error instanceof DatabaseRefusedError)) throw error;
      throw new CommandError(`The schema of the database is not that of this version. ${hint}`, { cause: error });
    });
    return await work(new TenantDatabase(source));
  } finally {
    await source.destroy();
  }
}

/** The server's own words, which name role, host or database, and never the password; a refused connection has but a code. */
function reasonOf(error: unknown): string {
  const { message = '', code = 'unknown reason' } = error as { message?: string; code?: string };
  return message === '' ? code : message;
}
