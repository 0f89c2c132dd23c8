import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { OperationDto } from '../src/sync/push/push.dto.js';
import { PUSH_ENTRIES_MAX, type PushResponseDto } from '../src/sync/push/push.dto.js';
import { TokensService } from '../src/tenancy/tokens.service.js';
import { Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment, type EnrolledDevice, withEnvironment } from './environment.js';
import { cpu, machineLine, range, whole } from './figures.js';
import { withClient } from './filling.js';
import { describeMachine, type Machine } from './machine.js';
import { wholeNumber } from './options.js';
import { cpuSecondsOf, cpuSecondsOfFamily } from './process-usage.js';
import { median, type Spread, spreadOf } from './statistics.js';
import { formatTable } from './table.js';
import { type Till, Workload } from './workload.js';

const USAGE = `Usage: npm run bench -- isolation [options]
  --operations <n>    in all, for each of the two sides (40000)
  --batch <n>         operations of a push, at most ${PUSH_ENTRIES_MAX} (100)
  --clients <n>       devices of one tenant that push at the same time (4)
  --rounds <n>        turns that the sides take (50)
  --requests <n>      to each of the three services, for what authentication takes (3000)
  --json <file>       also write the results there`;

interface IsolationOptions {
  readonly operations: number;
  readonly batch: number;
  readonly clients: number;
  readonly rounds: number;
  readonly requests: number;
  readonly jsonFile: string | undefined;
}

const OPEN_SERVICE = fileURLToPath(new URL('./open-service.js', import.meta.url));
const WARM_UP_PUSHES = 10;
const WARM_UP_REQUESTS = 300;

/** All that a run found out; `--json` writes it as it is. */
interface IsolationReport {
  readonly benchmark: 'isolation';
  /** When the run ended, ISO 8601. */
  readonly at: string;
  readonly machine: Machine;
  readonly options: Omit<IsolationOptions, 'jsonFile'>;
  readonly operationsPerSecond: { readonly guarded: Spread; readonly open: Spread };
  /** Share of the open side's throughput that policies and guards cost, round by round. */
  readonly cost: Spread;
  /** Seconds for 1,000 operations, of the service and PostgreSQL together; undefined where the system does not tell. */
  readonly cpuSecondsPerThousand: { readonly guarded: number | undefined; readonly open: number | undefined };
  /** Of a request that is refused for its body right after the guards, by what they do; medians. */
  readonly requestMs: { readonly open: number; readonly token: number; readonly guarded: number };
}

/** A service that runs for the benchmark, with the key that signs its tokens. */
interface OpenService {
  readonly url: string;
  readonly pid: number;
  readonly tokens: TokensService;
}

/** What row-level security and the guards cost a push, and authentication any request. */
export async function benchmarkIsolation(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const report = await withEnvironment({ profileFolder: undefined }, (environment) =>
    withOpenService(environment, 'open', (open) =>
      withOpenService(environment, 'token', (token) => measure(environment, open, token, options)),
    ),
  );
  printReport(report);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** @returns undefined if the usage is asked for. */
function readOptions(args: readonly string[]): IsolationOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      operations: { type: 'string', default: '40000' },
      batch: { type: 'string', default: '100' },
      clients: { type: 'string', default: '4' },
      rounds: { type: 'string', default: '50' },
      requests: { type: 'string', default: '3000' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return undefined;
  return {
    operations: wholeNumber('--operations', values.operations, 10_000_000, USAGE),
    batch: wholeNumber('--batch', values.batch, PUSH_ENTRIES_MAX, USAGE),
    clients: wholeNumber('--clients', values.clients, 1_000, USAGE),
    rounds: wholeNumber('--rounds', values.rounds, 1_000, USAGE),
    requests: wholeNumber('--requests', values.requests, 1_000_000, USAGE),
    jsonFile: values.json,
  };
}

/**
 * Runs `work` with a service that asks nobody whether they may come in, on the same database, as the owner of its
 * tables: policies that are not forced don't bind the owner, while they bind the guarded service's role as before.
 * @param doors `token`: it checks tokens still, and nothing else
 */
async function withOpenService<T>(
  environment: BenchmarkEnvironment,
  doors: 'open' | 'token',
  work: (service: OpenService) => Promise<T>,
): Promise<T> {
  await withClient(environment.ownerUrl, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity AND relforcerowsecurity`,
    );
    for (const { name } of rows) await client.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY`);
  });
  const secret = randomBytes(32).toString('base64url');
  const variables = {
    DATABASE_URL: environment.ownerUrl,
    JWT_SECRET: secret,
    DOORS: doors,
    RATE_LIMIT_PER_MINUTE: '0',
  };
  const keys = { kind: 'secret', secret } as const;
  const tokens = new TokensService({ keys, issuer: 'agrotour-sync-engine', audience: 'agrotour-sync' });
  return environment.beside(OPEN_SERVICE, variables, (url, pid) => work({ url, pid, tokens }));
}

