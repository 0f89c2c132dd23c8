import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readWire } from './read-wire.js';
import {
  AMOUNT_MAX,
  WireAmount,
  WireEntries,
  WireEnum,
  WireInteger,
  WireNumber,
  WireQueryInteger,
  WireSha256,
  WireText,
  WireTime,
  WireUuid,
} from './wire.decorators.js';
import { WirePipe } from './wire.pipe.js';

/** Tells the code with which a field so decorated refuses a value; undefined if it takes it. */
function refusalBy(decorator: PropertyDecorator): (value: unknown) => string | undefined {
  // One class a field, not one a value: class-validator looks through all classes it has ever seen.
  class Holder {
    field!: unknown;
  }
  decorator(Holder.prototype, 'field');
  return (value) => {
    const reading = readWire(Holder, { field: value });
    return reading.ok ? undefined : reading.errors[0]?.code;
  };
}

const ID = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';
const HASH = '0123456789abcdef'.repeat(4);

const DECORATORS: Readonly<Record<string, (options: { optional: boolean }) => PropertyDecorator>> = {
  WireUuid,
  WireSha256,
  WireTime,
  WireAmount,
  WireInteger: (options) => WireInteger({ min: 0, max: 9, ...options }),
  WireNumber: (options) => WireNumber({ min: 0, max: 9, ...options }),
  WireText: (options) => WireText({ max: 9, ...options }),
  WireEnum: (options) => WireEnum(['CASH', 'TRANSFER'], options),
  WireEntries: (options) => WireEntries(undefined, 3, options),
};

describe.each(Object.entries(DECORATORS))('%s', (_name, decorate) => {
  const refusal = refusalBy(decorate({ optional: true }));
  const refusalIfRequired = refusalBy(decorate({ optional: false }));

  it('takes null and nothing only where it is optional', () => {
    expect(refusal(null)).toBeUndefined();
    expect(refusal(undefined)).toBeUndefined();
    expect(refusalIfRequired(undefined)).toBe('REQUIRED');
    expect(refusalIfRequired(null)).toEqual(expect.any(String));
  });

  it('refuses objects, symbols and what is not a number, without throwing', () => {
    for (const value of [{}, { length: 1 }, { toString: null }, Symbol('x'), NaN, Infinity, -Infinity, () => 1, true]) {
      expect(refusal(value)).toEqual(expect.any(String));
    }
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        refusal(value);
      }),
    );
  });
});

describe('WireUuid', () => {
  const refusal = refusalBy(WireUuid());

  it('takes every UUID, of any version and in either case', () => {
    const ids = fc.oneof(
      fc.uuid(),
      fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    );
    fc.assert(
      fc.property(ids, fc.boolean(), (id, capitals) => {
        expect(refusal(capitals ? id.toUpperCase() : id)).toBeUndefined();
      }),
    );
  });

  it.each([
    `{${ID}}`,
    ` ${ID}`,
    `${ID}\n`,
    ID.replaceAll('-', ''),
    `urn:uuid:${ID}`,
    ID.slice(1),
    ID.replace('7', 'g'),
  ])('refuses %p', (text) => {
    expect(refusal(text)).toBe('IS_UUID');
  });
});

describe('WireSha256', () => {
  const refusal = refusalBy(WireSha256());

  it('takes 64 hex digits, in either case, and nothing more', () => {
    expect([HASH, HASH.toUpperCase()].map(refusal)).toEqual([undefined, undefined]);
    for (const text of [HASH.slice(1), `${HASH}0`, `${HASH}\n`, HASH.replace('0', 'g'), '']) {
      expect(refusal(text)).toBe('MATCHES');
    }
  });
});

describe('WireInteger', () => {
  const refusal = refusalBy(WireInteger({ min: -5, max: 10 }));

  it('takes just the integers within its bounds', () => {
    const numbers = fc.oneof(fc.double(), fc.integer({ min: -10, max: 20 }), fc.double({ min: -10, max: 20 }));
    fc.assert(
      fc.property(numbers, (value) => {
        const fits = Number.isInteger(value) && value >= -5 && value <= 10;
        expect(refusal(value) === undefined).toBe(fits);
      }),
    );
    expect([-6, -5, 10, 11, 10.5].map(refusal)).toEqual(['MIN', undefined, undefined, 'MAX', 'IS_INT']);
  });

  it('does not take a text for a number', () => {
    expect(refusal('5')).toBe('IS_INT');
  });
});

