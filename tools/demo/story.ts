import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConflictDetailDto } from '../../src/conflicts/conflict.dto.js';
import type { ResolveDto } from '../../src/conflicts/resolution.dto.js';
import type { TokensService } from '../../src/tenancy/tokens.service.js';
import { DayClock, shownBy } from './day-clock.js';
import { type Deed, DemoTill } from './demo-till.js';
import { inUnits, type Narrator, signed } from './narrator.js';
import type { ServiceApi } from './service-api.js';

const POLL_MS = 200;
/** The sweep comes once a minute, should the job be lost. */
const SETTLE_TIMEOUT_MS = 90_000;
const BEN_MINUTES_FAST = 45;

const sale = (delta: number): Deed => ({ operation: 'DECREMENT', delta, reason: 'SALE', payment_status: 'PAID' });
const reservation = (delta: number): Deed => ({
  ...{ operation: 'DECREMENT', delta, reason: 'RESERVATION', payment_status: 'PENDING' },
});
const count = (delta: number): Deed => ({ operation: 'SET', delta, reason: 'COUNT', payment_status: null });
const restock = (delta: number): Deed => ({ operation: 'INCREMENT', delta, reason: 'RESTOCK', payment_status: null });

/** What the demo does with the service, and in whose name. */
export interface Stage {
  readonly api: ServiceApi;
  readonly tokens: TokensService;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

/** A conflict that only a person can settle, and what the story would have them decide. */
export interface OpenQuestion {
  readonly conflictId: string;
  readonly staffToken: string;
  readonly decision: ResolveDto;
}

/** A day in a shop with two tills that are offline by turns. */
export class Story {
  private eventsTold = 0;

  private constructor(
    private readonly stage: Stage,
    private readonly adminToken: string,
    private readonly staffToken: string,
    private readonly tills: { readonly ana: DemoTill; readonly ben: DemoTill },
    private readonly productId: string,
  ) {}

  /** Makes the shop and its two tills. */
  static async open(stage: Stage): Promise<Story> {
    const { api, tokens, narrator } = stage;
    const operatorToken = await tokens.sign({ role: 'operator', userId: randomUUID() });
    const { id: tenantId } = await api.devices.createTenant(operatorToken, 'Cheese farm');
    const adminToken = await tokens.sign({ role: 'admin', userId: randomUUID(), tenantId });
    const staffId = randomUUID();
    const staffToken = await tokens.sign({ role: 'staff', userId: staffId, tenantId });
    narrator.call(staffId, 'the staff');
    const shop = { tenantId, productId: randomUUID(), day: new DayClock(new Date(), '13:00') };
    const enrol = async (name: string, minutesFast: number): Promise<DemoTill> => {
      const { id, token } = await api.devices.enrol(adminToken, { name: `${name}'s till`, device_type: 'MOBILE' });
      if (token === null) throw new Error('The service signs no device tokens: an identity provider does.');
      narrator.call(id, name);
      return new DemoTill(name, id, minutesFast, token, shop, api.devices);
    };
    const tills = { ana: await enrol('Ana', 0), ben: await enrol('Ben', BEN_MINUTES_FAST) };
    return new Story(stage, adminToken, staffToken, tills, shop.productId);
  }

  /** Five cheeses that both tills know of. */
  async stockTheShelf(): Promise<void> {
    const { narrator } = this.stage;
    narrator.heading('The shop');
    narrator.say(
      "A cheese farm has two tills: Ana's at the market and Ben's in the shop. Ben's clock is 45 minutes fast, and " +
        'nobody knows. Five goat cheeses are on the shelf, and both tills have pulled that.',
    );
    const product = { id: this.productId, name: 'Goat cheese', price: 25_000, sku: 'QC-01', current_stock: 5 };
    await this.tills.ana.push(product);
    await this.bothPull();
    await this.tellLedger();
  }

  /** Tier 1: what a rule settles in the push. */
  async soldAndReserved(): Promise<void> {
    const { narrator } = this.stage;
    const { ana, ben } = this.tills;
    narrator.heading('1  The same last cheeses, one till paid, one not');
    narrator.say('Both are offline.');
    this.does(ben, '09:10', 'reserves 3 for a customer who will pay on Saturday', reservation(3));
    this.does(ana, '09:30', 'sells 4, paid in cash', sale(4));
    narrator.say('They come back, one after another. Seven were promised, and there are five.');
    await this.comesBack(ben);
    const conflictId = await this.comesBack(ana);
    await this.tellLedger();
    narrator.conflict(await this.settledConflict(conflictId));
    const { conflicts, operations } = await ben.pull();
    narrator.deed(
      'pull',
      `Ben's till gets ${operations.length} events and ${conflicts.length} conflict: his reservation was taken back, by whom and ` +
        `why. It shows ${ben.stock} in stock, as the server does. Ben calls his customer.`,
    );
    await ana.pull();
  }

