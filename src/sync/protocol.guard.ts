import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { assertProtocolVersion } from './protocol.js';

/** Before the body is validated: what another version means by it is not for this one to judge. */
@Injectable()
export class ProtocolGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { body } = context.switchToHttp().getRequest<FastifyRequest>();
    if (typeof body !== 'object' || body === null || !('protocol_version' in body)) return true;
    // Anything but a number is left to validation, which says what it must be.
    if (typeof body.protocol_version === 'number') assertProtocolVersion(body.protocol_version);
    return true;
  }
}