describe('WireQueryInteger', () => {
  class Query {
    @WireQueryInteger({ min: -5, max: 1_000, default: 100 }) limit?: number;
  }
  const read = (query: unknown): unknown =>
    (new WirePipe().transform(query, { type: 'query', metatype: Query }) as Query).limit;

  it('makes a number of the text in a query', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 1_000 }), (limit) => {
        expect(read({ limit: `${limit}` })).toBe(limit);
      }),
    );
    expect(read({})).toBeUndefined();
  });

  it.each(['', ' 5', '5.0', '1e2', '0x10', 'ten', '1001', '-6', '9'.repeat(400), ['5', '6'], { $gt: '' }])(
    'refuses %p',
    (limit) => {
      expect(() => read({ limit })).toThrow('The request is not valid');
    },
  );
});

describe('WireNumber', () => {
  const refusal = refusalBy(WireNumber({ min: -180, max: 180 }));

  it('takes just the finite numbers within its bounds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: -200, max: 200 })), (value) => {
        const fits = value >= -180 && value <= 180;
        expect(refusal(value) === undefined).toBe(fits);
      }),
    );
    expect([-180, 180].map(refusal)).toEqual([undefined, undefined]);
  });
});

describe('WireAmount', () => {
  const refusal = refusalBy(WireAmount());

  const refused = (value: number): boolean => refusal(value) !== undefined;
  const cents = fc.oneof(
    fc.integer({ min: -1_000, max: 1_000 }),
    fc.integer({ min: -99_999_999_999_999, max: 99_999_999_999_999 }),
  );

  it('takes every number of cents up to its bound, and writes it with two decimals without loss', () => {
    fc.assert(
      fc.property(cents, (count) => {
        const value = count / 100;
        expect(refused(value)).toBe(false);
        expect(Number(value.toFixed(2))).toBe(value + 0);
      }),
    );
  });

  it('takes no number that two decimals can not hold', () => {
    const nearby = cents.chain((count) =>
      fc.constantFrom(1e-3, 1e-7, -1e-9, 5e-3, 1 / 3).map((more) => count / 100 + more),
    );
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: -1e6, max: 1e6 }), nearby), (value) => {
        const fits = Math.abs(value) <= AMOUNT_MAX && Number(value.toFixed(2)) === value;
        expect(refused(value)).toBe(!fits);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([0, -0, 0.01, -0.01, 0.1, 1.1, 0.29, 1.15, 8.41, 25_000.5, AMOUNT_MAX, -AMOUNT_MAX])('takes %p', (value) => {
    expect(refused(value)).toBe(false);
  });

  it.each([1e-7, 0.1 + 0.2, 1e21, 0.001, 1.005, 1_000_000_000_000, 5e-324, Number.MAX_VALUE])('refuses %p', (value) => {
    expect(refused(value)).toBe(true);
  });
});

describe('WireEnum', () => {
  it('takes its values as they are written, and nothing that only looks like them', () => {
    const refusal = refusalBy(WireEnum(['CASH', 'TRANSFER']));
    expect(['CASH', 'TRANSFER'].map(refusal)).toEqual([undefined, undefined]);
    expect(['cash', 'CASH ', '', ['CASH'], 0, 'toString'].map(refusal)).toEqual(Array(6).fill('IS_IN'));
  });
});

