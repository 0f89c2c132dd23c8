import { chainHash, contentHash } from '../../inventory/domain/hash-chain.js';
import { EMPTY_LEVEL, move, type StockLevel } from '../../inventory/domain/ledger.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { StockEvent } from '../../inventory/domain/stock-event.js';
import { isLamportOutOfRange, nextLamport, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { PushCommand, PushEntry } from './push-command.js';
import type { PushOutcome, RecordedOutcome, Rejected, Warning } from './push-outcome.js';

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
 * A group stands or falls as a whole. When one of its lines is refused for want of stock, the lines before it have
 * already moved stock that later entries saw; so the push is decided anew without that group, until no more falls.
 */
export function decidePush(command: PushCommand, context: PushContext): PushPlan {
  const entries = command.entries.map((entry) => examine(entry, command, context));
  const refused = new Map<number, Rejected>();
  entries.forEach((entry, index) => {
    const refusal = entry.refusal ?? entry.refusalIfNew;
    if (refusal) refused.set(index, refusal);
  });
  for (;;) {
    const attempt = apply(entries, refused, command, context);
    if (attempt.done) return attempt.log.plan(attempt.outcomes);
    refused.set(attempt.fallen, attempt.refusal);
  }
}

/** An entry with all that can be said of it without the stock that other entries leave. */
type ExaminedEntry =
  | { readonly groupId: string | null; readonly refusal: Rejected }
  | {
      readonly groupId: string | null;
      readonly operation: Operation;
      readonly hash: Uint8Array;
      readonly refusal?: never;
      /** Answered unless its identity turns out to be taken within the push: that goes before. */
      readonly refusalIfNew?: Rejected;
    };

function examine(entry: PushEntry, command: PushCommand, context: PushContext): ExaminedEntry {
  if (!entry.readable) {
    const { id, groupId, errors } = entry;
    return { groupId, refusal: { status: 'rejected', id, code: 'VALIDATION', errors } };
  }
  const { operation, tenantId } = entry;
  const { operationId, groupId } = operation;
  const rejected = (code: Rejected['code']): Rejected => ({ status: 'rejected', id: operationId, code });
  const refuse = (code: Rejected['code']): ExaminedEntry => ({ groupId, refusal: rejected(code) });
  if (tenantId !== command.tenantId) return refuse('TENANT_MISMATCH');
  if (operation.deviceId !== command.deviceId) return refuse('DEVICE_MISMATCH');
  const hash = contentHash(tenantId, operation);
  const known = context.known.get(operationId);
  if (known && !sameBytes(known.contentHash, hash)) return refuse('IDEMPOTENCY_MISMATCH');
  if (!known && isLamportOutOfRange(context.clock, Math.max(command.clientLamport, operation.clientLamport))) {
    return { groupId, operation, hash, refusalIfNew: rejected('LAMPORT_OUT_OF_RANGE') };
  }
  return { groupId, operation, hash };
}

type Attempt =
  | { readonly done: true; readonly outcomes: readonly PushOutcome[]; readonly log: LogWriter }
  /** `fallen` is the index of the first line of a group that stock refused; the group had not fallen before. */
  | { readonly done: false; readonly fallen: number; readonly refusal: Rejected };

/** Applies the entries in order; those in `refused`, and all new lines of their groups, are left out. */
function apply(
  entries: readonly ExaminedEntry[],
  refused: ReadonlyMap<number, Rejected>,
  command: PushCommand,
  context: PushContext,
): Attempt {
  const log = new LogWriter(context, command.clientLamport);
  const fallenGroups = new Set<string>();
  for (const index of refused.keys()) {
    const groupId = entries[index]?.groupId;
    if (groupId != null) fallenGroups.add(groupId);
  }
  const outcomes: PushOutcome[] = [];
  for (const [index, entry] of entries.entries()) {
    if (entry.refusal) {
      outcomes.push(entry.refusal);
      continue;
    }
    const { operation, hash, groupId } = entry;
    const original = log.recorded(operation.operationId);
    const refusal = refused.get(index);
    if (original) {
      // A doubled line of one push: the same again is a duplicate, anything else a mistake.
      outcomes.push(
        sameBytes(original.contentHash, hash)
          ? { status: 'duplicate', id: operation.operationId, original }
          : { status: 'rejected', id: operation.operationId, code: 'IDEMPOTENCY_MISMATCH' },
      );
    } else if (refusal) {
      outcomes.push(refusal);
    } else if (groupId !== null && fallenGroups.has(groupId)) {
      outcomes.push({ status: 'rejected', id: operation.operationId, code: 'GROUP_REJECTED' });
    } else {
      outcomes.push(log.record(operation, hash));
    }
    const outcome = outcomes.at(-1);
    if (groupId !== null && !fallenGroups.has(groupId) && outcome?.status === 'rejected') {
      return { done: false, fallen: index, refusal: outcome };
    }
  }
  return { done: true, outcomes, log };
}

/** The tenant's log as it grows by one push: every operation sees the stock that those before it left. */
class LogWriter {
  private readonly written: { readonly operation: Operation; readonly outcome: KnownOperation }[] = [];
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

  /** Appends the operation, or says why stock refuses it and changes nothing (I9). */
  record(operation: Operation, hash: Uint8Array): PushOutcome {
    const { operationId, productId } = operation;
    const before = this.levels.get(productId) ?? this.context.levels.get(productId) ?? EMPTY_LEVEL;
    const movement = move(before, operation);
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
    this.lamport = nextLamport(this.lamport, this.clientLamport, operation.clientLamport);
    const outcome = {
      lamport: this.lamport,
      effect: movement.effect,
      stockAfter: movement.stockAfter,
      disposition: 'APPLIED' as const,
      contentHash: hash,
    };
    this.written.push({ operation, outcome });
    this.byOperationId.set(operationId, outcome);
    this.lamportsGiven.add(operation.clientLamport);
    this.levels.set(productId, {
      quantity: movement.stockAfter,
      tracked: movement.tracked,
      lastLamport: outcome.lamport,
    });
    return { status: 'accepted', id: operationId, lamport: outcome.lamport, warnings };
  }

  /** Hashes the chain only now: an attempt that is given up has cost no hash. */
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
