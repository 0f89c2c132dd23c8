import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { prepareBinaries } from '../../src/database/embedded/binaries.js';
import { chooseDatabaseUser } from '../../src/database/embedded/database-user.js';
import { migrate } from '../../src/database/migrate.js';
import { queryOnce, withClient } from './database.js';
import { eventually } from './eventually.js';

/** PostgreSQL does not run as root. */
const user = chooseDatabaseUser();
const account = user && { uid: user.uid, gid: user.gid };
/** A recovery fetches the log out of the archive first. */
const STARTUP_TIMEOUT_MS = 60_000;
/** Of every role. */
const PASSWORD = 'of a test';

/** A PostgreSQL server of a test's own, to be crashed, copied and restored. */
export class TestCluster {
  private process: ChildProcess | undefined;

  private constructor(
    /** Which the server's account may enter: the data directory is `postgres` in it. */
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** A server that runs, with the service's roles, database and schema. */
  static async create(): Promise<TestCluster> {
    const folder = newFolder('cluster');
    const cluster = new TestCluster(folder, await freePort());
    cluster.makeFiles();
    await cluster.start();
    try {
      await cluster.provision();
    } catch (error) {
      await cluster.remove();
      throw error;
    }
    return cluster;
  }

  private makeFiles(): void {
    const passwordFile = path.join(this.folder, 'password');
    writeFileSync(passwordFile, PASSWORD);
    const made = spawnSync(
      prepareBinaries(this.folder, user).initdb,
      [
        `--pgdata=${this.data}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-sync',
      ],
      { cwd: this.folder, ...account, encoding: 'utf8' },
    );
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`);
  }

  private async provision(): Promise<void> {
    await withClient(this.maintenanceUrl, async (client) => {
      await client.query(`
        CREATE ROLE agrotour_owner LOGIN PASSWORD '${PASSWORD}';
        CREATE ROLE agrotour_app LOGIN PASSWORD '${PASSWORD}'`);
      await client.query('CREATE DATABASE agrotour OWNER agrotour_owner');
      await client.query(`
        REVOKE ALL ON DATABASE agrotour FROM PUBLIC;
        GRANT CONNECT, TEMPORARY ON DATABASE agrotour TO agrotour_app`);
    });
    await migrate(this.ownerUrl);
  }

  get appUrl(): string {
    return this.urlOf('agrotour_app');
  }
  get ownerUrl(): string {
    return this.urlOf('agrotour_owner');
  }
  get superuserUrl(): string {
    return this.urlOf('postgres');
  }

  /** Starts the server with these settings of PostgreSQL's, and waits until it takes connections. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', ...settings };
    const server = spawn(
      prepareBinaries(this.folder, user).postgres,
      [
        '-D',
        this.data,
        '-p',
        `${this.port}`,
        ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      { cwd: this.folder, ...account, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.process = server;
    let log = '';
    server.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await eventually(
      'the server takes connections',
      async () => {
        if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}:\n${log}`);
        return queryOnce(this.maintenanceUrl, 'SELECT').then(
          () => true,
          () => false,
        );
      },
      STARTUP_TIMEOUT_MS,
    );
  }

  /** As its own tools do: open transactions are rolled back, all is written. */
  stop(): Promise<void> {
    return this.end('SIGINT');
  }

  /** As when the power fails: the next start recovers from the log. */
  crash(): Promise<void> {
    return this.end('SIGQUIT');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const server = this.process;
    if (server?.exitCode !== null) return;
    const exited = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await exited;
    this.process = undefined;
  }

  /** The files of the server, which is stopped, as they are; at an address of its own, or at that of `lost`. */
  async copy(lost?: TestCluster): Promise<TestCluster> {
    return this.copyTo(lost?.port ?? (await freePort()));
  }

  /** A copy of the server while it runs and is written to: its data without its log, which has to be archived. */
  async baseBackup(): Promise<TestCluster> {
    return withClient(this.superuserUrl, async (client) => {
      await client.query(`SELECT pg_backup_start('test', fast => true)`);
      const backup = this.copyTo(await freePort());
      for (const name of ['pg_wal', 'postmaster.pid', 'postmaster.opts'])
        rmSync(path.join(backup.data, name), { recursive: true, force: true });
      mkdirSync(path.join(backup.data, 'pg_wal'));
      give(path.join(backup.data, 'pg_wal'));
      const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop()');
      backup.write('backup_label', rows[0]?.labelfile ?? '');
      return backup;
    });
  }

  /** Writes a file into the data directory. */
  write(name: string, contents: string): void {
    writeFileSync(path.join(this.data, name), contents);
    give(path.join(this.data, name));
  }

  /** Stops the server and removes its files. */
  async remove(): Promise<void> {
    await this.crash();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return path.join(this.folder, 'postgres');
  }

  private copyTo(port: number): TestCluster {
    const folder = newFolder('copy');
    // Not judged by its exit code: of a server that runs, files may go while they are copied, and PostgreSQL knows that.
    spawnSync('cp', ['-a', this.data, folder]);
    const copy = new TestCluster(folder, port);
    if (!existsSync(path.join(copy.data, 'PG_VERSION'))) throw new Error(`${this.data} could not be copied`);
    return copy;
  }

  private get maintenanceUrl(): string {
    return this.urlOf('postgres', 'postgres');
  }

  private urlOf(role: string, database = 'agrotour'): string {
    return `postgres://${role}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/${database}`;
  }
}

/** A folder that the server's account may write to, as an archive of its log. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), `agrotour-${name}-`));
  chmodSync(folder, 0o755);
  give(folder);
  return folder;
}

function give(place: string): void {
  if (account) chownSync(place, account.uid, account.gid);
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
