import { describe, expect, it } from '@jest/globals';
import { FORGET_TOKEN, keepToken, keptToken, TOKEN_CHARACTERS_MAX } from './session-cookie.js';

describe('the cookie that keeps a token', () => {
  it('is for the pages alone, out of reach of scripts and of other sites', () => {
    const cookie = 'agrotour_admin=a.b-c_d; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=60';
    expect(keepToken('a.b-c_d', 60, false)).toBe(cookie);
    expect(keepToken('a.b-c_d', 60, true)).toBe(`${cookie}; Secure`);
    expect(FORGET_TOKEN).toBe('agrotour_admin=; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=0');
  });

  it('is no larger than browsers keep, whatever the token', () => {
    const [pair = ''] = keepToken('x'.repeat(TOKEN_CHARACTERS_MAX), 43_200, true).split(';');
    expect(pair.length).toBeLessThanOrEqual(4_096);
  });

  it.each([
    ['agrotour_admin=abc', 'abc'],
    ['theme=dark; agrotour_admin=abc; lang=es', 'abc'],
    ['agrotour_admin=abc==', 'abc=='],
    ['xagrotour_admin=abc', undefined],
    ['agrotour_admin=', undefined],
    ['agrotour_admin', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('is read from %j as %j', (header, token) => {
    expect(keptToken(header)).toBe(token);
  });
});
