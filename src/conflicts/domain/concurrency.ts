import type { LoggedOperation, Rivals } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import { remainingOf } from '../../inventory/domain/reference.js';

/**
 * The last lamport that the device had applied when it recorded the operation: as it says itself, else no later than
 * what it had pulled (design, section 7).
 * @param lastPulledLamport null if it never pulled, or that is not known
 */
export function baseOf(
  operation: Pick<Operation, 'baseLamport' | 'clientLamport'>,
  lastPulledLamport: number | null,
): number {
  return operation.baseLamport ?? Math.min(operation.clientLamport - 1, lastPulledLamport ?? Infinity);
}

/** What of it an entry with this base is concurrent with: the hub gives a total order, so this is exact. */
export function concurrentWith(base: number, { count, movement, claims }: Rivals): Rivals {
  return {
    count: count && count.state.lamport > base ? count : null,
    movement: movement && movement.state.lamport > base ? movement : null,
    claims: claims.filter(({ state }) => state.lamport > base && remainingOf(state) > 0),
  };
}

/** The most recent of them. */
export function mostRecent({ count, movement }: Rivals): LoggedOperation | null {
  if (!count || !movement) return count ?? movement;
  return count.state.lamport > movement.state.lamport ? count : movement;
}
