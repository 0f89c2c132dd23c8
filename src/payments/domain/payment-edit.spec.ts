import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aPaymentEdit, paymentEdits, saleId } from '../../../test/support/state-arbitraries.js';
import { NO_EDITS, mergeEdit } from '../../states/domain/merge.js';
import { decidePaymentEdit } from './payment-edit.js';
import { type Payment, type PaymentFields, UNRECONCILED } from './payment.js';

const IN_CASH: PaymentFields = {
  saleId: saleId(1),
  amount: 10,
  paymentMethod: 'CASH',
  posTransactionId: null,
  posDeviceId: null,
  receiptPhoto: null,
  notes: null,
};

const A_PAYMENT: Payment = {
  ...{ id: aPaymentEdit().id, editId: aPaymentEdit().editId, fields: IN_CASH, version: 2, lamport: 20 },
  ...{ clientLamport: 10, deviceId: 'dddddddd-0000-4000-8000-000000000002', createdLamport: 4 },
  ...{ reconciliation: UNRECONCILED, updatedBy: null },
};

describe('decidePaymentEdit, of a new payment', () => {
  it('makes it of what is said, and blanks of the rest', () => {
    const said = { saleId: saleId(2), amount: -3.5, paymentMethod: 'TRANSFER', notes: 'A refund' } as const;
    expect(decidePaymentEdit(undefined, aPaymentEdit({ said }), undefined)).toEqual({
      verdict: 'WRITE',
      merge: {
        fields: { ...IN_CASH, ...said },
        changed: ['posTransactionId', 'posDeviceId', 'receiptPhoto', 'notes', 'saleId', 'amount', 'paymentMethod'],
        contested: [],
        newer: true,
        takes: true,
      },
    });
  });

  it('takes any that has a sale, an amount and a method, and of the others names the first that is missing', () => {
    fc.assert(
      fc.property(paymentEdits, (edit) => {
        const verdict = decidePaymentEdit(undefined, edit, undefined);
        const required = ['saleId', 'amount', 'paymentMethod'] as const;
        const missing = required.find((name) => edit.said[name] === undefined);
        if (missing) expect(verdict).toEqual({ verdict: 'REJECT', missing });
        else expect(verdict).toMatchObject({ verdict: 'WRITE', merge: { fields: { ...IN_CASH, ...edit.said } } });
      }),
      { numRuns: 400 },
    );
  });

  it('takes an amount of nothing for an amount', () => {
    const said = { saleId: saleId(1), amount: 0, paymentMethod: 'CASH' } as const;
    expect(decidePaymentEdit(undefined, aPaymentEdit({ said }), undefined)).toMatchObject({ verdict: 'WRITE' });
  });
});

describe('decidePaymentEdit, of a payment that is there', () => {
  it('merges, and writes what takes', () => {
    const bases = fc.record({ edit: paymentEdits, changed: fc.subarray(Object.keys(IN_CASH)) }).map((base) => ({
      fields: { ...IN_CASH, ...base.edit.said },
      changedByOthers: new Set(base.changed),
      othersLamport: 20,
      own: NO_EDITS,
    }));
    fc.assert(
      fc.property(paymentEdits, fc.option(bases, { nil: undefined }), (edit, base) => {
        const merge = mergeEdit(A_PAYMENT, edit, base);
        expect(decidePaymentEdit(A_PAYMENT, edit, base)).toEqual({ verdict: merge.takes ? 'WRITE' : 'IGNORE', merge });
      }),
    );
  });
});
