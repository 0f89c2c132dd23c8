import type { LoggedOperation, Rivals } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import { remainingOf } from '../../inventory/domain/reference.js';

/**
 * The last lamport that the device had applied when it recorded the operation: as it says itself, else no later than
 * what it had pulled (design, section 7). Nobody has applied what is not there yet.
 * @param lastPulledLamport null if it never pulled, or that is not known
 * @param headLamport the tenant's clock before the push
 */
export function baseOf(
  operation: Pick<Operation, 'baseLamport' | 'clientLamport'>,
  lastPulledLamport: number | null,
  headLamport: number,
): number {
  const known = operation.baseLamport ?? Math.min(operation.clientLamport - 1, lastPulledLamport ?? Infinity);
  return Math.min(known, headLamport);
}

/** What of it an entry with this base is concurrent with: the hub gives a total order, so this is exact. */
export function concurrentWith(base: number, { count, movement, takenBack, claims }: Rivals): Rivals {
  return {
    count: count && count.state.lamport > base ? count : null,
    movement: movement && movement.state.lamport > base ? movement : null,
    takenBack: takenBack && takenBack.state.lamport > base ? takenBack : null,
    claims: claims.filter(({ state }) => state.effectiveLamport > base && remainingOf(state) > 0),
  };
}

/** The most recent of them. */
export function mostRecent({ count, movement }: Pick<Rivals, 'count' | 'movement'>): LoggedOperation | null {
  if (!count || !movement) return count ?? movement;
  return count.state.lamport > movement.state.lamport ? count : movement;
}
