import {
  type OutboxEntry,
  type RejectedEntry,
  type Stock,
  type StockMovement,
  SyncClient,
  SyncError,
} from '../../client/src/index.js';
import { ProcessLocks } from '../../client/src/storage/locks.js';
import type { Activity } from './activity.js';
import { App, type Crash, Disk } from './disk.js';
import type { Network } from './network.js';
import type { DevicePlan } from './plan.js';
import type { Random } from './random.js';
import type { Shop } from './shop.js';
import type { VirtualTime } from './virtual-time.js';

/** An operation that the app was told is recorded: it must not be lost from then on. */
export interface Recorded {
  readonly id: string;
  readonly movement: StockMovement;
  /** Those that it was recorded with, itself among them: they stand or fall together. */
  readonly group: readonly string[];
  /** Where the replica was when it was recorded, before and after. */
  readonly baseMin: number;
  baseMax: number;
}

/** What an app shows while it waits: of the server's word, and of its own. */
export interface Shown {
  /** Where its replica is. */
  readonly lamport: number;
  readonly waiting: number;
  readonly outbox: readonly OutboxEntry[];
  readonly rejected: readonly RejectedEntry[];
  /** In the order of the products asked for; undefined of those it knows nothing of. */
  readonly stocks: readonly (Stock | undefined)[];
}

/** Failures that a client has to live with. All others are its own fault, or the server's. */
const EXPECTED_CODES: ReadonlySet<string> = new Set([
  ...['NETWORK', 'ABORTED', 'UNAVAILABLE', 'DEVICE_REVOKED', 'TOKEN_REVOKED'],
]);

/** A till with the client on it. It outlives its app, which may crash and is started again. */
export class Device {
  readonly recorded: Recorded[] = [];
  /** All ids that it has ever given to something. */
  readonly issued = new Set<string>();
  readonly discarded = new Set<string>();
  isRevoked = false;
  private readonly disk: Disk;
  private app = new App();
  private opening: Promise<SyncClient> | undefined;
  private isOpen = false;
  private ageSeen = 0;
  private skewMinutes: number;
  private hasSynced = false;

  constructor(
    readonly name: string,
    readonly id: string,
    readonly shop: Shop,
    private token: string,
    private readonly settings: DevicePlan & { readonly pageMax: number },
    private readonly world: {
      readonly activity: Activity;
      readonly network: Network;
      readonly random: Random;
      readonly time: VirtualTime;
    },
    private readonly onFault: (fault: string) => void,
  ) {
    this.disk = new Disk(world.activity);
    this.skewMinutes = settings.skewMinutes;
  }

  /** Lets the app do something, and starts it if it doesn't run; it may wait for the network, or die. */
  begin(work: (client: SyncClient) => Promise<unknown>): void {
    void this.running()
      .then(work)
      .catch((error: unknown) => {
        this.judge(error);
      });
  }

  /** Its app dies at one of its next calls to the disk: that which runs, or the one that starts next. */
  crashSoon(crash: Crash): void {
    if (!this.app.isAlive) {
      this.app = new App();
      this.opening = undefined;
    }
    this.app.crashSoon(crash);
  }

  /** From now on it works properly. */
  crashNever(): void {
    this.app.crashSoon(undefined);
  }

  /** Whether its app has done something since this was last asked. */
  hasMoved(): boolean {
    const { age } = this.app;
    const moved = age !== this.ageSeen;
    this.ageSeen = age;
    return moved;
  }

  setClock(skewMinutes: number): void {
    this.skewMinutes = skewMinutes;
  }

  async revoke(): Promise<void> {
    if (this.isRevoked) return;
    await this.shop.revoke(this.id);
    this.isRevoked = true;
  }

  async enrol(): Promise<void> {
    if (!this.isRevoked) return;
    this.token = await this.shop.enrol(this.id);
    this.isRevoked = false;
    // Background sync has ended when it was locked out.
    if (this.settings.isBackground)
      this.begin((client) =>
        client.stop().then(() => {
          client.start();
        }),
      );
  }

  async renewToken(): Promise<void> {
    if (!this.isRevoked) this.token = await this.shop.renewToken(this.id);
  }

  async record(client: SyncClient, movements: readonly StockMovement[]): Promise<void> {
    const { lamport: baseMin } = await client.position();
    const receipts = await client.recordStock(movements);
    const group = receipts.map(({ id }) => id);
    const recorded = group.map((id, index): Recorded => {
      const movement = movements[index];
      if (!movement) throw new Error('More was recorded than was asked for');
      return { id, movement, group, baseMin, baseMax: Infinity };
    });
    this.recorded.push(...recorded);
    const { lamport: baseMax } = await client.position();
    for (const one of recorded) one.baseMax = baseMax;
  }

