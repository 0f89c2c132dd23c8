import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as PinoLogger } from 'pino';
import { type Environment, EnvironmentError, readEnvironment } from './config/environment.js';
import { Settings } from './config/settings.js';
import { createDataSource } from './database/data-source.js';
import { EmbeddedPostgres } from './database/embedded/embedded-postgres.js';
import { EmbeddedPostgresError } from './database/embedded/embedded-postgres-error.js';
import { migrate } from './database/migrate.js';
import { assertMigrated, assertRestrictedRole, DatabaseRefusedError } from './database/restricted-role.js';
import { prepareDemo } from './demo.js';
import { createHttpServer } from './http-server.js';
import { createLogger } from './logging/logger.js';

/** Less than the ten seconds that container engines give by default. */
const CLOSE_TIMEOUT_MS = 6_000;

/** From the environment to a service that listens; whatever was started before a failure is stopped again. */
async function start(): Promise<void> {
  const environment = readEnvironment(process.env);
  const logger = createLogger(environment.logLevel, process.stdout.isTTY);
  const starting = environment.database.kind === 'embedded' ? EmbeddedPostgres.start(environment.dataDir) : undefined;
  let app: NestFastifyApplication | undefined;
  const stop = async (): Promise<void> => {
    // Requests under way are answered; one that hangs doesn't keep the database from being shut down.
    try {
      if (app) await closeWithin(CLOSE_TIMEOUT_MS, app);
    } finally {
      // A database that is still starting is stopped once it has.
      await (await starting?.catch(() => undefined))?.stop();
    }
  };
  const signals = stopOnSignals(stop, logger);
  const embedded = await starting;
  try {
    const settings = await prepareDatabase(environment, embedded, logger);
    app = await createHttpServer(settings, logger);
    await app.listen(environment.port, environment.host);
    const url = await reachableUrl(app);
    logger.info({ url, role: settings.role, database: environment.database.kind }, 'listening');
    if (embedded && settings.role !== 'worker') process.stdout.write(await prepareDemo(app, url));
  } catch (error) {
    if (signals.stopping) return; // what was under way lost its database to the stop, which decides how this ends
    await stop().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  embedded?.onLost((error) => {
    logger.fatal({ err: error }, 'The embedded database is gone');
    process.exit(1);
  });
}

/** Clients keep their connections open; each is closed as soon as it has no request under way. */
async function closeWithin(timeoutMs: number, app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpServer();
  const idle = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  try {
    await Promise.race([app.close(), sleep(timeoutMs, undefined, { ref: false })]);
  } finally {
    clearInterval(idle);
    server.closeAllConnections();
  }
}

/** Brings the schema up to date where it may, and makes sure that the service's own role is harmless. */
async function prepareDatabase(
  environment: Environment,
  embedded: EmbeddedPostgres | undefined,
  logger: PinoLogger,
): Promise<Settings> {
  const { database } = environment;
  const url = embedded?.appUrl ?? (database.kind === 'external' ? database.url : '');
  const ownerUrl = embedded?.ownerUrl ?? (database.kind === 'external' ? database.ownerUrl : undefined);
  if (ownerUrl !== undefined) {
    const done = await migrate(ownerUrl).catch(explainConnection('DATABASE_OWNER_URL'));
    if (done.length > 0) logger.info({ migrations: done }, 'migrated');
  }
  const source = createDataSource(url, 1);
  await source.initialize().catch(explainConnection('DATABASE_URL'));
  try {
    await assertRestrictedRole(source);
    await assertMigrated(source);
  } finally {
    await source.destroy();
  }
  return Settings.resolve(environment, {
    databaseUrl: url,
    ...(embedded && { keptSecret: embedded.secrets.jwtSecret }),
  });
}

/** The server's own words, which name role, host or database, and never the password; other errors pass as they are. */
function explainConnection(variable: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (!(error instanceof Error) || !/^(28...|3D000|08...|57P03|E[A-Z]+|EAI_AGAIN)$/.test(code)) throw error;
    throw new DatabaseRefusedError(`There is no connection with ${variable}: ${error.message || code}.`, {
      cause: error,
    });
  };
}

/** Where a person on this machine reaches it: "any address" is no address to type. */
async function reachableUrl(app: NestFastifyApplication): Promise<string> {
  const url = new URL(await app.getUrl());
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}

/** On the first signal requests under way are answered, then all is closed; on the second nothing is waited for. */
function stopOnSignals(stop: () => Promise<void>, logger: PinoLogger): { readonly stopping: boolean } {
  const state = { stopping: false };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (state.stopping) process.exit(1);
      state.stopping = true;
      logger.info({ signal }, 'stopping');
      stop().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ err: error }, 'could not stop cleanly');
          process.exit(1);
        },
      );
    });
  }
  return state;
}

start().catch((error: unknown) => {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    process.stderr.write(
      `\n${error.message}. Another program listens there: set PORT to a free port, or to 0 for any.\n`,
    );
    process.exit(1);
  }
  const forPeople = [EnvironmentError, EmbeddedPostgresError, DatabaseRefusedError].some(
    (known) => error instanceof known,
  );
  process.stderr.write(
    `\n${forPeople && error instanceof Error ? error.message : String((error as Error | undefined)?.stack ?? error)}\n`,
  );
  process.exit(1);
});
