import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { PushResponseDto } from '../src/sync/push/push.dto.js';
import { type Answer, Connection } from './connection.js';
import { BenchmarkError, type BenchmarkEnvironment } from './environment.js';
import type { MemorySample } from './memory-growth.js';
import { residentMemoryOf } from './process-usage.js';
import type { EnrolledTill, PreparedPush, Shop } from './shop.js';
import { compareContents, readContents, type TenantContents } from './tenant-contents.js';
import { type Meter, sum, type Turn } from './turn.js';

const MEMORY_SAMPLE_EVERY_OPERATIONS = 2_000;
/** A tenant that is busy for longer than the service lets a push wait: nothing was recorded, and the till tries again. */
const BUSY = 503;
const AGAIN_AFTER_MS = 100;

interface Client {
  readonly shop: Shop;
  readonly till: EnrolledTill;
  readonly connection: Connection;
}

interface Answered {
  readonly client: Client;
  readonly push: PreparedPush;
  readonly answer: Answer;
}

/** Tills that push to the service over HTTP, each on a connection it keeps, all at the same time. */
export class PushLoad {
  readonly memorySamples: MemorySample[] = [];
  private operationsTaken = 0;
  /** By tenant, what is to be found there. */
  private readonly expected = new Map<string, { events: number; levels: Map<string, number> }>();

  private constructor(
    private readonly environment: BenchmarkEnvironment,
    private readonly database: pg.Client,
    private readonly meter: Meter,
    private readonly shops: readonly Shop[],
    private readonly clients: readonly Client[],
    readonly batch: number,
  ) {}

  /**
   * @param shops among which the clients are shared out; each gets its opening stock
   * @param serviceUrl if it isn't the environment's own
   */
  static async open(
    environment: BenchmarkEnvironment,
    database: pg.Client,
    meter: Meter,
    shops: readonly Shop[],
    { clients: count, batch }: { readonly clients: number; readonly batch: number },
    serviceUrl = environment.url,
  ): Promise<PushLoad> {
    const clients: Client[] = [];
    for (const [index, shop] of shops.entries()) {
      const tills = await shop.takeTills(Math.floor((count + shops.length - 1 - index) / shops.length));
      for (const till of tills) {
        clients.push({ shop, till, connection: new Connection(serviceUrl, '/sync/push', till.token) });
      }
    }
    const load = new PushLoad(environment, database, meter, shops, clients, batch);
    await load.stockUp();
    return load;
  }

  /** `pushesEach` of every client, as bytes. */
  prepare(pushesEach: number): PreparedPush[][] {
    return this.clients.map(({ shop, till }) => shop.preparePushes(till, pushesEach, this.batch));
  }

  /** Every client sends its pushes one after another, all clients at the same time. */
  async push(pushes: readonly (readonly PreparedPush[])[]): Promise<Turn> {
    return this.answered(pushes, async (answered) => {
      await Promise.all(
        this.clients.map(async (client, index) => {
          for (const push of pushes[index] ?? []) {
            answered.push(await this.send(client, push));
            this.sampleMemory(push.operations.length);
          }
        }),
      );
      return answered.map(({ answer }) => answer.durationMs);
    });
  }

  /** The first client alone, one push after another. */
  async pushAlone(count: number): Promise<Turn> {
    return this.push(this.prepare(count).slice(0, 1));
  }

  /**
   * Pushes that arrive when they arrive, whether those before them were answered or not: each is timed from when it was
   * to be sent, so that one that waits for a busy service is not forgiven the wait.
   * @param arrivalsMs after the start, in order
   */
  async pushAsTheyArrive(arrivalsMs: readonly number[]): Promise<Turn> {
    const { length: clientCount } = this.clients;
    const { length: count } = arrivalsMs;
    const pushes = this.prepare(Math.ceil(count / clientCount)).map((own, index) =>
      own.slice(0, Math.ceil((count - index) / clientCount)),
    );
    return this.answered(pushes, async (answered) => {
      const startedMs = performance.now();
      return Promise.all(
        arrivalsMs.map(async (arrivalMs, number) => {
          const client = this.clients[number % clientCount];
          const push = pushes[number % clientCount]?.[Math.floor(number / clientCount)];
          if (client === undefined || push === undefined) throw new Error('A push is missing');
          await sleep(startedMs + arrivalMs - performance.now());
          answered.push(await this.send(client, push));
          return performance.now() - startedMs - arrivalMs;
        }),
      );
    });
  }

