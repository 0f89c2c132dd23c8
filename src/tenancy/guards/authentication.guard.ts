import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../../problems/problem.js';
import { TokensService } from '../tokens.service.js';
import { PUBLIC } from './access.decorators.js';

/** First: a valid token, unless the route is public. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokensService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, [context.getHandler(), context.getClass()]))
      return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined)
      throw new ProblemError('UNAUTHENTICATED', { detail: 'Send "Authorization: Bearer <token>".' });
    const principal = await this.tokens.verify(token);
    request.principal = principal;
    request.log = request.log.child({
      userId: principal.userId,
      ...(principal.role !== 'operator' && { tenantId: principal.tenantId }),
      ...(principal.role === 'device' && { deviceId: principal.deviceId }),
    });
    return true;
  }
}
