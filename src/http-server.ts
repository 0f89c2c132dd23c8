import { randomUUID } from 'node:crypto';
import { getQueueToken } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Queue } from 'bullmq';
import { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { Logger as PinoLogger } from 'pino';
import { adminPages, type AdminPagesOptions } from './admin/admin-pages.js';
import { ADMIN_PATH } from './admin/session-cookie.js';
import { AppModule } from './app.module.js';
import { addApiDocument, isDocument } from './api-document.js';
import { Settings } from './config/settings.js';
import { addSecurityHeaders, answerBroken, answerOddHeads, boundConnections, serverBounds } from './http-hardening.js';
import { RequestLimits } from './limits/request-limits.js';
import { NestLogger } from './logging/logger.js';
import { whoAsked } from './logging/who-asked.js';
import { HttpMetrics } from './metrics/http-metrics.js';
import { ProblemError } from './problems/problem.js';
import { answerProblem, PROBLEM_TYPE, problemDocument } from './problems/problem.filter.js';
import { QUEUE_NAMES } from './queue/queue.names.js';
import { AccessService } from './tenancy/access.service.js';
import { AuditService } from './tenancy/audit/audit.service.js';
import { authenticate } from './tenancy/guards/authentication.guard.js';
import { countBearer } from './tenancy/guards/rate-limit.guards.js';
import { TokensService } from './tenancy/tokens.service.js';
import { decodeBody } from './wire/content-encoding.js';
import { parseJsonBody } from './wire/json-body.js';

/** 5 MiB: the largest push, 1,000 entries, has about a sixth of it. */
const BODY_BYTES_MAX = 5 * 1024 * 1024;

/** Of how many of a stranger's requests a heavy one has the work. */
const HEAVY = 10;

/** That a browser need not ask again before each request whether it may. */
const PREFLIGHT_SECONDS = 600;

/** The service as an HTTP server that does not listen yet. */
export async function createHttpServer(settings: Settings, logger: PinoLogger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    // One line a request, below, with who it was.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_BYTES_MAX,
    // What the router itself refuses, such as a path that is not percent-encoded properly.
    frameworkErrors: answerProblem,
    genReqId: () => randomUUID(), // ours, never the caller's: it finds one request in the log
    ...serverBounds(settings.http),
    clientErrorHandler: (error, socket) => {
      answerBroken(logger, error, socket);
    },
    trustProxy: settings.http.trustedProxies.length > 0 && [...settings.http.trustedProxies],
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(settings), adapter, {
    logger: new NestLogger(logger),
    abortOnError: false,
    bodyParser: false, // Nest's own would take forms, and JSON with doubled keys
  });
  const server = adapter.getInstance();
  boundConnections(app.getHttpServer(), settings.http.connectionsMax, logger);
  await addSecurityHeaders(server);
  answerOddHeads(server);
  if (settings.allowedOrigins.length > 0) {
    app.enableCors({
      origin: [...settings.allowedOrigins],
      methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
      exposedHeaders: ['RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id'],
      maxAge: PREFLIGHT_SECONDS,
    });
  }
  app.useBodyParser('application/json', { bodyLimit: BODY_BYTES_MAX }, async (request: FastifyRequest, body: Buffer) =>
    parseJsonBody(await decodeBody(body, request.headers['content-encoding'], BODY_BYTES_MAX)),
  );
  server.removeContentTypeParser('text/plain'); // Fastify's own
  observe(server, app.get(HttpMetrics));
  if (settings.role === 'worker') closeAllButWatching(server);
  const limits = app.get(RequestLimits);
  judgeBeforeBodies(server, app.get(TokensService), limits);
  limitStrangers(server, limits);
  if (settings.role !== 'worker') addAdminPages(server, app);
  addApiDocument(server, app);
  return app;
}

