import { nextLamport, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import { chainHash, contentHash } from './hash-chain.js';
import { EMPTY_LEVEL, type StockLevel } from './ledger.js';
import { afterDecision, type ReferencedOperation } from './reference.js';
import { serverEvent, type ServerDecision, takenBack, withinRange } from './server-event.js';
import type { StockEvent } from './stock-event.js';

/** What the server has decided, to be written. */
export interface ServerWrites {
  /** To append, in lamport order. */
  readonly events: readonly StockEvent[];
  /** By product id: the levels that changed. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly clock: TenantClock;
}

/** A tenant's log as it grows by decisions of the server, outside a push. */
export class ServerLog {
  private readonly changed = new Map<string, StockLevel>();
  private readonly events: StockEvent[] = [];

  /** @param levels by product id; a product without events is missing */
  constructor(
    private readonly tenantId: string,
    private clock: TenantClock,
    private readonly levels: ReadonlyMap<string, StockLevel>,
  ) {}

  levelOf(productId: string): StockLevel {
    return this.changed.get(productId) ?? this.levels.get(productId) ?? EMPTY_LEVEL;
  }

  /** A lamport for an entry of another kind. */
  giveLamport(): number {
    this.clock = { ...this.clock, lamport: nextLamport(this.clock.lamport) };
    return this.clock.lamport;
  }

  /**
   * Takes `named` back.
   * @param units signed; what it still moves, if not said otherwise. What doesn't fit the range of stock is given up: a
   *   reservation that could never lapse would come up again at every look.
   * @param countedAt where the count took effect that has it already
   * @returns `named` as it is then
   */
  void(
    named: ReferencedOperation,
    units = takenBack(named),
    countedAt: ServerDecision['countedAt'] = null,
  ): ReferencedOperation {
    return this.append({ kind: 'VOID', units, countedAt }, named, this.levelOf(named.productId).tracked);
  }

  /**
   * Lets `named` take effect, which was held.
   * @param units signed
   * @param countedAt where the count took effect that has it already
   * @returns `named` as it is then
   */
  release(
    named: ReferencedOperation,
    units: number,
    countedAt: ServerDecision['countedAt'] = null,
  ): ReferencedOperation {
    const tracked = this.levelOf(named.productId).tracked || named.kind !== 'DECREMENT';
    return this.append({ kind: 'RELEASE', units, countedAt }, named, tracked);
  }

  /** All so far. */
  writes(): ServerWrites {
    return { events: this.events, levels: this.changed, clock: this.clock };
  }

  private append(decision: ServerDecision, named: ReferencedOperation, tracked: boolean): ReferencedOperation {
    const { productId } = named;
    const { quantity } = this.levelOf(productId);
    const effect = withinRange(quantity, decision.units);
    const lamport = this.giveLamport();
    const content = serverEvent(decision, named, lamport);
    const hash = contentHash(this.tenantId, content);
    const head = chainHash(this.clock.chainHash, hash);
    const stockAfter = quantity + effect;
    this.clock = { ...this.clock, chainHash: head };
    this.changed.set(productId, { quantity: stockAfter, tracked, lastLamport: lamport });
    this.events.push({
      ...content,
      ...{ lamport, effect, stockAfter, disposition: 'APPLIED', contentHash: hash, chainHash: head },
    });
    return afterDecision(named, { kind: decision.kind, effect, lamport });
  }
}
