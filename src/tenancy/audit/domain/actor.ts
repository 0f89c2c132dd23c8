import type { Principal, Role } from '../../domain/principal.js';

/** Where a request came from, as far as the service can tell. */
export interface Origin {
  /** Of the client, or of the last proxy that is not trusted to say whose it passes on. null if it hung up too early to tell. */
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** As in the log. */
  readonly requestId: string;
}

/** Who is asking, and from where: for whatever the audit log is told of. */
export type Acting<P extends Principal> = P & { readonly origin: Origin };

/** Devices do nothing that is audited: what they do is in the ledger. */
export const ACTOR_ROLES = ['staff', 'admin', 'operator', 'service'] as const satisfies readonly (Role | 'service')[];
export type ActorRole = (typeof ACTOR_ROLES)[number];

/** Whoever did something that is audited: a person by a request, or the service by itself. */
export interface Actor {
  readonly role: ActorRole;
  /** null for the service. */
  readonly userId: string | null;
  /** null for the service. */
  readonly origin: Origin | null;
}

/** Who acts within a business. */
export interface TenantActor extends Actor {
  readonly tenantId: string;
}

/** The service by itself, or whoever started one of its commands: the database can't tell. */
export const SERVICE: Actor = { role: 'service', userId: null, origin: null };
