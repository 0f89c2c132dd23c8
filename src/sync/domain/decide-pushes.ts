import { rivalQueries } from '../../conflicts/domain/rival-queries.js';
import { decidePush, type PushPlan } from './decide-push.js';
import type { PushWrites } from './log-writer.js';
import { contentOf, type PushCommand } from './push-command.js';
import type { DeviceReading, LogReading, LogState, PushContext } from './push-context.js';

/** A push with what was read for it alone. */
export interface ReadPush {
  readonly command: PushCommand;
  readonly own: DeviceReading;
}

export interface DecidedPush<P extends ReadPush = ReadPush> {
  readonly push: P;
  readonly plan: PushPlan;
  /** Whether anything of it is to be written. */
  readonly grows: boolean;
}

/**
 * Decides pushes of one tenant as if each had come when the one before it was recorded, on one reading of the log, taken for
 * all of them before the first. Pure, as `decidePush`.
 * @returns as many of them as the reading is good for, the first at least. For those after it the log is to be read again,
 *   once these are written.
 */
export function decidePushes<P extends ReadPush>(pushes: readonly P[], reading: LogReading): DecidedPush<P>[] {
  const decided: DecidedPush<P>[] = [];
  const log = new GrowingLog(reading);
  for (const [index, push] of pushes.entries()) {
    if (index > 0 && !log.isReadFor(push)) break;
    const context = log.contextFor(push);
    const plan = decidePush(push.command, context);
    decided.push({ push, plan, grows: plan.clock.lamport > context.clock.lamport });
    if (index < pushes.length - 1) log.add(push.command, plan);
  }
  return decided;
}

/** What plans that follow each other write together. */
export function joined(plans: readonly [PushPlan, ...PushPlan[]]): PushWrites {
  const [first] = plans;
  if (plans.length === 1) return first;
  return {
    events: plans.flatMap(({ events }) => events),
    levels: new Map(plans.flatMap(({ levels }) => [...levels])),
    products: lastOfEach(plans.flatMap(({ products }) => products)),
    payments: lastOfEach(plans.flatMap(({ payments }) => payments)),
    versions: plans.flatMap(({ versions }) => versions),
    conflicts: plans.flatMap(({ conflicts }) => conflicts),
    clock: (plans.at(-1) ?? first).clock,
  };
}

function lastOfEach<T extends { readonly id: string }>(states: readonly T[]): T[] {
  return [...new Map(states.map((state) => [state.id, state])).values()];
}

/** A reading of the log, with what was decided since. */
class GrowingLog {
  private clock: PushContext['clock'];
  private readonly state: GrowingState;
  /** Products whose stock moved since, and those of them that were counted. */
  private readonly moved = new Set<string>();
  private readonly counted = new Set<string>();
  /** Products and payments that were written since. */
  private readonly written = new Set<string>();
  /** By device: client lamports of its operations since. */
  private readonly lamports = new Map<string, number[]>();

  constructor(private readonly reading: LogReading) {
    this.clock = reading.clock;
    this.state = copyOf(reading);
  }

  contextFor({ command: { deviceId }, own }: ReadPush): PushContext {
    const { reading, state } = this;
    const since = this.lamports.get(deviceId);
    // Name by name: spread, for each of many small pushes, they took two thirds as long as the decision.
    return {
      clock: this.clock,
      settings: reading.settings,
      known: reading.known,
      bases: reading.bases,
      rivals: own.rivals,
      usedLamports: since ? new Set([...own.usedLamports, ...since]) : own.usedLamports,
      lastPulledLamport: own.lastPulledLamport,
      clockSkewMs: own.clockSkewMs,
      appended: state.appended,
      references: state.references,
      levels: state.levels,
      catalogue: state.catalogue,
      products: state.products,
      payments: state.payments,
      skuHolders: state.skuHolders,
      posHolders: state.posHolders,
      knownEdits: state.knownEdits,
      knownConflicts: state.knownConflicts,
    };
  }

  /**
   * Whether nothing was decided since that the push would have to read from the log. What others did to a product is only
   * looked up there, and so is what became of a state since a version of it; but all that most pushes ask is whether anybody
   * counted what they move.
   */
  isReadFor({ command, own: { lastPulledLamport } }: ReadPush): boolean {
    const { operations, products, payments } = contentOf(command);
    if (products.some(({ id }) => this.written.has(id)) || payments.some(({ id }) => this.written.has(id)))
      return false;
    // Who else has a POS transaction that a payment has given up was never read.
    if (payments.some(({ said }) => said.posTransactionId != null && this.hasGivenUp(said.posTransactionId)))
      return false;
    if (this.counted.size > 0 && operations.some(({ productId }) => this.counted.has(productId))) return false;
    const { settings } = this.reading;
    return rivalQueries(operations, this.state.levels, lastPulledLamport, this.clock.lamport, settings).every(
      ({ productId }) => !this.moved.has(productId),
    );
  }

  private hasGivenUp(posTransactionId: string): boolean {
    return this.state.posHolders.get(posTransactionId) === null;
  }

  add({ deviceId }: PushCommand, plan: PushPlan): void {
    this.clock = plan.clock;
    grow(this.state, plan.changes);
    let given = this.lamports.get(deviceId);
    if (!given) this.lamports.set(deviceId, (given = []));
    for (const { productId, kind, deviceType, clientLamport } of plan.events) {
      this.moved.add(productId);
      if (kind === 'SET') this.counted.add(productId);
      if (deviceType !== 'SERVER') given.push(clientLamport);
    }
    for (const { id } of plan.products) this.written.add(id);
    for (const { id } of plan.payments) this.written.add(id);
  }
}

type Growing<M> = M extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never;
type GrowingState = { readonly [K in keyof LogState]: Growing<LogState[K]> };

function copyOf(state: LogState): GrowingState {
  return {
    appended: new Map(state.appended),
    references: new Map(state.references),
    levels: new Map(state.levels),
    catalogue: new Map(state.catalogue),
    products: new Map(state.products),
    payments: new Map(state.payments),
    skuHolders: new Map(state.skuHolders),
    posHolders: new Map(state.posHolders),
    knownEdits: new Map(state.knownEdits),
    knownConflicts: new Map(state.knownConflicts),
  };
}

function grow(state: GrowingState, by: LogState): void {
  setAll(state.appended, by.appended);
  setAll(state.references, by.references);
  setAll(state.levels, by.levels);
  setAll(state.catalogue, by.catalogue);
  setAll(state.products, by.products);
  setAll(state.payments, by.payments);
  setAll(state.skuHolders, by.skuHolders);
  setAll(state.posHolders, by.posHolders);
  setAll(state.knownEdits, by.knownEdits);
  setAll(state.knownConflicts, by.knownConflicts);
}

function setAll<V>(into: Map<string, V>, from: ReadonlyMap<string, V>): void {
  for (const [key, value] of from) into.set(key, value);
}
