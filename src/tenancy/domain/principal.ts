export const ROLES = ['device', 'staff', 'admin', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** A till, phone or laptop: pushes and pulls as itself. */
export interface DevicePrincipal {
  readonly role: 'device';
  readonly userId: string;
  readonly tenantId: string;
  readonly deviceId: string;
  /** When its token was issued, in milliseconds since 1970; undefined if the token doesn't say. */
  readonly tokenIssuedAt?: number | undefined;
}

/** A person of the business. */
export interface PersonPrincipal {
  readonly role: 'staff' | 'admin';
  readonly userId: string;
  readonly tenantId: string;
}

/** Runs the platform: sees the list of tenants and nothing of theirs. */
export interface OperatorPrincipal {
  readonly role: 'operator';
  readonly userId: string;
}

export type TenantPrincipal = DevicePrincipal | PersonPrincipal;

/** Who is asking, as the token says and the database confirms. */
export type Principal = TenantPrincipal | OperatorPrincipal;
