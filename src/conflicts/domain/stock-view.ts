import type { LoggedOperation, PastEvent, ProductHistory } from '../../inventory/domain/logged-operation.js';
import { afterDecision, afterUse, newlyRecorded, type ReferencedOperation } from '../../inventory/domain/reference.js';
import { takenBack } from '../../inventory/domain/server-event.js';
import type { ServerLog } from '../../inventory/domain/server-log.js';
import type { EventContent } from '../../inventory/domain/stock-event.js';

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
  private readonly events = new Map<string, PastEvent[]>();

  /** @param now when decisions are recorded, in milliseconds since 1970 */
  constructor(
    private readonly log: ServerLog,
    private readonly histories: ReadonlyMap<string, ProductHistory>,
    operations: Iterable<LoggedOperation>,
    private readonly now: number,
  ) {
    for (const [productId, { events }] of histories) {
      this.events.set(productId, [...events]);
      for (const event of events) this.follow(event);
    }
    // Read with all that names them, wherever in the log it stands.
    for (const operation of operations) this.states.set(operation.content.operationId, operation);
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
    const [oldest] = this.events.get(productId) ?? [];
    return this.histories.get(productId)?.complete === true || (oldest !== undefined && oldest.lamport <= after);
  }

  /** What happened to the product after a lamport, as far back as is known, in order. */
  since(productId: string, after: number): Happening[] {
    const found = new Map<string, Happening>();
    for (const { content, lamport, effect, recordedAt } of this.events.get(productId) ?? []) {
      if (lamport <= after) continue;
      const decided = isDecision(content) && content.refOperationId !== null && found.get(content.refOperationId);
      if (decided) {
        found.set(decided.content.operationId, { ...decided, net: decided.net + effect });
      } else {
        const state =
          this.states.get(content.operationId)?.state ??
          newlyRecorded({ ...content, lamport, effect, disposition: 'APPLIED' });
        found.set(content.operationId, { content, state, net: effect, recordedAt });
      }
    }
    return [...found.values()];
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
    this.states.set(content.operationId, { content, state });
    const appended = this.log.writes().events.at(-1);
    if (appended) this.events.get(content.productId)?.push({ ...appended, content: appended, recordedAt: this.now });
  }

  private follow({ content, lamport, effect, disposition }: PastEvent): void {
    const { operationId, refOperationId, kind, reason, delta } = content;
    const named = refOperationId === null ? undefined : this.states.get(refOperationId);
    switch (kind) {
      case 'VOID':
      case 'RELEASE':
        if (named)
          this.states.set(named.content.operationId, { ...named, state: afterDecision(named.state, { kind, effect }) });
        break;
      case 'INCREMENT':
      case 'DECREMENT':
      case 'SET':
        this.states.set(operationId, { content, state: newlyRecorded({ ...content, lamport, effect, disposition }) });
        if (named) {
          const state = afterUse(named.state, { kind, reason, delta }, disposition);
          this.states.set(named.content.operationId, { ...named, state });
        }
        break;
    }
  }
}

function isDecision({ kind }: EventContent): boolean {
  return kind === 'VOID' || kind === 'RELEASE';
}
