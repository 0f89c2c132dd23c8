import { GENESIS_HASH, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import { chainHash, contentHash } from './hash-chain.js';
import { EMPTY_LEVEL, effectOf, type StockLevel } from './ledger.js';
import { OPERATION_KINDS } from './operation.js';
import {
  afterDecision,
  afterUse,
  afterUseDecided,
  isReservation,
  newlyRecorded,
  type ReferencedOperation,
} from './reference.js';
import { releasedMovement, serverEventId, takenBack, withinRange } from './server-event.js';
import type { StockEvent } from './stock-event.js';

/** An event as the log holds it now, of which nothing is believed. */
export interface LoggedEvent extends StockEvent {
  /** When the server recorded it, in milliseconds since 1970. */
  readonly syncedAt: number;
  /** Of a decision of the server, the operation that it is about; null if it names nothing of the log. */
  readonly decided: DecidedOperation | null;
}

/** What an operation says, of all that a decision on it makes of others. */
export type DecidedOperation = Pick<
  ReferencedOperation,
  'kind' | 'reason' | 'delta' | 'disposition' | 'refOperationId'
>;

/** What can differ, with what it means. */
export const DIFFERENCE_KINDS = {
  ORDER: 'The event does not come after the one before it, or not after what its device had seen.',
  TIME: 'The event was recorded before the one before it.',
  CONTENT: 'The content hash is not that of what the event says.',
  CHAIN:
    'The chain hash is not that of this event after the one before it: one of them was changed, or one is missing.',
  EFFECT: 'The effect is not what the operation does to the stock that it found.',
  BALANCE: 'The stock after the event is not the stock before it and its effect.',
  LEVEL: 'The stock that is shown is not the sum of the effects. A rebuild mends it.',
  LEVEL_MISSING: 'The product has events, and no stock is shown. A rebuild mends it.',
  LEVEL_SURPLUS: 'Stock is shown of a product that has no events. A rebuild sets it to nothing.',
  CLOCK: 'The clock of the tenant is behind its log, or holds another head of the chain.',
} as const;
export type DifferenceKind = keyof typeof DIFFERENCE_KINDS;

/** What is compared: of the event, of the level or of the clock. */
export type ComparedField =
  | 'lamport'
  | 'syncedAt'
  | 'contentHash'
  | 'chainHash'
  | 'effect'
  | 'stockAfter'
  | 'quantity'
  | 'tracked'
  | 'lastLamport'
  | 'recordedAt';

/** Something stored that is not what it should be. Hashes are hex, times milliseconds since 1970. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Of the event; null if it is about a level or the clock. */
  readonly lamport: number | null;
  readonly operationId: string | null;
  /** Of the event or the level; null if it is about the clock. */
  readonly productId: string | null;
  readonly field: ComparedField;
  /** For order and time the least that it may be; null if there should be nothing, or nothing can be said. */
  readonly expected: number | boolean | string | null;
  /** null if there is nothing. */
  readonly found: number | boolean | string | null;
}

/** What is known of a product after the events so far. */
interface Line {
  /**
   * Stock now. One number, and after a difference the numbers that it can be, depending on what of the event is wrong:
   * the first is the most likely, and the product's next event tells.
   */
  balances: readonly number[];
  /** Of the effects as they are stored: what a replica and a rebuild come to. */
  sum: number;
  tracked: boolean;
  /** Whether some event that would make it tracked can't be believed. */
  trackedDoubted: boolean;
  lastLamport: number;
}

const NONE: readonly Difference[] = [];

/**
 * Recomputes a tenant's log, event by event in lamport order, then its projection, then its clock (I1, design section 6).
 *
 * After a difference it goes on from what is stored as long as that leads on, so that what was changed in one place is
 * named in one place:
 *
 * - *Chain*: the next event may build on the stored chain hash or on the right one.
 * - *Content*: an event whose content is not that of its hash is not asked what effect it should have; its stored effect
 *   counts. If the chain shows that the hash was changed and not the content, it is asked all the same.
 * - *Balance*: effect and balance may be right by themselves. The product's next event may build on any balance that the
 *   wrong one leaves possible; the one it fits is the balance from then on.
 * - *Level*: it must be the sum of the effects. Where the product's own events disagree on that, the differences of these
 *   have been named already, and the level may also be what they leave possible.
 *
 * What no rule connects to anything can't be found wrong: that is an event's time and lamport between those of its
 * neighbours, and the disposition of an event without effect.
 *
 * What the server took back or released is measured by the units that its decision speaks of, which are hashed.
 *
 * Memory grows with products, with reservations that are not sold and with operations that were not, or no longer, let
 * take effect: not with events.
 */
