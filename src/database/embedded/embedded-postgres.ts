import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type PostgresBinaries, prepareBinaries } from './binaries.js';
import { chooseDatabaseUser, type DatabaseUser } from './database-user.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { type EmbeddedSecrets, obtainSecrets, readSecrets } from './secrets.js';

const SUPERUSER = 'postgres';
const DATABASE = 'agrotour';
const STARTUP_TIMEOUT_MS = 60_000; // crash recovery replays up to max_wal_size
const SHUTDOWN_TIMEOUT_MS = 30_000;
const REAPED_WITHIN_MS = 1_000;
const LEASE_TIMEOUT_MS = 2_000;
const LOG_BYTES_MAX = 10 * 1024 * 1024; // looked at when the server starts
/** Spells "AGRO"; in the database `postgres`, held by the one service that runs on the data directory. */
const LEASE_KEY = 0x4147524f;

/**
 * PostgreSQL from npm, one cluster in `DATA_DIR/postgres`, on loopback with random passwords.
 *
 * ```
 *   DATA_DIR/  secrets.json        passwords and the signing key
 *              postgres.log        what the server says
 *              postgres/           the cluster
 * ```
 *
 * The server outlives a service that is killed, and the next start takes it over: so nothing here goes by who started
 * it. What is true is asked of the server itself. Two services on one directory are told apart by an advisory lock,
 * which PostgreSQL frees when its holder dies, however it dies (ADR 0002).
 */
export class EmbeddedPostgres {
  private stopping = false;

  private constructor(
    private readonly cluster: string,
    private readonly lease: pg.Client,
    readonly secrets: EmbeddedSecrets,
    /** Of the restricted role that serves requests. */
    readonly appUrl: string,
    /** Of the role that owns the schema and runs migrations. */
    readonly ownerUrl: string,
  ) {}

  /**
   * Starts the server, or takes over one that runs on this directory already.
   * @throws EmbeddedPostgresError if another service uses the directory, or the directory can't be used.
   */
  static async start(dataDir: string): Promise<EmbeddedPostgres> {
    const user = chooseDatabaseUser();
    const secrets = obtainSecrets(dataDir);
    const binaries = prepareBinaries(dataDir, user);
    const cluster = path.join(dataDir, 'postgres');
    const context: Context = { dataDir, cluster, user, secrets, binaries };
    createCluster(context);
    checkVersion(context);
    const port = (await portOfRunningServer(context)) ?? (await startServer(context));
    const lease = await takeLease(port, secrets, dataDir);
    await provision(lease, secrets);
    return new EmbeddedPostgres(
      cluster,
      lease,
      secrets,
      urlFor('agrotour_app', secrets.appPassword, port),
      urlFor('agrotour_owner', secrets.ownerPassword, port),
    );
  }

  /**
   * The server that a service has running on this directory just now, for a command that works beside it: nothing is
   * started or taken over, and when the service stops, so does the server.
   * @returns undefined if no service runs there.
   */
  static async find(dataDir: string): Promise<Pick<EmbeddedPostgres, 'appUrl' | 'ownerUrl'> | undefined> {
    const secrets = readSecrets(dataDir);
    if (secrets === undefined) return undefined;
    const port = await portOfRunningServer({ cluster: path.join(dataDir, 'postgres'), secrets });
    if (port === undefined || !(await isLeased(port, secrets))) return undefined;
    return {
      appUrl: urlFor('agrotour_app', secrets.appPassword, port),
      ownerUrl: urlFor('agrotour_owner', secrets.ownerPassword, port),
    };
  }

  /** Calls back, at most once, if the server goes away while it is needed. */
  onLost(callback: (error: Error) => void): void {
    let told = false;
    const tell = (error: Error): void => {
      if (this.stopping || told) return;
      told = true;
      callback(error);
    };
    this.lease.on('error', tell);
    this.lease.on('end', () => {
      tell(new Error('The embedded PostgreSQL closed its connections.'));
    });
  }

