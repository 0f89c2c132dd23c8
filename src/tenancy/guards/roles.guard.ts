import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems/problem.js';
import type { Role } from '../domain/principal.js';
import { ALLOWED_ROLES } from './access.decorators.js';

/** Third: a role that the route declares. A route that declares none is closed. */
@Injectable()
export class RolesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
    if (principal === undefined) return true; // public, or the guard before would have refused
    const allowed = this.reflector.get<readonly Role[] | undefined>(ALLOWED_ROLES, context.getHandler()) ?? [];
    if (!allowed.includes(principal.role)) throw new ProblemError('FORBIDDEN');
    return true;
  }
}
