import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import { INT4_MAX } from './operation.js';
import { notCancelled, type ReferencedOperation, remainingOf } from './reference.js';
import { type EventContent, SERVER_ID } from './stock-event.js';

/** Namespaces of the ids of what the server appends (RFC 9562, section 5.5). */
const NAMESPACES = {
  VOID: '5d1f6a52-0c1b-4d0a-8a37-94b9c7e2f016',
  RELEASE: '0b9a6f0e-8f0c-4a53-9d0e-5f2c6f8f3a41',
} as const;

/** An event that the server appends by itself. */
export interface ServerEvent extends EventContent {
  readonly kind: 'RELEASE' | 'VOID';
}

/** An operation is released once and taken back once, whoever decides it, and however often: the log takes an id once (I2). */
export function serverEventId(kind: ServerEvent['kind'], operationId: string): string {
  return uuidV5(NAMESPACES[kind], operationId);
}

/**
 * The server's decision on an operation.
 * @param units of which it speaks: what it moves, unless the range of stock cuts that
 */
export function serverEvent(
  kind: ServerEvent['kind'],
  { operationId, productId, reason }: Pick<ReferencedOperation, 'operationId' | 'productId' | 'reason'>,
  units: number,
  lamport: number,
): ServerEvent {
  return {
    operationId: serverEventId(kind, operationId),
    productId,
    deviceId: SERVER_ID,
    deviceType: 'SERVER',
    kind,
    delta: units,
    reason,
    paymentStatus: null,
    amount: null,
    locationLat: null,
    locationLng: null,
    clientLamport: lamport,
    baseLamport: null,
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

/** Units that a released movement moves, signed: those that nobody has cancelled meanwhile. */
export function releasedMovement(named: ReferencedOperation): number {
  return named.kind === 'DECREMENT' ? 0 - notCancelled(named) : named.delta;
}

/** The effect of `units` on a stock of `quantity`, as far as the range of stock takes it. */
export function withinRange(quantity: number, units: number): number {
  return Math.max(-INT4_MAX, Math.min(INT4_MAX, quantity + units)) - quantity;
}
