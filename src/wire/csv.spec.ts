import { describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvLine, jsonForCsv } from './csv.js';

/** As a program reads it that keeps to RFC 4180. */
const read = (line: string): string[][] => parse(line, { record_delimiter: '\r\n' });

/** Texts full of what matters to CSV and to spreadsheets. */
const nasty = fc.string({
  unit: fc.constantFrom(...'=+-@＝＋－＠,;"\'\t\r\n a0ñ🧀|!', '\u00a0', '\ufeff'),
  maxLength: 12,
});

describe('csvLine', () => {
  it.each([
    [['plain', 'ñ 🧀 漢'], 'plain,ñ 🧀 漢\r\n'],
    [['a,b', 'say "hi"', 'two\nlines', 'two\r\nlines'], '"a,b","say ""hi""","two\nlines","two\r\nlines"\r\n'],
    [[null, ''], ',\r\n'],
    [[-5, 0.95, 1e21, 0], '-5,0.95,1e+21,0\r\n'],
  ])('writes %j as %j', (cells, line) => {
    expect(csvLine(cells)).toBe(line);
  });

  it.each([
    "=cmd|'/c calc'!A0",
    '+57 300 123 4567',
    '-5',
    '@SUM(A1:A9)',
    '\t=1+1',
    '\ttext',
    '\r=1+1',
    '\rtext',
    '＝1+1',
    '＋1',
    '－1',
    '＠A1',
    ' =1+1',
    '\u00a0=1+1',
    '\n=1+1',
  ])('makes a text of %j, which a spreadsheet would take for a formula', (text) => {
    expect(read(csvLine([text, 'next']))[0]?.[0]?.startsWith(`'`)).toBe(true);
  });

  it.each([
    ['a;=1+1;b', `a;'=1+1;b`],
    ['a; =1+1', `a;' =1+1`],
    ['a;"=1+1', `a;'"=1+1`],
    ['bought:\n- bread\n- milk', `bought:\n'- bread\n'- milk`],
    ['a\t=1+1', `a\t'=1+1`],
  ])('keeps %j from becoming one where cells end at other places', (text, safe) => {
    expect(read(csvLine([text]))).toEqual([[safe]]);
  });

  it.each(['a=b', 'a-b', 'x@example.org', '1+1', "'=1+1", 'one;two', 'two\r\n\r\nparagraphs', '"quoted"', ' indented'])(
    'leaves %j as it is',
    (text) => {
      expect(read(csvLine([text]))).toEqual([[text]]);
    },
  );

  it('is read back cell by cell, but for the apostrophes', () => {
    const without = (text: string): string => text.replaceAll(`'`, '');
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 2, maxLength: 5 }), (cells) => {
        const [row, ...others] = read(csvLine(cells));
        expect(others).toEqual([]);
        expect(row?.map(without)).toEqual(cells.map(without));
      }),
    );
  });

  it('has no cell that a spreadsheet computes, whatever it takes for the end of a cell', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const [cell = ''] = read(csvLine([text, '']))[0] ?? [];
        expect(cell).not.toMatch(/^[\t\r]/);
        for (const part of cell.split(/[;\t\r\n]/))
          expect(part.trim().replace(/^"+/, '')).not.toMatch(/^[=+\-@＝＋－＠]/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('jsonForCsv', () => {
  it('is the same value for whoever parses it, and nothing that an apostrophe would be put into', () => {
    fc.assert(
      fc.property(fc.dictionary(nasty, fc.oneof(nasty, fc.integer(), fc.constant(null))), (value) => {
        const [cell = ''] = read(csvLine([jsonForCsv(value), '']))[0] ?? [];
        expect(JSON.parse(cell)).toEqual({ ...value });
      }),
    );
  });
});
