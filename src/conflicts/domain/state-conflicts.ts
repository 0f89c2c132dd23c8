import type { Payment } from '../../payments/domain/payment.js';
import type { PaymentEdit } from '../../payments/domain/payment.js';
import type { ReferencedOperation } from '../../inventory/domain/reference.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { Merge } from '../../states/domain/merge.js';
import type { Edit, Entity, Fields, Scalar, State } from '../../states/domain/state.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import type { Conflict, Resolution } from './conflict.js';
import type { Verdict } from './verdict.js';

/** A conflict that has no place in the order yet. */
export type NewConflict = Omit<Conflict, 'lamport'>;

/** Namespace of conflict ids (RFC 9562, section 5.5). */
const CONFLICT_NAMESPACE = '3b6b1a0e-5d0c-4f43-9c53-0b8f2a6e7d11';

/**
 * Of the conflict that an entry is in, if it is in one: the same entry sent again finds the same conflict. Devices choose
 * the ids of operations, so those of edits must be told apart from them.
 */
export function conflictIdOf(what: 'EDIT' | 'OPERATION', entryId: string): string {
  return uuidV5(CONFLICT_NAMESPACE, `${what} ${entryId}`);
}

/** Both sides changed the same fields: the newer one's values stand, the others' are kept here. */
export function fieldEdit<F extends object>(
  entity: Entity,
  current: State<F>,
  edit: Edit<F>,
  merge: Merge<F>,
): NewConflict {
  return {
    id: conflictIdOf('EDIT', edit.editId),
    kind: 'FIELD_EDIT',
    entity,
    entityId: edit.id,
    fields: merge.contested,
    a: { id: edit.editId, deviceId: edit.deviceId, payload: payloadOfEdit(edit) },
    b: { id: current.editId, deviceId: current.deviceId, payload: payloadOfState(current) },
    ...byRule(
      'last-write-wins',
      merge.newer ? 'A' : 'B',
      merge.newer ? 'The edit is newer than what stood.' : 'What stands is newer than the edit.',
      merge.newer ? edit.editId : current.editId,
    ),
  };
}

/** A second payment with the POS transaction of another: one charge entered twice, or a mistyped number. People decide. */
export function duplicatePayment(edit: PaymentEdit, proposed: Fields, first: Payment): NewConflict {
  return {
    id: conflictIdOf('EDIT', edit.editId),
    kind: 'DUPLICATE_PAYMENT',
    entity: 'PAYMENT',
    entityId: edit.id,
    fields: ['posTransactionId'],
    a: { id: edit.id, deviceId: edit.deviceId, payload: { ...proposed, ...payloadOfEdit(edit) } },
    b: { id: first.id, deviceId: first.deviceId, payload: payloadOfState(first) },
    ...{ stockThen: null, awaits: 'HEURISTIC', resolution: null, suggestion: null, decisions: [] },
  };
}

/**
 * A sale that confirms a reservation which had been closed: an ordinary sale, and worth a look.
 * @param competes whether the log has a conflict about the sale itself, which is found by its id
 */
export function closedReservation(
  sale: Pick<Operation, 'operationId' | 'deviceId' | 'productId'>,
  reservation: ReferencedOperation,
  competes: boolean,
): NewConflict {
  return {
    id: conflictIdOf('OPERATION', competes ? `${sale.operationId} ${reservation.operationId}` : sale.operationId),
    kind: 'RESERVATION_CLOSED',
    entity: 'STOCK',
    entityId: sale.productId,
    fields: [],
    a: { id: sale.operationId, deviceId: sale.deviceId, payload: scalars(sale) },
    b: { id: reservation.operationId, deviceId: reservation.deviceId, payload: scalars(reservation) },
    ...byRule(
      'closed-reservation',
      'BOTH',
      `The reservation ${howClosed(reservation)}, so the sale was recorded as an ordinary one.`,
      null,
    ),
  };
}

function howClosed({ closedBy, disposition }: ReferencedOperation): string {
  if (closedBy === 'SALE') return 'had been sold already';
  if (closedBy === 'VOID' || disposition === 'VOIDED') return 'had lapsed or been taken back';
  return disposition === 'HELD' ? 'was still waiting for a decision' : 'had been cancelled';
}

/** What the push itself settles, for certain. */
function byRule(
  name: string,
  verdict: Verdict,
  reason: string,
  winnerId: string | null,
): Pick<NewConflict, 'stockThen' | 'awaits' | 'resolution' | 'suggestion' | 'decisions'> {
  const answer = { verdict, confidence: 1, reason };
  const resolution: Resolution = { method: 'HARDCODED', ...answer, winnerId, resolvedBy: null, feedback: null };
  return {
    ...{ stockThen: null, awaits: null, resolution, suggestion: null },
    decisions: [{ tier: 'HARDCODED', name, answer }],
  };
}

function payloadOfEdit<F extends object>(edit: Edit<F>): Fields {
  return { ...(edit.said as Fields), id: edit.id, clientLamport: edit.clientLamport, version: edit.baseVersion };
}

function payloadOfState<F extends object>(state: State<F>): Fields {
  const { id, clientLamport, lamport, version } = state;
  return { ...(state.fields as Fields), id, clientLamport, lamport, version };
}

export function scalars(of: object): Record<string, Scalar> {
  return { ...(of as Readonly<Record<string, Scalar>>) };
}