  /** Shuts the server down as its own tools do: no new work, open transactions rolled back, all written. */
  async stop(): Promise<void> {
    this.stopping = true;
    const pid = readPostmasterFile(this.cluster)?.pid;
    if (pid !== undefined) process.kill(pid, 'SIGINT');
    await this.lease.end().catch(() => undefined); // the server may have closed it first
    if (pid === undefined) return;
    const asked = Date.now();
    let released: number | undefined;
    // The lock file goes a moment before the process. A process that stays on without it is one that nobody reaps.
    while (isAlive(pid) && !(released !== undefined && Date.now() - released > REAPED_WITHIN_MS)) {
      if (!existsSync(path.join(this.cluster, 'postmaster.pid'))) released ??= Date.now();
      if (Date.now() - asked > SHUTDOWN_TIMEOUT_MS) {
        throw new EmbeddedPostgresError(`PostgreSQL (pid ${pid}) did not stop within ${SHUTDOWN_TIMEOUT_MS} ms.`);
      }
      await sleep(25);
    }
  }
}

interface ClusterAccess {
  readonly cluster: string;
  readonly secrets: EmbeddedSecrets;
}

interface Context extends ClusterAccess {
  readonly dataDir: string;
  readonly user: DatabaseUser | undefined;
  readonly binaries: PostgresBinaries;
}

/**
 * How to name a directory to PostgreSQL, and from where to start it.
 *
 * Under another account than root's it may not be able to reach the directory by its path: the clone may lie in root's
 * home. But Node changes to `cwd` before it drops root's rights, and the kernel resolves /proc/self/cwd to that
 * directory without walking the path. Linux only; elsewhere the path has to be one the account can enter.
 */
function placeOf(directory: string, user: DatabaseUser | undefined): { cwd: string; name: string; identity: object } {
  const identity = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  const name = user !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : directory;
  return { cwd: directory, name, identity };
}