async function measure(
  environment: BenchmarkEnvironment,
  open: OpenService,
  token: OpenService,
  options: IsolationOptions,
): Promise<IsolationReport> {
  const version = await withClient(environment.databaseUrl, async (client) => {
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]?.server_version ?? 'unknown';
  });
  const machine = describeMachine(environment.dataFolder, version);
  const requestMs = await askAll(environment, open, token, options.requests);
  const { guarded, opened } = await pushAll(environment, open, options);
  const rates = (side: Side): number[] => side.turns.map((turn) => turn.operations / turn.seconds);
  const [guardedRates, openRates] = [rates(guarded), rates(opened)];
  const { operations, batch, clients, rounds, requests } = options;
  return {
    benchmark: 'isolation',
    at: new Date().toISOString(),
    machine,
    options: { operations, batch, clients, rounds, requests },
    operationsPerSecond: { guarded: spreadOf(guardedRates), open: spreadOf(openRates) },
    cost: spreadOf(guardedRates.map((rate, round) => 1 - rate / (openRates[round] ?? NaN))),
    cpuSecondsPerThousand: { guarded: guarded.cpuSecondsPerThousand, open: opened.cpuSecondsPerThousand },
    requestMs,
  };
}

/**
 * In turns, a request of each service that passes the guards and is refused for its body right after them: whatever else
 * a request does would drown what is to be measured.
 */
async function askAll(
  environment: BenchmarkEnvironment,
  open: OpenService,
  token: OpenService,
  requests: number,
): Promise<IsolationReport['requestMs']> {
  const device = await environment.enrolDevice(await environment.createTenant('Bench: requests'), 'Till');
  const ask = async (url: string, bearer: string): Promise<{ connection: Connection; durationsMs: number[] }> =>
    Promise.resolve({ connection: new Connection(url, '/sync/pull', bearer), durationsMs: [] });
  const sides = {
    open: await ask(open.url, await sign(open, device)),
    token: await ask(token.url, await sign(token, device)),
    guarded: await ask(environment.url, device.token),
  };
  const body = Buffer.from('{}');
  for (let number = -WARM_UP_REQUESTS; number < requests; number += 1) {
    const turns = Object.values(sides);
    for (let turn = 0; turn < turns.length; turn += 1) {
      const side = turns[(turn + Math.abs(number)) % turns.length];
      const answer = await side?.connection.post(body);
      if (answer?.status !== 400) throw new BenchmarkError(`A request was answered with ${answer?.status}.`);
      if (number >= 0) side?.durationsMs.push(answer.durationMs);
    }
  }
  for (const { connection } of Object.values(sides)) connection.close();
  return {
    open: median(sides.open.durationsMs),
    token: median(sides.token.durationsMs),
    guarded: median(sides.guarded.durationsMs),
  };
}

function sign({ tokens }: OpenService, { userId, tenantId, deviceId }: EnrolledDevice): Promise<string> {
  return tokens.sign({ role: 'device', userId, tenantId, deviceId });
}

/** Both sides take turns, and in being first: on a shared machine the speed of the processor changes within seconds. */
async function pushAll(
  environment: BenchmarkEnvironment,
  open: OpenService,
  options: IsolationOptions,
): Promise<{ guarded: Side; opened: Side }> {
  const guarded = await Side.prepare(environment, options, { url: environment.url, pid: environment.servicePid });
  const opened = await Side.prepare(environment, options, open);
  for (const side of [guarded, opened]) await side.warmUp();
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const side of round % 2 === 0 ? [guarded, opened] : [opened, guarded]) await side.takeTurn();
  }
  for (const side of [guarded, opened]) side.close();
  return { guarded, opened };
}

interface Turn {
  readonly operations: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** One of the two services, with tills of a tenant of its own that push to it. */
class Side {
  readonly turns: Turn[] = [];
  private serverLamport = 0;

  private constructor(
    private readonly environment: BenchmarkEnvironment,
    private readonly servicePid: number,
    private readonly workload: Workload,
    private readonly pushesPerTurn: number,
    private readonly batch: number,
    private readonly clients: readonly { readonly till: Till; readonly connection: Connection }[],
  ) {}

