import type { Conflict } from '../../conflicts/domain/conflict.js';
import { conflictIdOf, type NewConflict } from '../../conflicts/domain/state-conflicts.js';
import { chainHash, contentHash } from '../../inventory/domain/hash-chain.js';
import { type Disposition, EMPTY_LEVEL, type StockLevel } from '../../inventory/domain/ledger.js';
import { type LoggedOperation, NO_RIVALS, type Rivals } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import {
  deletionOf,
  type Product,
  type ProductDeletion,
  type ProductEdit,
  type ProductFields,
} from '../../inventory/domain/product.js';
import { afterDecision, afterUse, newlyRecorded, type ReferencedOperation } from '../../inventory/domain/reference.js';
import { serverEvent, takenBack, withinRange } from '../../inventory/domain/server-event.js';
import {
  type EventContent,
  type StockEvent,
  unchained,
  type UnchainedEvent,
} from '../../inventory/domain/stock-event.js';
import { type Payment, type PaymentEdit, type PaymentFields, UNRECONCILED } from '../../payments/domain/payment.js';
import {
  type EditBase,
  type KnownEdit,
  type Merge,
  NO_EDITS,
  type OwnEdits,
  standingEdit,
  withEdits,
} from '../../states/domain/merge.js';
import type { Edit, Entity, Fields, State, StateVersion } from '../../states/domain/state.js';
import { isLamportOutOfRange, nextLamport, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import { Journal, JournaledList, JournaledMap, JournaledValue } from './journal.js';
import type { Dispute, KnownOperation, LogState, PushContext } from './push-context.js';
import type { ConflictNote } from './push-outcome.js';

/** What a push writes. */
export interface PushWrites {
  /** To append, in lamport order. */
  readonly events: readonly StockEvent[];
  /** By product id: the levels that changed. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly products: readonly Product[];
  readonly payments: readonly Payment[];
  readonly versions: readonly StateVersion[];
  readonly conflicts: readonly Conflict[];
  readonly clock: TenantClock;
}

/** Of what a device did, or what follows from it at once. */
type OperationContent = EventContent & Pick<Operation, 'kind'>;

/** What an operation did to stock, as the ledger decided it. */
interface Applied {
  readonly effect: number;
  readonly stockAfter: number;
  readonly tracked: boolean;
}

/**
 * The tenant's log and states as they grow by one push: every entry sees what those before it left. It decides nothing;
 * it gives out lamports, and can take back what was written since a savepoint.
 */
export class LogWriter {
  private readonly journal = new Journal();
  private readonly appended: JournaledMap<string, UnchainedEvent>;
  private readonly references: JournaledMap<string, ReferencedOperation>;
  private readonly levels: JournaledMap<string, StockLevel>;
  private readonly catalogue: JournaledMap<string, ProductDeletion | null>;
  private readonly products: JournaledMap<string, Product>;
  private readonly payments: JournaledMap<string, Payment>;
  private readonly skuHolders: JournaledMap<string, string | null>;
  private readonly posHolders: JournaledMap<string, Payment | null>;
  private readonly edits: JournaledMap<string, KnownEdit>;
  private readonly ownEditsOf: JournaledMap<string, OwnEdits>;
  private readonly disputes: JournaledMap<string, Dispute>;
  private readonly lamportsGiven: JournaledMap<number, true>;
  private readonly events = new JournaledList<UnchainedEvent>(this.journal);
  private readonly versions = new JournaledList<StateVersion>(this.journal);
  private readonly conflicts = new JournaledList<Conflict>(this.journal);
  private readonly lamport: JournaledValue<number>;

  constructor(
    private readonly tenantId: string,
    private readonly context: PushContext,
    private readonly clientLamport: number,
  ) {
    const { journal } = this;
    this.lamport = new JournaledValue(context.clock.lamport, journal);
    this.appended = new JournaledMap(context.appended, journal);
    this.references = new JournaledMap(context.references, journal);
    this.levels = new JournaledMap(context.levels, journal);
    this.catalogue = new JournaledMap(context.catalogue, journal);
    this.products = new JournaledMap(context.products, journal);
    this.payments = new JournaledMap(context.payments, journal);
    this.skuHolders = new JournaledMap(context.skuHolders, journal);
    this.posHolders = new JournaledMap(context.posHolders, journal);
    this.edits = new JournaledMap(context.knownEdits, journal);
    this.ownEditsOf = new JournaledMap(new Map<string, OwnEdits>(), journal);
    this.disputes = new JournaledMap(context.knownConflicts, journal);
    this.lamportsGiven = new JournaledMap(new Map<number, true>(), journal);
  }

  /** Against the clock before the push: entries that are ahead themselves lend no credit to those after them. */
  isOutOfRange(clientLamport: number): boolean {
    return isLamportOutOfRange(this.context.clock, Math.max(this.clientLamport, clientLamport));
  }

  operation(operationId: string): KnownOperation | undefined {
    return this.appended.get(operationId) ?? this.context.known.get(operationId);
  }

  reference(operationId: string): ReferencedOperation | undefined {
    const changed = this.references.get(operationId);
    if (changed) return changed;
    const event = this.appended.get(operationId);
    return event && newlyRecorded(event, event);
  }

  levelOf(productId: string): StockLevel {
    return this.levels.get(productId) ?? EMPTY_LEVEL;
  }

  /** The product's deletion; null while it lives, undefined if the catalogue lacks it. */
  deletionOf(productId: string): ProductDeletion | null | undefined {
    return this.catalogue.get(productId);
  }

  /** What others did to the product, as it stands after what this push has taken back. */
  rivalsOf(productId: string): Rivals {
    const rivals = this.context.rivals.get(productId);
    if (!rivals) return NO_RIVALS;
    const { count, movement, takenBack, claims } = rivals;
    return {
      ...{ count, takenBack },
      movement: movement && this.current(movement),
      claims: claims.map((claim) => this.current(claim)),
    };
  }

  product(id: string): Product | undefined {
    return this.products.get(id);
  }

  payment(id: string): Payment | undefined {
    return this.payments.get(id);
  }

  /** The living product that has the SKU. */
  skuHolder(sku: string): string | undefined {
    return this.skuHolders.get(sku) ?? undefined;
  }

  /** The payment that has the POS transaction. */
  posHolder(posTransactionId: string): Payment | undefined {
    return this.posHolders.get(posTransactionId) ?? undefined;
  }

  edit(editId: string): KnownEdit | undefined {
    return this.edits.get(editId);
  }

  /** What the edit is to be merged on, with what this push has done to the state: that is its own device's doing. */
  baseOf(entity: Entity, { editId, id }: Edit<object>): EditBase | undefined {
    const base = this.context.bases.get(editId);
    return base && { ...base, own: withEdits(base.own, this.ownEdits(entity, id)) };
  }

  /** The conflict that an entry led to. */
  dispute(what: 'EDIT' | 'OPERATION', entryId: string): Dispute | undefined {
    return this.disputes.get(conflictIdOf(what, entryId));
  }

  /** Whether the device gave this lamport to an operation before. */
  isLamportUsed(clientLamport: number): boolean {
    return this.context.usedLamports.has(clientLamport) || this.lamportsGiven.get(clientLamport) === true;
  }

  /** Appends an operation that takes effect. @returns its lamport. */
  appendOperation(content: OperationContent, contentHash: Uint8Array, applied: Applied): number {
    return this.append(content, contentHash, applied, 'APPLIED');
  }

  /** Appends an operation that doesn't take effect, or not yet. @returns its lamport. */
  appendWithoutEffect(content: OperationContent, contentHash: Uint8Array, disposition: 'HELD' | 'VOIDED'): number {
    const { quantity: stockAfter, tracked } = this.levelOf(content.productId);
    return this.append(content, contentHash, { effect: 0, stockAfter, tracked }, disposition);
  }

  /** Takes back what an operation of another device still holds. */
  takeBack({ state }: LoggedOperation): void {
    const { productId, operationId } = state;
    const { quantity, tracked } = this.levelOf(productId);
    const decision = { kind: 'VOID', units: takenBack(state), countedAt: null } as const;
    const lamport = this.giveLamport(0);
    const content = serverEvent(decision, state, lamport);
    const hash = contentHash(this.tenantId, content);
    const effect = withinRange(quantity, decision.units);
    const recorded = { lamport, effect, stockAfter: quantity + effect, disposition: 'APPLIED' as const };
    this.appendEvent(unchained(content, { ...recorded, contentHash: hash }));
    this.levels.set(productId, { quantity: quantity + effect, tracked, lastLamport: lamport });
    this.references.set(operationId, afterDecision(state, { kind: 'VOID', effect, lamport }));
  }

  private append(
    content: OperationContent,
    contentHash: Uint8Array,
    { effect, stockAfter, tracked }: Applied,
    disposition: Disposition,
  ): number {
    const lamport = this.giveLamport(content.clientLamport);
    this.appendEvent(unchained(content, { lamport, effect, stockAfter, disposition, contentHash }));
    this.levels.set(content.productId, { quantity: stockAfter, tracked, lastLamport: lamport });
    if (content.deviceType !== 'SERVER') this.lamportsGiven.set(content.clientLamport, true);
    const { refOperationId } = content;
    const named = refOperationId === null ? undefined : this.reference(refOperationId);
    if (named) this.references.set(named.operationId, afterUse(named, content, disposition));
    return lamport;
  }

  private appendEvent(event: UnchainedEvent): void {
    this.events.push(event);
    this.appended.set(event.operationId, event);
  }

  private current({ content, state }: LoggedOperation): LoggedOperation {
    return { content, state: this.reference(content.operationId) ?? state };
  }

  /** Writes a product as an edit made it. @returns the product, with its version and lamport. */
  writeProduct(before: Product | undefined, edit: ProductEdit, merge: Merge<ProductFields>): Product {
    const lamport = this.giveLamport(edit.clientLamport);
    const { fields } = merge;
    const product: Product = {
      ...standingEdit(before, edit, merge, lamport),
      id: edit.id,
      fields,
      updatedBy: edit.updatedBy,
      version: (before?.version ?? 0) + 1,
      lamport,
      deletedLamport: fields.isDeleted ? (before?.deletedLamport ?? lamport) : null,
    };
    this.products.set(product.id, product);
    this.catalogue.set(product.id, deletionOf(product));
    const skuBefore = livingSku(before);
    if (skuBefore !== null && this.skuHolder(skuBefore) === product.id) this.skuHolders.set(skuBefore, null);
    const sku = livingSku(product);
    if (sku !== null) this.skuHolders.set(sku, product.id);
    this.keepVersion('PRODUCT', product, edit, merge.changed);
    return product;
  }

  /** Writes a payment as an edit made it. @returns the payment, with its version and lamport. */
  writePayment(before: Payment | undefined, edit: PaymentEdit, merge: Merge<PaymentFields>): Payment {
    const lamport = this.giveLamport(edit.clientLamport);
    const payment: Payment = {
      ...standingEdit(before, edit, merge, lamport),
      id: edit.id,
      fields: merge.fields,
      updatedBy: edit.updatedBy,
      reconciliation: before?.reconciliation ?? UNRECONCILED,
      version: (before?.version ?? 0) + 1,
      lamport,
      createdLamport: before?.createdLamport ?? lamport,
    };
    this.payments.set(payment.id, payment);
    const posBefore = before?.fields.posTransactionId ?? null;
    if (posBefore !== null && this.posHolder(posBefore)?.id === payment.id) this.posHolders.set(posBefore, null);
    const { posTransactionId } = payment.fields;
    if (posTransactionId !== null && !this.posHolder(posTransactionId)) this.posHolders.set(posTransactionId, payment);
    this.keepVersion('PAYMENT', payment, edit, merge.changed);
    return payment;
  }

  /** Enters a conflict into the log, at a lamport of its own. */
  addConflict(found: NewConflict): Conflict {
    const conflict = { ...found, lamport: this.giveLamport(0) };
    this.conflicts.push(conflict);
    this.disputes.set(conflict.id, { ...conflict, detectedLamport: conflict.lamport });
    return conflict;
  }

  savepoint(): number {
    return this.journal.savepoint();
  }

  /** Takes back all that was written since. */
  rollBack(savepoint: number): void {
    this.journal.rollBack(savepoint);
  }

  /** Hashes the chain only now: what was rolled back has cost no hash. */
  writes(): PushWrites {
    let head = this.context.clock.chainHash;
    for (const event of this.events.items) {
      head = chainHash(head, event.contentHash);
      event.chainHash = head; // in place: a copy of each event would cost as much as the hash
    }
    return {
      events: this.events.items,
      levels: this.levels.changed,
      products: [...this.products.changed.values()],
      payments: [...this.payments.changed.values()],
      versions: this.versions.items,
      conflicts: this.conflicts.items,
      clock: { ...this.context.clock, lamport: this.lamport.get(), chainHash: head },
    };
  }

  /** What differs from what was read. */
  changes(): LogState {
    return {
      appended: this.appended.changed,
      references: this.references.changed,
      levels: this.levels.changed,
      catalogue: this.catalogue.changed,
      products: this.products.changed,
      payments: this.payments.changed,
      skuHolders: this.skuHolders.changed,
      posHolders: this.posHolders.changed,
      knownEdits: this.edits.changed,
      knownConflicts: this.disputes.changed,
    };
  }

  private giveLamport(clientLamport: number): number {
    const lamport = nextLamport(this.lamport.get(), this.clientLamport, clientLamport);
    this.lamport.set(lamport);
    return lamport;
  }

  private keepVersion<F extends object>(
    entity: Entity,
    { id, version, lamport, fields }: State<F>,
    { editId, deviceId, clientLamport }: Edit<F>,
    changed: readonly string[],
  ): void {
    this.versions.push({
      ...{ entity, entityId: id, version, lamport, editId, deviceId, clientLamport, changed },
      fields: fields as Fields,
    });
    this.edits.set(editId, { lamport, version });
    const own = { changed: new Set(changed), clientLamport };
    this.ownEditsOf.set(`${entity} ${id}`, withEdits(this.ownEdits(entity, id), own));
  }

  private ownEdits(entity: Entity, id: string): OwnEdits {
    return this.ownEditsOf.get(`${entity} ${id}`) ?? NO_EDITS;
  }
}

function livingSku(product: Product | undefined): string | null {
  return product && !product.fields.isDeleted ? product.fields.sku : null;
}

/** What an answer tells of a conflict. */
export function noteOf({ id, resolution }: Pick<Conflict, 'id' | 'resolution'>): ConflictNote {
  if (!resolution) return { id, method: null, reason: 'It waits for a decision.', confidence: null, winnerId: null };
  const { method, reason, confidence, winnerId } = resolution;
  return { id, method, reason, confidence, winnerId };
}
