import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { BullBoardQueues, UIConfig } from '@bull-board/api/typings/app';
import fastifyStatic from '@fastify/static';
import type { Queue } from 'bullmq';
import type { FastifyPluginCallback, FastifyRequest } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '../problems/problem.js';
import type { AuditService } from '../tenancy/audit/audit.service.js';
import { originOf } from '../tenancy/audit/current-actor.js';
import type { AuditAction, Changes } from '../tenancy/audit/domain/audit-entry.js';
import type { Admission, Viewer } from './admission.js';
import { BoardBlueprint } from './board-blueprint.js';
import { assertSameOrigin } from './same-origin.js';
import { ADMIN_PATH } from './session-cookie.js';
import { TenantWindow } from './tenant-window.js';

const BOARD_PATH = `${ADMIN_PATH}/queues/`;

/** Scripts, fonts and data from here only. Bull Board's page and its React parts carry styles in attributes. */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Without Redis an answer comes when it is back: whoever looks is told before that. */
const ANSWER_TIMEOUT_MS = 10_000;

/** Nobody turns that many pages; and where the last one ends is a number that both kinds of queues can count to. */
const QUERY_MAXIMA = { jobsPerPage: 100, page: 1_000_000 };

const UI: UIConfig = {
  boardTitle: 'Agrotour queues',
  miscLinks: [{ text: 'Sign out', url: `${ADMIN_PATH}/sign-out` }],
  hideDocsLink: true,
};

/** An admin has no use for the machines behind the queues, and no business with them. */
const UI_OF_ADMIN: UIConfig = { hideRedisDetails: true, showWorkers: false };

/**
 * What an operator does from here. The other buttons of the board make jobs up, rewrite them or do away with what runs by
 * the clock; and what a later version adds is closed until somebody opens it here.
 */
const ACTIONS: ReadonlyMap<string, AuditAction> = new Map([
  ['/api/queues/pause', 'queue.paused'],
  ['/api/queues/resume', 'queue.resumed'],
  ['/api/queues/:queueName/pause', 'queue.paused'],
  ['/api/queues/:queueName/resume', 'queue.resumed'],
  ['/api/queues/:queueName/retry/:queueStatus', 'queue.jobs_retried'],
  ['/api/queues/:queueName/promote', 'queue.jobs_promoted'],
  ['/api/queues/:queueName/clean/:queueStatus', 'queue.jobs_cleaned'],
  ['/api/queues/:queueName/:jobId/retry', 'queue.jobs_retried'],
  ['/api/queues/:queueName/:jobId/promote', 'queue.jobs_promoted'],
  ['/api/queues/:queueName/:jobId/clean', 'queue.jobs_cleaned'],
]);

/** What of an action's address the audit log is told: without a queue it is all of them, without a job all of a status. */
const AUDITED = { queueName: 'queue', jobId: 'job', queueStatus: 'status' };

export interface QueueBoardOptions {
  readonly admission: Admission;
  readonly queues: readonly Queue[];
  readonly audits: AuditService;
}

/**
 * Bull Board, for two kinds of people. An operator sees all of every queue, and acts. An admin belongs to one business
 * while the queues serve all: what an admin is shown comes through a TenantWindow, and an admin changes nothing.
 *
 * Its own Fastify adapter has one set of queues for whoever asks, and answers errors with the text that was thrown. Here
 * each request brings the queues that its viewer may see.
 */
