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
  /** Where in the log it took effect: its own lamport, or that of its release. */
  readonly effectiveLamport: number;
  /** Signed units that it has moved: its own effect, or that of its release. */
  readonly effect: number;
  /** The operation that it names itself. */
  readonly refOperationId: string | null;
  /** Units that cancellations have named which stand. */
  readonly cancelled: number;
  /** Units that cancellations have named which wait for a decision: nobody else may cancel them meanwhile. */
  readonly cancelling: number;
  /** What closed it first: a sale, if it was a reservation, or the server, which took it back. */
  readonly closedBy: 'SALE' | 'VOID' | null;
  /** Whether a sale that took effect names it, be it that it found nothing held. */
  readonly confirmed: boolean;
}

/** As it is when it has just been recorded. */
export function newlyRecorded(
  operation: Pick<
    ReferencedOperation,
    'operationId' | 'productId' | 'deviceId' | 'kind' | 'reason' | 'delta' | 'refOperationId'
  >,
  { lamport, effect, disposition }: Pick<ReferencedOperation, 'lamport' | 'effect' | 'disposition'>,
): ReferencedOperation {
  return {
    operationId: operation.operationId,
    productId: operation.productId,
    deviceId: operation.deviceId,
    kind: operation.kind,
    reason: operation.reason,
    delta: operation.delta,
    disposition,
    lamport,
    effectiveLamport: lamport,
    effect,
    refOperationId: operation.refOperationId,
    cancelled: 0,
    cancelling: 0,
    closedBy: null,
    confirmed: false,
  };
}

/** What the operation does to the one it names. */
export type ReferenceUse = 'CONFIRM' | 'CANCEL' | 'NONE';

/**
 * What an operation would do to one that it names: a sale confirms a reservation, a receipt with reason CANCEL gives back
 * what a DECREMENT took (design, section 6). Any other reference only says where an operation comes from.
 */
export function intentOf({ kind, reason }: Pick<ReferencedOperation, 'kind' | 'reason'>): ReferenceUse {
  if (kind === 'INCREMENT' && reason === 'CANCEL') return 'CANCEL';
  return kind === 'DECREMENT' && reason === 'SALE' ? 'CONFIRM' : 'NONE';
}

/** What it does to `named`: of a sale, only a reservation can be confirmed. */
export function useOf(
  operation: Pick<ReferencedOperation, 'kind' | 'reason'>,
  named: ReferencedOperation,
): ReferenceUse {
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

/** Whether it has no effect: it waits for a decision, was decided against, or the server has taken it back. */
export function isWithoutEffect(named: ReferencedOperation): boolean {
  return named.disposition !== 'APPLIED' || named.closedBy === 'VOID';
}

/**
 * Units that a cancellation of it may name. Of what has no effect, as many as if it had: its device cancels rightly what
 * it doesn't know to be over or waiting, and that moves nothing.
 */
export function cancellableOf(named: ReferencedOperation): number {
  return Math.max(0, (isWithoutEffect(named) ? notCancelled(named) : remainingOf(named)) - named.cancelling);
}

/** Units that nobody has cancelled, whatever else became of it. */
export function notCancelled({ delta, cancelled }: ReferencedOperation): number {
  return Math.max(0, delta - cancelled);
}

/** As it is after `operation` has been recorded, which names it. */
export function afterUse(
  named: ReferencedOperation,
  operation: Pick<Operation, 'kind' | 'reason' | 'delta'>,
  disposition: Disposition = 'APPLIED',
): ReferencedOperation {
  switch (useOf(operation, named)) {
    case 'CONFIRM':
      if (disposition !== 'APPLIED') return named;
      return { ...named, confirmed: true, closedBy: remainingOf(named) > 0 ? 'SALE' : named.closedBy };
    case 'CANCEL':
      return cancelledBy(named, disposition, operation.delta);
    case 'NONE':
      return named;
  }
}

/**
 * As it is after the server has decided on `use`, which names it: a cancellation that waited takes its units, one that is
 * taken back gives them free again, and a sale confirms from when it stands.
 * @param use as it was before the decision
 */
export function afterUseDecided(
  named: ReferencedOperation,
  use: Pick<ReferencedOperation, 'kind' | 'reason' | 'delta' | 'disposition'>,
  decision: 'RELEASE' | 'VOID',
): ReferencedOperation {
  switch (useOf(use, named)) {
    case 'CONFIRM':
      return { ...named, confirmed: decision === 'RELEASE' };
    case 'CANCEL': {
      const without = cancelledBy(named, use.disposition, 0 - use.delta);
      return decision === 'RELEASE' ? cancelledBy(without, 'APPLIED', use.delta) : without;
    }
    case 'NONE':
      return named;
  }
}

/** A cancellation counts when it takes effect. One that waits keeps its units from being cancelled again. */
function cancelledBy(named: ReferencedOperation, disposition: Disposition, units: number): ReferencedOperation {
  switch (disposition) {
    case 'APPLIED':
      return { ...named, cancelled: named.cancelled + units };
    case 'HELD':
      return { ...named, cancelling: named.cancelling + units };
    case 'VOIDED':
      return named;
  }
}

/** As it is after the server has appended its decision on it. */
export function afterDecision(
  named: ReferencedOperation,
  decision: { readonly kind: 'RELEASE' | 'VOID'; readonly effect: number; readonly lamport: number },
): ReferencedOperation {
  const { kind, effect, lamport } = decision;
  return kind === 'VOID'
    ? { ...named, closedBy: 'VOID' }
    : { ...named, disposition: 'APPLIED', effect, effectiveLamport: lamport };
}
