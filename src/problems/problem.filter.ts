import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isTransient } from '../database/transient-error.js';
import { PROBLEMS, type ProblemCode, ProblemError, problemType } from './problem.js';

/** Seconds after which a caller that met 503 or 429 may try again. */
const RETRY_AFTER_SECONDS = 2;

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const logger = new Logger('Problems');

/** What a route throws becomes an answer. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(exception, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** The one place where an error becomes an answer: `application/problem+json`, no stack, no SQL. */
export function answerProblem(exception: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(exception);
  const { status } = PROBLEMS[problem.code];
  const fields = { requestId: request.id, method: request.method, route: request.routeOptions.url };
  if (status === 503) logger.warn({ ...fields, reason: reasonOf(exception) }, problem.code);
  else if (status >= 500) logger.error({ ...fields, err: exception }, problem.code);
  if (reply.sent || reply.raw.headersSent) return;
  if (status === 503 || status === 429) {
    void reply.header('retry-after', problem.details.retryAfterSeconds ?? RETRY_AFTER_SECONDS);
  }
  if (status === 401) void reply.header('www-authenticate', 'Bearer');
  void reply.status(status).header('content-type', PROBLEM_TYPE).send(problemDocument(problem, request.id));
}

/** The body of an answer (RFC 9457). */
export function problemDocument({ code, details }: ProblemError, requestId: string): string {
  const { status, title } = PROBLEMS[code];
  return JSON.stringify({
    type: problemType(code),
    title,
    status,
    code,
    ...(details.detail !== undefined && { detail: details.detail }),
    instance: `urn:uuid:${requestId}`,
    ...(details.errors && { errors: details.errors }),
    ...details.extensions,
  });
}

/** An outage is told in a line, many times over: its stack says nothing that the first did not. */
function reasonOf(exception: unknown): string {
  const cause = exception instanceof ProblemError ? (exception.details.cause ?? exception) : exception;
  return cause instanceof Error ? cause.message : String(cause);
}

/** Errors of the framework and the database, translated; whatever is unknown is a fault of the service. */
export function toProblem(exception: unknown): ProblemError {
  if (exception instanceof ProblemError) return exception;
  const cause = exception;
  if (exception instanceof HttpException) return fromHttpException(exception);
  const status = numberProperty(exception, 'statusCode');
  if (status !== undefined && status >= 400 && status < 500) return new ProblemError(codeOfStatus(status), { cause });
  if (isTransient(exception)) return new ProblemError('UNAVAILABLE', { cause });
  return new ProblemError('INTERNAL', { cause });
}

function fromHttpException(exception: HttpException): ProblemError {
  const status = exception.getStatus();
  const response = exception.getResponse();
  // A failed health check tells which part is down; it names parts, not addresses.
  if (status === 503 && typeof response === 'object' && 'details' in response) {
    return new ProblemError('UNAVAILABLE', { extensions: { checks: response.details } });
  }
  return new ProblemError(codeOfStatus(status), { cause: exception });
}

function codeOfStatus(status: number): ProblemCode {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'FORBIDDEN';
    case 404:
    case 405:
      return 'NOT_FOUND';
    case 413:
      return 'PAYLOAD_TOO_LARGE';
    case 415:
      return 'UNSUPPORTED_MEDIA_TYPE';
    case 429:
      return 'RATE_LIMITED';
    case 503:
      return 'UNAVAILABLE';
    default:
      return status < 500 ? 'BAD_REQUEST' : 'INTERNAL';
  }
}

function numberProperty(value: unknown, name: string): number | undefined {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  const property: unknown = (value as Record<string, unknown>)[name];
  return typeof property === 'number' ? property : undefined;
}
