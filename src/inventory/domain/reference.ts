import type { Disposition } from './ledger.js';
import type { Operation } from './operation.js';
import type { EventKind } from './stock-event.js';

/** An operation of the log that a later one names in `refOperationId`, and what later ones have made of it. */
export interface ReferencedOperation {
  readonly operationId: string;
  readonly productId: string;
  readonly deviceId: string;
  readonly kind: EventKind;
  readonly reason: Operation['reason'];
  /** Units. */
  readonly delta: number;
  /** As it stands: what was held and then released is APPLIED. */
  readonly disposition: Disposition;
  readonly lamport: number;
  /** Units that cancellations have given back. */
  readonly cancelled: number;
  /** What closed it first: a sale, if it was a reservation, or the server, which took it back. */
  readonly closedBy: 'SALE' | 'VOID' | null;
}

/** What the operation does to the one it names. */
export type ReferenceUse = 'CONFIRM' | 'CANCEL' | 'NONE';

/**
 * What an operation would do to one that it names: a sale confirms a reservation, a receipt with reason CANCEL gives back
 * what a DECREMENT took (design, section 6). Any other reference only says where an operation comes from.
 */
export function intentOf({ kind, reason }: Pick<Operation, 'kind' | 'reason'>): ReferenceUse {
  if (kind === 'INCREMENT' && reason === 'CANCEL') return 'CANCEL';
  return kind === 'DECREMENT' && reason === 'SALE' ? 'CONFIRM' : 'NONE';
}

/** What it does to `named`: of a sale, only a reservation can be confirmed. */
export function useOf(operation: Pick<Operation, 'kind' | 'reason'>, named: ReferencedOperation): ReferenceUse {
  const intent = intentOf(operation);
  return intent === 'CONFIRM' && !isReservation(named) ? 'NONE' : intent;
}

export function isReservation(operation: Pick<ReferencedOperation, 'kind' | 'reason'>): boolean {
  return operation.kind === 'DECREMENT' && operation.reason === 'RESERVATION';
}

/** Units of it that are out of stock still: those a reservation holds, or a sale took and nobody has cancelled. */
export function remainingOf(named: ReferencedOperation): number {
  return named.disposition === 'APPLIED' && named.closedBy === null ? notCancelled(named) : 0;
}

/** Whether the server has taken it back, or never let it take effect: its units are in stock, whoever cancels it. */
export function isTakenBack(named: ReferencedOperation): boolean {
  return named.disposition === 'VOIDED' || named.closedBy === 'VOID';
}

/**
 * Units that a cancellation of it may name. Of what the server has taken back, as many as if it had not: its device
 * cancels rightly what it doesn't know to be over, and that has no effect.
 */
export function cancellableOf(named: ReferencedOperation): number {
  return isTakenBack(named) ? notCancelled(named) : remainingOf(named);
}

function notCancelled({ delta, cancelled }: ReferencedOperation): number {
  return Math.max(0, delta - cancelled);
}

/** As it is after `operation` has used it. */
export function afterUse(
  named: ReferencedOperation,
  operation: Pick<Operation, 'kind' | 'reason' | 'delta'>,
): ReferencedOperation {
  switch (useOf(operation, named)) {
    case 'CONFIRM':
      return remainingOf(named) > 0 ? { ...named, closedBy: 'SALE' } : named;
    case 'CANCEL':
      return isTakenBack(named) ? named : { ...named, cancelled: named.cancelled + operation.delta };
    case 'NONE':
      return named;
  }
}