  /** Of the service, now. */
  get residentMiB(): number | undefined {
    return residentMemoryOf(this.environment.servicePid)?.nowMiB;
  }

  forgetMemory(): void {
    this.memorySamples.length = 0;
    this.operationsTaken = 0;
  }

  /** @throws BenchmarkError if anything is not as it was pushed. */
  async compareContents(): Promise<void> {
    for (const { tenantId } of this.shops) {
      compareContents(await readContents(this.database, tenantId), this.expectedOf(tenantId));
    }
  }

  close(): void {
    for (const { connection } of this.clients) connection.close();
  }

  private async stockUp(): Promise<void> {
    for (const shop of this.shops) {
      const client = this.clients.find((candidate) => candidate.shop === shop);
      if (client === undefined) continue;
      const push = shop.openingPush(client.till);
      const answer = await client.connection.post(push.body);
      shop.noteHead(lamportOfAccepted(push, answer));
      const { events, levels } = await readContents(this.database, shop.tenantId);
      this.expected.set(shop.tenantId, { events, levels: new Map(levels) });
    }
  }

  private async answered(
    pushes: readonly (readonly PreparedPush[])[],
    work: (answered: Answered[]) => Promise<readonly number[]>,
  ): Promise<Turn> {
    const answered: Answered[] = [];
    const operations = sum(pushes.flat().map((push) => push.operations.length));
    const turn = await this.meter.turn(operations, () => work(answered));
    // Between the turns, so that reading the answers does not take time from those who write them.
    for (const { client, push, answer } of answered) {
      client.shop.noteHead(lamportOfAccepted(push, answer));
      this.expect(client.shop.tenantId, push);
    }
    return turn;
  }

  private async send(client: Client, push: PreparedPush): Promise<Answered> {
    const startedMs = performance.now();
    let answer = await client.connection.post(push.body);
    while (answer.status === BUSY) {
      await sleep(AGAIN_AFTER_MS);
      answer = await client.connection.post(push.body);
    }
    return { client, push, answer: { ...answer, durationMs: performance.now() - startedMs } };
  }

  private expect(tenantId: string, { operations }: PreparedPush): void {
    const expected = this.expectedOf(tenantId);
    expected.events += operations.length;
    for (const { product_id: productId, operation, delta } of operations) {
      const effect = operation === 'DECREMENT' ? -delta : delta;
      expected.levels.set(productId, (expected.levels.get(productId) ?? 0) + effect);
    }
  }

  private expectedOf(tenantId: string): { events: number; levels: Map<string, number> } & TenantContents {
    const expected = this.expected.get(tenantId);
    if (expected === undefined) throw new Error(`Nothing is known of tenant ${tenantId}`);
    return expected;
  }

  private sampleMemory(operations: number): void {
    const before = this.operationsTaken;
    this.operationsTaken += operations;
    const due =
      Math.floor(before / MEMORY_SAMPLE_EVERY_OPERATIONS) <
      Math.floor(this.operationsTaken / MEMORY_SAMPLE_EVERY_OPERATIONS);
    const memory = due ? residentMemoryOf(this.environment.servicePid) : undefined;
    if (memory) this.memorySamples.push({ operations: this.operationsTaken, usedMiB: memory.nowMiB });
  }
}

/**
 * @returns the clock of the tenant after the push.
 * @throws BenchmarkError if any entry was not accepted.
 */
export function lamportOfAccepted(push: PreparedPush, { status, body }: Answer): number {
  if (status !== 200) throw new BenchmarkError(`A push was answered with ${status}: ${body.toString()}`);
  const { results, server_lamport } = JSON.parse(body.toString()) as PushResponseDto;
  if (results.length < push.operations.length) {
    throw new BenchmarkError(`A push of ${push.operations.length} operations got ${results.length} results.`);
  }
  const refused = results.find((result) => result.status !== 'accepted');
  if (refused) throw new BenchmarkError(`An operation was not accepted: ${JSON.stringify(refused)}`);
  return server_lamport;
}