export class Verification {
  private readonly lines = new Map<string, Line>();
  /** What a later event may find with another effect than its content tells: reservations, and what has no effect. */
  private readonly watched = new Map<string, ReferencedOperation>();
  /** Chain hashes that the next event can build on: one, or after a difference the stored one and the right one. */
  private heads: readonly Uint8Array[] = [GENESIS_HASH];
  private lamport = 0;
  private syncedAt = -Infinity;
  private count = 0;

  constructor(private readonly tenantId: string) {}

  /** Events checked so far. */
  get events(): number {
    return this.count;
  }

  /** Checks the next event. @returns mostly nothing. */
  check(event: LoggedEvent): readonly Difference[] {
    const found: Difference[] = [];
    const { lamport, operationId, productId } = event;
    const note: Note = (kind, field, expected, stored) =>
      found.push({ kind, lamport, operationId, productId, field, expected, found: stored });
    this.count += 1;
    const believed = this.checkHashes(event, note);
    this.checkOrder(event, believed, note);
    this.checkStock(event, believed, note);
    return found.length === 0 ? NONE : found;
  }

  /** Checks a level of the projection, after all events. Each product's at most once. */
  checkLevel(productId: string, level: StockLevel): readonly Difference[] {
    const found: Difference[] = [];
    const note: Note = (kind, field, expected, stored) =>
      found.push({ kind, lamport: null, operationId: null, productId, field, expected, found: stored });
    const line = this.lines.get(productId);
    if (line === undefined) {
      if (!isEmpty(level)) note('LEVEL_SURPLUS', 'quantity', null, level.quantity);
      return found;
    }
    this.lines.delete(productId); // what stays has no level
    if (level.quantity !== line.sum && !line.balances.includes(level.quantity)) {
      note('LEVEL', 'quantity', line.sum, level.quantity);
    }
    const mayBeTracked = line.tracked || line.trackedDoubted;
    if (level.tracked ? !mayBeTracked : line.tracked) note('LEVEL', 'tracked', line.tracked, level.tracked);
    if (level.lastLamport !== line.lastLamport) note('LEVEL', 'lastLamport', line.lastLamport, level.lastLamport);
    return found;
  }

  /** Products whose level was not among those that were checked. */
  *missingLevels(): Generator<Difference, void, undefined> {
    for (const [productId, line] of this.lines) {
      const at = { lamport: null, operationId: null, productId };
      yield { kind: 'LEVEL_MISSING', ...at, field: 'quantity', expected: line.sum, found: null };
    }
  }

  /** Checks the clock, after all events. Its lamport may be ahead of them: products, payments and conflicts take some too. */
  checkClock(clock: TenantClock): readonly Difference[] {
    const found: Difference[] = [];
    const at = { lamport: null, operationId: null, productId: null };
    const note: Note = (kind, field, expected, stored) => found.push({ kind, ...at, field, expected, found: stored });
    if (clock.lamport < this.lamport) note('CLOCK', 'lamport', this.lamport, clock.lamport);
    if (!this.heads.some((head) => sameBytes(head, clock.chainHash))) {
      note('CLOCK', 'chainHash', hex(this.heads[0]), hex(clock.chainHash));
    }
    // −Infinity: the clock of a tenant that has not pushed since clocks keep the time.
    if (clock.recordedAt !== -Infinity && clock.recordedAt < this.syncedAt) {
      note('CLOCK', 'recordedAt', this.syncedAt, clock.recordedAt);
    }
    return found;
  }

