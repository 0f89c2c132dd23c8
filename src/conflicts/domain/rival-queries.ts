import type { StockLevel } from '../../inventory/domain/ledger.js';
import type { RivalQuery } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { TenantSettings } from '../../tenancy/domain/tenant-settings.js';
import { baseOf } from './concurrency.js';

/**
 * What to look up of others before the operations of one push are decided: only what may contend with them. Of most
 * pushes that is whether anybody counted what they moved, and no more, however many moved it too.
 */
export function rivalQueries(
  operations: readonly Operation[],
  levels: ReadonlyMap<string, StockLevel>,
  lastPulledLamport: number | null,
  headLamport: number,
  { conflictDetection }: Pick<TenantSettings, 'conflictDetection'>,
): RivalQuery[] {
  const drafts = new Map<string, { after: number; counted: boolean; taken: number }>();
  for (const operation of operations) {
    const { productId, kind, delta } = operation;
    const draft = drafts.get(productId) ?? { after: Infinity, counted: false, taken: 0 };
    drafts.set(productId, draft);
    draft.after = Math.min(draft.after, baseOf(operation, lastPulledLamport, headLamport));
    draft.counted ||= kind === 'SET';
    if (kind === 'DECREMENT') draft.taken += delta;
  }
  return [...drafts].map(([productId, { after, counted, taken }]) => {
    const quantity = levels.get(productId)?.quantity ?? 0;
    return {
      productId,
      after,
      movement: counted || conflictDetection === 'CONCURRENCY',
      takenBack: counted,
      // More than is missing can't be needed. A count in the push may leave less than there is now.
      claimedUnits: taken > 0 && (counted || taken > quantity) ? taken + Math.max(0, -quantity) : 0,
    };
  });
}