  /** Tier 2: what the workers settle after the push. */
  async countedMeanwhile(): Promise<void> {
    const { narrator } = this.stage;
    const { ana, ben } = this.tills;
    narrator.heading('2  A shelf is counted while another till sells');
    ana.record('09:45', restock(11));
    await ana.push();
    await this.bothPull();
    narrator.say('Eleven more come from the dairy: there are 12, and both tills know. Then both are offline again.');
    this.does(ana, '10:00', 'sells 2, paid', sale(2));
    this.does(ben, '10:20', 'counts the shelf: 9, though 12 − 2 would be 10, for the goat got one', count(9));
    this.does(ana, '10:40', 'sells 1, paid', sale(1));
    await this.comesBack(ana);
    const conflictId = await this.comesBack(ben);
    narrator.say(
      'The count is in the log, and waits: had it seen the 2 gone, and the 1 not yet? By the clocks of the tills it came ' +
        "last. A worker takes off what Ben's clock was ahead when he pushed, and finds its place:",
    );
    const conflict = await this.settledConflict(conflictId);
    await this.tellLedger();
    narrator.conflict(conflict);
    narrator.say(
      'In the count are the 2 sold before it, and the 1 sold after it comes on top: 9 − 1 = 8. Had the last to arrive ' +
        'won, the books would say 9, and 8 are there.',
    );
    const { operations } = await ana.pull();
    const last = operations.at(-1);
    narrator.deed(
      'pull',
      `Ana's till gets the count (${signed(0)}) and its release (${signed(last?.effect ?? 0)}), adds them up, and shows ${ana.stock}.`,
    );
    await ben.pull();
  }

  /** Tier 3: what only people can decide. */
  async soldTwice(): Promise<OpenQuestion> {
    const { narrator } = this.stage;
    const { ana, ben } = this.tills;
    narrator.heading('3  Two customers have paid for the same cheeses');
    narrator.say('Eight are left. Both are offline once more, and take orders that are paid at once.');
    const first = this.does(ana, '11:30', 'sells 6 to a restaurant that will fetch them tonight, paid', sale(6));
    this.does(ben, '11:45', 'sells 5 to a wedding that will fetch them tomorrow, paid', sale(5));
    await this.comesBack(ana);
    const conflictId = await this.comesBack(ben);
    const conflict = await this.settledConflict(conflictId);
    await this.tellLedger();
    narrator.conflict(conflict);
    narrator.say(
      "Ana's was first (she is B: what was there; Ben's, A, came later to the server). However sure that is, both have " +
        'paid, and money is for people to decide: nothing happens until somebody does.',
    );
    return {
      conflictId,
      staffToken: this.staffToken,
      decision: { winner_id: first, feedback: 'The wedding gets its money back.' },
    };
  }

  /** What the person has decided, and what that does. */
  async resolved(conflict: ConflictDetailDto): Promise<void> {
    const { narrator } = this.stage;
    const { ben } = this.tills;
    await this.tellLedger();
    narrator.conflict(conflict);
    await ben.pull();
    narrator.deed('pull', `Ben's till is told, and shows ${inUnits(ben.stock)}.`);
  }

  /** That the books are in order. */
  async auditBooks(): Promise<void> {
    const { api, narrator } = this.stage;
    narrator.heading('The books');
    const events = await api.eventsOf(this.adminToken, this.productId);
    const sum = events.reduce((units, { effect }) => units + effect, 0);
    const { quantity } = await api.devices.stockOf(this.adminToken, this.productId);
    const { ok, differences } = await api.verify(this.adminToken);
    narrator.say(`Effects: ${events.map(({ effect }) => signed(effect)).join(' ')} = ${inUnits(sum)}`);
    narrator.say(`Final stock: ${inUnits(quantity)}`);
    narrator.say(`POST /inventory/verify: ${ok ? 'ok' : `${differences.length} differences`}`);
    if (!ok || sum !== quantity) throw new Error('The books are not in order.');
  }

  conflict(conflictId: string): Promise<ConflictDetailDto> {
    return this.stage.api.conflict(this.staffToken, conflictId);
  }

  /** As soon as a person has decided. @throws the signal's reason when it aborts. */
  async decidedConflict(conflictId: string): Promise<ConflictDetailDto> {
    for (;;) {
      const conflict = await this.conflict(conflictId);
      if (conflict.status !== 'PENDING') return conflict;
      await sleep(POLL_MS, undefined, { signal: this.stage.signal });
    }
  }

  /** As soon as the heuristics have looked at it: they are beside the push, so that takes a moment. */
  private async settledConflict(conflictId: string): Promise<ConflictDetailDto> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const conflict = await this.conflict(conflictId);
      if (conflict.status !== 'PENDING' || conflict.awaits === 'PERSON') return conflict;
      if (Date.now() > deadline) throw new Error('The workers have not looked at the conflict.');
      await sleep(POLL_MS, undefined, { signal: this.stage.signal });
    }
  }

  private does(till: DemoTill, time: string, what: string, deed: Deed): string {
    const clock = till.minutesFast === 0 ? '' : ` (his clock says ${shownBy(till.minutesFast, time)})`;
    this.stage.narrator.deed(time, `${till.name} ${what}${clock}`);
    return till.record(time, deed);
  }

  /** @returns the id of the conflict that the push led to, or an empty text. */
  private async comesBack(till: DemoTill): Promise<string> {
    const results = await till.push();
    this.stage.narrator.deed('push', `${till.name} is back, and ${till.name === 'Ben' ? 'his' : 'her'} till pushes`);
    for (const result of results) this.stage.narrator.answer(result);
    return results.at(-1)?.conflict_id ?? '';
  }

  private async bothPull(): Promise<void> {
    await this.tills.ana.pull();
    await this.tills.ben.pull();
  }

  /** What is new in it. */
  private async tellLedger(): Promise<void> {
    const events = await this.stage.api.eventsOf(this.adminToken, this.productId);
    this.stage.narrator.ledger(events, this.eventsTold);
    this.eventsTold = events.length;
  }
}
