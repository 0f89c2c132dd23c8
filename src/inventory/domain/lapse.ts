import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { StockLevel } from './ledger.js';
import { isReservation, type ReferencedOperation, remainingOf } from './reference.js';
import { ServerLog, type ServerWrites } from './server-log.js';

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
): ServerWrites {
  const log = new ServerLog(tenantId, clock, levels);
  for (const reservation of due) {
    if (isReservation(reservation) && remainingOf(reservation) > 0) log.void(reservation);
  }
  return log.writes();
}