/** For people with a browser; no part of the API, so Nest's guards don't watch over them: they do so themselves. */
function addAdminPages(server: FastifyInstance, app: NestFastifyApplication): void {
  const options: AdminPagesOptions = {
    tokens: app.get(TokensService),
    access: app.get(AccessService),
    limits: app.get(RequestLimits),
    audits: app.get(AuditService),
    queues: QUEUE_NAMES.map((name) => app.get<Queue>(getQueueToken(name))),
  };
  void server.register(adminPages, { prefix: ADMIN_PATH, ...options });
}

/** One line of log for each request, with who asked; the id is told to the caller too. */
function observe(server: FastifyInstance, metrics: HttpMetrics): void {
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const fields = {
      method: request.method,
      route: request.routeOptions.url, // the pattern: paths and queries may hold what doesn't belong in a log
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ...whoAsked(request.principal),
    };
    request.log[isWatching(fields.route) ? 'debug' : 'info'](fields, 'request');
    metrics.answered(fields.method, fields.route, fields.status, reply.elapsedTime / 1_000);
    done();
  });
}

/** What is asked every few seconds, by machines. */
function isWatching(route: string | undefined): boolean {
  return route === '/metrics' || route?.startsWith('/health/') === true;
}

/**
 * No public route takes a body, so whoever sends one has a token: a stranger's five megabytes are not even read. And one
 * that says it is too large is refused here, where the rest of it is read and dropped: Fastify would close the connection
 * while the client still sends, and the client would see that, not the answer, and try again for ever.
 */
function judgeBeforeBodies(server: FastifyInstance, tokens: TokensService, limits: RequestLimits): void {
  server.addHook('onRequest', async (request, reply) => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length === 0 && request.headers['transfer-encoding'] === undefined) return;
    if (request.routeOptions.url?.startsWith(`${ADMIN_PATH}/`)) return; // these have a cookie, and look at it as early
    if (request.is404) throw new ProblemError('NOT_FOUND'); // Fastify would parse the body first
    await authenticate(request, tokens);
    await countBearer(request, reply, limits);
    if (length > BODY_BYTES_MAX) throw new ProblemError('PAYLOAD_TOO_LARGE');
  });
}

/**
 * Who asks again and again without a valid token is told to wait, by address. A valid token is let in from there all the
 * same: behind one address there may be a whole market of tills, or a proxy with everybody behind it. So is whoever asks
 * for the service's health, on which a balancer depends that may have that address too.
 */
function limitStrangers(server: FastifyInstance, limits: RequestLimits): void {
  server.addHook('onRequest', async (request) => {
    const address = request.ip as string | undefined; // of one that has hung up, there may be none
    if (address === undefined || !isHeavy(request.routeOptions.url)) return;
    const retryAfterSeconds = await limits.countStranger(address, HEAVY);
    if (retryAfterSeconds === undefined) return;
    throw new ProblemError('RATE_LIMITED', { detail: 'Too many requests without a token.', retryAfterSeconds });
  });
  server.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode !== 401 || request.principal) return payload;
    const address = request.ip as string | undefined; // as above
    const retryAfterSeconds = address === undefined ? undefined : await limits.countStranger(address);
    if (retryAfterSeconds === undefined) return payload;
    const problem = new ProblemError('RATE_LIMITED', { detail: 'Too many requests without a valid token.' });
    void reply.status(429).removeHeader('www-authenticate').removeHeader('content-length');
    void reply.headers({ 'content-type': PROBLEM_TYPE, 'retry-after': retryAfterSeconds });
    return problemDocument(problem, request.id);
  });
}

/** What is open to all and takes more than a moment to answer: documents of a megabyte, figures that queues are asked for. */
function isHeavy(route: string | undefined): boolean {
  return route === '/metrics' || (route !== undefined && isDocument(route));
}

/** A worker answers the ones who watch it, and nobody else. */
function closeAllButWatching(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    done(isWatching(request.routeOptions.url) ? undefined : new ProblemError('NOT_FOUND'));
  });
}
