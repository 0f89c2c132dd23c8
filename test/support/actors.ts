import { randomUUID } from 'node:crypto';
import type { Acting, Origin } from '../../src/tenancy/audit/domain/actor.js';
import type { PersonPrincipal } from '../../src/tenancy/domain/principal.js';

/** Where a test's requests come from that are none. */
export const ORIGIN: Origin = { ip: '203.0.113.7', userAgent: 'a test', requestId: randomUUID() };

/** A person of the tenant, for services that are called without HTTP. */
export function aPerson(tenantId: string, role: PersonPrincipal['role'] = 'admin'): Acting<PersonPrincipal> {
  return { role, userId: randomUUID(), tenantId, origin: ORIGIN };
}
