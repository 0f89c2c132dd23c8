import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { getMetadataStorage, validateSync } from 'class-validator';
import fc from 'fast-check';
import { DUPLICATED_KEY } from './json-body.js';
import { acceptedByFields } from './read-wire.js';

type WireClass = new () => object;

const SOURCES = path.resolve('src');

/** Every class of the wire that has rules, by its name. */
async function wireClasses(): Promise<Map<string, WireClass>> {
  const found = new Map<string, WireClass>();
  for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.dto.ts')) continue;
    const exported = (await import(pathToFileURL(path.join(SOURCES, file)).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(exported)) {
      if (typeof value === 'function' && fieldsOf(value as WireClass).length > 0) found.set(name, value as WireClass);
    }
  }
  return found;
}

function fieldsOf(Class: WireClass): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(Class, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

/** What the docs show of each field, which is valid. */
function exampleOf(Class: WireClass, name: string): unknown {
  const shown = Reflect.getMetadata('swagger/apiModelProperties', Class.prototype as object, name) as
    { example?: unknown } | undefined;
  return shown?.example;
}

const ID = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';
const values: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      undefined,
      null,
      true,
      false,
      '',
      ' ',
      '\n',
      '\0',
      'a\u0301',
      '\ud800',
      '👩‍🌾',
      '❤️'.repeat(100),
      'ok',
      DUPLICATED_KEY,
    ],
    ...[
      0,
      -0,
      1,
      -1,
      0.1,
      0.005,
      1e-7,
      1e300,
      NaN,
      Infinity,
      999_999_999_999.99,
      999_999_999_999.995,
      2 ** 31,
      2 ** 31 - 1,
    ],
    ...[
      -(2 ** 31),
      2 ** 53,
      2 ** 53 - 1,
      90,
      90.0001,
      -180,
      180,
      180.1,
      1n,
      '1',
      '1.5',
      {},
      [],
      [1],
      [[]],
      () => 1,
      Symbol('x'),
    ],
    ...[
      ID,
      ID.toUpperCase(),
      ID.slice(1),
      `${ID} `,
      '00000000-0000-0000-0000-000000000000',
      ID.replace('4f0e', 'xf0e'),
    ],
    ...['2026-03-01T09:30:00Z', '2026-02-30T09:30:00Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00'],
    ...['9999-12-31T23:59:59.999999999-23:59', '2026-03-01', '2026-03-01T24:00:00Z', '2024-02-29T00:00+0530'],
    ...['INCREMENT', 'increment', 'PAID', 'SALE', 'WEB', 'MOBILE', 'CASH', 'toString', '__proto__', 'a'.repeat(64)],
    ...[new Array(1_001).fill({}), new Array(1_000).fill(null), { length: 3 }, Object.create(null), new Date(0)],
  ),
  fc.string({ unit: 'binary', maxLength: 220 }),
  fc.string({ unit: 'grapheme', maxLength: 2_100, size: 'max' }),
  fc.double(),
  fc.integer(),
  fc.anything({ withBigInt: true, withNullPrototype: true }),
);

describe('the fields of the wire', () => {
  it('accept what class-validator accepts, and nothing else, in every class', async () => {
    const classes = await wireClasses();
    const leftToClassValidator: string[] = [];
    for (const [name, Class] of classes) {
      if (acceptedByFields(Class, new Class()) === undefined) {
        leftToClassValidator.push(name);
        continue;
      }
      const fields = fieldsOf(Class);
      const examples = Object.fromEntries(fields.map((field) => [field, exampleOf(Class, field)]));
      let accepted = 0;
      fc.assert(
        fc.property(fc.dictionary(fc.constantFrom(...fields), values, { maxKeys: 2 }), (changes) => {
          const value = Object.assign(new Class(), examples, changes);
          const isValid = validateSync(value, { forbidUnknownValues: false }).length === 0;
          if (isValid) accepted += 1;
          expect({ name, changes, accepted: acceptedByFields(Class, value) }).toEqual({
            ...{ name, changes, accepted: isValid },
          });
        }),
        { numRuns: 300 },
      );
      expect({ name, isTriedOnValid: accepted > 10 }).toEqual({ name, isTriedOnValid: true });
    }
    expect(leftToClassValidator).toEqual(['EnrolDeviceDto']);
    expect([...classes.keys()]).toEqual(expect.arrayContaining(['OperationDto', 'ProductEditDto', 'PaymentEditDto']));
  });
});
