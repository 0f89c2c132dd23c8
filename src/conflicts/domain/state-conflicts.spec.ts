import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aSale, deviceId, operationId, productId } from '../../../test/support/arbitraries.js';
import {
  aPaymentEdit,
  aProductEdit,
  paymentEdits,
  paymentId,
  productEdits,
  saleId,
} from '../../../test/support/state-arbitraries.js';
import type { Product, ProductFields } from '../../inventory/domain/product.js';
import type { ReferencedOperation } from '../../inventory/domain/reference.js';
import { type Payment, type PaymentFields, UNRECONCILED } from '../../payments/domain/payment.js';
import { NO_EDITS, type EditBase, mergeEdit } from '../../states/domain/merge.js';
import type { Fields } from '../../states/domain/state.js';
import { closedReservation, conflictIdOf, duplicatePayment, fieldEdit } from './state-conflicts.js';
import type { Judgement } from './verdict.js';

const CHEESE: ProductFields = {
  ...{ name: 'Cheese', description: null, price: 1, sku: null, category: null, reorderPoint: null, isDeleted: false },
};

/** Last changed at lamport 20, by the second device at its lamport 10. */
const STANDING: Product = {
  ...{ id: productId(1), fields: CHEESE, version: 2, lamport: 20, clientLamport: 10, editId: operationId(7) },
  ...{ deviceId: deviceId(2), deletedLamport: null, updatedBy: null },
};

const bases: fc.Arbitrary<EditBase> = fc
  .record({ edit: productEdits, changed: fc.subarray(Object.keys(CHEESE)) })
  .map(({ edit, changed }) => ({
    fields: { ...CHEESE, ...edit.said },
    changedByOthers: new Set(changed),
    othersLamport: 20,
    own: NO_EDITS,
  }));

describe('conflictIdOf', () => {
  it('stays what it is from one version of the service to the next, or an edit sent again would be disputed twice', () => {
    expect(conflictIdOf('EDIT', productId(1))).toBe('9d65e5a7-3dfe-58b3-b28e-35a3eaeaf7da');
  });
});

/** What the log keeps of a conflict that the push has settled, beside what it is about. */
function settledByRule(name: string, { winnerId, ...answer }: Judgement & { readonly winnerId: string | null }) {
  return {
    ...{ stockThen: null, awaits: null, suggestion: null },
    resolution: { method: 'HARDCODED', ...answer, winnerId, resolvedBy: null, feedback: null },
    decisions: [{ tier: 'HARDCODED', name, answer }],
  };
}

describe('fieldEdit', () => {
  it('tells both sides in full, which fields are in question, and which side stands', () => {
    const said = { name: 'Honey', price: 1, category: null } as const;
    const edit = aProductEdit({ said, clientLamport: 20, baseVersion: 9 });
    expect(fieldEdit('PRODUCT', STANDING, edit, mergeEdit(STANDING, edit, undefined))).toEqual({
      id: conflictIdOf('EDIT', edit.editId),
      kind: 'FIELD_EDIT',
      entity: 'PRODUCT',
      entityId: productId(1),
      fields: ['name'],
      a: {
        id: edit.editId,
        deviceId: deviceId(1),
        payload: { id: productId(1), name: 'Honey', price: 1, category: null, clientLamport: 20, version: 9 },
      },
      b: {
        id: STANDING.editId,
        deviceId: deviceId(2),
        payload: { id: productId(1), ...CHEESE, clientLamport: 10, lamport: 20, version: 2 },
      },
      ...settledByRule('last-write-wins', {
        verdict: 'B',
        confidence: 1,
        reason: 'What stands is newer than the edit.',
        winnerId: STANDING.editId,
      }),
    });
  });

  it('names the edit as the winner that overwrites what others changed', () => {
    const edit = aProductEdit({ said: { name: 'Honey' }, clientLamport: 21, baseVersion: 1 });
    const base: EditBase = {
      fields: { ...CHEESE, name: 'Milk' },
      changedByOthers: new Set(['name']),
      othersLamport: 20,
      own: NO_EDITS,
    };
    expect(fieldEdit('PRODUCT', STANDING, edit, mergeEdit(STANDING, edit, base))).toMatchObject({
      fields: ['name'],
      b: { payload: { name: 'Cheese' } },
      resolution: { reason: 'The edit is newer than what stood.', winnerId: edit.editId },
    });
  });

  it('holds both values of every field in question, and of the winner those that stand', () => {
    fc.assert(
      fc.property(productEdits, fc.option(bases, { nil: undefined }), (edit, base) => {
        const merge = mergeEdit(STANDING, edit, base);
        const { a, b, fields, resolution } = fieldEdit('PRODUCT', STANDING, edit, merge);
        const winner = resolution?.winnerId === a.id ? a : b;
        for (const name of fields) {
          expect(a.payload[name]).toBe((edit.said as Fields)[name]);
          expect(b.payload[name]).toBe((STANDING.fields as unknown as Fields)[name]);
          expect((merge.fields as unknown as Fields)[name]).toBe(winner.payload[name]);
        }
        expect(a.payload).toMatchObject(edit.said);
      }),
    );
  });

  it('is known again by the edit, whatever it competed with', () => {
    fc.assert(
      fc.property(productEdits, productEdits, (edit, other) => {
        const standing = { ...STANDING, editId: other.editId, fields: { ...CHEESE, ...other.said } };
        const ids = [STANDING, standing].map(
          (state) => fieldEdit('PRODUCT', state, edit, mergeEdit(state, edit, undefined)).id,
        );
        expect(ids).toEqual([conflictIdOf('EDIT', edit.editId), conflictIdOf('EDIT', edit.editId)]);
      }),
    );
  });
});

