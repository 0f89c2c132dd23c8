import { describe, expect, it } from '@jest/globals';
import { type Payment, UNRECONCILED } from './payment.js';
import { reconcile } from './reconcile.js';

const payment: Payment = {
  id: '11111111-0000-4000-8000-000000000001',
  fields: {
    saleId: '11111111-0000-4000-8000-000000000002',
    amount: 5,
    paymentMethod: 'CASH',
    posTransactionId: null,
    posDeviceId: null,
    receiptPhoto: null,
    notes: 'of the device',
  },
  reconciliation: UNRECONCILED,
  createdLamport: 3,
  version: 2,
  lamport: 7,
  deviceId: '11111111-0000-4000-8000-000000000003',
  clientLamport: 6,
  editId: '11111111-0000-4000-8000-000000000004',
  updatedBy: null,
};
const [by, at] = ['11111111-0000-4000-8000-000000000005', new Date(5)];

describe('reconcile', () => {
  it('is a new version at its own lamport, and leaves what the device said as it is', () => {
    expect(reconcile(payment, { status: 'CONFIRMED', notes: 'seen' }, by, at, 9)).toEqual({
      ...payment,
      reconciliation: { status: 'CONFIRMED', notes: 'seen', by, at },
      version: 3,
      lamport: 9,
    });
  });

  it('changes nothing when it says the same again, whoever does', () => {
    const once = reconcile(payment, { status: 'FAILED', notes: null }, by, at, 9);
    expect(once && reconcile(once, { status: 'FAILED', notes: null }, payment.deviceId, new Date(6), 10)).toBeNull();
  });

  it('may be decided otherwise later, in the status or in the notes alone', () => {
    const once = reconcile(payment, { status: 'FAILED', notes: null }, by, at, 9) ?? payment;
    expect(reconcile(once, { status: 'CONFIRMED', notes: null }, by, at, 10)).toMatchObject({
      version: 4,
      lamport: 10,
    });
    expect(reconcile(once, { status: 'FAILED', notes: 'bounced' }, by, at, 10)).toMatchObject({ version: 4 });
  });
});