  async retry(client: SyncClient, which: number): Promise<void> {
    const entry = nth(await all(client.rejected()), which);
    if (!entry) return;
    // It is decided by what the device knows then, and so is all of its group.
    for (const one of this.recorded) one.baseMax = Infinity;
    await client.retry(entry.lamport);
  }

  async discard(client: SyncClient, which: number): Promise<void> {
    const entry = nth(await all(client.rejected()), which);
    if (!entry) return;
    if (entry.kind === 'operation') this.discarded.add(entry.body.operation_id ?? '');
    await client.discard(entry.lamport);
  }

  /** It is locked out: its outbox goes to the admin on a stick. */
  async handOver(client: SyncClient): Promise<void> {
    if (!this.isRevoked) return;
    for await (const outbox of client.exportOutbox())
      await this.world.activity.during(this.shop.import(this.id, outbox));
  }

  /** What its app shows, if it runs. */
  async show(products: readonly string[]): Promise<Shown | undefined> {
    if (!this.opening || !this.isOpen || !this.app.isAlive) return undefined;
    const client = await this.opening;
    return this.app.undisturbed(async () => {
      const { lamport, waiting } = await client.position();
      return {
        ...{ lamport, waiting, outbox: await all(client.outbox()), rejected: await all(client.rejected()) },
        stocks: await Promise.all(products.map((id) => client.stock(id))),
      };
    });
  }

  /** The app that runs, or a new one: never, if that dies while it starts. */
  running(): Promise<SyncClient> {
    if (!this.opening || !this.app.isAlive) {
      if (!this.app.isAlive) this.app = new App();
      this.isOpen = false;
      this.opening = this.start(this.app);
    }
    return this.opening;
  }

  private async start(app: App): Promise<SyncClient> {
    const client = await this.open(app);
    await app.undisturbed(() => this.remember(client));
    this.isOpen = true;
    client.on('synced', ({ report }) => {
      if (report.snapshot && this.hasSynced) this.onFault('I7: has to make its replica anew');
      this.hasSynced = true;
    });
    client.on('status', ({ error }) => {
      if (error !== undefined) this.judge(error);
    });
    if (this.settings.isBackground) client.start();
    return client;
  }

  /** What was recorded in the moment of a crash: nobody was told, but it is there. */
  private async remember(client: SyncClient): Promise<void> {
    const told = new Set(this.recorded.map(({ id }) => id));
    const found = (await all(client.outbox())).flatMap((entry) => (entry.kind === 'operation' ? entry.body : []));
    for (const body of found) {
      const id = body.operation_id ?? '';
      const base = body.base_lamport ?? -1;
      if (told.has(id)) continue;
      const group = found.filter((one) => one === body || (body.group_id != null && one.group_id === body.group_id));
      const movement = {
        ...{ productId: body.product_id, operation: body.operation, delta: body.delta, reason: body.reason },
        ...{ paymentStatus: body.payment_status ?? null, refOperationId: body.ref_operation_id ?? null },
      };
      const ids = group.map((one) => one.operation_id ?? '');
      this.recorded.push({ id, group: ids, movement, baseMin: base, baseMax: base });
    }
  }

  private open(app: App): Promise<SyncClient> {
    const { network, random, time } = this.world;
    const { pageMax } = this.settings;
    const newId = (): string => {
      const id = random.uuid();
      this.issued.add(id);
      return id;
    };
    return SyncClient.open({
      ...{ database: this.disk.of(app), baseUrl: 'http://server', tenantId: this.shop.tenantId, deviceId: this.id },
      ...{ userId: this.id, deviceType: 'MOBILE', token: () => this.token },
      ...{ batch: { entriesMax: pageMax }, pullLimit: pageMax },
      environment: {
        pack: undefined, // the network reads along
        fetch: network.fetchOf(this.name, app),
        now: () => time.now() + this.skewMinutes * 60_000,
        random: () => random.next(),
        randomUuid: newId,
        setTimer: (ms, work) => time.setTimer(ms, work),
        locks: new ProcessLocks(),
        openChannel: () => undefined,
        isOnline: () => true,
        onOnline: () => () => undefined,
      },
    });
  }

  private judge(error: unknown): void {
    if (error instanceof SyncError && EXPECTED_CODES.has(error.code)) return;
    this.onFault(error instanceof SyncError ? `${error.code}: ${error.message}` : String(error));
  }
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

function nth<T>(list: readonly T[], which: number): T | undefined {
  return list[which % Math.max(1, list.length)];
}

/** Whether a device has made up the id: the server's own are of versions 5 and 8. */
export function isOfDevice(id: string): boolean {
  return id[14] === '4';
}
