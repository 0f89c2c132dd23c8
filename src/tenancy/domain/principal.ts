export const ROLES = ['device', 'staff', 'admin', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Who bears a token, whatever their role. */
interface Bearer {
  readonly userId: string;
  /** From when on its token is refused, in milliseconds since 1970; undefined if no token was read. */
  readonly tokenExpiresAt?: number | undefined;
}

/** A till, phone or laptop: pushes and pulls as itself. */
export interface DevicePrincipal extends Bearer {
  readonly role: 'device';
  readonly tenantId: string;
  readonly deviceId: string;
  /** When its token was issued, in milliseconds since 1970; undefined if the token doesn't say. */
  readonly tokenIssuedAt?: number | undefined;
}

/** A person of the business. */
export interface PersonPrincipal extends Bearer {
  readonly role: 'staff' | 'admin';
  readonly tenantId: string;
}

/** Runs the platform: sees the list of tenants and nothing of theirs. */
export interface OperatorPrincipal extends Bearer {
  readonly role: 'operator';
}

export type TenantPrincipal = DevicePrincipal | PersonPrincipal;

/** Who is asking, as the token says and the database confirms. */
export type Principal = TenantPrincipal | OperatorPrincipal;

/** @param now in milliseconds since 1970 */
export function hasExpired({ tokenExpiresAt = Infinity }: Principal, now: number): boolean {
  return now >= tokenExpiresAt;
}

/** Whose requests and streams are counted together: the device, or the person where there is none. */
export function bearerId(principal: Principal): string {
  return principal.role === 'device' ? principal.deviceId : principal.userId;
}
