import { Logger } from '@nestjs/common';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type ExportedJWKSCache,
  type FetchImplementation,
  jwksCache,
  type JWTVerifyGetKey,
} from 'jose';

/** A request that waits for the keys waits no longer. */
const FETCH_TIMEOUT_MS = 3_000;
/** After a fetch, whatever came of it: until then nobody waits for another, nor is the provider asked. */
const FETCH_PAUSE_MS = 1_000;
/** For a key that the provider does not seem to have: whoever makes key ids up has it asked no more often than this. */
const UNKNOWN_KEY_PAUSE_MS = 30_000;
/** Then they are fetched again, while requests go on with those there are: a key that was withdrawn is refused by then. */
const FRESH_MS = 10 * 60_000;
/** For so long they are used though the provider can't be reached. Its short outage is not to be one of every till. */
const KEPT_MS = 60 * 60_000;

/** Of a key set: a hundred keys with their certificates. */
const KEYS_BYTES_MAX = 1024 * 1024;

/** Nothing was learnt of a token: the provider's keys are out of reach. */
export class KeysOutOfReachError extends Error {
  constructor(cause: unknown) {
    super(`The keys of JWT_JWKS_URL can't be fetched: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.name = 'KeysOutOfReachError';
  }
}

/** The keys that an identity provider publishes (RFC 7517), fetched when they are needed. */
export class ProviderKeys {
  private readonly logger = new Logger('Tokens');
  /** Filled by jose with each fetch. */
  private readonly cache: Partial<ExportedJWKSCache> = {};
  private readonly remote: ReturnType<typeof createRemoteJWKSet>;
  private fetchAgainAt = -Infinity;
  private away = false;

  constructor(url: URL) {
    this.remote = createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cooldownDuration: UNKNOWN_KEY_PAUSE_MS,
      cacheMaxAge: KEPT_MS,
      [jwksCache]: this.cache as Record<string, never>,
      [customFetch]: this.fetchKeys,
    });
  }

  /**
   * The key that a token says it was signed with.
   * @throws KeysOutOfReachError, or jose's error if the provider has no such key.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    if (this.remote.fresh && Date.now() - (this.cache.uat ?? 0) > FRESH_MS) void this.refresh();
    try {
      return await this.remote(header, token);
    } catch (cause) {
      throw saysNothingOfToken(cause) ? new KeysOutOfReachError(cause) : cause;
    }
  };

  /** Never rejects. */
  private async refresh(): Promise<void> {
    if (this.remote.reloading || Date.now() < this.fetchAgainAt) return;
    try {
      await this.remote.reload();
      this.away = false;
    } catch (error) {
      if (!this.away)
        this.logger.warn({ err: new KeysOutOfReachError(error) }, 'Tokens are checked with the keys there are');
      this.away = true;
    }
  }

  private readonly fetchKeys: FetchImplementation = async (url, options) => {
    if (Date.now() < this.fetchAgainAt) throw new Error('they could not be, a moment ago');
    try {
      const response = await fetch(url, options);
      // All of it here: an answer that hangs in the middle is one that failed.
      return new Response(await readWhole(response), { status: response.status });
    } finally {
      this.fetchAgainAt = Date.now() + FETCH_PAUSE_MS;
    }
  };
}

/** No connection (no JOSE error at all), no answer in time, an answer other than 200 (jose's generic error), or no key set in it. */
function saysNothingOfToken(cause: unknown): boolean {
  if (!(cause instanceof errors.JOSEError)) return true;
  return ['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'].includes(cause.code);
}

/** @throws Error if it is longer than any key set. */
async function readWhole({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > KEYS_BYTES_MAX) throw new Error(`the answer has more than ${KEYS_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
