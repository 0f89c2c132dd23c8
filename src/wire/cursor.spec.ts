import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProblemError } from '../problems/problem.js';
import { CURSOR_TEXT, CURSOR_UUID, decodeCursor, encodeCursor } from './cursor.js';

const ID = '7f0c2a8e-0d0f-4f0e-9a55-6f5e4c4e9a01';
const decode = (cursor: string): readonly string[] => decodeCursor(cursor, [CURSOR_TEXT, CURSOR_UUID]);

describe('cursors', () => {
  it('come back as what they were made of, and need no escaping in an address', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(name, fc.uuid(), (text, id) => {
        const cursor = encodeCursor([text, id]);
        expect(encodeURIComponent(cursor)).toBe(cursor);
        expect(decode(cursor)).toEqual([text, id]);
      }),
    );
  });

  it('fit into what a query takes, whatever the name of a product', () => {
    for (const character of ['"', '\\', 'ñ', '乳']) {
      expect(encodeCursor([character.repeat(300), ID]).length).toBeLessThanOrEqual(2_000);
    }
  });

  it.each([
    ['nothing', ''],
    ['no base64url', '%'],
    ['no JSON', 'eyJ9'],
    ['no list', encode({ 0: 'a', 1: ID, length: 2 })],
    ['null', encode(null)],
    ['a part too few', encode(['a'])],
    ['a part too many', encode(['a', ID, 'a'])],
    ['a part that is no text', encode([['a'], ID])],
    ['a part of another shape', encode(['a', `${ID}'`])],
    ['two lines where the second is the id', encode(['a', `x\n${ID}`])],
    ['a NUL, which the database would refuse', encode(['a\0', ID])],
  ])('are refused if they are %s', (_, cursor) => {
    let refusal: unknown;
    try {
      decode(cursor);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ProblemError);
    expect(refusal).toMatchObject({ code: 'VALIDATION', details: { errors: [{ path: 'cursor' }] } });
  });
});

function encode(parts: unknown): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}
