import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { catchError, type Observable } from 'rxjs';
import { isTransient } from '../../database/transient-error.js';
import { AccessService } from '../access.service.js';

/**
 * Of a route with `AsksAgain`: what goes wrong before it has asked is told to those only who may enter. To a device that
 * was revoked its bad body is none of our business, nor that of the device, which would take it for a verdict.
 */
@Injectable()
export class ReadmissionInterceptor implements NestInterceptor {
  constructor(private readonly access: AccessService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { principal } = context.switchToHttp().getRequest<FastifyRequest>();
    if (principal === undefined) return next.handle();
    return next.handle().pipe(
      catchError(async (failure: unknown): Promise<never> => {
        // That is no verdict, and a database that hangs would have it wait once more.
        if (!isTransient(failure)) await this.access.admit(principal);
        throw failure;
      }),
    );
  }
}
