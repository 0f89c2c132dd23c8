import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type LimitName, rateLimitHeaders, RequestLimits } from '../../limits/request-limits.js';
import { ProblemError } from '../../problems/problem.js';
import type { Principal } from '../domain/principal.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once the request was counted for its bearer. */
    counted?: boolean;
  }
}

/** Second, before anything is asked of the database: the bearer has not used up what it may send in a minute. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  constructor(private readonly limits: RequestLimits) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    await countRequest(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), this.limits);
    return true;
  }
}

const EXCEEDED: Readonly<Record<LimitName, string>> = {
  device: 'This device, or person, has sent',
  tenant: 'All devices of this business together have sent',
};

/**
 * Counts the request for whoever sent it, once, and tells how much is left. Nothing is counted on public routes.
 *
 * As with `authenticate`, the guard calls it, and the server itself for a request with a body, before that is read.
 * @throws ProblemError RATE_LIMITED
 */
export async function countRequest(request: FastifyRequest, reply: FastifyReply, limits: RequestLimits): Promise<void> {
  const { principal } = request;
  if (principal === undefined || request.counted) return;
  request.counted = true;
  const standings = await limits.count(callerOf(principal));
  void reply.headers(rateLimitHeaders(standings));
  const exceeded = standings.find((standing) => standing.exceeded);
  if (!exceeded) return;
  throw new ProblemError('RATE_LIMITED', {
    detail: `${EXCEEDED[exceeded.limit]} more than ${exceeded.quota} requests within a minute.`,
    retryAfterSeconds: exceeded.resetSeconds,
  });
}

function callerOf(principal: Principal): { tenantId: string | undefined; bearerId: string } {
  switch (principal.role) {
    case 'device':
      return { tenantId: principal.tenantId, bearerId: principal.deviceId };
    case 'staff':
    case 'admin':
      return { tenantId: principal.tenantId, bearerId: principal.userId };
    case 'operator':
      return { tenantId: undefined, bearerId: principal.userId };
  }
}
