import { closedReservation } from '../../conflicts/domain/state-conflicts.js';
import { type Movement, move } from '../../inventory/domain/ledger.js';
import type { Operation } from '../../inventory/domain/operation.js';
import { intentOf, type ReferencedOperation, remainingOf, useOf } from '../../inventory/domain/reference.js';
import { type LogWriter, noteOf } from './log-writer.js';
import type { PushContext } from './push-context.js';
import type { PushOutcome, Rejected, RejectionCode, Warning } from './push-outcome.js';
import { clockSkewWarning } from './clock-skew.js';

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
    return sameBytes(original.contentHash, contentHash)
      ? { status: 'duplicate', id, original }
      : reject(id, 'IDEMPOTENCY_MISMATCH');
  }
  if (log.isOutOfRange(clientLamport)) return reject(id, 'LAMPORT_OUT_OF_RANGE');
  const deletedLamport = log.deletedLamportOf(productId);
  if (deletedLamport != null && deletedLamport <= baseOf(operation, context)) return reject(id, 'PRODUCT_DELETED');
  const named = namedBy(operation, log);
  if (named === undefined) return reject(id, 'UNKNOWN_REFERENCE');
  const level = log.levelOf(productId);
  const movement = move(level, operation, named);
  if (!movement.ok) return refuse(id, movement);

  const warnings: Warning[] = [];
  if (movement.oversold) warnings.push('OVERSOLD');
  if (deletedLamport === undefined) warnings.push('UNKNOWN_PRODUCT');
  if (log.isLamportUsed(clientLamport)) warnings.push('DEVICE_CLOCK_REUSED');
  warnings.push(...clockSkewWarning(context));
  const lamport = log.appendOperation(operation, contentHash, movement);
  if (named === null || useOf(operation, named) !== 'CONFIRM' || remainingOf(named) > 0) {
    return { status: 'accepted', id, lamport, warnings };
  }
  const conflict = log.addConflict(closedReservation(operation, named));
  return { status: 'accepted', id, lamport, warnings, conflict: noteOf(conflict) };
}

/**
 * The last lamport that the device had applied when it recorded the operation: as it says itself, else no later than
 * what it had pulled before this push (design, section 7).
 */
export function baseOf(
  operation: Pick<Operation, 'baseLamport' | 'clientLamport'>,
  { lastPulledLamport }: Pick<PushContext, 'lastPulledLamport'>,
): number {
  return operation.baseLamport ?? Math.min(operation.clientLamport - 1, lastPulledLamport ?? Infinity);
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
