import type { LoggedOperation, PastEvent, ProductHistory } from '../../inventory/domain/logged-operation.js';
import {
  afterDecision,
  afterUse,
  afterUseDecided,
  isWithoutEffect,
  newlyRecorded,
  notCancelled,
  type ReferencedOperation,
  remainingOf,
} from '../../inventory/domain/reference.js';
import { takenBack } from '../../inventory/domain/server-event.js';
import type { ServerLog } from '../../inventory/domain/server-log.js';

/** Something that happened to a product: an operation with all that was decided on it, or a decision on an older one. */
export interface Happening extends LoggedOperation {
  /** Signed units that it has moved up to now. */
  readonly net: number;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
}

/** Whether it says how much there is: a count that took effect and was not taken back. */
export function isStandingCount({ content, state }: LoggedOperation): boolean {
  return content.kind === 'SET' && state.disposition === 'APPLIED' && state.closedBy !== 'VOID';
}

/**
 * What conflicts are settled on: the operations they are about and what happened around them, as it stands while one
 * decision after the other is taken.
 */
export class StockView {
  private readonly states = new Map<string, LoggedOperation>();
  private readonly entries = new Map<string, Entry[]>();
  private readonly entryOf = new Map<string, Entry>();

  /** @param now when decisions are recorded, in milliseconds since 1970 */
  constructor(
    private readonly log: ServerLog,
    private readonly histories: ReadonlyMap<string, ProductHistory>,
    operations: Iterable<LoggedOperation>,
    private readonly now: number,
  ) {
    for (const [productId, { events }] of histories) {
      this.entries.set(productId, []);
      for (const event of events) this.follow(event);
    }
    // Read with all that names them, wherever in the log it stands.
    for (const { content, state } of operations) this.setState(content.operationId, { content, state });
  }

  /** In the state that it has now. */
  operation(id: string): LoggedOperation | undefined {
    return this.states.get(id);
  }

  /** Units of the product now. */
  quantityOf(productId: string): number {
    return this.log.levelOf(productId).quantity;
  }

  isTracked(productId: string): boolean {
    return this.log.levelOf(productId).tracked;
  }

  /** How many events of the product are looked back at. */
  depthOf(productId: string): number {
    return this.histories.get(productId)?.events.length ?? 0;
  }

  /** Whether all that happened to the product after a lamport is known. */
  reachesBackTo(productId: string, after: number): boolean {
    const [oldest] = this.histories.get(productId)?.events ?? [];
    return this.histories.get(productId)?.complete === true || (oldest !== undefined && oldest.lamport <= after);
  }

  /** What happened to the product after a lamport, as far back as is known, operations in order. */
  since(productId: string, after: number): Happening[] {
    return (this.entries.get(productId) ?? []).flatMap(({ happening, decisions }) =>
      happening.state.lamport > after
        ? happening
        : decisions.filter(({ lamport }) => lamport > after).map((decision) => alone(decision)),
    );
  }

  /** What was taken of the product after a lamport, be it that it was released only then, and is out still, in order. */
  claimsSince(productId: string, after: number): Happening[] {
    return (this.entries.get(productId) ?? []).flatMap(({ happening }) => {
      const { content, state } = happening;
      return content.kind === 'DECREMENT' && state.effectiveLamport > after && remainingOf(state) > 0 ? happening : [];
    });
  }

  /**
   * Units by which stock changes when a count is withdrawn, signed. Then the count before it says what is there, or, if
   * there is none, what moved by itself; and what the withdrawn ones had already comes off after all.
   * @returns undefined if more happened than is looked back at
   */
  withdrawalOf(count: LoggedOperation): number | undefined {
    const { productId, operationId } = count.content;
    const entries = this.entries.get(productId) ?? [];
    if (!this.entryOf.has(operationId)) return undefined;
    const others = entries
      .map(({ happening }) => happening)
      .filter((happening) => isStandingCount(happening) && happening.content.operationId !== operationId);
    const said = Math.max(-1, ...others.map(({ state }) => state.effectiveLamport));
    if (said > count.state.effectiveLamport) return 0; // what a later one says is there, whatever this one said
    const moved = entries.flatMap(({ happening: { content }, own, decisions }) => [
      ...(own ? [{ ...own, of: content.kind }] : []),
      ...decisions.map((decision) => ({ ...decision, of: decision.decided?.kind })),
    ]);
    return moved
      .filter(({ lamport }) => lamport > said)
      .reduce((units, event) => units + (event.of === 'SET' ? 0 - event.effect : countedUnits(event, said)), 0);
  }

