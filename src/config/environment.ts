import { Buffer } from 'node:buffer';
import { isIPv4, isIPv6 } from 'node:net';
import path from 'node:path';

/** What runs in this process: the HTTP API, the queue workers, or both. */
export const PROCESS_ROLES = ['all', 'api', 'worker'] as const;
export type ProcessRole = (typeof PROCESS_ROLES)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** HS256 wants a key at least as long as its hash (RFC 7518, section 3.2). */
export const JWT_SECRET_BYTES_MIN = 32;

export type DatabaseSource =
  | { readonly kind: 'embedded' }
  /** `url` logs in as the restricted role; `ownerUrl`, if given, runs the migrations at start. */
  | { readonly kind: 'external'; readonly url: string; readonly ownerUrl: string | undefined };

export type TokenSource =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'jwks'; readonly url: URL }
  /** Embedded mode without `JWT_SECRET`: a random one is made once and kept in `DATA_DIR`. */
  | { readonly kind: 'generated' };

/** Requests in a minute; 0 is no limit. */
export interface RateLimitSettings {
  readonly tenantPerMinute: number;
  readonly devicePerMinute: number;
  /** Without a valid token, from one address. */
  readonly refusedPerMinute: number;
}

export interface HttpSettings {
  /** Addresses and networks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** For the head of a request to arrive. */
  readonly headersTimeoutMs: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
  /** For a connection on which nothing moves, such as to a client that takes no answer. */
  readonly idleTimeoutMs: number;
  /** Open at once in this process. */
  readonly connectionsMax: number;
}

/** The whole configuration, read once from the environment and valid as a whole. */
export interface Environment {
  readonly port: number;
  readonly host: string;
  readonly database: DatabaseSource;
  readonly databasePoolMax: number;
  readonly redisUrl: string | undefined;
  readonly tokens: TokenSource;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** Origins that browsers may call from; empty means none but the service's own pages. */
  readonly allowedOrigins: readonly string[];
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly role: ProcessRole;
  readonly rateLimits: RateLimitSettings;
  readonly http: HttpSettings;
}

/** Every variable that is wrong, each with its shape and an example, and never its value: it may be a secret. */
export class EnvironmentError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'EnvironmentError';
  }
}

interface Variable<T> {
  readonly name: string;
  /** Completes "must be …". */
  readonly shape: string;
  readonly example: string;
  /** @returns undefined if the text has not the shape. */
  readonly parse: (text: string) => T | undefined;
}

