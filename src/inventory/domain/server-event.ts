import { INT4_MAX } from './operation.js';
import { isWithoutEffect, notCancelled, type ReferencedOperation, remainingOf, useOf } from './reference.js';
import { serverId } from './server-id.js';
import { type EventContent, SERVER_ID } from './stock-event.js';

/** An event that the server appends by itself. */
export interface ServerEvent extends EventContent {
  readonly kind: 'RELEASE' | 'VOID';
}

/** What the server decides on an operation. */
export interface ServerDecision {
  readonly kind: ServerEvent['kind'];
  /** Signed units that it moves, unless the range of stock cuts that. */
  readonly units: number;
  /**
   * Where the count took effect that has the operation already, so that nothing of it moves but what came back since;
   * null if there is none.
   */
  readonly countedAt: number | null;
}

/**
 * An operation is released once and taken back once, whoever decides it, and however often: the log takes an id once (I2).
 * A decision on a count may go either way. The units of an event have no sign, so its id tells.
 */
export function serverEventId(
  { kind, units }: Pick<ServerDecision, 'kind' | 'units'>,
  { operationId, kind: decided }: Pick<ReferencedOperation, 'operationId' | 'kind'>,
): string {
  return serverId(`${kind} ${operationId}${decided === 'SET' && units < 0 ? ' downwards' : ''}`);
}

/** The server's decision on an operation. */
export function serverEvent(
  decision: ServerDecision,
  named: Pick<ReferencedOperation, 'operationId' | 'kind' | 'productId' | 'reason'>,
  lamport: number,
): ServerEvent {
  const { kind, units, countedAt } = decision;
  const { operationId, productId, reason } = named;
  return {
    operationId: serverEventId(decision, named),
    productId,
    deviceId: SERVER_ID,
    deviceType: 'SERVER',
    kind,
    delta: Math.abs(units),
    reason,
    paymentStatus: null,
    amount: null,
    locationLat: null,
    locationLng: null,
    clientLamport: lamport,
    // It is known to that count, as what a device had seen is to its operations.
    baseLamport: countedAt,
    version: null,
    groupId: null,
    refOperationId: operationId,
    expiresAt: null,
    createdAt: null,
    createdBy: SERVER_ID,
    updatedBy: null,
  };
}

/**
 * Units that taking `named` back moves, signed: of a DECREMENT what it still holds comes back, of an INCREMENT what it
 * brought goes again, and a count is undone. Nothing if it has no effect.
 */
export function takenBack(named: ReferencedOperation): number {
  if (named.disposition !== 'APPLIED' || named.closedBy !== null) return 0;
  return named.kind === 'DECREMENT' ? remainingOf(named) : 0 - named.effect;
}

/**
 * Units that a released movement moves, signed: those that nobody has cancelled meanwhile. The cancellation of what has no
 * effect has none either.
 * @param target what it names itself
 */
export function releasedMovement(named: ReferencedOperation, target: ReferencedOperation | null): number {
  if (named.kind === 'DECREMENT') return 0 - notCancelled(named);
  return target && useOf(named, target) === 'CANCEL' && isWithoutEffect(target) ? 0 : named.delta;
}

/** The effect of `units` on a stock of `quantity`, as far as the range of stock takes it. */
export function withinRange(quantity: number, units: number): number {
  return Math.max(-INT4_MAX, Math.min(INT4_MAX, quantity + units)) - quantity;
}
