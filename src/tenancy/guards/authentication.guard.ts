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
    const declared = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, declared)) return true;
    await authenticate(context.switchToHttp().getRequest<FastifyRequest>(), this.tokens);
    return true;
  }
}

/**
 * Checks the bearer token, once for each request, and notes who asks.
 *
 * The guard calls it, and for requests with a body the server does so before it reads the body: what a stranger sends is
 * neither kept nor parsed.
 * @throws ProblemError UNAUTHENTICATED
 */
export async function authenticate(request: FastifyRequest, tokens: TokensService): Promise<void> {
  if (request.principal) return;
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined)
    throw new ProblemError('UNAUTHENTICATED', { detail: 'Send "Authorization: Bearer <token>".' });
  request.principal = await tokens.verify(token);
}
