import fc from 'fast-check';
import { type Caller, fieldsOf, type Path, replaced, type Schema } from './openapi-attack.js';

/** JSON as text, for what no value of JavaScript's says: a key that comes twice, a number that no double holds. */
class Text {
  constructor(readonly json: string) {}
}

/** As `JSON.stringify`, but for texts, which stand as they are, and for keys such as `__proto__`. */
function toJson(value: unknown): string {
  if (value instanceof Text) return value.json;
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, held]) => member(key, held))
    .join(',')}}`;
}

function member(key: string, value: unknown): string {
  return `${JSON.stringify(key)}:${toJson(value)}`;
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

/** What stands where the schema says something else, or is the most that it allows. */
const ODD_VALUES = [
  ...['null', 'true', '""', '[]', '{}', '[null]', '7', '"text"', nested(50)],
  ...['{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"toString":1}'],
  ...['{"length":1e9}', '{"$ref":"#"}', '{"then":1}', '{"a":1,"a":2}', '{"":{"":{"":0}}}', `[${'0,'.repeat(5_000)}0]`],
];
const ODD_NUMBERS = [
  ...['0', '-0', '-1', '0.1', '1e-400', '1e400', '-1e400', '2147483648', '-2147483649', '9007199254740993', '1e21'],
  ...['0.30000000000000004', '9'.repeat(400)],
];
const ODD_TEXTS = [
  ...[
    String.raw`"\u0000"`,
    String.raw`"a\u0000b"`,
    String.raw`"\ud800"`,
    String.raw`"\udc00\ud800"`,
    String.raw`"\uffff"`,
  ],
  ...[
    '"\u202e\u200b"',
    '"e\u0301"',
    '"\u{1f9c0}"',
    `"' OR true --"`,
    '"${7*7}"',
    '"%00"',
    '"../../etc/passwd"',
    '"\u0130"',
  ],
  ...['"2026-02-30T00:00:00Z"', '"9999-12-31T23:59:59.999999999Z"', '"0000-01-01T00:00:00Z"', '"Infinity"', '"NaN"'],
  ...['"00000000-0000-0000-0000-000000000000"', '"ffffffff-ffff-ffff-ffff-ffffffffffff"', '"1"', '"true"'],
  ...[`"${'x'.repeat(5_000)}"`, `"${'\u{1f9c0}'.repeat(50_000)}"`],
];
/** Wherever it stands, the whole is refused. */
const BROKEN = [
  nested(65),
  nested(5_000),
  '',
  'NaN',
  'undefined',
  '01',
  '+1',
  '.5',
  "'x'",
  '{a:1}',
  '[1,]',
  '"\t"',
  String.raw`"\x41"`,
  '\ufeff0',
  '/**/0',
];
const ODD_JSON = [...ODD_VALUES, ...ODD_NUMBERS, ...ODD_TEXTS, ...BROKEN];

const ODD_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'then',
  '',
  '\u0000',
  '0',
  '🧀',
];

const odd = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_JSON) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 4 }) },
);

/**
 * The body with each of the odd things in the place of each of its fields, one at a time. Entries of a list, which are
 * to be judged one by one, share a body: each has one thing wrong.
 * @param make a right body, in whose lists is one entry
 */
export function* oddBodiesOf(schema: Schema, make: () => unknown): Generator<string> {
  for (const [path, field] of fieldsOf(schema)) {
    const odd = oddFor(path, field).map((json) => replaced(make(), path, new Text(json)));
    const [list, ...rest] = path;
    if (list === undefined || rest.length === 0) yield* odd.map(toJson);
    else
      yield toJson(
        replaced(
          withoutEntries(make()),
          [list],
          odd.map((body) => valueAt(body, [list, 0])),
        ),
      );
  }
}

function oddFor(path: Path, { type }: Schema): readonly string[] {
  if (path.length === 0) return ODD_JSON;
  if (type === 'string') return [...ODD_VALUES, ...ODD_TEXTS];
  return type === 'integer' || type === 'number' ? [...ODD_VALUES, ...ODD_NUMBERS] : ODD_VALUES;
}

function withoutEntries(body: unknown): unknown {
  const fields = Object.entries(body ?? {}) as [string, unknown][];
  return Object.fromEntries(fields.map(([name, held]) => [name, Array.isArray(held) ? [] : held]));
}

/**
 * Bodies by the schema, as JSON texts: right ones, and ones with up to three things wrong.
 * @param ids that fields may name
 */
export function bodiesOf(schema: Schema, caller: Caller, ids: readonly string[]): fc.Arbitrary<string> {
  const paths = fieldsOf(schema).map(([path]) => path);
  return fc
    .tuple(valuesOf(schema, '', caller, ids), fc.array(mutationsOf(paths), { maxLength: 3 }))
    .map(([body, mutations]) => toJson(mutations.reduce((mutated, mutate) => mutate(mutated), body)));
}

/** Values that the schema allows, with fields that may be left out left out now and then. */
function valuesOf(schema: Schema, name: string, caller: Caller, ids: readonly string[]): fc.Arbitrary<unknown> {
  const value = presentOf(schema, name, caller, ids);
  return schema.nullable
    ? fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) })
    : value;
}

function presentOf(schema: Schema, name: string, caller: Caller, ids: readonly string[]): fc.Arbitrary<unknown> {
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([key, property]) => [
      key,
      valuesOf(property, key, caller, ids),
    ]);
    const record = Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>;
    return fc.record(record, { requiredKeys: [...(schema.required ?? [])] });
  }
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, name, caller, ids), {
        maxLength: Math.min(3, schema.maxItems ?? 3),
      });
    case 'boolean':
      return fc.boolean();
    case 'integer': {
      const integer = integers(schema.minimum ?? -10, schema.maximum ?? 10);
      // A protocol version that the server doesn't have is refused before all else.
      if (typeof schema.example !== 'number') return integer;
      return fc.oneof({ weight: 2, arbitrary: fc.constant(schema.example) }, { weight: 1, arbitrary: integer });
    }
    case 'number':
      return integers((schema.minimum ?? -10) * 100, (schema.maximum ?? 10) * 100).map((cents) => cents / 100);
    case 'string':
      return textsOf(schema, name, caller, ids);
    case undefined:
    default:
      return fc.jsonValue();
  }
}

/** Small ones for the most part, and both ends. */
function integers(min: number, max: number): fc.Arbitrary<number> {
  const [least, most] = [
    Math.ceil(Math.max(min, Number.MIN_SAFE_INTEGER)),
    Math.floor(Math.min(max, Number.MAX_SAFE_INTEGER)),
  ];
  const small = fc.integer({ min: Math.max(least, -5), max: Math.min(most, 50) });
  return fc.oneof({ weight: 6, arbitrary: small }, { weight: 1, arbitrary: fc.constantFrom(least, most) });
}

function textsOf(schema: Schema, name: string, caller: Caller, ids: readonly string[]): fc.Arbitrary<string> {
  if (schema.format === 'uuid') {
    if (name === 'tenant_id') return fc.constant(caller.tenantId);
    if (name === 'device_id') return fc.constant(caller.deviceId);
    return fc.oneof(fc.constantFrom(...ids), fc.uuid());
  }
  if (schema.format === 'date-time') {
    const years = { min: new Date('0002-01-01T00:00:00Z'), max: new Date('9998-12-31T00:00:00Z'), noInvalidDate: true };
    return fc.date(years).map((date) => date.toISOString());
  }
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  return fc.string({
    unit: 'grapheme',
    minLength: schema.minLength ?? 0,
    maxLength: Math.min(30, schema.maxLength ?? 30),
  });
}

function mutationsOf(paths: readonly Path[]): fc.Arbitrary<(body: unknown) => unknown> {
  const path = fc.constantFrom(...paths);
  const key = fc.constantFrom(...ODD_KEYS, ...paths.map((steps) => String(steps.at(-1) ?? '')));
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(path, odd).map(
        ([at, json]) =>
          (body: unknown) =>
            replaced(body, at, new Text(json)),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(path, key, odd, odd).map(([at, name, one, two]) => (body: unknown) => {
        const held = toJson(valueAt(body, at));
        // A stranger's field, twice; in what is no object, that makes broken JSON, which is another case.
        const members = `${member(name, new Text(one))},${member(name, new Text(two))}`;
        return replaced(body, at, new Text(held === '{}' ? `{${members}}` : held.replace(/\}$/, `,${members}}`)));
      }),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(path, fc.integer({ min: 2, max: 1_100 })).map(([at, times]) => (body: unknown) => {
        const held = valueAt(body, at);
        return replaced(body, at, Array.isArray(held) ? Array.from({ length: times }, () => held[0] as unknown) : held);
      }),
    },
    {
      weight: 1,
      arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (body: unknown) => cut(body, share)),
    },
  );
}

/** The beginning of the text, as a connection that broke leaves it. */
function cut(body: unknown, share: number): Text {
  const json = toJson(body);
  return new Text(json.slice(0, Math.ceil(json.length * share)));
}

function valueAt(body: unknown, [step, ...rest]: Path): unknown {
  if (step === undefined) return body;
  if (typeof body !== 'object' || body === null || body instanceof Text) return null;
  return valueAt((body as Record<string | number, unknown>)[step] ?? null, rest);
}
