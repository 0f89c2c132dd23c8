import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LimitName, rateLimitHeaders, RequestLimits, type Standing } from '../../limits/request-limits.js';
import { ProblemError } from '../../problems/problem.js';
import { bearerId, type Principal } from '../domain/principal.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Where its bearer and its tenant stand, once it was counted for them. */
    standings?: readonly Standing[];
  }
}

/** Second, before anything is asked of the database: the bearer has not used up what it may send in a minute. */
@Injectable()
export class BearerLimitGuard implements CanActivate {
  constructor(private readonly limits: RequestLimits) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    await countBearer(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.limits);
    return true;
  }
}

/** Last, of who is let in: neither have all of the business together. */
@Injectable()
export class TenantLimitGuard implements CanActivate {
  constructor(private readonly limits: RequestLimits) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    await countTenant(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.limits);
    return true;
  }
}

const EXCEEDED: Readonly<Record<LimitName, string>> = {
  device: 'This device, or person, has sent',
  tenant: 'All devices of this business together have sent',
};

/**
 * Counts the request for the token it came with, once, and tells how much is left. Nothing is counted on public routes.
 *
 * As with `authenticate`, the guard calls it, and the server itself for a request with a body, before that is read.
 * @throws ProblemError RATE_LIMITED
 */
export async function countBearer(request: FastifyRequest, reply: FastifyReply, limits: RequestLimits): Promise<void> {
  const { principal } = request;
  if (principal === undefined || request.standings) return;
  tell(request, reply, await limits.countBearer(callerOf(principal)));
}

/**
 * Counts the request for the business whose it is, once that has let its bearer in.
 * @throws ProblemError RATE_LIMITED
 */
export async function countTenant(request: FastifyRequest, reply: FastifyReply, limits: RequestLimits): Promise<void> {
  const { principal, standings = [] } = request;
  if (principal === undefined || principal.role === 'operator') return;
  const standing = await limits.countTenant(principal.tenantId);
  if (standing) tell(request, reply, [...standings, standing]);
}

function tell(request: FastifyRequest, reply: FastifyReply, standings: readonly Standing[]): void {
  request.standings = standings;
  void reply.headers(rateLimitHeaders(standings));
  const exceeded = standings.find((standing) => standing.exceeded);
  if (!exceeded) return;
  throw new ProblemError('RATE_LIMITED', {
    detail: `${EXCEEDED[exceeded.limit]} more than ${exceeded.quota} requests within a minute.`,
    retryAfterSeconds: exceeded.resetSeconds,
  });
}

function callerOf(principal: Principal): Parameters<RequestLimits['countBearer']>[0] {
  return {
    tenantId: principal.role === 'operator' ? undefined : principal.tenantId,
    bearerId: bearerId(principal),
    tokenIssuedAt: principal.role === 'device' ? principal.tokenIssuedAt : undefined,
  };
}
