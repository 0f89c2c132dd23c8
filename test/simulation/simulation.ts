import type { DataSource } from 'typeorm';
import type { StockMovement } from '../../client/src/index.js';
import { Activity } from './activity.js';
import { type Checked, faultsAtTheEnd, faultsNow } from './checker.js';
import { Device } from './device.js';
import { LedgerCopy } from './ledger-copy.js';
import { Network, type Sent } from './network.js';
import { OWN_DEVICES, type Plan, PRODUCTS, type Step } from './plan.js';
import { Random } from './random.js';
import type { Answer, Servers } from './servers.js';
import { Shop } from './shop.js';
import { answerText, stepText } from './trace.js';
import { VirtualTime } from './virtual-time.js';
import { faultsOfAnswer } from './wire-check.js';
import { Workers } from './workers.js';

export interface Run {
  /** What went wrong; empty if all invariants hold. */
  readonly faults: readonly string[];
  /** What happened, in order: the same for the same plan, unless servers race. */
  readonly trace: readonly string[];
}

/** Any day will do, as long as it is always the same. */
const START_MS = Date.UTC(2026, 2, 1, 8);
/** Rounds of everybody syncing, workers working and people deciding, after which all must be quiet. */
const QUIET_ROUNDS_MAX = 12;
/** The client's, and a second. */
const TIMEOUT_MS = 61_000;
/** Of a round of everybody's: far more than there ever are. */
const MESSAGES_MAX = 500;
const AUDIT_PAGE = 50;

/** Two businesses with several devices, on real servers and a real database, through a network that can't be trusted. */
export class Simulation {
  private readonly faults = new Set<string>();
  private readonly trace: string[] = [];
  private readonly time = new VirtualTime(START_MS);
  private readonly activity = new Activity();
  private readonly random: Random;
  private readonly network: Network;
  private readonly workers: Workers;
  private readonly devices: Device[] = [];
  private readonly checked: Checked[] = [];

  private constructor(
    private readonly plan: Plan,
    private readonly servers: Servers,
    source: DataSource,
  ) {
    this.random = new Random(plan.seed ^ 0x5eed);
    this.workers = new Workers(source);
    this.network = new Network(servers, this.activity, (sent, answer) => {
      this.hear(sent, answer);
    });
  }

  static async run(plan: Plan, servers: Servers, source: DataSource): Promise<Run> {
    const simulation = new Simulation(plan, servers, source);
    const ungovern = simulation.time.govern();
    try {
      servers.beginAnew();
      await simulation.found();
      await simulation.live();
    } catch (error) {
      simulation.fault(error instanceof Error ? (error.stack ?? error.message) : String(error));
    } finally {
      ungovern();
    }
    return { faults: [...simulation.faults], trace: simulation.trace };
  }

  /** The neighbour has the same products, and a till of the same id: whatever leaks shows. */
  private async found(): Promise<void> {
    const products = Array.from({ length: PRODUCTS }, () => this.random.uuid());
    const tills = Array.from({ length: OWN_DEVICES }, (_, index) => ({
      name: `till ${index}`,
      id: this.random.uuid(),
    }));
    const neighbours = tills.slice(0, 1).map(({ id }) => ({ name: 'neighbour', id }));
    for (const named of [tills, neighbours]) {
      const shop = await Shop.found(this.servers, this.random, this.plan.conflictDetection);
      const devices: Device[] = [];
      for (const { name, id } of named) devices.push(await this.enrol(shop, name, id));
      // The auditor is a device of its own: what others have pulled tells the server what they knew.
      const auditor = this.random.uuid();
      await shop.enrol(auditor);
      const { ledger } = this.workers;
      const copy = new LedgerCopy((cursor) => ledger.pull(shop.tenantId, auditor, cursor, AUDIT_PAGE));
      this.checked.push({ shop, devices, products, copy });
    }
  }