/** Of the caller's environment only what a program needs: a stray PGDATA or PGPORT must not steer the server. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, SystemRoot, TMPDIR } = process.env;
  return { PATH, SystemRoot, TMPDIR, LC_ALL: 'C', TZ: 'UTC' };
}

/** Makes the cluster beside its final place and moves it there whole: a start cut short leaves no half cluster. */
function createCluster({ dataDir, cluster, user, secrets, binaries }: Context): void {
  removeUnfinished(dataDir);
  if (existsSync(cluster)) {
    if (existsSync(path.join(cluster, 'PG_VERSION'))) return;
    throw new EmbeddedPostgresError(
      `${cluster} is not a PostgreSQL data directory. Move it away, or set DATA_DIR to another folder.`,
    );
  }
  const unfinished = path.join(dataDir, `postgres.unfinished-${process.pid}`);
  mkdirSync(unfinished, { mode: 0o700 });
  const passwordFolder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-'));
  const passwordFile = path.join(passwordFolder, 'password');
  writeFileSync(passwordFile, `${secrets.superuserPassword}\n`, { mode: 0o600 });
  if (user) for (const place of [unfinished, passwordFolder, passwordFile]) chownSync(place, user.uid, user.gid);
  const place = placeOf(unfinished, user);
  const initdb = spawnSync(
    binaries.initdb,
    [
      `--pgdata=${place.name}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // PostgreSQL's own collation: an upgrade of the system's libraries can't change the order of an index.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ],
    { cwd: place.cwd, ...place.identity, env: serverEnvironment(), encoding: 'utf8' },
  );
  rmSync(passwordFolder, { recursive: true });
  if (initdb.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const reason = initdb.error?.message ?? initdb.stderr.trim();
    throw new EmbeddedPostgresError(`PostgreSQL could not set up ${cluster}: ${reason}`, { cause: initdb.error });
  }
  try {
    renameSync(unfinished, cluster);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(cluster)) throw error; // else another start was faster, and its cluster serves both
  }
}

function removeUnfinished(dataDir: string): void {
  for (const entry of readdirSync(dataDir)) {
    const pid = /^postgres\.unfinished-(\d+)$/.exec(entry)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(path.join(dataDir, entry), { recursive: true, force: true });
  }
}

function checkVersion({ cluster, binaries }: Context): void {
  const found = Number(readFileSync(path.join(cluster, 'PG_VERSION'), 'utf8'));
  if (found === binaries.majorVersion) return;
  throw new EmbeddedPostgresError(
    `${cluster} was made by PostgreSQL ${found}, and this version brings PostgreSQL ${binaries.majorVersion}. ` +
      `Dump it with PostgreSQL ${found} and restore it into a new DATA_DIR, or set DATA_DIR to another folder.`,
  );
}

interface PostmasterFile {
  readonly pid: number;
  readonly port: number | undefined;
}

/** @see https://www.postgresql.org/docs/18/storage-file-layout.html: lines pid, directory, start time, port, … */
function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  const file = path.join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const [pid, , , port] = readFileSync(file, 'utf8').split('\n');
  // A single-user backend writes a negative pid.
  return { pid: Math.abs(Number(pid)), port: port === undefined || port === '' ? undefined : Number(port) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * The port of a server that runs on this very directory, left behind by a service that was killed.
 * A lock file left by a crash or a reboot is cleared away if its process id now belongs to some other program;
 * PostgreSQL itself clears those that belong to none.
 */
async function portOfRunningServer(context: ClusterAccess): Promise<number | undefined> {
  const left = readPostmasterFile(context.cluster);
  if (left === undefined || !isAlive(left.pid)) return undefined;
  if (!isPostgres(left.pid)) {
    rmSync(path.join(context.cluster, 'postmaster.pid'));
    return undefined;
  }
  const deadline = Date.now() + STARTUP_TIMEOUT_MS;
  while (isAlive(left.pid)) {
    const port = readPostmasterFile(context.cluster)?.port;
    // Another cluster's password: this directory's lock file came with a copy, and its port is the original's.
    if (port !== undefined && (await serves(port, context).catch(() => false))) return port;
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `A PostgreSQL server (pid ${left.pid}) holds ${context.cluster} but does not answer. End it and start again.`,
      );
    }
    await sleep(50);
  }
  return undefined;
}

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres');
  } catch {
    return true; // no /proc, or gone: PostgreSQL decides
  }
}

/** Whether the server on this port works on this directory: a copied directory has a lock file that names another's. */
async function serves(port: number, { cluster, secrets }: ClusterAccess): Promise<boolean> {
  const mark = `agrotour-${randomUUID()}`;
  writeFileSync(path.join(cluster, mark), '');
  const client = superuserClient(port, secrets);
  try {
    await client.connect();
    const { rows } = await client.query<{ found: boolean }>(
      'SELECT (pg_stat_file($1, true)).size IS NOT NULL AS found',
      [mark],
    );
    return rows[0]?.found === true;
  } catch (error) {
    if (isWrongPassword(error)) throw error;
    return false; // refused, or still starting up (57P03)
  } finally {
    await client.end().catch(() => undefined);
    rmSync(path.join(cluster, mark), { force: true });
  }
}

async function startServer(context: Context): Promise<number> {
  const { dataDir, cluster, user, binaries } = context;
  const logFile = path.join(dataDir, 'postgres.log');
  if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES_MAX) renameSync(logFile, `${logFile}.old`);
  const port = await freePort();
  const place = placeOf(cluster, user);
  const log = openSync(logFile, 'a', 0o600);
  const server = spawn(
    binaries.postgres,
    [
      ['-D', place.name],
      ['-p', `${port}`],
      ['-c', 'listen_addresses=127.0.0.1'],
      ['-c', 'unix_socket_directories='],
      ['-c', 'max_connections=200'],
      // The defaults checkpoint every few seconds under load; two gigabytes of log spread that out.
      ['-c', 'max_wal_size=2GB'],
    ].flat(),
    // Detached: Ctrl-C in a terminal reaches the service, which then stops the server once its requests are done.
    { cwd: place.cwd, ...place.identity, env: serverEnvironment(), detached: true, stdio: ['ignore', log, log] },
  );
  closeSync(log);
  server.unref();
  let exit: string | undefined;
  server.on('error', (error) => (exit = error.message));
  server.on('exit', (code, signal) => (exit = `exit ${code ?? signal}`));
  const deadline = Date.now() + STARTUP_TIMEOUT_MS;
  while (exit === undefined && Date.now() < deadline) {
    if (await serves(port, context).catch((error: unknown) => refusePassword(context, server.pid, error))) return port;
    await sleep(50);
  }
  // Two first starts at once: the other one's server holds the directory, and serves.
  const others = await portOfRunningServer(context);
  if (others !== undefined) return others;
  const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-8).join('\n    ');
  throw new EmbeddedPostgresError(
    `PostgreSQL did not start (${exit ?? 'no answer'}). The end of ${logFile}:\n    ${tail}`,
  );
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '28P01';
}

function refusePassword({ dataDir, cluster }: Context, pid: number | undefined, cause: unknown): never {
  if (pid !== undefined) process.kill(pid, 'SIGINT');
  throw new EmbeddedPostgresError(
    `The password in ${path.join(dataDir, 'secrets.json')} does not open ${cluster}. Put back the secrets.json that was made with it.`,
    { cause },
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}

function superuserClient(port: number, secrets: EmbeddedSecrets, name = 'agrotour-sync-engine'): pg.Client {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: secrets.superuserPassword,
    database: 'postgres',
    application_name: name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  client.on('error', () => undefined); // a client without a listener would end the process; queries report their own
  return client;
}

async function takeLease(port: number, secrets: EmbeddedSecrets, dataDir: string): Promise<pg.Client> {
  const client = superuserClient(port, secrets, `agrotour-sync-engine (pid ${process.pid})`);
  await client.connect();
  // A service that was just killed may hold it for the moment that the server takes to notice.
  const deadline = Date.now() + LEASE_TIMEOUT_MS;
  do {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [LEASE_KEY]);
    if (rows[0]?.taken === true) return client;
    await sleep(100);
  } while (Date.now() < deadline);
  const holder = await leaseHolder(client);
  await client.end();
  throw new EmbeddedPostgresError(
    `Another service, ${holder ?? 'of unknown name'}, already runs on DATA_DIR ${dataDir}. ` +
      'Stop it first, or give this one a DATA_DIR of its own. (To share one database between services, set DATABASE_URL.)',
  );
}

/** Name of the service that holds the lease; undefined if none does. */
async function leaseHolder(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
     WHERE locktype = 'advisory' AND objid = $1 AND granted`,
    [LEASE_KEY],
  );
  return rows[0]?.name;
}

async function isLeased(port: number, secrets: EmbeddedSecrets): Promise<boolean> {
  const client = superuserClient(port, secrets);
  await client.connect();
  try {
    return (await leaseHolder(client)) !== undefined;
  } finally {
    await client.end();
  }
}

/** Roles and database, made or put right. Passwords are set anew at each start: secrets.json is what counts. */
async function provision(superuser: pg.Client, secrets: EmbeddedSecrets): Promise<void> {
  for (const [role, password] of [
    ['agrotour_owner', secrets.ownerPassword],
    ['agrotour_app', secrets.appPassword],
  ] as const) {
    const { rowCount } = await superuser.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
    if (rowCount === 0) await superuser.query(`CREATE ROLE ${role}`);
    await superuser.query(
      `ALTER ROLE ${role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${pg.escapeLiteral(password)}`,
    );
  }
  const { rowCount } = await superuser.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await superuser.query(`CREATE DATABASE ${DATABASE} OWNER agrotour_owner`);
  await superuser.query(`REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`);
  // Temporary tables: BullMQ adds jobs in bulk through one.
  await superuser.query(`GRANT CONNECT, TEMPORARY ON DATABASE ${DATABASE} TO agrotour_app`);
}

function urlFor(role: string, password: string, port: number): string {
  return `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`;
}
