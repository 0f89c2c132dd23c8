import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { stockChangeOf, takingsOf } from './direct-sum.js';
import {
  cancellationKeyOf,
  isGoods,
  type Movement,
  operationIdOf,
  productIdOf,
  shopOf,
  tillOf,
  toMovement,
} from './mapping.js';
import type { RetailLine } from './retail-csv.js';

/** The first line of the file, unless the test says otherwise. */
function aLine(fields: Partial<RetailLine> = {}): RetailLine {
  return {
    number: 2,
    invoice: '536365',
    code: '85123A',
    quantity: 6,
    localTime: '2010-12-01 08:26:00',
    priceMills: 2_550,
    customer: '17850.0',
    ...fields,
  };
}

/** Any line that can be read, sensible or not. */
const anyLine: fc.Arbitrary<RetailLine> = fc.record({
  number: fc.integer({ min: 2, max: 1_000_000 }),
  invoice: fc
    .tuple(fc.constantFrom('', 'C', 'A'), fc.integer({ min: 536_365, max: 581_587 }))
    .map((two) => two.join('')),
  code: fc.constantFrom('85123A', '85123a', '22423', 'POST', 'M', 'gift_0001_20'),
  quantity: fc.integer({ min: -80_995, max: 80_995 }).filter((quantity) => quantity !== 0),
  localTime: fc.constant('2011-07-01 12:00:00'),
  priceMills: fc.oneof(fc.constant(0), fc.integer({ min: -11_062_060, max: 38_970_000 })),
  customer: fc.constantFrom('', '17850.0', '13047.0'),
});

function effectOf(movement: Movement | undefined): number {
  if (movement === undefined) return 0;
  return movement.operation === 'INCREMENT' ? movement.delta : -movement.delta;
}

describe('toMovement', () => {
  it('makes a line of an invoice a paid sale', () => {
    expect(toMovement(aLine())).toEqual({
      operation_id: operationIdOf(2),
      product_id: productIdOf('85123A'),
      operation: 'DECREMENT',
      delta: 6,
      reason: 'SALE',
      payment_status: 'PAID',
      amount: 15.3,
      created_at: '2010-12-01T08:26:00.000Z',
    });
  });

  it('makes a give-away to a customer a sale for nothing', () => {
    expect(toMovement(aLine({ priceMills: 0 }))).toMatchObject({ operation: 'DECREMENT', reason: 'SALE', amount: 0 });
  });

  it('makes a line of a C invoice goods and money that go back', () => {
    const movement = toMovement(aLine({ invoice: 'C536379', quantity: -1, priceMills: 27_500 }));
    expect(movement).toMatchObject({ operation: 'INCREMENT', delta: 1, reason: 'CANCEL', amount: -27.5 });
    expect(movement).not.toHaveProperty('payment_status');
  });

  it('makes goods that left without an invoice a damage that has happened', () => {
    const movement = toMovement(aLine({ quantity: -10, priceMills: 0, customer: '' }));
    expect(movement).toMatchObject({ operation: 'DECREMENT', delta: 10, reason: 'DAMAGE', payment_status: 'PAID' });
    expect(movement).not.toHaveProperty('amount');
  });

  it('makes goods that came for nothing, to nobody, an adjustment', () => {
    const movement = toMovement(aLine({ quantity: 56, priceMills: 0, customer: '' }));
    expect(movement).toMatchObject({ operation: 'INCREMENT', delta: 56, reason: 'ADJUSTMENT' });
  });

  it('skips a bad debt', () => {
    expect(toMovement(aLine({ invoice: 'A563185', code: 'B', quantity: 1, customer: '' }))).toBeUndefined();
  });

  it('moves what the direct sum moves, of any line', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const movement = toMovement(line);
        expect(effectOf(movement)).toBe(stockChangeOf(line) + 0);
        expect(Math.round((movement?.amount ?? 0) * 100)).toBe(takingsOf(line) + 0);
        expect(movement?.delta ?? 1).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('never takes a paid movement for one that can be refused', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        const movement = toMovement(line);
        if (movement?.operation === 'DECREMENT') expect(movement.payment_status).toBe('PAID');
      }),
    );
  });

  it('rounds to pence, halves away from zero, and knows no minus zero', () => {
    const amountOf = (quantity: number, priceMills: number): number | null | undefined =>
      toMovement(aLine({ invoice: quantity < 0 ? 'C536379' : '536365', quantity, priceMills }))?.amount;
    expect(amountOf(1, 1_005)).toBe(1.01);
    expect(amountOf(-1, 1_005)).toBe(-1.01);
    expect(amountOf(3, 110)).toBe(0.33);
    expect(Object.is(amountOf(-1, 0), 0)).toBe(true);
    expect(amountOf(80_995, 2_080)).toBe(168_469.6);
  });

  it('takes times for those of the United Kingdom', () => {
    const at = (localTime: string): string | null | undefined => toMovement(aLine({ localTime }))?.created_at;
    expect(at('2011-01-18 10:01:00')).toBe('2011-01-18T10:01:00.000Z');
    expect(at('2011-07-01 12:00:00')).toBe('2011-07-01T11:00:00.000Z');
    expect(at('2011-03-27 00:59:00')).toBe('2011-03-27T00:59:00.000Z');
    expect(at('2011-03-27 02:00:00')).toBe('2011-03-27T01:00:00.000Z');
    expect(at('2011-10-30 01:59:00')).toBe('2011-10-30T00:59:00.000Z');
    expect(at('2011-10-30 02:00:00')).toBe('2011-10-30T02:00:00.000Z');
  });
});

