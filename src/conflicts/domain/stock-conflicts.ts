import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { ProductDeletion } from '../../inventory/domain/product.js';
import { type ConflictSide, winnerOf } from './conflict.js';
import type { Finding } from './contention.js';
import { conflictIdOf, type NewConflict, scalars } from './state-conflicts.js';

/**
 * What the log keeps of each finding about an operation.
 * @param base the last lamport that its device had applied
 * @param stockThen units of the product before the operation
 */
export function stockConflicts(
  operation: Operation,
  base: number,
  stockThen: number,
  findings: readonly Finding[],
): NewConflict[] {
  const a: ConflictSide = {
    id: operation.operationId,
    deviceId: operation.deviceId,
    payload: { ...scalars(operation), knownLamport: base },
  };
  return findings.map((finding, index) => {
    const b = sideOf(finding.against);
    const { kind, judgement, precedence, asked } = finding;
    return {
      // The first is about the operation itself, and found by its id; the others by what it met.
      id: conflictIdOf('OPERATION', index === 0 ? a.id : `${a.id} ${b.id}`),
      ...{ kind, entity: 'STOCK', entityId: operation.productId, fields: [], a, b, stockThen },
      awaits: judgement ? null : 'HEURISTIC',
      resolution: judgement && {
        ...{ method: 'HARDCODED', ...judgement, resolvedBy: null, feedback: null },
        winnerId: precedence && winnerOf({ a, b }, precedence),
      },
      ...{ suggestion: null, decisions: asked },
    };
  });
}

function sideOf(against: LoggedOperation | ProductDeletion): ConflictSide {
  if ('state' in against) {
    const { content, state } = against;
    return {
      id: content.operationId,
      deviceId: content.deviceId,
      payload: { ...scalars(content), lamport: state.lamport },
    };
  }
  const { id, editId, deviceId, clientLamport, deletedLamport, name } = against;
  return { id: editId, deviceId, payload: { id, name, isDeleted: true, clientLamport, lamport: deletedLamport } };
}
