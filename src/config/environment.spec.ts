import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EnvironmentError, readEnvironment } from './environment.js';

const SECRET = 'a secret that is long enough to sign';

function faultsOf(variables: NodeJS.ProcessEnv): readonly string[] {
  try {
    readEnvironment(variables);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.faults;
    throw error;
  }
}

describe('readEnvironment', () => {
  it('starts embedded, on loopback, when nothing is set', () => {
    expect(readEnvironment({})).toMatchObject({
      port: 8001,
      host: '127.0.0.1',
      database: { kind: 'embedded' },
      tokens: { kind: 'generated' },
      role: 'all',
    });
  });

  it('takes an empty variable for an unset one', () => {
    expect(readEnvironment({ PORT: '', DATABASE_URL: '', JWT_SECRET: '' })).toEqual(readEnvironment({}));
  });

  it('listens on every address once a database is given', () => {
    const environment = readEnvironment({ DATABASE_URL: 'postgres://a:b@db/c', JWT_SECRET: SECRET });
    expect(environment).toMatchObject({ host: '0.0.0.0', database: { kind: 'external', ownerUrl: undefined } });
  });

  it.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['HOST', 'not a host'],
    ['DATABASE_URL', 'mysql://db/c'],
    ['REDIS_URL', 'cache.example.org:6379'],
    ['JWT_SECRET', 'short'],
    ['JWT_JWKS_URL', 'file:///etc/passwd'],
    ['ALLOWED_ORIGINS', 'https://till.example.org/path'],
    ['LOG_LEVEL', 'loud'],
    ['ROLE', 'everything'],
    ['DATABASE_POOL_MAX', '0'],
    ['RATE_LIMIT_PER_MINUTE', '-5'],
    ['RATE_LIMIT_PER_DEVICE_PER_MINUTE', 'many'],
    ['RATE_LIMIT_REFUSED_PER_MINUTE', '1.5'],
    ['TRUSTED_PROXIES', 'proxy.example.org'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', '10.0.0.1,'],
    ['HTTP_HEADERS_TIMEOUT_SECONDS', '0'],
    ['HTTP_REQUEST_TIMEOUT_SECONDS', 'soon'],
    ['HTTP_IDLE_TIMEOUT_SECONDS', '5m'],
    ['HTTP_CONNECTIONS_MAX', '0'],
  ])('names %s, its shape and an example, but never its value', (name, value) => {
    const faults = faultsOf({ JWT_SECRET: SECRET, [name]: value });
    expect(faults.some((fault) => fault.startsWith(`${name} must be`) && fault.includes('for example'))).toBe(true);
    if (value.length > 2) expect(faults.join()).not.toContain(value);
  });

  it('wants a way to check tokens as soon as the database is not its own', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://a:b@db/c' })).toHaveLength(1);
  });

  it('refuses two ways to check tokens at once', () => {
    expect(faultsOf({ JWT_SECRET: SECRET, JWT_JWKS_URL: 'https://id.example.org/keys' })).toHaveLength(1);
  });

  it('wants the head of a request to have no more time than the whole', () => {
    const timeouts = { HTTP_HEADERS_TIMEOUT_SECONDS: '30', HTTP_REQUEST_TIMEOUT_SECONDS: '29' };
    expect(faultsOf(timeouts)).toEqual([expect.stringContaining('HTTP_HEADERS_TIMEOUT_SECONDS must be at most')]);
  });

  it('believes proxies by address, network or name, and none unless told', () => {
    const read = readEnvironment({ TRUSTED_PROXIES: 'loopback, 10.0.0.0/8,fd00::/8, 203.0.113.9' });
    expect(read.http.trustedProxies).toEqual(['loopback', '10.0.0.0/8', 'fd00::/8', '203.0.113.9']);
    expect(readEnvironment({}).http.trustedProxies).toEqual([]);
  });

  it.each([
    [{}, { tenantPerMinute: 6_000, devicePerMinute: 3_000, refusedPerMinute: 6_000 }],
    [{ RATE_LIMIT_PER_MINUTE: '10' }, { tenantPerMinute: 10, devicePerMinute: 10, refusedPerMinute: 6_000 }],
    [{ RATE_LIMIT_PER_MINUTE: '0' }, { tenantPerMinute: 0, devicePerMinute: 0, refusedPerMinute: 0 }],
    [
      { RATE_LIMIT_PER_DEVICE_PER_MINUTE: '7' },
      { tenantPerMinute: 6_000, devicePerMinute: 7, refusedPerMinute: 6_000 },
    ],
  ])('with %j limits requests by %j', (variables, rateLimits) => {
    expect(readEnvironment(variables)).toMatchObject({ rateLimits });
  });

  it('tells every fault in one go', () => {
    expect(faultsOf({ PORT: 'x', ROLE: 'y', LOG_LEVEL: 'z' })).toHaveLength(3);
  });

  it('accepts every port there is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), (port) => readEnvironment({ PORT: `${port}` }).port === port),
    );
  });
});