  private async enrol(shop: Shop, name: string, id: string): Promise<Device> {
    const number = this.devices.length;
    const settings = this.plan.devices[number];
    if (!settings) throw new Error('A device is not in the plan');
    // Chances of its own: when steps are left out, other devices don't change.
    const random = new Random(this.plan.seed + (number + 1) * 0x10001);
    const { activity, network, time } = this;
    const device = new Device(
      ...([name, id, shop, await shop.enrol(id), { ...settings, pageMax: this.plan.pageMax }] as const),
      { activity, network, random, time },
      (fault) => {
        this.fault(`${name}: ${fault}`);
      },
    );
    this.devices.push(device);
    return device;
  }

  private async live(): Promise<void> {
    for (const step of this.plan.steps) {
      this.time.advance(1_000);
      const told = await this.take(step);
      await this.activity.rest();
      this.tell(told);
      await this.check(faultsNow);
      if (this.faults.size > 0) return;
    }
    await this.becomeQuiet();
    if (this.faults.size === 0) await this.check(faultsAtTheEnd);
    for (const { copy } of this.checked)
      this.trace.push(`the log ends at ${copy.head}, ${copy.digest()}`, ...copy.lines());
  }

  private async check(faultsOf: (checked: Checked) => Promise<readonly string[]>): Promise<void> {
    for (const checked of this.checked) for (const fault of await faultsOf(checked)) this.fault(fault);
  }

  private expectMore(): void {
    for (const { copy } of this.checked) copy.expectMore();
  }

  private tell(line: string): void {
    if (line !== '') this.trace.push(line);
  }

  private fault(fault: string): void {
    this.faults.add(fault);
  }

  private hear(sent: Sent, answer: Answer): void {
    this.trace.push(answerText(sent, answer));
    if (answer.status === 200 && this.devices.find(({ name }) => name === sent.from)?.isRevoked)
      this.fault(`${sent.from} is locked out, and was let in`);
    const checked = this.checked.find(({ devices }) => devices.some(({ name }) => name === sent.from));
    checked?.copy.expectMore();
    for (const fault of faultsOfAnswer(sent, answer, checked?.devices ?? [])) this.fault(`${sent.from}: ${fault}`);
  }

  /** @returns what happened; nothing, if it could not */
  private async take(step: Step): Promise<string> {
    const device = this.devices['device' in step ? step.device : 0];
    if (!device) return '';
    switch (step.does) {
      case 'record':
        device.begin((client) => device.record(client, this.movementsOf(device, step)));
        break;
      case 'edit': {
        const { price } = step;
        const id = this.productId(step.product);
        const fields = { id, name: `Product ${step.product}`, price, currentStock: price };
        device.begin((client) => (step.isDeleted ? client.deleteProduct(id) : client.saveProduct(fields)));
        break;
      }
      case 'pay': {
        const payment = { saleId: this.productId(0), amount: step.amount, paymentMethod: 'POS_OFFLINE' } as const;
        device.begin((client) => client.recordPayment({ ...payment, posTransactionId: `T-${step.terminal}` }));
        break;
      }
      case 'sync':
        device.begin((client) => client.sync());
        break;
      case 'deliver':
        return this.network.deliver(step.which, step.fate);
      case 'rush':
        for (const one of this.devices) one.begin((client) => client.sync());
        await this.activity.rest();
        return this.network.deliverTogether();
      case 'crash':
        device.crashSoon(step);
        break;
      case 'retry':
        device.begin((client) => device.retry(client, step.which));
        break;
      case 'discard':
        device.begin((client) => device.discard(client, step.which));
        break;
      case 'revoke':
        await device.revoke();
        break;
      case 'enrol':
        await device.enrol();
        break;
      case 'renew':
        await device.renewToken();
        break;
      case 'import':
        device.begin((client) => device.handOver(client));
        this.expectMore();
        break;
      case 'set-clock':
        device.setClock(step.skewMinutes);
        break;
      case 'wait':
        this.time.advance(step.minutes * 60_000);
        break;
      case 'work':
        await this.work();
        break;
      case 'decide': {
        const open = await device.shop.openConflicts();
        const conflict = open[step.which % Math.max(1, open.length)];
        if (conflict) await device.shop.decide(conflict, step.order);
        this.expectMore();
        break;
      }
      case 'restart':
        await this.servers.restart(step.server);
    }
    return stepText(step, device.name);
  }

