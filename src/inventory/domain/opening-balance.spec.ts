import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { productId } from '../../../test/support/arbitraries.js';
import { aProductEdit, productEdits } from '../../../test/support/state-arbitraries.js';
import { EMPTY_LEVEL, move } from './ledger.js';
import { openingBalance, openingBalanceId } from './opening-balance.js';
import { INT4_MAX } from './operation.js';
import { SERVER_ID } from './stock-event.js';

const units = fc.integer({ min: 0, max: INT4_MAX });

describe('openingBalanceId', () => {
  it('stays what it is from one version of the service to the next, or a product would be opened twice', () => {
    expect(openingBalanceId(productId(1))).toBe('7e86a7c5-4f9a-5ca7-b7d5-5f31dc9f9a4c');
  });

  it('is another for each product', () => {
    const ids = Array.from({ length: 1_000 }, (_, number) => openingBalanceId(productId(number)));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('openingBalance', () => {
  it('is a receipt of the server, in the name of the device and the user who told of it', () => {
    const updatedBy = 'eeeeeeee-0000-4000-8000-000000000001';
    const edit = aProductEdit({ clientLamport: 7, currentStock: 5, updatedBy });
    expect(openingBalance(edit, 5)).toEqual({
      ...{ operationId: openingBalanceId(edit.id), productId: edit.id, deviceId: edit.deviceId, deviceType: 'SERVER' },
      ...{ kind: 'INCREMENT', delta: 5, reason: 'ADJUSTMENT', clientLamport: 7, createdBy: updatedBy },
      ...{ paymentStatus: null, amount: null, locationLat: null, locationLng: null, baseLamport: null, version: null },
      ...{ groupId: null, refOperationId: null, expiresAt: null, createdAt: null, updatedBy: null },
    });
    expect(openingBalance(aProductEdit(), 5).createdBy).toBe(SERVER_ID);
  });

  it('has the same identity whoever says it, when, and how much', () => {
    fc.assert(
      fc.property(productEdits, productEdits, units, units, (a, b, ofA, ofB) => {
        expect(openingBalance(a, ofA).operationId).toBe(openingBalance(b, ofB).operationId);
      }),
    );
  });

  it('adds its units, also none, to what was sold before the product was known, and tracks it from then on', () => {
    fc.assert(
      fc.property(units, fc.integer({ min: 0, max: 100 }), (there, sold) => {
        const level = { ...EMPTY_LEVEL, quantity: -sold };
        expect(move(level, openingBalance(aProductEdit(), there))).toMatchObject({
          ok: true,
          effect: there,
          stockAfter: there - sold,
          tracked: true,
        });
      }),
    );
  });
});
