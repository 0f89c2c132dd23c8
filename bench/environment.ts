import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EmbeddedPostgres } from '../src/database/embedded/embedded-postgres.js';
import { migrate } from '../src/database/migrate.js';
import { TokensService } from '../src/tenancy/tokens.service.js';

const SERVICE = fileURLToPath(new URL('../src/main.js', import.meta.url));
const MANIFEST = fileURLToPath(new URL('../../package.json', import.meta.url));
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface EnvironmentOptions {
  /** Folder for a processor profile of the service, written when it stops; undefined for none. */
  readonly profileFolder: string | undefined;
  /** Of a Redis that carries queue and signals; without it PostgreSQL does. */
  readonly redisUrl?: string | undefined;
}

/** A benchmark that could not be carried out, or whose results would mean nothing, in words for who started it. */
export class BenchmarkError extends Error {
  override readonly name = 'BenchmarkError';
}

/** Someone pressed Ctrl-C. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

export interface EnrolledDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly userId: string;
  readonly token: string;
}

/**
 * Runs `work` with a database and a service that were started for it alone, and stops both and removes what they wrote,
 * whether `work` ends, fails or is interrupted.
 * @throws InterruptedError on Ctrl-C, BenchmarkError if the service ends before `work` does.
 */
export async function withEnvironment<T>(
  options: EnvironmentOptions,
  work: (environment: BenchmarkEnvironment) => Promise<T>,
): Promise<T> {
  return stoppingAll(async (started, interruption) => {
    const environment = await BenchmarkEnvironment.start(options, started, interruption);
    return Promise.race([work(environment), environment.ended, rejectionOf(interruption)]);
  });
}

/** As `withEnvironment`, with two that know nothing of each other, so that they can be measured in turns. */
export async function withTwoEnvironments<T>(
  options: EnvironmentOptions,
  work: (one: BenchmarkEnvironment, other: BenchmarkEnvironment) => Promise<T>,
): Promise<T> {
  return stoppingAll(async (started, interruption) => {
    const one = await BenchmarkEnvironment.start(options, started, interruption);
    const other = await BenchmarkEnvironment.start(options, started, interruption);
    return Promise.race([work(one, other), one.ended, other.ended, rejectionOf(interruption)]);
  });
}

type Stop = () => Promise<void>;

