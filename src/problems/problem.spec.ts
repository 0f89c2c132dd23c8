import { describe, expect, it } from '@jest/globals';
import { type ProblemCode, ProblemError, PROBLEMS, problemType } from './problem.js';

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

describe('PROBLEMS', () => {
  it.each(CODES)('gives %s a status that refuses, a title and a meaning', (code) => {
    const { status, title, meaning } = PROBLEMS[code];
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(Number.isInteger(status) && status >= 400 && status <= 599).toBe(true);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(meaning).toMatch(/\.$/);
  });

  it('gives each code a type and a title of its own', () => {
    expect(new Set(CODES.map(problemType)).size).toBe(CODES.length);
    expect(new Set(CODES.map((code) => PROBLEMS[code].title)).size).toBe(CODES.length);
  });
});

describe('problemType', () => {
  it('is a URN in small letters, after RFC 9457', () => {
    expect(problemType('DEVICE_REVOKED')).toBe('urn:problem-type:agrotour:device-revoked');
    for (const code of CODES) expect(problemType(code)).toMatch(/^urn:problem-type:agrotour:[a-z]+(-[a-z]+)*$/);
  });
});

describe('ProblemError', () => {
  it('says what it is about, and keeps its cause', () => {
    const cause = new Error('the reason');
    const problem = new ProblemError('VALIDATION', { detail: 'delta is missing', cause });
    expect(problem).toMatchObject({ name: 'ProblemError', code: 'VALIDATION', message: 'delta is missing', cause });
  });

  it('says its title where there is no more to say', () => {
    expect(new ProblemError('NOT_FOUND').message).toBe(PROBLEMS.NOT_FOUND.title);
  });
});
