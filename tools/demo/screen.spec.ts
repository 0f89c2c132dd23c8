import { describe, expect, it } from '@jest/globals';
import { cell, paintFor, wrapped } from './screen.js';

const ESCAPE = '\u001b';

describe('paintFor', () => {
  it('paints on a terminal, but not where NO_COLOR is set, nor into a file', () => {
    expect(paintFor(true, {})('red', '−3')).toBe(`${ESCAPE}[31m−3${ESCAPE}[0m`);
    expect(paintFor(true, { NO_COLOR: '' })('red', '−3')).toContain(ESCAPE); // empty counts as not set
    expect(paintFor(true, { NO_COLOR: '1' })('red', '−3')).toBe('−3');
    expect(paintFor(true, { TERM: 'dumb' })('red', '−3')).toBe('−3');
    expect(paintFor(false, {})('red', '−3')).toBe('−3');
  });
});

describe('wrapped', () => {
  it('breaks between words, and indents what follows as far as the text of the first line', () => {
    expect(wrapped('  10:00  ', 'Ana sells two cheeses', 22)).toEqual(['  10:00  Ana sells two', '         cheeses']);
  });

  it('counts what is seen, not the colours', () => {
    const red = paintFor(true, {})('red', 'sells');
    expect(wrapped('', `Ana ${red} two`, 13)).toEqual([`Ana ${red} two`]);
  });

  it('leaves a word whole that is longer than a line', () => {
    expect(wrapped('  ', 'aaaaaaaaaaaa bb', 6)).toEqual(['  aaaaaaaaaaaa', '  bb']);
  });
});

describe('cell', () => {
  it('is as wide as asked, with colours or without', () => {
    const red = paintFor(true, {})('red', '−3');
    expect([cell('−3', 5), cell('−3', 5, 'right'), cell(red, 5, 'right')]).toEqual(['−3   ', '   −3', `   ${red}`]);
  });
});
