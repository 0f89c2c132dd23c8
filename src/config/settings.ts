import { readFileSync } from 'node:fs';
import type { Environment, HttpSettings, ProcessRole, RateLimitSettings } from './environment.js';

/** How tokens are checked: by a shared secret, with which the service also signs, or by an identity provider's keys. */
export type TokenKeys =
  { readonly kind: 'secret'; readonly secret: string } | { readonly kind: 'jwks'; readonly url: URL };

export interface TokenSettings {
  readonly keys: TokenKeys;
  readonly issuer: string;
  readonly audience: string;
}

/** What the modules run on: the environment, with what the embedded database adds filled in. */
export class Settings {
  private constructor(
    readonly databaseUrl: string,
    readonly databasePoolMax: number,
    readonly redisUrl: string | undefined,
    readonly tokens: TokenSettings,
    readonly allowedOrigins: readonly string[],
    readonly role: ProcessRole,
    readonly rateLimits: RateLimitSettings,
    readonly http: HttpSettings,
  ) {}

  /**
   * @param found the URL of the restricted role, and the secret kept in DATA_DIR
   * @throws Error if tokens are to be checked with a kept secret and there is none.
   */
  static resolve(environment: Environment, found: { databaseUrl: string; keptSecret?: string }): Settings {
    return new Settings(
      found.databaseUrl,
      environment.databasePoolMax,
      environment.redisUrl,
      tokenSettings(environment, found.keptSecret),
      environment.allowedOrigins,
      environment.role,
      environment.rateLimits,
      environment.http,
    );
  }
}

/** Also for the token tool, which needs no database. */
export function tokenSettings(environment: Environment, keptSecret: string | undefined): TokenSettings {
  const { tokens, jwtIssuer: issuer, jwtAudience: audience } = environment;
  if (tokens.kind !== 'generated') return { keys: tokens, issuer, audience };
  if (keptSecret === undefined) throw new Error('There is no secret to check tokens with.');
  return { keys: { kind: 'secret', secret: keptSecret }, issuer, audience };
}

/** The package's version, read from beside the compiled code. */
export const SERVICE_VERSION = (
  JSON.parse(
    readFileSync(
      new URL(import.meta.url.includes('/dist/') ? '../../../package.json' : '../../package.json', import.meta.url),
      'utf8',
    ),
  ) as {
    version: string;
  }
).version;