describe('duplicatePayment', () => {
  const IN_CASH: PaymentFields = {
    ...{ saleId: saleId(1), amount: 10, paymentMethod: 'CASH', posTransactionId: 'T-1', posDeviceId: null },
    ...{ receiptPhoto: null, notes: null },
  };
  const FIRST: Payment = {
    ...{ id: paymentId(1), fields: IN_CASH, version: 2, lamport: 20, clientLamport: 10, editId: operationId(7) },
    ...{ deviceId: deviceId(2), createdLamport: 4, reconciliation: UNRECONCILED, updatedBy: null },
  };

  it('tells both payments in full and waits for people', () => {
    const said = { saleId: saleId(2), amount: 25, paymentMethod: 'CASH', posTransactionId: 'T-1' } as const;
    const edit = aPaymentEdit({ id: paymentId(2), said, clientLamport: 30 });
    const proposed = { ...IN_CASH, ...said };
    expect(duplicatePayment(edit, proposed, FIRST)).toEqual({
      id: conflictIdOf('EDIT', edit.editId),
      kind: 'DUPLICATE_PAYMENT',
      entity: 'PAYMENT',
      entityId: paymentId(2),
      fields: ['posTransactionId'],
      a: {
        id: paymentId(2),
        deviceId: deviceId(1),
        payload: { ...proposed, id: paymentId(2), clientLamport: 30, version: null },
      },
      b: {
        id: paymentId(1),
        deviceId: deviceId(2),
        payload: { ...IN_CASH, id: paymentId(1), clientLamport: 10, lamport: 20, version: 2 },
      },
      ...{ stockThen: null, awaits: 'HEURISTIC', resolution: null, suggestion: null, decisions: [] },
    });
  });

  it('keeps what the edit says even of fields that a merge would have left as they stood', () => {
    fc.assert(
      fc.property(paymentEdits, (edit) => {
        const { payload } = duplicatePayment(edit, { ...IN_CASH }, FIRST).a;
        expect(payload).toMatchObject(edit.said);
      }),
    );
  });
});

describe('closedReservation', () => {
  const reservation: ReferencedOperation = {
    ...{ operationId: operationId(1), productId: productId(1), deviceId: deviceId(2), kind: 'DECREMENT' },
    ...{ reason: 'RESERVATION', delta: 3, disposition: 'APPLIED', lamport: 4, effect: -3 },
    ...{ effectiveLamport: 4, refOperationId: null, cancelled: 0, cancelling: 0, closedBy: null, confirmed: false },
  };
  const sale = aSale({ operationId: operationId(2), delta: 2, amount: 8.5, refOperationId: operationId(1) });

  it.each([
    [{ closedBy: 'SALE' }, 'The reservation had been sold already, so the sale was recorded as an ordinary one.'],
    [
      { closedBy: 'VOID' },
      'The reservation had lapsed or been taken back, so the sale was recorded as an ordinary one.',
    ],
    [
      { closedBy: 'VOID', disposition: 'HELD' },
      'The reservation had lapsed or been taken back, so the sale was recorded as an ordinary one.',
    ],
    [
      { disposition: 'HELD' },
      'The reservation was still waiting for a decision, so the sale was recorded as an ordinary one.',
    ],
    [{ cancelled: 3 }, 'The reservation had been cancelled, so the sale was recorded as an ordinary one.'],
  ] as const)('tells that both stand, and of %p why', (how, reason) => {
    expect(closedReservation(sale, { ...reservation, ...how }, false)).toEqual({
      id: conflictIdOf('OPERATION', operationId(2)),
      kind: 'RESERVATION_CLOSED',
      entity: 'STOCK',
      entityId: productId(1),
      fields: [],
      a: { id: operationId(2), deviceId: deviceId(1), payload: { ...sale } },
      b: { id: operationId(1), deviceId: deviceId(2), payload: { ...reservation, ...how } },
      ...settledByRule('closed-reservation', { verdict: 'BOTH', confidence: 1, reason, winnerId: null }),
    });
  });

  it('is told apart from what else the log says of the sale', () => {
    const found = closedReservation(sale, { ...reservation, closedBy: 'VOID' }, true);
    expect(found.id).not.toBe(conflictIdOf('OPERATION', operationId(2)));
  });
});
