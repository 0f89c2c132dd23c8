import { baseOf, concurrentWith } from '../../conflicts/domain/concurrency.js';
import { type Contention, decideContention } from '../../conflicts/domain/contention.js';
import { closedReservation } from '../../conflicts/domain/state-conflicts.js';
import { stockConflicts } from '../../conflicts/domain/stock-conflicts.js';
import { effectOf, missingOf, type Movement, move } from '../../inventory/domain/ledger.js';
import type { Rivals } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { ProductDeletion } from '../../inventory/domain/product.js';
import { intentOf, type ReferencedOperation, remainingOf, useOf } from '../../inventory/domain/reference.js';
import { clockSkewWarning } from './clock-skew.js';
import { type LogWriter, noteOf } from './log-writer.js';
import type { PushContext } from './push-context.js';
import type { ConflictNote, PushOutcome, Rejected, RejectionCode, Warning } from './push-outcome.js';

/** Records an operation, or says why it can't be and changes nothing (I9). */
export function recordOperation(
  operation: Operation,
  contentHash: Uint8Array,
  log: LogWriter,
  context: PushContext,
): PushOutcome {
  const { operationId: id, productId, clientLamport } = operation;
  const original = log.operation(id);
  if (original) {
    // Known, or a doubled line of this push: the same again is a duplicate, anything else a mistake.
    if (!sameBytes(original.contentHash, contentHash)) return reject(id, 'IDEMPOTENCY_MISMATCH');
    const dispute = log.dispute('OPERATION', id);
    const { lamport, effect, stockAfter, disposition } = original;
    const outcome = { lamport, effect, stockAfter, disposition };
    return { status: 'duplicate', id, original: outcome, ...(dispute && { conflict: noteOf(dispute) }) };
  }
  if (log.isOutOfRange(clientLamport)) return reject(id, 'LAMPORT_OUT_OF_RANGE');
  const base = baseOf(operation, context.lastPulledLamport, context.clock.lamport);
  const deletion = log.deletionOf(productId);
  if (deletion && knewOf(deletion, operation, base)) return reject(id, 'PRODUCT_DELETED');
  const named = namedBy(operation, log);
  if (named === undefined) return reject(id, 'UNKNOWN_REFERENCE');
  const level = log.levelOf(productId);
  const movement = move(level, operation, named);
  if (!movement.ok && movement.code !== 'INSUFFICIENT_STOCK') return refuse(id, movement);

  const contention = decideContention(
    {
      kind: operation.kind,
      reason: operation.reason,
      paymentStatus: operation.paymentStatus,
      delta: operation.delta,
      base,
      effect: effectOf(level, operation, named),
      missing: missingOf(level, operation, named),
    },
    {
      rivals: rivalsOf(operation, base, log),
      deletion: deletion && deletion.deviceId !== operation.deviceId ? deletion : null,
      detection: context.settings.conflictDetection,
    },
  );
  const warnings: Warning[] = [];
  if (deletion === undefined) warnings.push('UNKNOWN_PRODUCT');
  if (log.isLamportUsed(clientLamport)) warnings.push('DEVICE_CLOCK_REUSED');
  warnings.push(...clockSkewWarning(context));

  const before = log.savepoint();
  for (const claim of contention.takenBack) log.takeBack(claim);
  if (contention.disposition !== 'APPLIED') {
    const lamport = log.appendWithoutEffect(operation, contentHash, contention.disposition);
    const conflict = enter(contention, operation, base, level.quantity, log);
    if (!conflict) throw new Error('Whatever has no effect is in conflict with something');
    return { status: 'conflict', id, lamport, warnings, conflict };
  }
  const applied = contention.takenBack.length > 0 ? move(log.levelOf(productId), operation, named) : movement;
  if (!applied.ok) {
    log.rollBack(before);
    return refuse(id, applied);
  }
  if (applied.oversold) warnings.unshift('OVERSOLD');
  const lamport = log.appendOperation(operation, contentHash, applied);
  const found = enter(contention, operation, base, level.quantity, log);
  const conflict = enterIfClosed(operation, named, found !== undefined, log) ?? found;
  return { status: 'accepted', id, lamport, warnings, ...(conflict && { conflict }) };
}

/** What it is concurrent with. What it confirms is no rival: the units held there are those it takes. */
function rivalsOf({ productId, refOperationId }: Operation, base: number, log: LogWriter): Rivals {
  const rivals = concurrentWith(base, log.rivalsOf(productId));
  if (rivals.claims.length === 0) return rivals;
  return { ...rivals, claims: rivals.claims.filter(({ content }) => content.operationId !== refOperationId) };
}

/** Whether the device could know, when it recorded the operation, that the product was deleted. */
function knewOf(deletion: ProductDeletion, { deviceId, clientLamport }: Operation, base: number): boolean {
  if (deletion.deletedLamport <= base) return true;
  return deletion.deviceId === deviceId && deletion.clientLamport < clientLamport;
}

/** Enters what was found into the conflict log. @returns what it says of the operation itself, if anything. */
function enter(
  { findings }: Contention,
  operation: Operation,
  base: number,
  stockThen: number,
  log: LogWriter,
): ConflictNote | undefined {
  if (findings.length === 0) return undefined;
  const [own] = stockConflicts(operation, base, stockThen, findings).map((found) => log.addConflict(found));
  return own && noteOf(own);
}

/**
 * A sale that finds nothing held of what it confirms is an ordinary one, and worth a look.
 * @param competes whether the log says something else of it already
 */
function enterIfClosed(
  operation: Operation,
  named: ReferencedOperation | null,
  competes: boolean,
  log: LogWriter,
): ConflictNote | undefined {
  if (named === null || useOf(operation, named) !== 'CONFIRM' || remainingOf(named) > 0) return undefined;
  const closed = log.addConflict(closedReservation(operation, named, competes));
  return competes ? undefined : noteOf(closed);
}

/**
 * What the operation confirms or cancels; null if it does neither, wherever it says that it comes from, and undefined if
 * it would but can't: within its product only, and what took nothing can't be cancelled.
 */
function namedBy(operation: Operation, log: LogWriter): ReferencedOperation | null | undefined {
  const { refOperationId, productId } = operation;
  const intent = intentOf(operation);
  if (refOperationId === null || intent === 'NONE') return null;
  const named = log.reference(refOperationId);
  if (named?.productId !== productId || (intent === 'CANCEL' && named.kind !== 'DECREMENT')) return undefined;
  return named;
}

function refuse(id: string, { code, available }: Extract<Movement, { ok: false }>): Rejected {
  return { status: 'rejected', id, code, ...(available !== null && { available }) };
}

function reject(id: string, code: RejectionCode): Rejected {
  return { status: 'rejected', id, code };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
