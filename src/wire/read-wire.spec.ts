import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DUPLICATED_KEY } from './json-body.js';
import { readWire } from './read-wire.js';
import { WireInteger, WireText } from './wire.decorators.js';

class Crate {
  @WireText({ max: 5 }) label!: string;
  @WireInteger({ min: 1, max: 9, optional: true }) pieces?: number | null;
  note = 'no wire field';
}

const errorsOf = (input: unknown, path?: string): unknown => {
  const reading = readWire(Crate, input, path);
  return reading.ok ? undefined : reading.errors;
};

describe('readWire', () => {
  it('takes the fields that the class declares and ignores all others', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (others) => {
        const reading = readWire(Crate, { ...others, label: 'figs', pieces: 3, note: 'of the body' });
        expect(reading).toEqual({ ok: true, value: { label: 'figs', pieces: 3, note: 'no wire field' } });
      }),
    );
  });

  it('makes an instance of the class', () => {
    const reading = readWire(Crate, { label: 'figs' });
    expect(reading.ok && reading.value).toBeInstanceOf(Crate);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (input) => {
        expect(typeof readWire(Crate, input).ok).toBe('boolean');
        expect(typeof readWire(Crate, { label: input, pieces: input }).ok).toBe('boolean');
      }),
    );
  });

  it.each([[null], [undefined], ['text'], [5], [true], [[]], [[{ label: 'figs' }]]])(
    'refuses %p, which is no object',
    (input) => {
      expect(errorsOf(input, 'entries[2]')).toEqual([
        { path: 'entries[2]', code: 'IS_OBJECT', message: 'must be an object' },
      ]);
    },
  );

  it('lets an optional field be left out or null, but not a required one', () => {
    expect(errorsOf({ label: 'figs' })).toBeUndefined();
    expect(errorsOf({ label: 'figs', pieces: null })).toBeUndefined();
    expect(errorsOf({})).toEqual([{ path: 'label', code: 'REQUIRED', message: 'is required' }]);
    expect(errorsOf({ label: null })).toMatchObject([{ path: 'label', code: 'IS_STRING' }]);
  });

  it('names each wrong field once, below the path of its object', () => {
    expect(errorsOf({ label: 5, pieces: 10 }, 'entries[2]')).toMatchObject([
      { path: 'entries[2].label', code: 'IS_STRING' },
      { path: 'entries[2].pieces', code: 'MAX', message: 'must be an integer from 1 to 9' },
    ]);
  });

  it('tells of a key that stood twice as just that, even in an optional field', () => {
    const doubled = { code: 'DUPLICATED_KEY', message: 'stands more than once in its object' };
    expect(errorsOf({ label: DUPLICATED_KEY, pieces: DUPLICATED_KEY })).toEqual([
      { path: 'label', ...doubled },
      { path: 'pieces', ...doubled },
    ]);
  });

  it('takes no field from a prototype, and gives none to it', () => {
    expect(errorsOf(Object.create({ label: 'figs' }))).toMatchObject([{ code: 'REQUIRED' }]);
    expect(errorsOf(JSON.parse('{"__proto__": {"label": "figs"}}'))).toMatchObject([{ code: 'REQUIRED' }]);
    expect(Object.hasOwn(Crate.prototype, 'label')).toBe(false);
  });
});