describe('WireTime', () => {
  const refusal = refusalBy(WireTime());

  it('takes the year that a clock says which was never set, and refuses days and hours that are none', () => {
    const taken = ['0001-01-01T00:00:00Z', '0099-12-31T23:59:59.999Z', '9999-12-31T23:59:59Z', '2028-02-29T00:00Z'];
    expect(taken.map(refusal)).toEqual(taken.map(() => undefined));
    const refused = [
      '2026-02-29T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-03-01T24:00:00Z',
      '0001-01-01T00:00:00+01:00',
      '2026-03T09:30Z',
    ];
    expect(refused.map(refusal)).toEqual(refused.map(() => 'IS_TIME'));
  });

  it('takes every instant, and reads it as the one that was meant', () => {
    const dates = fc.date({ min: new Date('0001-01-03'), max: new Date('9999-12-30'), noInvalidDate: true });
    const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(dates, offsets, fc.constantFrom('', ':'), (date, offset, colon) => {
        const local = new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', '');
        const two = (number: number): string => `${Math.floor(number)}`.padStart(2, '0');
        const text = `${local}${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${colon}${two(Math.abs(offset) % 60)}`;
        expect(refusal(text)).toBeUndefined();
        expect(new Date(text)).toEqual(date);
        expect(refusal(date.toISOString())).toBeUndefined();
      }),
    );
  });

  it('takes only what can be written as an instant of four-digit years again', () => {
    const parts = fc.tuple(
      fc.constantFrom(
        '2026-03-01',
        '20260301',
        '+2026-03-01',
        '-2026-03-01',
        '2026-060',
        '2026-W10-1',
        '2026',
        '2026-3-1',
      ),
      fc.constantFrom('T', ' ', 't', ''),
      fc.constantFrom(
        '09:30:00',
        '09:30',
        '0930',
        '09',
        '24:00',
        '23:59:60',
        '09:30:00.123456789',
        '09:30:00,5',
        '25:00',
      ),
      fc.constantFrom('Z', 'z', '', '+02:00', '-0530', '+24:00', '+02', '+00:00:00'),
    );
    fc.assert(
      fc.property(
        fc.oneof(
          parts.map((all) => all.join('')),
          fc.string(),
        ),
        (text) => {
          if (refusal(text) !== undefined) return;
          expect(new Date(text).toISOString()).toMatch(/^\d{4}-/);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['without an offset', '2026-03-01T09:30:00'],
    ['without a time', '2026-03-01'],
    ['on a day that does not exist', '2026-02-30T09:30:00Z'],
    ['on 29 February of no leap year', '2026-02-29T09:30:00Z'],
    ['at an hour that does not exist', '2026-03-01T25:00:00Z'],
    ['with a space for the T', '2026-03-01 09:30:00Z'],
    ['that a person wrote', '1 March 2026 09:30 UTC'],
    ['in milliseconds', '1772357400000'],
    ['past the year 9999 in UTC', '9999-12-31T23:59:59-00:01'],
    ['of a year with six digits', '+012026-03-01T09:30:00Z'],
    ['with something behind it', '2026-03-01T09:30:00Z\n'],
  ])('refuses a time %s', (_name, text) => {
    expect(refusal(text)).toEqual(expect.any(String));
  });
});

describe('WireText', () => {
  const refusal = refusalBy(WireText({ max: 5 }));

  it('takes what people write, up to its length', () => {
    expect(['a', 'maíz', 'Ñandú', '  x  ', '😀😀😀😀😀', '苹果'].map(refusal)).toEqual(Array(6).fill(undefined));
  });

  it.each([
    ['of only blanks', '   '],
    ['of nothing', ''],
    ['that is too long', 'abcdef'],
    ['with a NUL, which PostgreSQL has not', 'a\u0000'],
    ['with a line break', 'a\nb'],
    ['with half a surrogate pair', 'a\ud800'],
  ])('refuses a text %s', (_name, text) => {
    expect(refusal(text)).toEqual(expect.any(String));
  });

  it('takes an empty text where it may be empty', () => {
    expect(refusalBy(WireText({ min: 0, max: 5 }))('')).toBeUndefined();
  });
});

describe('WireEntries', () => {
  const refusal = refusalBy(WireEntries(undefined, 3));

  it('takes a list up to its length, and does not look at the entries', () => {
    const lists = fc.array(fc.anything(), { maxLength: 6 });
    fc.assert(
      fc.property(lists, (list) => {
        expect(refusal(list)).toBe(list.length <= 3 ? undefined : 'ARRAY_MAX_SIZE');
      }),
    );
    expect(refusal('abc')).toBe('IS_ARRAY');
  });
});