describe('identity', () => {
  it('tells lines apart that are the same byte for byte', () => {
    expect(toMovement(aLine({ number: 3 }))?.operation_id).not.toBe(toMovement(aLine({ number: 4 }))?.operation_id);
  });

  it('tells codes apart that differ only in case', () => {
    expect(productIdOf('85123A')).not.toBe(productIdOf('85123a'));
  });

  it('stays the same from version to version', () => {
    expect(operationIdOf(2)).toBe('000c9e60-4864-5d47-bb27-b182f67a5320');
    expect(productIdOf('85123A')).toBe('fd28218e-d9a7-5e6c-8b0f-42d739214b30');
  });

  it('takes codes that begin with five digits for goods', () => {
    expect(['85123A', '22423', '15056BL'].every(isGoods)).toBe(true);
    expect(['POST', 'M', 'C2', 'DCGS0003', 'gift_0001_20', '1234'].some(isGoods)).toBe(false);
  });
});

describe('where a line goes', () => {
  it('brings a sale and its cancellation to the same shop', () => {
    fc.assert(
      fc.property(anyLine, fc.integer({ min: 1, max: 50 }), (any, shops) => {
        const line = { ...any, invoice: any.invoice.replace(/^[AC]/, '') };
        const cancellation = { ...line, invoice: `C${line.invoice}`, quantity: -line.quantity };
        expect(shopOf(cancellation, shops)).toBe(shopOf(line, shops));
        expect(cancellationKeyOf(cancellation)).toBe(cancellationKeyOf(line));
      }),
    );
  });

  it('writes an invoice at one till, and uses them all', () => {
    const invoices = Array.from({ length: 1_000 }, (_, index) =>
      aLine({ invoice: `${536_365 + index}`, customer: '' }),
    );
    const places = invoices.map((line) => `${shopOf(line, 2)}.${tillOf(line, 4)}`);
    expect(new Set(places).size).toBe(8);
    expect(tillOf(aLine({ code: '22423' }), 4)).toBe(tillOf(aLine(), 4));
  });

  it('finds no sale for a cancellation without a customer', () => {
    expect(cancellationKeyOf(aLine({ customer: '' }))).toBeUndefined();
  });
});
