import { nextLamport, type TenantClock } from '../../tenancy/domain/lamport-clock.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import { chainHash, contentHash } from './hash-chain.js';
import { EMPTY_LEVEL, type StockLevel } from './ledger.js';
import { INT4_MAX } from './operation.js';
import { isReservation, type ReferencedOperation, remainingOf } from './reference.js';
import { type EventContent, SERVER_ID, type StockEvent } from './stock-event.js';

/** Namespace of the ids of lapses (RFC 9562, section 5.5). */
const LAPSE_NAMESPACE = '5d1f6a52-0c1b-4d0a-8a37-94b9c7e2f016';

/** A reservation lapses once, whoever notices, and however often: the log takes an operation id once (I2). */
export function lapseId(reservationId: string): string {
  return uuidV5(LAPSE_NAMESPACE, reservationId);
}

/** What to write when reservations have lapsed. */
export interface Lapse {
  /** To append, in lamport order. */
  readonly events: readonly StockEvent[];
  /** By product id: the levels that changed. */
  readonly levels: ReadonlyMap<string, StockLevel>;
  readonly clock: TenantClock;
}

/**
 * Gives back what those of `due` that are still open hold: a VOID for each, in the order given. One that was confirmed,
 * cancelled or has lapsed before holds nothing, and nothing happens: the log is the truth, not the agenda.
 * @param levels by product id; a product without events is missing
 */
export function lapse(
  tenantId: string,
  clock: TenantClock,
  due: readonly ReferencedOperation[],
  levels: ReadonlyMap<string, StockLevel>,
): Lapse {
  const changed = new Map<string, StockLevel>();
  const events: StockEvent[] = [];
  let { lamport, chainHash: head } = clock;
  for (const reservation of due) {
    const held = isReservation(reservation) ? remainingOf(reservation) : 0;
    if (held === 0) continue;
    const { productId } = reservation;
    const level = changed.get(productId) ?? levels.get(productId) ?? EMPTY_LEVEL;
    // A count may have filled the range meanwhile. What doesn't fit is given up: a reservation that could never lapse
    // would come up again at every look.
    const stockAfter = Math.min(INT4_MAX, level.quantity + held);
    lamport = nextLamport(lamport);
    const content = voidOf(reservation, held, lamport);
    const hash = contentHash(tenantId, content);
    head = chainHash(head, hash);
    events.push({
      ...content,
      lamport,
      effect: stockAfter - level.quantity,
      stockAfter,
      disposition: 'APPLIED',
      contentHash: hash,
      chainHash: head,
    });
    changed.set(productId, { ...level, quantity: stockAfter, lastLamport: lamport });
  }
  return { events, levels: changed, clock: { ...clock, lamport, chainHash: head } };
}

function voidOf(reservation: ReferencedOperation, held: number, lamport: number): EventContent {
  return {
    operationId: lapseId(reservation.operationId),
    productId: reservation.productId,
    deviceId: SERVER_ID,
    deviceType: 'SERVER',
    kind: 'VOID',
    delta: held,
    reason: 'RESERVATION',
    paymentStatus: null,
    amount: null,
    locationLat: null,
    locationLng: null,
    clientLamport: lamport,
    baseLamport: null,
    version: null,
    groupId: null,
    refOperationId: reservation.operationId,
    expiresAt: null,
    createdAt: null,
    createdBy: SERVER_ID,
    updatedBy: null,
  };
}
