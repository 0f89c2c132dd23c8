import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProblemError } from '../problems/problem.js';
import { DUPLICATED_KEY, parseJsonBody } from './json-body.js';

const parse = (text: string): unknown => parseJsonBody(Buffer.from(text));

describe('parseJsonBody', () => {
  it('reads whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 2, '\t'), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('marks the key an entry has twice, and only that one', () => {
    const body = parse('{"operations":[{"delta":1,"reason":"\\"x\\":","delta":5},{"delta":2}],"note":"a\\\\"}');
    expect(body).toEqual({ operations: [{ delta: DUPLICATED_KEY, reason: '"x":' }, { delta: 2 }], note: 'a\\' });
  });

  it('finds a doubled key wherever it stands', () => {
    const key = fc.string({ maxLength: 5 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(key, fc.jsonValue({ maxDepth: 2 }), fc.jsonValue({ maxDepth: 2 }), (name, first, second) => {
        const quoted = JSON.stringify(name);
        const text = `[{"a":${JSON.stringify(first)}}, {${quoted} : ${JSON.stringify(first)} , ${quoted}:${JSON.stringify(second)}}]`;
        expect((parse(text) as Record<string, unknown>[])[1]?.[name]).toBe(DUPLICATED_KEY);
      }),
    );
  });

  it.each([
    ['cut off', '{"operations": ['],
    ['NaN', '{"delta": NaN}'],
    ['two values', '{} {}'],
    ['a single quote', "{'a': 1}"],
    ['nested 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['of a million values', `[${'{},'.repeat(1_000_000)}{}]`],
    ['nested deep with a doubled key', `{"a":1,"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ])('refuses %s', (_name, text) => {
    expect(() => parse(text)).toThrow(ProblemError);
  });

  it('refuses bytes that are not UTF-8, instead of reading them as something else', () => {
    expect(() => parseJsonBody(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(ProblemError);
  });
});
