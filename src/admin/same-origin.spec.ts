import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '../problems/problem.js';
import { assertSameOrigin, cameByHttps, isNavigation, isSameOrigin } from './same-origin.js';

const HOST = { host: 'sync.example.org' };

describe('isSameOrigin', () => {
  it.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://sync.example.org' }, false],
    [{ 'sec-fetch-site': 'none', authorization: 'Bearer x' }, false],
    // A proxy that names another host: the browser's word is enough.
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://sync.example.org', host: 'api:8001' }, true],
    [{ origin: 'https://sync.example.org' }, true],
    [{ origin: 'http://sync.example.org:8001', host: 'Sync.example.org:8001' }, true],
    [{ origin: 'https://sync.example.org.evil.example' }, false],
    [{ origin: 'https://sync.example.org:444' }, false],
    [{ origin: 'null' }, false],
    [{ origin: '' }, false],
    [{}, false],
    [{ cookie: 'agrotour_admin=x' }, false],
    [{ authorization: 'Bearer x' }, true],
    [{ authorization: 'Bearer x', origin: 'https://evil.example' }, false],
  ])('of %j is %s', (headers, expected) => {
    expect(isSameOrigin({ ...HOST, ...headers })).toBe(expected);
  });
});

describe('assertSameOrigin', () => {
  it('refuses by name', () => {
    expect(() => {
      assertSameOrigin({});
    }).toThrow(ProblemError);
    assertSameOrigin({ 'sec-fetch-site': 'same-origin' });
  });
});

describe('isNavigation', () => {
  it.each([
    [{ 'sec-fetch-mode': 'navigate' }, true],
    [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, false],
    [{ accept: 'text/html,application/xhtml+xml' }, true],
    [{ accept: 'application/json' }, false],
    [{}, false],
  ])('of %j is %s', (headers, expected) => {
    expect(isNavigation(headers)).toBe(expected);
  });
});

describe('cameByHttps', () => {
  it.each([
    [{ origin: 'https://sync.example.org' }, true],
    [{ 'x-forwarded-proto': 'https' }, true],
    [{ origin: 'http://127.0.0.1:8001' }, false],
    [{}, false],
  ])('of %j is %s', (headers, expected) => {
    expect(cameByHttps(headers)).toBe(expected);
  });
});
