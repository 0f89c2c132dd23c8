import type { LoggedOperation, PastEvent, ProductHistory } from '../../inventory/domain/logged-operation.js';
import { afterDecision, afterUse, newlyRecorded, type ReferencedOperation } from '../../inventory/domain/reference.js';
import { takenBack } from '../../inventory/domain/server-event.js';
import type { ServerLog } from '../../inventory/domain/server-log.js';

/** Something that happened to a product: an operation with all that was decided on it, or a decision on an older one. */
export interface Happening extends LoggedOperation {
  /** Signed units that it has moved up to now. */
  readonly net: number;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
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

  /** Takes an operation back, as far as it has any effect. */
  takeBack(operation: LoggedOperation, units = takenBack(operation.state)): void {
    this.keep(operation, this.log.void(operation.state, units));
  }

  /** Lets a held operation move `units`, signed. */
  release(operation: LoggedOperation, units: number): void {
    this.keep(operation, this.log.release(operation.state, units));
  }

  private keep({ content }: LoggedOperation, state: ReferencedOperation): void {
    this.setState(content.operationId, { content, state });
    const appended = this.log.writes().events.at(-1);
    if (appended) this.note({ ...appended, content: appended, recordedAt: this.now });
  }

  /** Enters a decision where the operation is that it is about, or by itself if that is too long ago. */
  private note(decision: PastEvent): void {
    const { content, effect } = decision;
    const entry = this.entryOf.get(content.refOperationId ?? '');
    if (!entry) {
      this.add(alone(decision));
      return;
    }
    entry.decisions.push(decision);
    entry.happening = { ...entry.happening, net: entry.happening.net + effect };
  }

  private add(happening: Happening): void {
    const entry: Entry = { happening, decisions: [] };
    this.entryOf.set(happening.content.operationId, entry);
    this.entries.get(happening.content.productId)?.push(entry);
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
        if (named) {
          const state = afterDecision(named.state, { kind, effect });
          this.setState(named.content.operationId, { ...named, state });
        }
        break;
      case 'INCREMENT':
      case 'DECREMENT':
      case 'SET': {
        const recorded = { content, state: newlyRecorded({ ...content, lamport, effect, disposition }) };
        this.states.set(operationId, recorded);
        this.add({ ...recorded, net: effect, recordedAt });
        if (named) {
          const state = afterUse(named.state, { kind, reason, delta }, disposition);
          this.setState(named.content.operationId, { ...named, state });
        }
        break;
      }
    }
  }
}

/** An operation as it is now, with the decisions on it. */
interface Entry {
  happening: Happening;
  readonly decisions: PastEvent[];
}

/** A decision on what happened too long ago to be looked at. */
function alone({ content, lamport, effect, recordedAt }: PastEvent): Happening {
  const state = newlyRecorded({ ...content, lamport, effect, disposition: 'APPLIED' });
  return { content, state, net: effect, recordedAt };
}