/** Whatever `work` adds to `started` is stopped when it ends, the last first. */
async function stoppingAll<T>(work: (started: Stop[], interruption: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  // Not `once`: under npm a terminal's Ctrl-C may arrive twice, and the second must not end us halfway through stopping.
  const interrupt = (): void => {
    interruption.abort(new InterruptedError('Interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const started: Stop[] = [];
  try {
    return await work(started, interruption.signal);
  } finally {
    for (const stop of started.reverse()) {
      // What can't be stopped must not keep the rest from being stopped.
      await stop().catch((error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
      });
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

function superuserUrlOf(database: EmbeddedPostgres): string {
  const url = new URL(database.ownerUrl);
  url.username = 'postgres';
  url.password = database.secrets.superuserPassword;
  return url.href;
}

function rejectionOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
    signal.throwIfAborted();
  });
}

/** A database and a service with nothing in them. */
export class BenchmarkEnvironment {
  private constructor(
    readonly url: string,
    /** Of the restricted role, as the service has it. */
    readonly databaseUrl: string,
    /** Of the role that may ANALYZE. */
    readonly ownerUrl: string,
    /** Of whom no policy binds, to make rows of many tenants at once. */
    readonly superuserUrl: string,
    /** On the disk that the database writes to. */
    readonly dataFolder: string,
    readonly servicePid: number,
    /** Of the process that starts all others of the database. */
    readonly postmasterPid: number,
    /** Never resolves; rejects when the service ends. */
    readonly ended: Promise<never>,
    private readonly tokens: TokensService,
    /** Of the service, but for the database. */
    private readonly variables: Readonly<Record<string, string>>,
    private readonly started: Stop[],
  ) {}

  /** Called by `withEnvironment`; each `stop` is added to `started` as soon as there is something to stop. */
  static async start(
    options: EnvironmentOptions,
    started: Stop[],
    interruption: AbortSignal,
  ): Promise<BenchmarkEnvironment> {
    const dataFolder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-bench-'));
    started.push(() => {
      rmSync(dataFolder, { recursive: true, force: true });
      return Promise.resolve();
    });
    const database = await EmbeddedPostgres.start(dataFolder);
    started.push(() => database.stop());
    interruption.throwIfAborted();
    await migrate(database.ownerUrl);
    interruption.throwIfAborted();
    const secret = randomBytes(32).toString('base64url');
    const variables = { JWT_SECRET: secret, ...(options.redisUrl !== undefined && { REDIS_URL: options.redisUrl }) };
    const service = launch(SERVICE, options, { ...variables, DATABASE_URL: database.appUrl });
    started.push(() => end(service));
    const ended = new Promise<never>((_, reject) => {
      service.once('exit', (code, signal) => {
        reject(new BenchmarkError(`The service ended by itself (${code ?? signal}).`));
      });
    });
    ended.catch(() => undefined); // when it is us who stop it, nobody waits for this any more
    const url = await Promise.race([listening(service), ended, rejectionOf(interruption)]);
    return new BenchmarkEnvironment(
      url,
      database.appUrl,
      database.ownerUrl,
      superuserUrlOf(database),
      dataFolder,
      service.pid ?? 0,
      Number.parseInt(readFileSync(path.join(dataFolder, 'postgres', 'postmaster.pid'), 'utf8'), 10),
      ended,
      new TokensService({
        keys: { kind: 'secret', secret },
        issuer: 'agrotour-sync-engine',
        audience: 'agrotour-sync',
      }),
      variables,
      started,
    );
  }

  /** Runs `work` with one more service beside the first, which serves requests alone, on the database as `databaseUrl` has it. */
  async withSecondService<T>(databaseUrl: string, work: (url: string) => Promise<T>): Promise<T> {
    return this.beside(SERVICE, { ...this.variables, DATABASE_URL: databaseUrl, ROLE: 'api' }, work);
  }

  /** Runs `work` with one more `program` that listens; if `work` is cut short, it is stopped before the database is. */
  async beside<T>(
    program: string,
    variables: Record<string, string>,
    work: (url: string, pid: number) => Promise<T>,
  ): Promise<T> {
    const service = launch(program, { profileFolder: undefined }, variables);
    this.started.push(() => end(service));
    try {
      return await work(await listening(service), service.pid ?? 0);
    } finally {
      await end(service);
    }
  }

  /** The token of a device that was enrolled by SQL. */
  async signToken({ tenantId, deviceId, userId }: Omit<EnrolledDevice, 'token'>): Promise<string> {
    return this.tokens.sign({ role: 'device', userId, tenantId, deviceId });
  }

  /** @returns its id. */
  async createTenant(name: string): Promise<string> {
    const token = await this.tokens.sign({ role: 'operator', userId: randomUUID() });
    const { id } = await this.post('/tenants', token, { name });
    return String(id);
  }

  async enrolDevice(tenantId: string, name: string): Promise<EnrolledDevice> {
    const userId = randomUUID();
    const adminToken = await this.tokens.sign({ role: 'admin', userId, tenantId });
    const { id, token } = await this.post('/devices', adminToken, { name, device_type: 'DESKTOP' });
    return { tenantId, deviceId: String(id), userId, token: String(token) };
  }

  private async post(route: string, token: string, body: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const answer = await response.text();
    if (response.status !== 201) throw new BenchmarkError(`POST ${route} answered ${response.status}: ${answer}`);
    return JSON.parse(answer) as Record<string, unknown>;
  }
}

/** Of `npm start`: how the service runs is part of what is measured. */
function nodeOptions(): string[] {
  const { scripts } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

/** As `npm start` does, with the log going to a pipe that is emptied: a line for each request is part of the work. */
function launch(
  program: string,
  { profileFolder }: EnvironmentOptions,
  variables: Record<string, string>,
): ChildProcess {
  const profiling = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileFolder)}`];
  return spawn(process.execPath, [...nodeOptions(), ...profiling, program], {
    env: {
      ...{ PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info' },
      // Requests are counted, as they always are; no benchmark reaches the limit.
      ...{ RATE_LIMIT_PER_MINUTE: '10000000', ...variables },
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true, // Ctrl-C in a terminal reaches us alone, and we stop it
  });
}

/** @returns the URL that the service says it listens on. */
function listening(service: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BenchmarkError(`The service did not listen within ${START_TIMEOUT_MS} ms.`));
    }, START_TIMEOUT_MS).unref();
    service.once('error', reject);
    if (service.stdout === null) throw new Error('The service has no output');
    const lines = createInterface(service.stdout);
    lines.on('line', (line) => {
      const url = /"url":"([^"]+)".*"msg":"listening"/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      lines.close();
      service.stdout?.resume(); // from here on unread, at no cost to what is measured
      resolve(url);
    });
  });
}

/** SIGTERM, and SIGKILL to one that doesn't heed it. */
async function end(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return;
  const exited = new Promise((resolve) => service.once('exit', resolve));
  service.kill('SIGTERM');
  const timer = setTimeout(() => service.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