  private movementsOf(device: Device, step: Extract<Step, { does: 'record' }>): readonly StockMovement[] {
    const productId = this.productId(step.product);
    const colleagues = this.devices.filter(({ shop }) => shop === device.shop);
    const those = step.named % 2 === 0 ? device.recorded : colleagues.flatMap(({ recorded }) => recorded);
    const named = those[step.named % Math.max(1, those.length)];
    const paymentStatus = step.isPaid ? 'PAID' : 'PENDING';
    const sale = { productId, operation: 'DECREMENT', delta: step.units, reason: 'SALE', paymentStatus } as const;
    const naming = { productId: named?.movement.productId ?? productId, refOperationId: named?.id ?? null };
    switch (step.deed) {
      case 'RESTOCK':
        return [{ productId, operation: 'INCREMENT', delta: step.units * 3, reason: 'RESTOCK' }];
      case 'SALE':
        return [sale];
      case 'BASKET':
        return Array.from({ length: PRODUCTS }, (_, index) => ({
          ...sale,
          productId: this.productId(index),
          delta: 1,
        }));
      case 'RESERVE':
        return [{ ...sale, reason: 'RESERVATION', expiresAt: new Date(this.time.now() + 3_600_000).toISOString() }];
      case 'CONFIRM':
        return [{ ...sale, ...naming }];
      case 'CANCEL':
        return [{ ...naming, operation: 'INCREMENT', delta: step.units, reason: 'CANCEL' }];
      case 'COUNT':
        return [{ productId, operation: 'SET', delta: step.units * 2, reason: 'COUNT' }];
      case 'DAMAGE':
        return [{ productId, operation: 'DECREMENT', delta: 1, reason: 'DAMAGE' }];
    }
  }

  private productId(number: number): string {
    return this.checked[0]?.products[number] ?? '';
  }

  private async work(): Promise<void> {
    this.expectMore();
    for (const { shop } of this.checked)
      for (const fault of await this.workers.run(shop.tenantId, new Date(this.time.now()))) this.fault(fault);
  }

  /** The network is good again, everybody is let in, workers work and people decide, until nothing changes any more. */
  private async becomeQuiet(): Promise<void> {
    this.trace.push('from now on all goes well');
    this.time.advance(TIMEOUT_MS); // whoever still waits for an answer gives up
    await this.activity.rest();
    for (const device of this.devices) {
      device.crashNever();
      await device.enrol();
    }
    for (let round = 0; round < QUIET_ROUNDS_MAX; round += 1) {
      for (const device of this.devices) {
        device.begin((client) => client.sync());
        await this.deliverAll();
      }
      await this.work();
      let open = 0;
      for (const { shop } of this.checked) open += await this.decideAll(shop);
      if (open === 0 && (await this.isEverybodyUpToDate())) return;
    }
    this.fault('It never becomes quiet.');
  }

  private async isEverybodyUpToDate(): Promise<boolean> {
    for (const { copy, devices } of this.checked) {
      for (const fault of await copy.follow()) this.fault(fault);
      for (const device of devices) {
        const shown = await device.show([]);
        if (shown?.lamport !== copy.head || shown.waiting > 0) return false;
      }
    }
    return true;
  }

  /** @returns how many were open */
  private async decideAll(shop: Shop): Promise<number> {
    const open = await shop.openConflicts();
    this.expectMore();
    for (const conflict of open) {
      if (conflict.awaits === 'PERSON') await shop.decide(conflict, 'NEITHER');
      else this.fault(`The workers left the conflict of ${conflict.a.id} and ${conflict.b.id}`);
    }
    return open.length;
  }

  private async deliverAll(): Promise<void> {
    await this.activity.rest();
    for (let messages = 0; !this.network.isEmpty; messages += 1) {
      if (messages > MESSAGES_MAX) {
        this.fault('The devices never stop asking.');
        return;
      }
      this.tell(await this.network.deliver(0, 'DELIVERED'));
      await this.activity.rest();
    }
  }
}