  /** @returns whether the event says what was said when it was recorded. */
  private checkHashes(event: LoggedEvent, note: Note): boolean {
    const content = isJson(event) ? contentHash(this.tenantId, event) : undefined;
    const intact = content !== undefined && sameBytes(content, event.contentHash);
    const [head = GENESIS_HASH] = this.heads;
    const right = chainHash(head, event.contentHash);
    const heads = this.heads;
    this.heads = [event.chainHash];
    if (intact && sameBytes(right, event.chainHash)) return true;

    const leadsOn = (hash: Uint8Array): boolean =>
      heads.some((before) => sameBytes(chainHash(before, hash), event.chainHash));
    // The chain was made of the content hash as it was: which of the two fits was not changed.
    const hashChanged = !intact && content !== undefined && leadsOn(content);
    if (!intact) note('CONTENT', 'contentHash', content ? hex(content) : null, hex(event.contentHash));
    if (!hashChanged && !leadsOn(event.contentHash)) {
      note('CHAIN', 'chainHash', hex(right), hex(event.chainHash));
      this.heads = [event.chainHash, right];
    }
    return intact || hashChanged;
  }

  private checkOrder(event: LoggedEvent, believed: boolean, note: Note): void {
    const { lamport, clientLamport, syncedAt } = event;
    // The server's own events have their lamport for both; an operation comes after all that its device had seen.
    const seen = believed && isOperation(event) ? clientLamport : 0;
    const least = Math.max(this.lamport, seen) + 1;
    if (lamport < least) note('ORDER', 'lamport', least, lamport);
    if (!(syncedAt >= this.syncedAt)) note('TIME', 'syncedAt', this.syncedAt, syncedAt);
    this.lamport = lamport;
    this.syncedAt = syncedAt;
  }

  private checkStock(event: LoggedEvent, believed: boolean, note: Note): void {
    const { productId, effect, stockAfter } = event;
    const line = this.lineOf(productId);
    const named = this.watchedOf(event.refOperationId);
    const target = this.watchedOf(event.decided?.refOperationId);
    const readings = line.balances.map((before) => {
      const expected = believed ? expectedEffect(event, before, named, target) : effect;
      // Wrong by itself, or only together with the effect: the balance is named where the effect doesn't explain it.
      const explained = stockAfter === before + effect || stockAfter === before + expected;
      return { before, expected, explained, faults: Number(effect !== expected) + Number(!explained) };
    });
    const best = readings.reduce((a, b) => (b.faults < a.faults ? b : a));
    const { before, expected } = best;
    if (effect !== expected) note('EFFECT', 'effect', expected, effect);
    if (!best.explained) note('BALANCE', 'stockAfter', before + expected, stockAfter);
    line.balances =
      best.faults === 0
        ? believed
          ? [stockAfter]
          : unique([stockAfter, before]) // it may belong to another product
        : unique([before + expected, stockAfter, before + effect, before]);
    line.sum += effect;
    line.lastLamport = event.lamport;
    if (believed && makesTracked(event)) line.tracked = true;
    line.trackedDoubted ||= !believed;
    this.watch(event, believed, named);
    if (target && (event.kind === 'VOID' || event.kind === 'RELEASE')) this.watchTarget(event, target, event.kind);
  }

  private watchedOf(operationId: string | null | undefined): ReferencedOperation | undefined {
    return operationId == null ? undefined : this.watched.get(operationId);
  }

  /** What was decided on a cancellation, or a confirmation, is felt by what it names. */
  private watchTarget({ decided }: LoggedEvent, target: ReferencedOperation, decision: 'RELEASE' | 'VOID'): void {
    if (decided) this.watched.set(target.operationId, afterUseDecided(target, decided, decision));
  }

  /**
   * A reservation that was sold is forgotten: whatever names it later has the effect it would have without it. One that
   * lapsed is not: its cancellation gives nothing back. The same goes for all that waits or was decided against.
   */
  private watch(event: LoggedEvent, believed: boolean, named: ReferencedOperation | undefined): void {
    const { operationId, kind, reason, disposition, refOperationId, effect } = event;
    const delta = believed ? event.delta : Math.abs(effect);
    if (isReservation({ kind, reason }) || (disposition !== 'APPLIED' && kind !== 'VOID' && kind !== 'RELEASE')) {
      this.watched.set(operationId, newlyRecorded({ ...event, delta }, event));
    }
    if (refOperationId === null) return;
    switch (kind) {
      case 'VOID':
        this.watched.set(refOperationId, afterDecision(named ?? decidedBy(event, refOperationId), { ...event, kind }));
        break;
      case 'RELEASE': {
        const released = named && afterDecision(named, { ...event, kind });
        if (released && isReservation(released)) this.watched.set(refOperationId, released);
        else this.watched.delete(refOperationId);
        break;
      }
      case 'INCREMENT':
      case 'DECREMENT':
      case 'SET': {
        if (!named) break;
        const after = afterUse(named, { kind, reason, delta }, disposition);
        if (after.closedBy === 'SALE') this.watched.delete(refOperationId);
        else this.watched.set(refOperationId, after);
        break;
      }
    }
  }