export const queueBoard: FastifyPluginCallback<QueueBoardOptions> = (server, { admission, queues, audits }, done) => {
  const blueprint = new BoardBlueprint(UI);
  const adapters = new Map(queues.map((queue) => [queue.name, new BullMQAdapter(queue)]));
  const viewers = new WeakMap<FastifyRequest, Viewer>();
  const viewerOf = (request: FastifyRequest): Viewer => {
    const viewer = viewers.get(request);
    if (!viewer) throw new Error('A request got past the admission');
    return viewer;
  };

  server.addHook('onRequest', async (request, reply) => {
    void reply.header('content-security-policy', BOARD_POLICY);
    const changes = request.method !== 'GET' && request.method !== 'HEAD';
    if (changes) assertSameOrigin(request.headers);
    const viewer = await admission.admit(request, reply);
    if (changes && viewer.role === 'admin') {
      throw new ProblemError('FORBIDDEN', { detail: 'An admin may look at the queues; operators act on them.' });
    }
    viewers.set(request, viewer);
  });

  server.register(fastifyStatic, {
    root: blueprint.assetsFolder,
    prefix: blueprint.assetsUrl,
    cacheControl: false, // it is set for all of these pages
    decorateReply: false,
  });
  for (const url of blueprint.pageUrls) {
    server.get(url, (request, reply) =>
      reply.type('text/html; charset=utf-8').send(blueprint.page(BOARD_PATH, uiChangesFor(viewerOf(request)))),
    );
  }
  for (const { method, url, answer } of blueprint.endpoints) {
    const action = ACTIONS.get(url);
    server.route({
      method,
      url,
      handler: async (request, reply) => {
        if (method !== 'GET' && !action) throw new ProblemError('FORBIDDEN', { detail: 'That is not done from here.' });
        const viewer = viewerOf(request);
        const params = sound(request.params as Record<string, string>);
        if (method !== 'GET' && action && viewer.role === 'operator') {
          await audits.note({ ...viewer, origin: originOf(request) }, { action, changes: changesOf(params) });
        }
        const { status, body } = await inTime(async () =>
          answer({
            queues: queuesFor(viewer, adapters),
            uiConfig: uiChangesFor(viewer),
            params,
            query: withinBounds(request.query as Record<string, unknown>),
            body: request.body as Record<string, unknown>,
            headers: {}, // they hold the token, and nothing that the board needs
          }),
        );
        return reply.status(status ?? 200).send(body);
      },
    });
  }
  done();
};

function queuesFor(viewer: Viewer, adapters: ReadonlyMap<string, BullMQAdapter>): BullBoardQueues {
  switch (viewer.role) {
    case 'operator':
      return new Map(adapters);
    case 'admin':
      return new Map([...adapters].map(([name, adapter]) => [name, new TenantWindow(adapter, viewer.tenantId)]));
  }
}

function uiChangesFor(viewer: Viewer): UIConfig {
  return viewer.role === 'operator' ? {} : UI_OF_ADMIN;
}

/** @throws ProblemError NOT_FOUND for an id with the one character that PostgreSQL can't be asked about. */
function sound(params: Record<string, string>): Record<string, string> {
  if (Object.values(params).some((value) => value.includes('\0'))) throw new ProblemError('NOT_FOUND');
  return params;
}

function changesOf(params: Readonly<Record<string, string>>): Changes {
  const told = Object.entries(AUDITED).filter(([name]) => params[name] !== undefined);
  return Object.fromEntries(told.map(([name, field]) => [field, { before: null, after: params[name] }]));
}

/** Bull Board reads whole jobs, as many as it is told to, from wherever it is told. */
function withinBounds(query: Record<string, unknown>): Record<string, unknown> {
  const beyond = Object.entries(QUERY_MAXIMA).filter(([name, max]) => Number(query[name]) > max);
  return { ...query, ...Object.fromEntries(beyond.map(([name, max]) => [name, String(max)])) };
}

async function inTime<T>(answer: () => Promise<T>): Promise<T> {
  const late = new AbortController();
  try {
    const timeout = sleep(ANSWER_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
      throw new ProblemError('UNAVAILABLE', { detail: 'The queue does not answer.' });
    });
    return await Promise.race([answer(), timeout]);
  } catch (cause) {
    // Bull Board decodes the name of a queue once more than it was encoded.
    if (cause instanceof URIError) throw new ProblemError('BAD_REQUEST', { cause });
    // BullMQ numbers what can't be done to a job as it is now, such as to promote one that has begun.
    if (cause instanceof Error && 'code' in cause && typeof cause.code === 'number') {
      throw new ProblemError('BAD_REQUEST', { detail: 'The job is in no state for that.', cause });
    }
    throw cause;
  } finally {
    late.abort();
  }
}
