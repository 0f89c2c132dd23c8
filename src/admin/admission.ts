import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestLimits } from '../limits/request-limits.js';
import { ProblemError } from '../problems/problem.js';
import type { AccessService } from '../tenancy/access.service.js';
import type { OperatorPrincipal, PersonPrincipal, Principal } from '../tenancy/domain/principal.js';
import { authenticate } from '../tenancy/guards/authentication.guard.js';
import { countBearer, countTenant } from '../tenancy/guards/rate-limit.guards.js';
import type { TokensService } from '../tenancy/tokens.service.js';
import { keptToken } from './session-cookie.js';

/** Who may look at the pages under /admin. */
export type Viewer = OperatorPrincipal | (PersonPrincipal & { readonly role: 'admin' });

/**
 * Who may enter: asked on every request, of pages, scripts and data alike, so that a suspension is immediate. These pages have
 * no guards: here is done for them what guards do for the API.
 */
export class Admission {
  constructor(
    private readonly tokens: TokensService,
    private readonly access: AccessService,
    private readonly limits: RequestLimits,
  ) {}

  /**
   * By a bearer token, or by the one that the browser keeps.
   * @throws ProblemError UNAUTHENTICATED, FORBIDDEN, TENANT_SUSPENDED, RATE_LIMITED or UNAVAILABLE.
   */
  async admit(request: FastifyRequest, reply: FastifyReply): Promise<Viewer> {
    const token = keptToken(request.headers.cookie);
    // What the cookie holds is a bearer token, and it is looked at as one.
    if (token !== undefined) request.headers.authorization ??= `Bearer ${token}`;
    await authenticate(request, this.tokens);
    await countBearer(request, reply, this.limits);
    const viewer = await this.judge(request.principal);
    await countTenant(request, reply, this.limits);
    return viewer;
  }

  /**
   * By the token that a person has pasted.
   * @throws ProblemError as `admit`.
   */
  async admitToken(token: string, request: FastifyRequest, reply: FastifyReply): Promise<Viewer> {
    request.headers.authorization = `Bearer ${token}`;
    return this.admit(request, reply);
  }

  private async judge(principal: Principal | undefined): Promise<Viewer> {
    switch (principal?.role) {
      case 'operator':
        return principal;
      case 'admin':
        await this.access.admit(principal);
        return { ...principal, role: principal.role };
      case 'staff':
      case 'device':
      case undefined:
        throw new ProblemError('FORBIDDEN', { detail: 'These pages are for the roles admin and operator.' });
    }
  }
}
