import { decodeJwt } from 'jose';

/**
 * When the bearer token of a request expires, in milliseconds since 1970. Only for what the authentication guard has let
 * in: the token's signature is not checked again, and it has an `exp`, or the guard would have refused it.
 */
export function tokenExpiry(authorization: string | undefined): number {
  const { exp } = decodeJwt(authorization?.split(' ').filter(Boolean)[1] ?? '');
  if (exp === undefined) throw new Error('A token that never expires was let in');
  return exp * 1_000;
}
