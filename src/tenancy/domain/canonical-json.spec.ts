import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

const scalars = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const fields = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), scalars);

describe('canonicalJson', () => {
  it('writes the same whatever order the fields stand in', () => {
    fc.assert(
      fc.property(fields, (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(object));
      }),
    );
  });

  it('writes JSON that says the same', () => {
    fc.assert(
      fc.property(fields, (object) => {
        // JSON has one zero: -0 is written 0 (RFC 8785, section 3.2.2.3).
        const written = Object.fromEntries(
          Object.entries(object).map(([name, value]) => [name, Object.is(value, -0) ? 0 : value]),
        );
        expect(JSON.parse(canonicalJson(object))).toEqual(written);
      }),
    );
  });

  it('writes different objects differently', () => {
    fc.assert(
      fc.property(fields, fields, (a, b) => {
        const same = JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
        expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
      }),
    );
  });

  // RFC 8785: the numbers of the example in section 3.2.2 and of appendix B.
  it.each([
    [Number('333333333.33333329'), '333333333.3333333'],
    [1e30, '1e+30'],
    [4.5, '4.5'],
    [2e-3, '0.002'],
    [0.000000000000000000000000001, '1e-27'],
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [-5e-324, '-5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [-9007199254740992, '-9007199254740992'],
    [295147905179352830000, '295147905179352830000'],
    [9.999999999999997e22, '9.999999999999997e+22'],
    [1e23, '1e+23'],
    [999999999999999700000, '999999999999999700000'],
    [1e21, '1e+21'],
    [0.000001, '0.000001'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
    [333333333.3333332, '333333333.3333332'],
    [333333333.33333325, '333333333.33333325'],
    [Number('1424953923781206.25'), '1424953923781206.2'],
  ])('writes %p as RFC 8785 does', (number, text) => {
    expect(canonicalJson({ number })).toBe(`{"number":${text}}`);
  });

  it('writes texts and literals as RFC 8785 does', () => {
    const string = '\u20ac$\u000F\u000aA\'B"\\\\"/';
    expect(canonicalJson({ string, literal: null, other: true, last: false })).toBe(
      '{"last":false,"literal":null,"other":true,"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('writes an object without fields', () => {
    expect(canonicalJson({})).toBe('{}');
  });
});
