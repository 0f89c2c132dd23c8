import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems/problem.js';
import { AccessService } from '../access.service.js';

/** Third: the tenant that the request names is the token's, it is active, and the device is enrolled. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(private readonly access: AccessService) {}

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
    if (Array.isArray((request.query as Record<string, unknown>)['tenant_id'])) {
      throw new ProblemError('VALIDATION', {
        errors: [{ path: 'tenant_id', code: 'IS_UUID', message: 'must be given once' }],
      });
    }
    const named = [header, tenantIdOf(request.body), tenantIdOf(request.query)];
    if (named.some((tenantId) => tenantId !== undefined && tenantId.toLowerCase() !== principal.tenantId)) {
      throw new ProblemError('TENANT_MISMATCH');
    }
    await this.access.admit(principal);
    return true;
  }
}

/** A malformed one is left to validation, which says so. */
function tenantIdOf(part: unknown): string | undefined {
  if (typeof part !== 'object' || part === null || !('tenant_id' in part)) return undefined;
  return typeof part.tenant_id === 'string' && isUUID(part.tenant_id, 'loose') ? part.tenant_id : undefined;
}
