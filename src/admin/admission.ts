import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.js';
import type { AccessService } from '../tenancy/access.service.js';
import type { OperatorPrincipal, PersonPrincipal, Principal } from '../tenancy/domain/principal.js';
import { authenticate } from '../tenancy/guards/authentication.guard.js';
import type { TokensService } from '../tenancy/tokens.service.js';
import { keptToken } from './session-cookie.js';

/** Who may look at the pages under /admin. */
export type Viewer = OperatorPrincipal | (PersonPrincipal & { readonly role: 'admin' });

/** Who may enter: asked on every request, of pages, scripts and data alike, so that a suspension is immediate. */
export class Admission {
  constructor(
    private readonly tokens: TokensService,
    private readonly access: AccessService,
  ) {}

  /**
   * By a bearer token, or by the one that the browser keeps.
   * @throws ProblemError UNAUTHENTICATED, FORBIDDEN, TENANT_SUSPENDED or UNAVAILABLE.
   */
  async admit(request: FastifyRequest): Promise<Viewer> {
    const token = keptToken(request.headers.cookie);
    // What the cookie holds is a bearer token, and it is looked at as one.
    if (token !== undefined) request.headers.authorization ??= `Bearer ${token}`;
    await authenticate(request, this.tokens);
    return this.judge(request.principal);
  }

  /** @throws ProblemError as `admit`. */
  async admitToken(token: string): Promise<Viewer> {
    return this.judge(await this.tokens.verify(token));
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