  /** The cancellations of an operation that stand, in order. */
  cancellationsOf({ content: { productId, operationId } }: LoggedOperation): Happening[] {
    return (this.entries.get(productId) ?? []).flatMap(({ happening }) => {
      const { content, state } = happening;
      const cancels = content.kind === 'INCREMENT' && content.reason === 'CANCEL' && !isWithoutEffect(state);
      return cancels && content.refOperationId === operationId ? happening : [];
    });
  }

  /**
   * Takes an operation back, as far as it has any effect.
   * @param countedAt where the count took effect that has it already
   */
  takeBack(operation: LoggedOperation, units = takenBack(operation.state), countedAt: number | null = null): void {
    this.keep(operation, 'VOID', this.log.void(operation.state, units, countedAt));
  }

  /**
   * Lets a held operation move `units`, signed.
   * @param countedAt where the count took effect that has it already
   */
  release(operation: LoggedOperation, units: number, countedAt: number | null = null): void {
    this.keep(operation, 'RELEASE', this.log.release(operation.state, units, countedAt));
  }

  private keep(operation: LoggedOperation, decision: 'RELEASE' | 'VOID', state: ReferencedOperation): void {
    const { content, state: before } = operation;
    // What was sold already is out by its sale.
    const decided = { kind: content.kind, units: before.confirmed ? 0 : notCancelled(before) };
    this.decide(operation, decision, state);
    const appended = this.log.writes().events.at(-1);
    if (appended) this.note({ ...appended, content: appended, decided, recordedAt: this.now });
  }

  /** What is decided on an operation is felt by what it names, too. */
  private decide(operation: LoggedOperation, decision: 'RELEASE' | 'VOID', after: ReferencedOperation): void {
    const { content, state } = operation;
    this.setState(content.operationId, { content, state: after });
    const target = content.refOperationId === null ? undefined : this.states.get(content.refOperationId);
    if (!target) return;
    this.setState(target.content.operationId, { ...target, state: afterUseDecided(target.state, state, decision) });
  }

  /** Enters a decision where the operation is that it is about, or by itself if that is too long ago. */
  private note(decision: PastEvent): void {
    const { content, effect } = decision;
    const entry = this.entryOf.get(content.refOperationId ?? '');
    if (!entry) {
      this.add({ happening: alone(decision), own: undefined, decisions: [decision] });
      return;
    }
    entry.decisions.push(decision);
    entry.happening = { ...entry.happening, net: entry.happening.net + effect };
  }

  private add(entry: Entry): void {
    const { content } = entry.happening;
    this.entryOf.set(content.operationId, entry);
    this.entries.get(content.productId)?.push(entry);
  }

  private setState(id: string, operation: LoggedOperation): void {
    this.states.set(id, operation);
    const entry = this.entryOf.get(id);
    if (entry) entry.happening = { ...entry.happening, state: operation.state };
  }

  private follow(event: PastEvent): void {
    const { content, lamport, effect, disposition, recordedAt } = event;
    const { operationId, refOperationId, kind, reason, delta } = content;
    const named = refOperationId === null ? undefined : this.states.get(refOperationId);
    switch (kind) {
      case 'VOID':
      case 'RELEASE':
        this.note(event);
        if (named) this.decide(named, kind, afterDecision(named.state, { kind, effect, lamport }));
        break;
      case 'INCREMENT':
      case 'DECREMENT':
      case 'SET': {
        const recorded = { content, state: newlyRecorded(content, { lamport, effect, disposition }) };
        this.states.set(operationId, recorded);
        this.add({ happening: { ...recorded, net: effect, recordedAt }, own: event, decisions: [] });
        if (named) {
          const state = afterUse(named.state, { kind, reason, delta }, disposition);
          this.setState(named.content.operationId, { ...named, state });
        }
        break;
      }
    }
  }
}

/** An operation as it is now, with the decisions on it; or a decision alone. */
interface Entry {
  happening: Happening;
  /** What the operation did by itself; undefined if it happened too long ago to be looked at. */
  readonly own: PastEvent | undefined;
  readonly decisions: PastEvent[];
}

/** A decision on what happened too long ago to be looked at. */
function alone({ content, lamport, effect, recordedAt }: PastEvent): Happening {
  const state = newlyRecorded(content, { lamport, effect, disposition: 'APPLIED' });
  return { content, state, net: effect, recordedAt };
}

/** Units that a decision did not move, signed, since a count after lamport `said` had them already. */
function countedUnits({ content, effect, decided }: PastEvent, said: number): number {
  const { kind, baseLamport: countedAt } = content;
  if (!decided || countedAt === null || countedAt <= said) return 0;
  const units = (kind === 'RELEASE') === (decided.kind === 'INCREMENT') ? decided.units : 0 - decided.units;
  return units - effect;
}
