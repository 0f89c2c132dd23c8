import type { Queue } from 'bullmq';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { decodeJwt } from 'jose';
import type { RequestLimits } from '../limits/request-limits.js';
import { PROBLEMS, ProblemError } from '../problems/problem.js';
import { answerProblem } from '../problems/problem.filter.js';
import type { AccessService } from '../tenancy/access.service.js';
import type { AuditService } from '../tenancy/audit/audit.service.js';
import type { TokensService } from '../tenancy/tokens.service.js';
import { Admission } from './admission.js';
import { PAGE_POLICY, signInPage, signOutPage } from './pages.js';
import { queueBoard } from './queue-board.js';
import { assertSameOrigin, cameByHttps, isNavigation } from './same-origin.js';
import { ADMIN_PATH, FORGET_TOKEN, keepToken, keptToken, TOKEN_CHARACTERS_MAX } from './session-cookie.js';

/** Room for a token whose every character is escaped. */
const FORM_BYTES_MAX = 16 * 1_024;

const QUEUES_PATH = `${ADMIN_PATH}/queues`;

export interface AdminPagesOptions {
  readonly tokens: TokensService;
  readonly access: AccessService;
  readonly limits: RequestLimits;
  readonly queues: readonly Queue[];
  readonly audits: AuditService;
}

/**
 * What people see in a browser, which can't send a bearer token when it follows a link: they paste it once, and the
 * browser keeps it for these pages alone.
 *
 *   /admin/sign-in, /admin/sign-out   forms, open to all
 *   /admin/queues/**                  Bull Board, for the roles admin and operator
 */
export const adminPages: FastifyPluginCallback<AdminPagesOptions> = (
  server,
  { tokens, access, limits, queues, audits },
  done,
) => {
  const admission = new Admission(tokens, access, limits);
  server.addHook('onRequest', (_request, reply, next) => {
    void reply.headers({
      'content-security-policy': PAGE_POLICY,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // Not no-referrer: browsers would then send "Origin: null" with the forms.
      'referrer-policy': 'same-origin',
    });
    next();
  });
  server.setErrorHandler(refuse);
  server.register((scope, _options, registered) => {
    addForms(scope, admission);
    registered();
  });
  server.register(queueBoard, { prefix: '/queues', admission, queues, audits });
  done();
};

function addForms(server: FastifyInstance, admission: Admission): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
    (_request, body, parsed) => {
      parsed(null, new URLSearchParams(body));
    },
  );
  server.addHook('onRequest', (request, _reply, next) => {
    if (request.method === 'POST') {
      // Of signing in, too: no page of another site signs a person in as somebody else.
      assertSameOrigin(request.headers);
      if (Number(request.headers['content-length'] ?? 0) > FORM_BYTES_MAX) throw notAToken();
    }
    next();
  });
  server.get('/sign-in', (_request, reply) => sendPage(reply, signInPage()));
  server.get('/sign-out', (_request, reply) => sendPage(reply, signOutPage()));
  server.post('/sign-in', async (request, reply) => {
    const token = pastedToken(request.body);
    await admission.admitToken(token, request, reply);
    const secondsLeft = Math.max(0, (decodeJwt(token).exp ?? 0) - Math.floor(Date.now() / 1_000));
    void reply.header('set-cookie', keepToken(token, secondsLeft, cameByHttps(request.headers)));
    return reply.redirect(QUEUES_PATH, 303);
  });
  server.post('/sign-out', (_request, reply) => {
    void reply.header('set-cookie', FORGET_TOKEN);
    return reply.redirect(`${ADMIN_PATH}/sign-in`, 303);
  });
}

/** @throws ProblemError VALIDATION */
function pastedToken(form: unknown): string {
  const text = form instanceof URLSearchParams ? (form.get('token') ?? '') : '';
  const token = text.trim().replace(/^Bearer +/i, '');
  if (/^[\w.~+/=-]+$/.test(token) && token.length <= TOKEN_CHARACTERS_MAX) return token;
  throw notAToken();
}

function notAToken(): ProblemError {
  const message = `must be a token of at most ${TOKEN_CHARACTERS_MAX} characters`;
  return new ProblemError('VALIDATION', { errors: [{ path: 'token', code: 'IS_TOKEN', message }] });
}

/** A person who may not enter, or whose form is not right, is shown where to sign in; a program gets its problem. */
function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
  if (!(error instanceof ProblemError)) {
    answerProblem(error, request, reply);
    return undefined;
  }
  const { code, details, message } = error;
  const { status } = PROBLEMS[code];
  if (status >= 500 || !isNavigation(request.headers)) {
    // Bull Board's script shows the person what it finds as `error`.
    const told = status === 401 ? 'You are not signed in any more. Load the page again.' : message;
    answerProblem(new ProblemError(code, { ...details, extensions: { error: told } }), request, reply);
    return undefined;
  }
  void reply.status(status);
  return sendPage(reply, signInPage(explain(error, request)));
}

function explain(problem: ProblemError, request: FastifyRequest): string | undefined {
  const [field] = problem.details.errors ?? [];
  if (field) return `The ${field.path} ${field.message}.`;
  const cameFirst =
    problem.code === 'UNAUTHENTICATED' && request.method === 'GET' && !keptToken(request.headers.cookie);
  return cameFirst ? undefined : problem.message;
}

function sendPage(reply: FastifyReply, html: string): FastifyReply {
  return reply.header('content-security-policy', PAGE_POLICY).type('text/html; charset=utf-8').send(html);
}
