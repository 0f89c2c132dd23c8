import { chainHash, contentHash } from '../../inventory/domain/hash-chain.js';
import { EMPTY_LEVEL, move, type StockLevel } from '../../inventory/domain/ledger.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { StockEvent } from '../../inventory/domain/stock-event.js';
import { isLamportOutOfRange, nextLamport, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { PushCommand, PushEntry } from './push-command.js';
import type { PushOutcome, RecordedOutcome, Rejected, RejectionCode, Warning } from './push-outcome.js';

/** What the log knows of an operation that is pushed again. */
export interface KnownOperation extends RecordedOutcome {
  readonly contentHash: Uint8Array;
}

/** The state that a push is decided on, read under the tenant's clock lock. */
export interface PushContext {
  readonly clock: TenantClock;
  /** By operation id: those of the push that are in the log already. */
  readonly known: ReadonlyMap<string, KnownOperation>;
  /** By product id; a product without events is missing. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  /** Of the push's client lamports, those that an event of this device has. */
  readonly usedLamports: ReadonlySet<number>;
  /** Of the push's products, those in the catalogue. */
  readonly catalogue: ReadonlySet<string>;
  /** The device's wall clock minus the server's, in milliseconds; null if it did not say. */
  readonly clockSkewMs: number | null;
}

/** What to write, and what to answer: `outcomes[i]` is that of `command.entries[i]`. */
export interface PushPlan {
  readonly outcomes: readonly PushOutcome[];
  /** To append, in lamport order. */
  readonly events: readonly StockEvent[];
  /** By product id: the levels that changed. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly clock: TenantClock;
}

/** Beyond this a device's wall clock is worth a warning; never a refusal, for the sale took place. */
export const CLOCK_SKEW_WARNING_MS = 5 * 60_000;

/**
 * Decides a push: which operations take effect, in which order, and what each leaves in stock. Pure, so the same
 * pushes in the same order give the same log (I8).
 *
 * In one pass. A group stands or falls as a whole, so it is decided as a whole, where its first line stands: all its
 * lines are written, and if one is refused, they are all taken back before anything else sees them (ADR 0007).
 */
export function decidePush(command: PushCommand, context: PushContext): PushPlan {
  const entries = command.entries.map((entry) => examine(entry, command));
  const linesOf = new Map<string, number[]>();
  for (const [index, { groupId }] of entries.entries()) {
    if (groupId === null) continue;
    const lines = linesOf.get(groupId);
    if (lines) lines.push(index);
    else linesOf.set(groupId, [index]);
  }
  const log = new LogWriter(context, command.clientLamport);
  const outcomes: PushOutcome[] = [];
  for (const [index, entry] of entries.entries()) {
    if (outcomes[index]) continue; // with the first line of its group
    if (entry.groupId === null) outcomes[index] = decide(entry, log);
    else decideGroup(linesOf.get(entry.groupId) ?? [], entries, log, outcomes);
  }
  return log.plan(outcomes);
}

/** An entry with all that can be said of it without looking at the log. */
type ExaminedEntry =
  | { readonly groupId: string | null; readonly refusal: Rejected }
  | {
      readonly groupId: string | null;
      readonly operation: Operation;
      readonly hash: Uint8Array;
      readonly refusal?: never;
    };

function examine(entry: PushEntry, command: PushCommand): ExaminedEntry {
  if (!entry.readable) {
    const { id, groupId, errors } = entry;
    return { groupId, refusal: { status: 'rejected', id, code: 'VALIDATION', errors } };
  }
  const { operation, tenantId } = entry;
  const { operationId, groupId } = operation;
  const refuse = (code: RejectionCode): ExaminedEntry => ({
    groupId,
    refusal: { status: 'rejected', id: operationId, code },
  });
  if (tenantId !== command.tenantId) return refuse('TENANT_MISMATCH');
  if (operation.deviceId !== command.deviceId) return refuse('DEVICE_MISMATCH');
  return { groupId, operation, hash: contentHash(tenantId, operation) };
}

function decide(entry: ExaminedEntry, log: LogWriter): PushOutcome {
  if (entry.refusal) return entry.refusal;
  const { operation, hash } = entry;
  const original = log.recorded(operation.operationId);
  if (original) {
    // Known, or a doubled line of this push: the same again is a duplicate, anything else a mistake.
    return sameBytes(original.contentHash, hash)
      ? { status: 'duplicate', id: operation.operationId, original }
      : { status: 'rejected', id: operation.operationId, code: 'IDEMPOTENCY_MISMATCH' };
  }
  return log.record(operation, hash);
}

/** Decides the lines at `indexes` together, and puts their outcomes where they belong. */
function decideGroup(
  indexes: readonly number[],
  entries: readonly ExaminedEntry[],
  log: LogWriter,
  outcomes: PushOutcome[],
): void {
  const before = log.savepoint();
  let fallen = false;
  for (const index of indexes) {
    const entry = entries[index];
    if (entry) outcomes[index] = decide(entry, log);
    fallen ||= outcomes[index]?.status === 'rejected';
  }
  if (!fallen) return;
  log.rollBack(before);
  let stockRefused = false;
  for (const index of indexes) {
    const outcome = outcomes[index];
    if (outcome?.status === 'rejected') {
      if (!STOCK_REFUSALS.has(outcome.code)) continue;
      // Of the lines that stock refused only the first says so: with it the group has fallen, whatever the others lack.
      if (!stockRefused) {
        stockRefused = true;
        continue;
      }
    }
    // In the log from before: a duplicate, whatever becomes of the group.
    if (outcome?.status === 'duplicate' && log.recorded(outcome.id)) continue;
    if (outcome) outcomes[index] = { status: 'rejected', id: outcome.id, code: 'GROUP_REJECTED' };
  }
}

const STOCK_REFUSALS: ReadonlySet<RejectionCode> = new Set(['INSUFFICIENT_STOCK', 'QUANTITY_OUT_OF_RANGE']);

interface WrittenLine {
  readonly operation: Operation;
  readonly outcome: KnownOperation;
  /** What it changed, for taking it back; undefined if this push had not touched the product before. */
  readonly levelBefore: StockLevel | undefined;
  readonly lamportBefore: number;
  readonly gaveNewLamport: boolean;
}

/** The tenant's log as it grows by one push: every operation sees the stock that those before it left. */
class LogWriter {
  private readonly written: WrittenLine[] = [];
  private readonly byOperationId = new Map<string, KnownOperation>();
  private readonly levels = new Map<string, StockLevel>();
  private readonly lamportsGiven = new Set<number>();
  private lamport: number;

  constructor(
    private readonly context: PushContext,
    private readonly clientLamport: number,
  ) {
    this.lamport = context.clock.lamport;
  }

  recorded(operationId: string): KnownOperation | undefined {
    return this.byOperationId.get(operationId) ?? this.context.known.get(operationId);
  }

  /** Appends a new operation, or says why its lamport or the stock refuses it and changes nothing (I9). */
  record(operation: Operation, hash: Uint8Array): PushOutcome {
    const { operationId, productId } = operation;
    // Against the clock before the push: entries that are ahead themselves lend no credit to those after them.
    if (isLamportOutOfRange(this.context.clock, Math.max(this.clientLamport, operation.clientLamport))) {
      return { status: 'rejected', id: operationId, code: 'LAMPORT_OUT_OF_RANGE' };
    }
    const levelBefore = this.levels.get(productId);
    const movement = move(levelBefore ?? this.context.levels.get(productId) ?? EMPTY_LEVEL, operation);
    if (!movement.ok) {
      const { code } = movement;
      return {
        status: 'rejected',
        id: operationId,
        code,
        ...(code === 'INSUFFICIENT_STOCK' && { available: movement.available }),
      };
    }
    const warnings = this.warningsFor(operation, movement.oversold);
    const lamportBefore = this.lamport;
    this.lamport = nextLamport(this.lamport, this.clientLamport, operation.clientLamport);
    const outcome = {
      lamport: this.lamport,
      effect: movement.effect,
      stockAfter: movement.stockAfter,
      disposition: 'APPLIED' as const,
      contentHash: hash,
    };
    const gaveNewLamport = !this.lamportsGiven.has(operation.clientLamport);
    this.written.push({ operation, outcome, levelBefore, lamportBefore, gaveNewLamport });
    this.byOperationId.set(operationId, outcome);
    this.lamportsGiven.add(operation.clientLamport);
    this.levels.set(productId, {
      quantity: movement.stockAfter,
      tracked: movement.tracked,
      lastLamport: outcome.lamport,
    });
    return { status: 'accepted', id: operationId, lamport: outcome.lamport, warnings };
  }

  /** Where to roll back to. */
  savepoint(): number {
    return this.written.length;
  }

  /** Takes back all that was written since, the last first. */
  rollBack(savepoint: number): void {
    for (const line of this.written.splice(savepoint).reverse()) {
      const { operationId, productId, clientLamport } = line.operation;
      this.byOperationId.delete(operationId);
      if (line.gaveNewLamport) this.lamportsGiven.delete(clientLamport);
      if (line.levelBefore) this.levels.set(productId, line.levelBefore);
      else this.levels.delete(productId);
      this.lamport = line.lamportBefore;
    }
  }

  /** Hashes the chain only now: what was rolled back has cost no hash. */
  plan(outcomes: readonly PushOutcome[]): PushPlan {
    let head = this.context.clock.chainHash;
    const events = this.written.map(({ operation, outcome }) => {
      head = chainHash(head, outcome.contentHash);
      return { ...operation, ...outcome, chainHash: head };
    });
    return {
      outcomes,
      events,
      levels: this.levels,
      clock: { ...this.context.clock, lamport: this.lamport, chainHash: head },
    };
  }

  private warningsFor(operation: Operation, oversold: boolean): Warning[] {
    const { usedLamports, catalogue, clockSkewMs } = this.context;
    const warnings: Warning[] = [];
    if (oversold) warnings.push('OVERSOLD');
    if (!catalogue.has(operation.productId)) warnings.push('UNKNOWN_PRODUCT');
    if (usedLamports.has(operation.clientLamport) || this.lamportsGiven.has(operation.clientLamport)) {
      warnings.push('DEVICE_CLOCK_REUSED');
    }
    if (clockSkewMs !== null && Math.abs(clockSkewMs) > CLOCK_SKEW_WARNING_MS) warnings.push('CLOCK_SKEW');
    return warnings;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
