import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../domain/principal.js';
import type { Acting, Origin } from './domain/actor.js';

/** Longer ones are nobody's browser. */
const USER_AGENT_CHARACTERS_MAX = 300;

/** Who is asking, as CurrentPrincipal has it, and from where: for routes whose work is audited. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Acting<Principal> => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  if (request.principal === undefined) throw new Error('A public route has no principal');
  return { ...request.principal, origin: originOf(request) };
});

export function originOf(request: FastifyRequest): Origin {
  return {
    ip: addressOf(request),
    userAgent: request.headers['user-agent']?.slice(0, USER_AGENT_CHARACTERS_MAX) ?? null,
    requestId: request.id,
  };
}

/** IPv4 without what a socket that listens to both puts before it. */
function addressOf({ ip }: FastifyRequest): string | null {
  // Fastify's type doesn't know of clients that have hung up before the system was asked.
  return (ip as string | undefined)?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}
