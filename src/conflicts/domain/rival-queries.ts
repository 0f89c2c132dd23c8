import type { StockLevel } from '../../inventory/domain/ledger.js';
import type { CountQuery, RivalQuery } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { TenantSettings } from '../../tenancy/domain/tenant-settings.js';
import { baseOf } from './concurrency.js';

/** What to look up of others for every push: all that most ask, however many moved the same, and it takes nothing read before. */
export function countQueries(operations: readonly Operation[]): CountQuery[] {
  const drafts = new Map<string, { appliedLamport: number | null; unsaidLamport: number | null }>();
  for (const { productId, baseLamport, clientLamport } of operations) {
    let draft = drafts.get(productId);
    if (!draft) {
      draft = { appliedLamport: null, unsaidLamport: null };
      drafts.set(productId, draft);
    }
    if (baseLamport === null) draft.unsaidLamport = Math.min(draft.unsaidLamport ?? Infinity, clientLamport - 1);
    else draft.appliedLamport = Math.min(draft.appliedLamport ?? Infinity, baseLamport);
  }
  return [...drafts].map(([productId, draft]) => ({ productId, ...draft }));
}

/**
 * What more to look up of others before the operations of one push are decided: only what may contend with them. Of most
 * pushes that is nothing.
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
    let draft = drafts.get(productId);
    if (!draft) {
      draft = { after: Infinity, counted: false, taken: 0 };
      drafts.set(productId, draft);
    }
    draft.after = Math.min(draft.after, baseOf(operation, lastPulledLamport, headLamport));
    draft.counted ||= kind === 'SET';
    if (kind === 'DECREMENT') draft.taken += delta;
  }
  const queries: RivalQuery[] = [];
  for (const [productId, { after, counted, taken }] of drafts) {
    const quantity = levels.get(productId)?.quantity ?? 0;
    const movement = counted || conflictDetection === 'CONCURRENCY';
    // More than is missing can't be needed. A count in the push may leave less than there is now.
    const claimedUnits = taken > 0 && (counted || taken > quantity) ? taken + Math.max(0, -quantity) : 0;
    if (movement || claimedUnits > 0) queries.push({ productId, after, movement, takenBack: counted, claimedUnits });
  }
  return queries;
}
