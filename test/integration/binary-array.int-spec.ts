import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { type BinaryType, binaryArray } from '../../src/database/binary-array.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const time = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });

/** Of each type any values, and how PostgreSQL writes them in JSON. */
const TYPES: readonly (readonly [BinaryType, fc.Arbitrary<unknown>, (value: never) => unknown])[] = [
  ['bigint', fc.maxSafeInteger(), Number],
  ['boolean', fc.boolean(), Boolean],
  ['bytea', fc.uint8Array(), (value: Uint8Array) => `\\x${Buffer.from(value).toString('hex')}`],
  ['double precision', fc.double({ noNaN: true, noDefaultInfinity: true }), (value: number) => value + 0],
  ['integer', fc.integer(), Number],
  [
    'text',
    fc.string({ unit: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter((char) => char !== '\0') }),
    String,
  ],
  [
    'timestamptz',
    fc.oneof(
      time,
      time.map((date) => date.toISOString()),
    ),
    (value: string | Date) => `${BigInt(new Date(value).getTime()) * 1000n}`,
  ],
  [
    'uuid',
    fc.oneof(
      fc.uuid(),
      fc.uuid().map((uuid) => uuid.toUpperCase()),
    ),
    (value: string) => value.toLowerCase(),
  ],
];

describe('an array in binary', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client(database.appUrl);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it.each(TYPES)('of %s is what PostgreSQL reads', async (type, values, written) => {
    const told = type === 'timestamptz' ? '(extract(epoch FROM value) * 1000000)::numeric(20)::text' : 'value';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(values)), async (array) => {
        const { rows } = await client.query<{ values: unknown[] }>(
          `SELECT coalesce(json_agg(${told} ORDER BY at), '[]') AS values FROM unnest($1::${type}[]) WITH ORDINALITY AS _ (value, at)`,
          [binaryArray(type, array, (value) => value)],
        );
        expect(rows[0]?.values).toEqual(array.map((value) => (value === null ? null : written(value as never))));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    '4284-01-01T00:00:00.001Z',
    '5000-01-01T00:00:00.001Z',
    '9999-12-31T23:59:59.997Z',
    '1969-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00.001Z',
  ])('of times has %s to the millisecond', async (time) => {
    const { rows } = await client.query<{ told: string }>(
      `SELECT to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS told FROM unnest($1::timestamptz[]) AS value`,
      [binaryArray('timestamptz', [time], String)],
    );
    expect(rows).toEqual([{ told: time.replace('Z', '000Z') }]);
  });

  it.each([
    ['integer', 2 ** 31],
    ['integer', 0.5],
    ['integer', undefined],
    ['bigint', NaN],
    ['bigint', 1.5],
    ['bigint', 2 ** 53],
    ['boolean', undefined],
    ['timestamptz', 'no time'],
  ] as const)('of %s refuses %p', (type, value) => {
    expect(() => binaryArray(type, [value], (it) => it)).toThrow(RangeError);
  });

  it.each([
    '',
    'no-uuid',
    '0c8e0b1e-1f5c-4f6c-8f4e-6b8d2f3a4b5',
    '0c8e0b1e-1f5c-4f6c-8f4e-6b8d2f3a4b5c00',
    'é'.repeat(32),
  ])('of UUIDs refuses %p', (value) => {
    expect(() => binaryArray('uuid', [value], String)).toThrow(RangeError);
  });
});