  static async prepare(
    environment: BenchmarkEnvironment,
    { operations, batch, clients, rounds }: IsolationOptions,
    service: { readonly url: string; readonly pid: number } | OpenService,
  ): Promise<Side> {
    const tenantId = await environment.createTenant('Bench: a side');
    const tills: { till: Till; connection: Connection }[] = [];
    for (let number = 1; number <= clients; number += 1) {
      const device = await environment.enrolDevice(tenantId, `Till ${number}`);
      const token = 'tokens' in service ? await sign(service, device) : device.token;
      tills.push({
        till: { ...device, clock: 0, base: 0 },
        connection: new Connection(service.url, '/sync/push', token),
      });
    }
    const pushesPerTurn = Math.max(1, Math.round(operations / rounds / batch / clients));
    const workload = new Workload();
    return new Side(environment, service.pid, workload, pushesPerTurn, batch, tills);
  }

  async takeTurn(): Promise<void> {
    const before = this.cpuSeconds();
    const seconds = await this.push(this.pushesPerTurn);
    const operations = this.pushesPerTurn * this.clients.length * this.batch;
    this.turns.push({ operations, seconds, cpuSeconds: this.cpuSeconds() - before });
  }

  get cpuSecondsPerThousand(): number | undefined {
    const [cpuSeconds, operations] = this.turns.reduce(
      ([seconds, count], turn) => [seconds + turn.cpuSeconds, count + turn.operations],
      [0, 0],
    );
    return Number.isNaN(cpuSeconds) ? undefined : cpuSeconds / (operations / 1_000);
  }

  /** NaN where the system does not tell. */
  private cpuSeconds(): number {
    const { postmasterPid } = this.environment;
    return (cpuSecondsOf(this.servicePid) ?? NaN) + (cpuSecondsOfFamily(postmasterPid) ?? NaN);
  }

  async warmUp(): Promise<void> {
    const [client] = this.clients;
    if (client) await this.send([[this.workload.openingStock(client.till)]]);
    await this.push(WARM_UP_PUSHES);
  }

  /** Pushes of every client one after another, of all clients at the same time. @returns seconds. */
  private push(pushesEach: number): Promise<number> {
    return this.send(
      this.clients.map(({ till }) => {
        till.base = this.serverLamport;
        till.clock = Math.max(till.clock, this.serverLamport);
        return Array.from({ length: pushesEach }, () => this.workload.operations(till, this.batch));
      }),
    );
  }

  private async send(pushes: readonly (readonly OperationDto[][])[]): Promise<number> {
    const prepared = pushes.map((own, index) => {
      const deviceId = this.clients[index]?.till.deviceId;
      return own.map((operations) =>
        Buffer.from(JSON.stringify({ operations, client_lamport: 0, device_id: deviceId })),
      );
    });
    const startedMs = performance.now();
    const answers = await Promise.all(
      prepared.map(async (bodies, index) => {
        const own = [];
        for (const body of bodies) own.push(await this.clients[index]?.connection.post(body));
        return own;
      }),
    );
    const seconds = (performance.now() - startedMs) / 1_000;
    for (const answer of answers.flat()) {
      if (answer?.status !== 200) throw new BenchmarkError(`A push was answered with ${answer?.status}.`);
      const { results, server_lamport } = JSON.parse(answer.body.toString()) as PushResponseDto;
      const refused = results.find(({ status }) => status !== 'accepted');
      if (refused) throw new BenchmarkError(`An operation was not accepted: ${JSON.stringify(refused)}`);
      this.serverLamport = Math.max(this.serverLamport, server_lamport);
    }
    return seconds;
  }

  close(): void {
    for (const { connection } of this.clients) connection.close();
  }
}

function printReport({
  machine,
  options,
  operationsPerSecond,
  cost,
  cpuSecondsPerThousand,
  requestMs,
}: IsolationReport): void {
  const { guarded, open } = operationsPerSecond;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const added = (ms: number): string => `${ms < 0 ? '' : '+'}${ms.toFixed(3)}`;
  const { token } = requestMs;
  const lines = [
    '',
    `isolation: ${whole(options.operations)} operations, ${whole(options.batch)} a push, ${whole(options.clients)} devices of one tenant; ${whole(options.rounds)} rounds`,
    machineLine(machine),
    '',
    formatTable([
      ['push', 'policies and guards', 'neither'],
      ['operations/s, median', whole(guarded.median), whole(open.median)],
      ['  least to most of a round', range(guarded), range(open)],
      ['CPU s per 1,000 operations', cpu(cpuSecondsPerThousand.guarded), cpu(cpuSecondsPerThousand.open)],
      ['cost, median (aim: under 10 %)', percent(cost.median), ''],
      ['  least to most of a round', `${percent(cost.min)} to ${percent(cost.max)}`, ''],
    ]),
    '',
    formatTable([
      [`what the guards add to a request, of ${whole(options.requests)}`, 'median, ms'],
      ['nothing: the request by itself', requestMs.open.toFixed(3)],
      ['the token is verified (aim: under 0.2)', added(token - requestMs.open)],
      ['the database is asked for tenant and device', added(requestMs.guarded - token)],
    ]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
