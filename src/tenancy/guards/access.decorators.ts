import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiProblem } from '../../problems/api-problem.decorator.js';
import type { Principal, Role } from '../domain/principal.js';
import { ReadmissionInterceptor } from './readmission.interceptor.js';

export const PUBLIC = 'agrotour:public';
export const ALLOWED_ROLES = 'agrotour:roles';
export const ASKS_AGAIN = 'agrotour:asks-again';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the authentication guard; absent on public routes. */
    principal?: Principal;
  }
}

/** In the API document: who may call the route, for people and for the tests that attack each of them. */
const ROLES_EXTENSION = 'x-roles';

/** Opens a route to everyone. Without this or `Roles` a route is closed. */
export const Public = (): MethodDecorator & ClassDecorator =>
  applyDecorators(SetMetadata(PUBLIC, true), ApiExtension(ROLES_EXTENSION, ['everyone']));

/** Opens a route to these roles, and documents what the guards may answer. */
export function Roles(...roles: readonly Role[]): MethodDecorator {
  const ofTenant = roles.some((role) => role !== 'operator');
  return applyDecorators(
    SetMetadata(ALLOWED_ROLES, roles),
    ApiExtension(ROLES_EXTENSION, [...roles]),
    ApiBearerAuth(),
    ApiProblem('UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE'),
    ...(ofTenant ? [ApiProblem('VALIDATION', 'TENANT_MISMATCH', 'TENANT_SUSPENDED'), TENANT_HEADER] : []),
    ...(roles.includes('device') ? [ApiProblem('DEVICE_UNKNOWN', 'DEVICE_REVOKED', 'TOKEN_REVOKED')] : []),
  );
}

/**
 * For a route that asks the database itself, before it writes anything, whether its bearer may enter: to the guards an answer
 * of the last second will do.
 */
export const AsksAgain = (): MethodDecorator =>
  applyDecorators(SetMetadata(ASKS_AGAIN, true), UseInterceptors(ReadmissionInterceptor));

const TENANT_HEADER = ApiHeader({
  name: 'X-Tenant-ID',
  required: false,
  description: 'The token carries the tenant already; if given, it must be the same.',
  schema: { type: 'string', format: 'uuid' },
});

/** Who is asking. The role is among those that the route declares, so a controller may ask for the narrower type. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
  if (principal === undefined) throw new Error('A public route has no principal');
  return principal;
});