  private lineOf(productId: string): Line {
    const known = this.lines.get(productId);
    if (known) return known;
    const { quantity, tracked, lastLamport } = EMPTY_LEVEL;
    const line = { balances: [quantity], sum: quantity, tracked, trackedDoubted: false, lastLamport };
    this.lines.set(productId, line);
    return line;
  }
}

type Note = (
  kind: DifferenceKind,
  field: ComparedField,
  expected: Difference['expected'],
  stored: Difference['found'],
) => void;

/**
 * The effect that the event must have had on a stock of `quantity`; `named` is what it names, and `target` what that
 * names itself, if they are watched.
 */
function expectedEffect(
  event: LoggedEvent,
  quantity: number,
  named: ReferencedOperation | undefined,
  target: ReferencedOperation | undefined,
): number {
  if (event.disposition !== 'APPLIED') return 0;
  const { kind, delta, reason } = event;
  switch (kind) {
    case 'INCREMENT':
    case 'DECREMENT':
    case 'SET':
      return effectOf({ quantity }, { kind, delta, reason }, named);
    case 'VOID':
    case 'RELEASE':
      return withinRange(quantity, decidedUnits(event, kind, named, target));
  }
}

/** Units that a decision moves, signed. What a count has already moves only what came back since. */
function decidedUnits(
  event: LoggedEvent,
  kind: 'VOID' | 'RELEASE',
  named: ReferencedOperation | undefined,
  target: ReferencedOperation | undefined,
): number {
  if (event.baseLamport !== null) return event.delta;
  // Of what is watched it is known what it held still, or would hold.
  if (kind === 'VOID' && named?.kind === 'DECREMENT') return takenBack(named);
  if (kind === 'RELEASE' && named && named.kind !== 'SET') return releasedMovement(named, target ?? null);
  return signed(event, kind);
}

/** The units that a decision speaks of, in the direction that it moves them; of a count its id tells which. */
function signed(event: LoggedEvent, kind: 'VOID' | 'RELEASE'): number {
  const { operationId, refOperationId, delta, effect } = event;
  const backwards = kind === 'VOID' ? -1 : 1;
  switch (event.decided?.kind) {
    case 'INCREMENT':
      return delta * backwards;
    case 'DECREMENT':
      return delta * -backwards;
    case 'SET': {
      const count = { operationId: refOperationId ?? '', kind: 'SET' } as const;
      return operationId === serverEventId({ kind, units: 0 - delta }, count) ? 0 - delta : delta;
    }
    case 'VOID':
    case 'RELEASE':
    case undefined:
      return effect < 0 ? 0 - delta : delta;
  }
}

/** Something that was not watched while it had its effect. */
function decidedBy({ productId, delta, ...event }: LoggedEvent, operationId: string): ReferencedOperation {
  const { deviceId, reason, lamport, decided } = event;
  const { kind, refOperationId } = decided ?? { kind: 'DECREMENT', refOperationId: null };
  return newlyRecorded(
    { operationId, productId, deviceId, kind, reason, delta, refOperationId },
    { lamport, effect: 0, disposition: 'APPLIED' },
  );
}

/** Whether it is a baseline: a receipt or a count, when it takes effect. */
function makesTracked({ kind, disposition, decided }: LoggedEvent): boolean {
  const what = kind === 'RELEASE' ? decided?.kind : disposition === 'APPLIED' ? kind : null;
  return what === 'INCREMENT' || what === 'SET';
}

function isOperation({ kind }: LoggedEvent): boolean {
  return OPERATION_KINDS.some((known) => known === kind);
}

function isEmpty(level: StockLevel): boolean {
  return level.quantity === 0 && !level.tracked && level.lastLamport === 0;
}

/** Whether its numbers are such as JSON has: the columns also take NaN and the infinities. */
function isJson({ amount, locationLat, locationLng }: LoggedEvent): boolean {
  return [amount, locationLat, locationLng].every((value) => value === null || Number.isFinite(value));
}

function unique(values: readonly number[]): readonly number[] {
  return [...new Set(values)];
}

function hex(bytes: Uint8Array = GENESIS_HASH): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