const PORT: Variable<number> = {
  name: 'PORT',
  shape: 'a whole number from 0 (any free port) to 65535',
  example: '8001',
  parse: (text) => wholeNumber(text, 0, 65_535),
};
const HOST: Variable<string> = {
  name: 'HOST',
  shape: 'a host name or address to listen on',
  example: '0.0.0.0',
  parse: (text) => (/^[A-Za-z0-9.:_-]+$/.test(text) ? text : undefined),
};
const DATABASE_URL: Variable<string> = {
  name: 'DATABASE_URL',
  shape: 'a PostgreSQL URL of the restricted role',
  example: 'postgres://agrotour_app:secret@db:5432/agrotour',
  parse: (text) => urlOf(text, ['postgres:', 'postgresql:'])?.href,
};
const DATABASE_OWNER_URL: Variable<string> = {
  name: 'DATABASE_OWNER_URL',
  shape: 'a PostgreSQL URL of the role that owns the schema',
  example: 'postgres://agrotour_owner:secret@db:5432/agrotour',
  parse: DATABASE_URL.parse,
};
const DATABASE_POOL_MAX: Variable<number> = {
  name: 'DATABASE_POOL_MAX',
  shape: 'a whole number of connections from 1 to 500',
  example: '10',
  parse: (text) => wholeNumber(text, 1, 500),
};
const REDIS_URL: Variable<string> = {
  name: 'REDIS_URL',
  shape: 'a Redis URL',
  example: 'redis://localhost:6379',
  parse: (text) => urlOf(text, ['redis:', 'rediss:'])?.href,
};
const JWT_SECRET: Variable<string> = {
  name: 'JWT_SECRET',
  shape: `a text of at least ${JWT_SECRET_BYTES_MIN} bytes`,
  example: 'the output of "openssl rand -base64 48"',
  parse: (text) => (Buffer.byteLength(text) >= JWT_SECRET_BYTES_MIN ? text : undefined),
};
const JWT_JWKS_URL: Variable<URL> = {
  name: 'JWT_JWKS_URL',
  shape: 'an http or https URL of a JSON Web Key Set',
  example: 'https://id.example.org/.well-known/jwks.json',
  parse: (text) => urlOf(text, ['https:', 'http:']),
};
const JWT_ISSUER: Variable<string> = {
  name: 'JWT_ISSUER',
  shape: 'the "iss" that tokens must carry',
  example: 'https://id.example.org/',
  parse: (text) => text,
};
const JWT_AUDIENCE: Variable<string> = {
  ...JWT_ISSUER,
  name: 'JWT_AUDIENCE',
  shape: 'the "aud" that tokens must carry',
};
const ALLOWED_ORIGINS: Variable<readonly string[]> = {
  name: 'ALLOWED_ORIGINS',
  shape: 'a comma-separated list of web origins',
  example: 'https://till.example.org,http://localhost:5173',
  parse: (text) => {
    const origins = text.split(',').map((origin) => origin.trim());
    return origins.every((origin) => urlOf(origin, ['https:', 'http:'])?.origin === origin) ? origins : undefined;
  },
};
const DATA_DIR: Variable<string> = {
  name: 'DATA_DIR',
  shape: 'a folder for the embedded database and its secrets',
  example: '.data',
  parse: (text) => path.resolve(text),
};
const RATE_LIMIT_PER_MINUTE: Variable<number> = {
  name: 'RATE_LIMIT_PER_MINUTE',
  shape: 'a whole number of requests from 1 to 10000000, or 0 for no limit',
  example: '6000',
  parse: (text) => wholeNumber(text, 0, 10_000_000),
};
const RATE_LIMIT_PER_DEVICE_PER_MINUTE: Variable<number> = {
  ...RATE_LIMIT_PER_MINUTE,
  name: 'RATE_LIMIT_PER_DEVICE_PER_MINUTE',
  example: '3000',
};
const RATE_LIMIT_REFUSED_PER_MINUTE: Variable<number> = {
  ...RATE_LIMIT_PER_MINUTE,
  name: 'RATE_LIMIT_REFUSED_PER_MINUTE',
  example: '6000',
};
const TRUSTED_PROXIES: Variable<readonly string[]> = {
  name: 'TRUSTED_PROXIES',
  shape: 'a comma-separated list of addresses, networks, or loopback, linklocal, uniquelocal',
  example: '10.0.0.0/8,loopback',
  parse: (text) => {
    const proxies = text.split(',').map((proxy) => proxy.trim());
    return proxies.every(isNetwork) ? proxies : undefined;
  },
};
const HTTP_HEADERS_TIMEOUT_SECONDS: Variable<number> = {
  name: 'HTTP_HEADERS_TIMEOUT_SECONDS',
  shape: 'a whole number of seconds from 1 to 600',
  example: '20',
  parse: (text) => wholeNumber(text, 1, 600),
};
const HTTP_REQUEST_TIMEOUT_SECONDS: Variable<number> = {
  name: 'HTTP_REQUEST_TIMEOUT_SECONDS',
  shape: 'a whole number of seconds from 1 to 3600',
  example: '120',
  parse: (text) => wholeNumber(text, 1, 3_600),
};
const HTTP_IDLE_TIMEOUT_SECONDS: Variable<number> = {
  ...HTTP_REQUEST_TIMEOUT_SECONDS,
  name: 'HTTP_IDLE_TIMEOUT_SECONDS',
  example: '300',
};
const HTTP_CONNECTIONS_MAX: Variable<number> = {
  name: 'HTTP_CONNECTIONS_MAX',
  shape: 'a whole number of connections from 1 to 1000000',
  example: '10000',
  parse: (text) => wholeNumber(text, 1, 1_000_000),
};
const LOG_LEVEL: Variable<LogLevel> = oneOf('LOG_LEVEL', LOG_LEVELS, 'info');
const ROLE: Variable<ProcessRole> = oneOf('ROLE', PROCESS_ROLES, 'all');

