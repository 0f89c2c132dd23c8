import { webcrypto } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type CryptoKey, errors, type JWTPayload, jwtVerify, type JWTVerifyResult, SignJWT } from 'jose';
import { isUUID } from 'class-validator';
import { LRUCache } from 'lru-cache';
import type { TokenSettings } from '../config/settings.js';
import { ProblemError } from '../problems/problem.js';
import { hasExpired, type Principal, ROLES, type Role } from './domain/principal.js';
import { KeysOutOfReachError, ProviderKeys } from './provider-keys.js';

/** Seconds that the clocks of issuer and service may differ. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Ten times what the service's own have. Longer ones are not even decoded. */
const TOKEN_CHARACTERS_MAX = 8_192;

/** A till sends its one token with every request; these are remembered, the last that came, and each for so long. */
const REMEMBERED_MAX = 4_096;
const REMEMBERED_MS = 60_000;

/**
 * What a provider may say that a token is: access tokens (RFC 9068), or nothing in particular. It signs other things with the
 * same keys, such as notices of a logout, and none of them is to open a door here.
 */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);

/** Of the year 9999. What expires later, or at 1e999, which JSON reads as infinity, is meant never to. */
const LAST_SECOND = 253_402_300_799;

/** A device's token lives until the device is revoked, or a year; a person's a working day. */
export const TOKEN_SECONDS: Readonly<Record<Role, number>> = {
  device: 365 * 86_400,
  staff: 12 * 3_600,
  admin: 12 * 3_600,
  operator: 12 * 3_600,
};

/**
 * When the token was issued, in milliseconds since 1970. Of tokens of devices, which are told apart by it when they are
 * replaced: `iat` is in whole seconds, and some who read it take nothing else.
 */
const ISSUED_AT_MS = 'issued_at_ms';

/** Bearer tokens (RFC 7519): algorithm, issuer, audience and expiry are pinned, whatever the token says of itself. */
@Injectable()
export class TokensService {
  /** A secret is imported once: jose would import it for each token anew, in another thread, which takes as long as the rest. */
  private readonly key: Promise<CryptoKey> | ProviderKeys;
  private readonly algorithms: readonly string[];
  /** By their text, those that were valid: to verify one takes longer than all else that is done before the database is asked. */
  private readonly remembered = new LRUCache<string, Principal>({ max: REMEMBERED_MAX, ttl: REMEMBERED_MS });

  constructor(private readonly settings: TokenSettings) {
    const { keys } = settings;
    this.key = keys.kind === 'secret' ? importSecret(keys.secret) : new ProviderKeys(keys.url);
    this.algorithms = keys.kind === 'secret' ? ['HS256'] : ['RS256', 'ES256'];
  }

  /** Whether the service signs tokens itself; with JWT_JWKS_URL the identity provider does. */
  get signs(): boolean {
    return this.settings.keys.kind === 'secret';
  }

  /**
   * @param principal a device's `tokenIssuedAt` is now unless given
   * @param lifetimeSeconds by default as TOKEN_SECONDS has it for the role
   * @throws Error if tokens are signed by an identity provider.
   */
  async sign(principal: Principal, lifetimeSeconds = TOKEN_SECONDS[principal.role]): Promise<string> {
    if (this.key instanceof ProviderKeys) throw new Error('With JWT_JWKS_URL the identity provider signs the tokens.');
    return new SignJWT({
      role: principal.role,
      ...(principal.role !== 'operator' && { tenant_id: principal.tenantId }),
      ...(principal.role === 'device' && {
        device_id: principal.deviceId,
        [ISSUED_AT_MS]: principal.tokenIssuedAt ?? Date.now(),
      }),
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(principal.userId)
      .setIssuer(this.settings.issuer)
      .setAudience(this.settings.audience)
      .setIssuedAt()
      .setExpirationTime(`${lifetimeSeconds} seconds`)
      .sign(await this.key);
  }

  /** @throws ProblemError UNAUTHENTICATED, or UNAVAILABLE if the identity provider's keys can't be fetched. */
  async verify(token: string): Promise<Principal> {
    const known = this.remembered.get(token);
    if (known !== undefined && !hasExpired(known, Date.now())) return known;
    const principal = toPrincipal(await this.payloadOf(token));
    this.remembered.set(token, principal);
    return principal;
  }

  private async payloadOf(token: string): Promise<JWTPayload> {
    if (token.length > TOKEN_CHARACTERS_MAX || !endsCanonically(token)) throw invalid(undefined);
    const { key } = this;
    const options = {
      algorithms: [...this.algorithms],
      issuer: this.settings.issuer,
      audience: this.settings.audience,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
    };
    let verified: JWTVerifyResult;
    try {
      verified = await (key instanceof ProviderKeys
        ? jwtVerify(token, key.find, options)
        : jwtVerify(token, await key, options));
    } catch (cause) {
      if (cause instanceof KeysOutOfReachError) throw new ProblemError('UNAVAILABLE', { cause });
      throw invalid(cause);
    }
    const { protectedHeader, payload } = verified;
    if (!hasAcceptedType(protectedHeader)) throw invalid(undefined);
    if ((payload.exp ?? Infinity) > LAST_SECOND) throw invalid(undefined);
    return payload;
  }
}

function importSecret(secret: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return webcrypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign', 'verify']);
}

/**
 * Whether the signature is written in the one way there is (RFC 4648, section 3.5). Decoders drop the bits of the last
 * character that stand for nothing: of what else is signed, no character can be changed, and of this one none should.
 */
function endsCanonically(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}

function hasAcceptedType(header: Readonly<Record<string, unknown>>): boolean {
  const { typ = 'JWT' } = header;
  return typeof typ === 'string' && TYPES.has(typ.toLowerCase());
}

function invalid(cause: unknown): ProblemError {
  const expired = cause instanceof errors.JWTExpired;
  const detail = expired ? 'The token has expired.' : 'The token is not valid.';
  return new ProblemError('UNAUTHENTICATED', { detail, cause });
}

function toPrincipal(claims: JWTPayload): Principal {
  const role = ROLES.find((known) => known === claims['role']);
  const bearer = { userId: uuidClaim(claims, 'sub'), tokenExpiresAt: expiresAt(claims) };
  switch (role) {
    case 'operator':
      return { role, ...bearer };
    case 'staff':
    case 'admin':
      return { role, ...bearer, tenantId: uuidClaim(claims, 'tenant_id') };
    case 'device':
      return {
        ...{ role, ...bearer, tenantId: uuidClaim(claims, 'tenant_id'), deviceId: uuidClaim(claims, 'device_id') },
        tokenIssuedAt: issuedAt(claims),
      };
    case undefined:
      throw new ProblemError('UNAUTHENTICATED', { detail: `The token's "role" must be one of ${ROLES.join(', ')}.` });
  }
}

function expiresAt({ exp = 0 }: JWTPayload): number {
  return (exp + CLOCK_TOLERANCE_SECONDS) * 1_000;
}

/** Of a whole second its beginning: a token that may be older than it says is taken to be. */
function issuedAt({ iat, [ISSUED_AT_MS]: precise }: JWTPayload): number | undefined {
  if (typeof precise === 'number') return precise;
  return iat === undefined ? undefined : iat * 1_000;
}

function uuidClaim(claims: JWTPayload, name: string): string {
  const value = claims[name];
  if (typeof value === 'string' && isUUID(value, 'loose')) return value.toLowerCase();
  throw new ProblemError('UNAUTHENTICATED', { detail: `The token's "${name}" must be a UUID.` });
}
