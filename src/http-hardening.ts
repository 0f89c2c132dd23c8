import { randomUUID } from 'node:crypto';
import type { Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import type { Logger as PinoLogger } from 'pino';
import { isDocument } from './api-document.js';
import type { HttpSettings } from './config/environment.js';
import { PROBLEM_TYPE, problemDocument } from './problems/problem.filter.js';
import { type ProblemCode, ProblemError, PROBLEMS } from './problems/problem.js';

/** Of the request line and all headers: a token has 4 KiB at most of it. */
const HEADERS_BYTES_MAX = 16 * 1024;
/** How often connections are looked at. Node's own thirty seconds would let a slow head live that much longer. */
const CONNECTIONS_CHECK_MS = 1_000;
/** Then a client connects anew, and with it a balancer in front chooses anew. */
const REQUESTS_PER_CONNECTION_MAX = 1_000;
/** Between two lines of log that say that connections are refused. */
const DROPS_TOLD_MS = 60_000;

/** What Fastify hands on to Node, and Node's own. */
export interface ServerBounds {
  readonly http: ServerOptions;
  readonly requestTimeout: number;
  readonly connectionTimeout: number;
  readonly maxRequestsPerSocket: number;
}

/** How long a client may take, and how much it may send before anybody reads it. */
export function serverBounds(settings: HttpSettings): ServerBounds {
  const { headersTimeoutMs: headersTimeout, requestTimeoutMs: requestTimeout } = settings;
  return {
    http: {
      headersTimeout,
      requestTimeout,
      maxHeaderSize: HEADERS_BYTES_MAX,
      connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
      requireHostHeader: false, // Node would refuse without a word: `answerOddHeads` says why
    },
    requestTimeout,
    connectionTimeout: settings.idleTimeoutMs,
    maxRequestsPerSocket: REQUESTS_PER_CONNECTION_MAX,
  };
}

/**
 * Connections beyond are closed as they come, and the log says so, at most once in a minute. Of the others the address is
 * kept from the beginning.
 */
export function boundConnections(server: Server, connectionsMax: number, logger: PinoLogger): void {
  server.maxConnections = connectionsMax;
  // The system tells it of an open socket only, and Node remembers it: a client that hangs up early has one all the same.
  server.on('connection', ({ remoteAddress }: Socket) => remoteAddress);
  let toldAt = -Infinity;
  server.on('drop', () => {
    if (performance.now() - toldAt < DROPS_TOLD_MS) return;
    toldAt = performance.now();
    logger.warn({ connectionsMax }, 'As many connections are open as may be: more are refused');
  });
}

/** HTTP/1.1 wants one (RFC 9112, section 3.2). And what else a client expects is not ours to fulfil, nor to refuse it for. */
export function answerOddHeads(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _reply, done) => {
    const missing = request.headers.host === undefined && request.raw.httpVersion !== '1.0';
    done(missing ? new ProblemError('BAD_REQUEST', { detail: 'Send a Host header.' }) : undefined);
  });
  // Node would answer 417 without a body (RFC 9110, section 10.1.1, lets a server pass over what it does not know).
  server.server.on('checkExpectation', (request, response) => {
    server.server.emit('request', request, response);
  });
}

/** Answers what Node could not read as a request, or did not wait for any longer. It never was one for Fastify. */
export function answerBroken(logger: PinoLogger, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = brokenCode(error.code);
  const { status, title } = PROBLEMS[code];
  logger.debug({ reason: error.code, status }, 'broken request');
  // Where an answer is under way, such as a stream, this would be taken for a part of it.
  const { _httpMessage: answer } = socket as Socket & { _httpMessage?: ServerResponse | null };
  if (socket.writable && answer?.headersSent !== true) {
    const requestId = randomUUID();
    const body = problemDocument(new ProblemError(code), requestId);
    const head = [
      `HTTP/1.1 ${status} ${title}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  }
  socket.destroySoon();
}

function brokenCode(code: string | undefined): ProblemCode {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'REQUEST_TIMEOUT';
    case 'HPE_HEADER_OVERFLOW':
      return 'HEADERS_TOO_LARGE';
    case undefined:
    default:
      return 'BAD_REQUEST';
  }
}

/** Nobody shows, frames or runs what the API answers. */
const API_POLICY = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join(';');

const HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: false, // below: of each answer it would put the same text together again
  xFrameOptions: { action: 'deny' },
  // Of this host alone: what else its owner serves below it is not ours to say.
  strictTransportSecurity: { maxAge: 365 * 86_400, includeSubDomains: false },
};

/** Scripts and data from here only; the page that Nest makes for Swagger UI carries styles, and its pictures as data. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** On every answer, refusals too. The pages under /admin have a policy of their own, which is set later. */
export async function addSecurityHeaders(server: FastifyInstance): Promise<void> {
  await server.register(helmet, HEADERS);
  server.addHook('onRequest', (request, reply, done) => {
    const { url } = request.routeOptions;
    const isPage = url !== undefined && isDocument(url);
    void reply.header('content-security-policy', isPage ? DOCS_POLICY : API_POLICY);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    // A business's own: no cache keeps it, the browser's neither.
    if (request.principal && !reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    done(null, payload);
  });
}