/**
 * Reads and checks the configuration.
 * @throws EnvironmentError naming every variable that is wrong, so that one start shows all there is to mend.
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const faults: string[] = [];
  // An empty text counts as unset: that is what compose files pass for a variable left blank.
  const read = <T>(variable: Variable<T>): T | undefined => {
    const text = variables[variable.name];
    if (text === undefined || text === '') return undefined;
    const value = variable.parse(text);
    if (value === undefined)
      faults.push(`${variable.name} must be ${variable.shape}, for example ${variable.example}.`);
    return value;
  };
  const isSet = (variable: Variable<unknown>): boolean => (variables[variable.name] ?? '') !== '';

  const url = read(DATABASE_URL);
  const ownerUrl = read(DATABASE_OWNER_URL);
  const embedded = !isSet(DATABASE_URL);
  if (embedded && isSet(DATABASE_OWNER_URL)) {
    faults.push(`DATABASE_URL must be set when DATABASE_OWNER_URL is, for example ${DATABASE_URL.example}.`);
  }
  const secret = read(JWT_SECRET);
  const jwks = read(JWT_JWKS_URL);
  if (isSet(JWT_SECRET) && isSet(JWT_JWKS_URL)) {
    faults.push('JWT_SECRET and JWT_JWKS_URL exclude each other: set the one that signs your tokens.');
  }
  if (!embedded && !isSet(JWT_SECRET) && !isSet(JWT_JWKS_URL)) {
    faults.push(`JWT_SECRET must be ${JWT_SECRET.shape} (or JWT_JWKS_URL set) when DATABASE_URL is set.`);
  }

  const tenantPerMinute = read(RATE_LIMIT_PER_MINUTE);
  const headersTimeoutSeconds = read(HTTP_HEADERS_TIMEOUT_SECONDS) ?? 20;
  // A full push takes two minutes at 45 kB/s; a sender that needs more should push in smaller batches.
  const requestTimeoutSeconds = read(HTTP_REQUEST_TIMEOUT_SECONDS) ?? 120;
  if (headersTimeoutSeconds > requestTimeoutSeconds) {
    const shape = 'at most HTTP_REQUEST_TIMEOUT_SECONDS, which is for the head and the body together';
    faults.push(`HTTP_HEADERS_TIMEOUT_SECONDS must be ${shape}, for example ${HTTP_HEADERS_TIMEOUT_SECONDS.example}.`);
  }

  const environment: Environment = {
    port: read(PORT) ?? 8001,
    // The embedded mode is a trial on one's own machine: reachable from elsewhere only when asked for.
    host: read(HOST) ?? (embedded ? '127.0.0.1' : '0.0.0.0'),
    database: url === undefined ? { kind: 'embedded' } : { kind: 'external', url, ownerUrl },
    databasePoolMax: read(DATABASE_POOL_MAX) ?? 10,
    redisUrl: read(REDIS_URL),
    tokens:
      jwks !== undefined
        ? { kind: 'jwks', url: jwks }
        : secret !== undefined
          ? { kind: 'secret', secret }
          : { kind: 'generated' },
    jwtIssuer: read(JWT_ISSUER) ?? 'agrotour-sync-engine',
    jwtAudience: read(JWT_AUDIENCE) ?? 'agrotour-sync',
    allowedOrigins: read(ALLOWED_ORIGINS) ?? [],
    dataDir: read(DATA_DIR) ?? path.resolve('.data'),
    logLevel: read(LOG_LEVEL) ?? 'info',
    role: read(ROLE) ?? 'all',
    rateLimits: {
      tenantPerMinute: tenantPerMinute ?? 6_000,
      // Half of what the tenant has: more than any client sends that pushes in batches, and no one device takes it all.
      // Who has set another limit for the tenant has not asked for a narrower one within it.
      devicePerMinute: read(RATE_LIMIT_PER_DEVICE_PER_MINUTE) ?? tenantPerMinute ?? 3_000,
      refusedPerMinute: read(RATE_LIMIT_REFUSED_PER_MINUTE) ?? (tenantPerMinute === 0 ? 0 : 6_000),
    },
    http: {
      trustedProxies: read(TRUSTED_PROXIES) ?? [],
      headersTimeoutMs: headersTimeoutSeconds * 1_000,
      requestTimeoutMs: requestTimeoutSeconds * 1_000,
      idleTimeoutMs: (read(HTTP_IDLE_TIMEOUT_SECONDS) ?? 300) * 1_000,
      connectionsMax: read(HTTP_CONNECTIONS_MAX) ?? 10_000,
    },
  };
  if (faults.length > 0) throw new EnvironmentError(faults);
  return environment;
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

/** As proxy-addr, which Fastify asks, reads them. A network of every address would believe anybody. */
function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...rest] = text.split('/');
  const bitsMax = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  return bitsMax > 0 && rest.length === 0 && (bits === undefined || wholeNumber(bits, 1, bitsMax) !== undefined);
}

function urlOf(text: string, protocols: readonly string[]): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return protocols.includes(url.protocol) && url.hostname !== '' ? url : undefined;
}

function oneOf<T extends string>(name: string, values: readonly T[], example: T): Variable<T> {
  return {
    name,
    shape: `one of ${values.join(', ')}`,
    example,
    parse: (text) => values.find((value) => value === text),
  };
}
