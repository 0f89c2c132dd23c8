import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { isUUID } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems/problem.js';
import { AccessService } from '../access.service.js';
import { ASKS_AGAIN } from './access.decorators.js';

/** Fourth: the tenant that the request names is the token's, it is active, and the device is enrolled. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly access: AccessService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { principal } = request;
    if (principal === undefined || principal.role === 'operator') return true;
    const header = request.headers['x-tenant-id'];
    if (header !== undefined && (typeof header !== 'string' || !isUUID(header, 'loose'))) {
      throw new ProblemError('VALIDATION', {
        errors: [{ path: 'X-Tenant-ID', code: 'IS_UUID', message: 'must be a UUID' }],
      });
    }
    // Here, for every route: a query that names a tenant is never taken for one that doesn't.
    const queried = (request.query as Record<string, unknown>)['tenant_id'];
    if (queried !== undefined && (typeof queried !== 'string' || !isUUID(queried, 'loose'))) {
      const message = Array.isArray(queried) ? 'must be given once' : 'must be a UUID';
      throw new ProblemError('VALIDATION', { errors: [{ path: 'tenant_id', code: 'IS_UUID', message }] });
    }
    const named = [header, queried, tenantIdOfBody(request.body)];
    if (named.some((tenantId) => tenantId !== undefined && tenantId.toLowerCase() !== principal.tenantId)) {
      throw new ProblemError('TENANT_MISMATCH');
    }
    const asksAgain = this.reflector.get<boolean | undefined>(ASKS_AGAIN, context.getHandler()) ?? false;
    await (asksAgain ? this.access.admitForNow(principal) : this.access.admit(principal));
    return true;
  }
}

/** A malformed one is left to the validation of the body, which says so beside all else that is wrong with it. */
function tenantIdOfBody(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('tenant_id' in body)) return undefined;
  return typeof body.tenant_id === 'string' && isUUID(body.tenant_id, 'loose') ? body.tenant_id : undefined;
}
