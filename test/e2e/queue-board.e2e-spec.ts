import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { FlowProducer, type JobsOptions, Queue, type QueueOptions, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { type Browser, chromium } from 'playwright-core';
import { queueOptions } from '../../src/queue/queue.module.js';
import { MAINTENANCE_QUEUE, QUEUE_NAMES, RESERVATION_QUEUE } from '../../src/queue/queue.names.js';
import { PLATFORM_ID } from '../../src/tenancy/audit/domain/audit-entry.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { hasRedis, startRedis } from '../support/redis.js';
import {
  type Answer,
  createTenant,
  type RunningService,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
);
// In CI a missing browser is a failure, not a reason to skip.
const describeWithBrowser = BROWSER === undefined && !process.env['CI'] ? describe.skip : describe;

/** What a page of the board sends along with its requests, and what a browser sends when it follows a link. */
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
const NAVIGATION = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', accept: 'text/html,*/*;q=0.8' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const withCookie = (token: string): Record<string, string> => ({ cookie: `theme=dark; agrotour_admin=${token}` });

interface Asked extends Answer {
  readonly text: string;
}

/** Asks with these headers and no others: `fetch` has some of its own, and they matter here. */
function ask(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers, body } = options;
    const sent = httpRequest(url, { method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const received = new Headers();
        for (const [name, values] of Object.entries(response.headersDistinct)) {
          for (const value of values ?? []) received.append(name, value);
        }
        const isJson = /[/+]json\b/.test(received.get('content-type') ?? '');
        resolve({
          status: response.statusCode ?? 0,
          headers: received,
          text,
          body: isJson && text !== '' ? JSON.parse(text) : text,
        });
      });
    });
    sent.on('error', reject);
    sent.setTimeout(30_000, () => sent.destroy(new Error('No answer')));
    sent.end(body);
  });
}

const signOperator = (): Promise<string> => tokens.sign({ role: 'operator', userId: randomUUID() });

interface Backend {
  readonly variables: Record<string, string>;
  readonly options: QueueOptions;
  stop(): Promise<void>;
}

/** Stand in everything that can be written into a job: one's own, another tenant's, and one that is no tenant's. */
const OWN = 'marker-of-ones-own';
const FOREIGN = 'marker-of-another';
const NOBODYS = 'marker-of-the-platform';

/** Of a tenant's job, or of the platform's. */
interface Owner {
  readonly marker: string;
  readonly tenantId: string | undefined;
}

function describeBoard(name: string, start: (database: TestDatabase) => Promise<Backend>): void {
  describe(`the dashboard of the queues, on ${name}`, () => {
    let database: TestDatabase;
    let backend: Backend;
    let service: RunningService;
    let own: TestTenant;
    let other: TestTenant;
    let operatorToken: string;
    let queue: Queue;
    let flows: FlowProducer;
    const ids: string[] = [];

    beforeAll(async () => {
      database = await createTestDatabase();
      backend = await start(database);
      // Without workers: what is planted stays.
      service = await startService({ DATABASE_URL: database.appUrl, ROLE: 'api', ...backend.variables });
      [own, other, operatorToken] = [await createTenant(service), await createTenant(service), await signOperator()];
      queue = new Queue(MAINTENANCE_QUEUE, backend.options);
      flows = new FlowProducer(backend.options);
      queue.on('error', () => undefined);
      flows.on('error', () => undefined);
      await plant();
    });
    afterAll(async () => {
      await Promise.all([queue.close(), flows.close()]);
      await service.stop();
      await backend.stop();
      await database.drop();
    });

    const nameOf = (kind: string, { marker, tenantId }: Owner): string => `${kind}-${marker}-${tenantId ?? 'none'}`;

    async function add(kind: string, owner: Owner, options: JobsOptions = {}): Promise<void> {
      const data = { ...owner, note: `${owner.marker} in the data` };
      const job = await queue.add(nameOf(kind, owner), data, { jobId: nameOf(kind, owner), attempts: 1, ...options });
      ids.push(job.id ?? '');
    }

    /** Jobs in every state that lasts without a worker. */
    async function plant(): Promise<void> {
      const owners: readonly [Owner, Owner, Owner] = [
        { marker: OWN, tenantId: own.id },
        { marker: FOREIGN, tenantId: other.id },
        { marker: NOBODYS, tenantId: undefined },
      ];
      for (const owner of owners) {
        await add('good', owner);
        await add('bad', owner);
      }
      await workAll();
      for (const owner of owners) {
        await add('waiting', owner, { deduplication: { id: nameOf('deduplication', owner) } });
        await add('delayed', owner, { delay: 3_600_000 });
        await add('prioritized', owner, { priority: 3 });
      }
      const template = { name: `tick-${FOREIGN}`, data: { note: FOREIGN } };
      await queue.upsertJobScheduler(`scheduler-${FOREIGN}`, { every: 3_600_000 }, template);
      // The service makes no flows; should it ever, they may lead from tenant to tenant.
      const [mine, theirs] = owners;
      await plantFlow(mine, theirs);
      await plantFlow(theirs, mine);
    }

    async function workAll(): Promise<void> {
      const worker = new Worker<Owner>(
        queue.name,
        async (job) => {
          const { marker } = job.data;
          await job.log(`${marker} in the log`);
          await job.updateProgress({ at: `${marker} in the progress` });
          if (job.name.startsWith('bad')) throw new Error(`${marker} in the error`);
          return `${marker} in the return value`;
        },
        { connection: backend.options.connection, name: `${FOREIGN}-worker` },
      );
      worker.on('error', () => undefined);
      await eventually('all are worked', async () => {
        const counts = await queue.getJobCounts('completed', 'failed');
        return counts['completed'] === 3 && counts['failed'] === 3;
      });
      await worker.close();
    }

    async function plantFlow(parent: Owner, child: Owner): Promise<void> {
      const node = (kind: string, owner: Owner) => ({
        queueName: RESERVATION_QUEUE,
        name: nameOf(kind, owner),
        data: owner,
        opts: { jobId: nameOf(kind, owner) },
      });
      await flows.add({ ...node('parent', parent), children: [node('child', child)] });
      ids.push(nameOf('parent', parent), nameOf('child', child));
    }

    const board = (path: string): string => `${service.url}/admin/queues${path}`;
    const act = (method: string, path: string, token: string, body?: unknown): Promise<Asked> =>
      ask(board(path), {
        method,
        headers: {
          ...withCookie(token),
          ...SAME_ORIGIN,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });

    /** Every route of the board, of this method or of every other, for every queue and every planted job. */
    function routes(method: 'get' | 'not get'): { method: string; path: string }[] {
      const wanted = [...appRoutes.api, appRoutes.entryPoint].filter(
        (route) => (route.method === 'get') === (method === 'get'),
      );
      return wanted.flatMap((route) =>
        [route.route].flat().flatMap((pattern) =>
          (pattern.includes(':queueName') ? QUEUE_NAMES : ['']).flatMap((queueName) =>
            (pattern.includes(':jobId') ? ids : ['']).map((id) => ({
              method: [route.method].flat().join().toUpperCase(),
              path: pattern
                .replace(':queueName', queueName)
                .replace(':jobId', encodeURIComponent(id))
                .replace(':queueStatus', 'failed')
                .replace(':schedulerId', `scheduler-${FOREIGN}`),
            })),
          ),
        ),
      );
    }

    /** All that the board answers to questions, with their headers, by path. */
    async function readAll(token: string): Promise<Map<string, string>> {
      const paths = routes('get').map(({ path }) => path);
      expect(new Set(paths).size).toBeGreaterThan(5 * ids.length);
      const statuses = [
        'latest',
        'active',
        'waiting',
        'waiting-children',
        'prioritized',
        'completed',
        'failed',
        'delayed',
      ];
      for (const queueName of QUEUE_NAMES) {
        paths.push(`/api/job-schedulers?queueName=${queueName}`);
        for (const status of statuses)
          paths.push(`/api/queues?activeQueue=${queueName}&status=${status}&jobsPerPage=100`);
        for (const id of ids) paths.push(`/api/queues/${queueName}/${encodeURIComponent(id)}/flow?root=node`);
      }
      const answers = new Map<string, string>();
      for (const path of paths) {
        const { status, headers, text } = await ask(board(path), { headers: withCookie(token) });
        expect([path, [200, 403, 404].includes(status)]).toEqual([path, true]);
        answers.set(path, JSON.stringify([...headers]) + text);
      }
      return answers;
    }

    const PLACES = ['data', 'error', 'return value', 'log', 'progress'];

    it('shows an admin all of the own jobs, and of others not a byte', async () => {
      const answers = await readAll(own.adminToken);
      for (const [path, answer] of answers) {
        const found = [FOREIGN, NOBODYS, other.id].filter((secret) => answer.includes(secret));
        expect({ path, found, answer: found.length > 0 ? answer : '' }).toEqual({ path, found: [], answer: '' });
      }
      const all = [...answers.values()].join('\n');
      for (const place of PLACES) expect(all).toContain(`${OWN} in the ${place}`);
      for (const kind of ['good', 'deduplication', 'child']) expect(all).toContain(`${kind}-${OWN}-${own.id}`);
    });

    it('shows an operator all there is', async () => {
      const all = [...(await readAll(operatorToken)).values()].join('\n');
      for (const marker of [OWN, FOREIGN, NOBODYS]) {
        for (const place of PLACES) expect(all).toContain(`${marker} in the ${place}`);
        expect(all).toContain(`deduplication-${marker}`);
      }
      for (const kind of ['scheduler', 'parent', 'child']) expect(all).toContain(`${kind}-${FOREIGN}`);
    });

    it('lets an admin count the jobs of others, and know them by nothing', async () => {
      const { body } = await act('GET', `/api/queues?activeQueue=${queue.name}&status=failed`, own.adminToken);
      expect(body.queues.map((each: { name: string }) => each.name)).toEqual(QUEUE_NAMES);
      const shown = body.queues.find((each: { name: string }) => each.name === queue.name);
      expect(shown).toMatchObject({ counts: { failed: 3, completed: 3 }, readOnlyMode: true });
      const veiled = shown.jobs.filter((job: { id: string }) => job.id.startsWith('veiled-'));
      expect(veiled).toHaveLength(2);
      for (const job of veiled) {
        expect(job).toEqual({
          id: expect.stringMatching(/^veiled-[012]$/),
          name: 'A job of the platform or of another business',
          timestamp: 0,
          progress: 0,
          attempts: 0,
          failedReason: '',
          stacktrace: [],
          opts: {},
          data: null,
          returnValue: null,
          isFailed: false,
        });
      }
    });

    it('lets an admin change nothing', async () => {
      const before = await queue.getJobCounts();
      for (const { method, path } of routes('not get')) {
        const answer = await act(method, path, own.adminToken, {});
        expect([path, answer.status]).toEqual([path, 403]);
        expectProblem(answer, 'FORBIDDEN');
      }
      expect(await queue.getJobCounts()).toEqual(before);
      expect(await queue.isPaused()).toBe(false);
    });

    it('answers what makes no sense with a refusal, not a failure', async () => {
      const jobs = `/api/queues/${queue.name}`;
      const expected: readonly [status: number, method: string, path: string][] = [
        [404, 'GET', `${jobs}/no-such-job`],
        [404, 'GET', `${jobs}/%00`],
        [404, 'GET', '/api/queues/no-such-queue/1'],
        [400, 'GET', '/api/queues?activeQueue=%25'],
        [400, 'GET', '/api/queues?page=0'],
        [400, 'GET', '/api/queues?status=nonsense'],
        [400, 'GET', '/api/queues?status=failed&status=active'],
        [400, 'PUT', `${jobs}/retry/nonsense`],
        [400, 'PUT', `${jobs}/${ids[0]}/promote`],
        [404, 'PUT', `${jobs}/no-such-job/retry`],
        [403, 'PUT', `${jobs}/obliterate`],
        [403, 'POST', `${jobs}/add`],
      ];
      for (const [status, method, path] of expected) {
        expect([method, path, (await act(method, path, operatorToken)).status]).toEqual([method, path, status]);
      }
      const page = await act('GET', `/api/queues?activeQueue=${queue.name}&jobsPerPage=1000000`, operatorToken);
      expect(page.body.queues[0].pagination.range).toEqual({ start: 0, end: 99 });
      for (const number of ['1000000000', '99999999999999999999', '1e300']) {
        const query = `activeQueue=${queue.name}&status=completed&page=${number}&jobsPerPage=${number}`;
        const beyond = await act('GET', `/api/queues?${query}`, own.adminToken);
        expect([number, beyond.status]).toEqual([number, 200]);
        expect(beyond.body.queues[0].jobs).toEqual([]);
      }
    });

    it('lets an operator pause, promote, retry and clean', async () => {
      const jobs = `/api/queues/${queue.name}`;
      const state = (kind: string): Promise<string> =>
        queue.getJobState(nameOf(kind, { marker: FOREIGN, tenantId: other.id }));
      const id = (kind: string): string => encodeURIComponent(nameOf(kind, { marker: FOREIGN, tenantId: other.id }));
      const done = async (path: string): Promise<void> => {
        const { status } = await act('PUT', path, operatorToken);
        expect([path, status === 200 || status === 204]).toEqual([path, true]);
      };
      await done(`${jobs}/pause`);
      expect(await queue.isPaused()).toBe(true);
      await done('/api/queues/resume');
      expect(await queue.isPaused()).toBe(false);

      await done(`${jobs}/${id('bad')}/retry`);
      await done(`${jobs}/${id('delayed')}/promote`);
      expect([await state('bad'), await state('delayed')]).toEqual(['waiting', 'waiting']);
      await done(`${jobs}/${id('waiting')}/clean`);
      expect(await state('waiting')).toBe('unknown');
      await done(`${jobs}/retry/failed`);
      await done(`${jobs}/promote`);
      expect(await queue.getJobCounts()).toMatchObject({ failed: 0, delayed: 0 });
      await eventually('those of five seconds ago are gone', async () => {
        await done(`${jobs}/clean/completed`);
        return (await queue.getJobCounts('completed'))['completed'] === 0;
      });

      // Of the platform as a whole, so no business sees it, nor the job's.
      const audited = async (token: string, query = ''): Promise<Record<string, unknown>[]> =>
        (await ask(`${service.url}/audit${query}`, { headers: { authorization: `Bearer ${token}` } })).body
          .entries as Record<string, unknown>[];
      const all = (await audited(operatorToken, `?tenant_id=${PLATFORM_ID}`)).reverse();
      const told = all.slice(all.findIndex(({ action }) => action === 'queue.paused'));
      const of = (changes: Record<string, string>): unknown =>
        Object.fromEntries(Object.entries(changes).map(([field, after]) => [field, { before: null, after }]));
      const job = (kind: string): string => nameOf(kind, { marker: FOREIGN, tenantId: other.id });
      expect(told.slice(0, 7)).toMatchObject(
        (
          [
            ['queue.paused', { queue: queue.name }],
            ['queue.resumed', {}],
            ['queue.jobs_retried', { queue: queue.name, job: job('bad') }],
            ['queue.jobs_promoted', { queue: queue.name, job: job('delayed') }],
            ['queue.jobs_cleaned', { queue: queue.name, job: job('waiting') }],
            ['queue.jobs_retried', { queue: queue.name, status: 'failed' }],
            ['queue.jobs_promoted', { queue: queue.name }],
          ] as const
        ).map(([action, changes]) => ({ action, changes: of(changes), role: 'operator', ip: '127.0.0.1' })),
      );
      expect(told.at(-1)).toMatchObject({ action: 'queue.jobs_cleaned', role: 'operator' });
      for (const admin of [own.adminToken, other.adminToken]) {
        expect((await audited(admin)).map(({ action }) => action)).toEqual(['tenant.created']);
      }
    });
  });
}

describeBoard('PostgreSQL', (database) =>
  Promise.resolve({
    variables: {},
    options: queueOptions({ redisUrl: undefined, databaseUrl: database.appUrl }),
    stop: () => Promise.resolve(),
  }),
);

if (hasRedis) {
  describeBoard('Redis', async () => {
    const redis = await startRedis();
    const options = queueOptions({ redisUrl: redis.url, databaseUrl: '' });
    return {
      variables: { REDIS_URL: redis.url },
      options,
      async stop() {
        if (options.connection instanceof Redis) options.connection.disconnect();
        await redis.stop();
      },
    };
  });
}

describe('the way to the dashboard of the queues', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let operatorToken: string;
  const running: RunningService[] = [];

  async function startAs(role: string, variables: Record<string, string> = {}): Promise<RunningService> {
    const started = await startService({ DATABASE_URL: database.appUrl, ROLE: role, ...variables });
    running.push(started);
    return started;
  }
  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startAs('api');
    [tenant, operatorToken] = [await createTenant(service), await signOperator()];
  });
  afterAll(async () => {
    await Promise.all(running.map((each) => each.kill())); // asked to stop, one would wait ten seconds for Redis
    await database.drop();
  });

  const at = (path: string): string => `${service.url}/admin${path}`;
  const signIn = (token: string, headers: Record<string, string> = SAME_ORIGIN): Promise<Asked> =>
    ask(at('/sign-in'), {
      method: 'POST',
      headers: { ...FORM, ...headers },
      body: new URLSearchParams({ token }).toString(),
    });

  /** A page, a script and data of the board. */
  const ASSET = '/queues/static/favicon.ico';
  const EVERYTHING = [
    '/queues',
    '/queues/',
    '/queues/queue/maintenance',
    ASSET,
    '/queues/api/queues',
    '/queues/static/none',
  ];

  it.each([
    ['nobody', () => Promise.resolve(undefined), 'UNAUTHENTICATED'],
    ['who made a token up', () => Promise.resolve('eyJhbGciOiJub25lIn0.e30.'), 'UNAUTHENTICATED'],
    ['a device', async () => (await tenant.enrol()).token, 'FORBIDDEN'],
    ['staff', () => tenant.staffToken(), 'FORBIDDEN'],
    [
      'an admin of no tenant',
      () => tokens.sign({ role: 'admin', userId: randomUUID(), tenantId: randomUUID() }),
      'UNAUTHENTICATED',
    ],
    [
      'an admin whose token has expired',
      () => tokens.sign({ role: 'admin', userId: randomUUID(), tenantId: tenant.id }, -60),
      'UNAUTHENTICATED',
    ],
  ] as const)('is closed to %s', async (_who, signed, code) => {
    const token = await signed();
    for (const path of EVERYTHING) {
      for (const headers of token === undefined ? [{}] : [withCookie(token), { authorization: `Bearer ${token}` }]) {
        expectProblem(await ask(at(path), { headers }), code);
      }
    }
    const page = await ask(at('/queues'), {
      headers: { ...NAVIGATION, ...(token !== undefined && withCookie(token)) },
    });
    expect(page.status).toBe(code === 'FORBIDDEN' ? 403 : 401);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.text).toContain('<form method="post" action="/admin/sign-in">');
    expect(page.text.includes('role="alert"')).toBe(token !== undefined);
    if (token === undefined) return;
    const refused = await signIn(token);
    expectProblem(refused, code);
    expect(refused.headers.getSetCookie()).toEqual([]);
  });

  it('is open to an admin and to an operator, with the cookie or a bearer token', async () => {
    for (const token of [tenant.adminToken, operatorToken]) {
      for (const path of ['/queues', '/queues/', '/queues/queue/maintenance', ASSET, '/queues/api/queues']) {
        for (const headers of [withCookie(token), { authorization: `Bearer ${token}` }]) {
          expect([path, (await ask(at(path), { headers })).status]).toEqual([path, 200]);
        }
      }
    }
  });

  it('closes at once to the admin of a suspended tenant', async () => {
    const suspended = await createTenant(service);
    const headers = withCookie(suspended.adminToken);
    expect(await ask(at('/queues/api/queues'), { headers })).toMatchObject({ status: 200 });
    await queryOnce(database.superuserUrl, `UPDATE tenants SET status = 'SUSPENDED' WHERE id = $1`, [suspended.id]);
    for (const path of EVERYTHING) expectProblem(await ask(at(path), { headers }), 'TENANT_SUSPENDED');
    expectProblem(await signIn(suspended.adminToken), 'TENANT_SUSPENDED');
  });

  it('gives a cookie for these pages alone, for as long as the token is valid', async () => {
    const token = await tokens.sign({ role: 'admin', userId: randomUUID(), tenantId: tenant.id }, 600);
    const entered = await signIn(`  Bearer ${token}\n`);
    expect(entered).toMatchObject({ status: 303, text: '' });
    expect(entered.headers.get('location')).toBe('/admin/queues');
    const [cookie = '', ...more] = entered.headers.getSetCookie();
    expect(more).toEqual([]);
    const [, kept = '', seconds = ''] =
      /^agrotour_admin=([^;]+); Path=\/admin; HttpOnly; SameSite=Strict; Max-Age=(\d+)$/.exec(cookie) ?? [];
    expect(kept).toBe(token);
    expect(Number(seconds)).toBeGreaterThan(590);
    expect(Number(seconds)).toBeLessThanOrEqual(600);

    const left = await ask(at('/sign-out'), { method: 'POST', headers: { ...FORM, ...SAME_ORIGIN } });
    expect(left.status).toBe(303);
    expect(left.headers.get('location')).toBe('/admin/sign-in');
    expect(left.headers.getSetCookie()).toEqual(['agrotour_admin=; Path=/admin; HttpOnly; SameSite=Strict; Max-Age=0']);
  });

  it.each([
    ['the browser says so', { origin: 'https://sync.example.org', host: 'sync.example.org' }],
    ['the proxy says so', { ...SAME_ORIGIN, 'x-forwarded-proto': 'https' }],
  ])('keeps the cookie to https where that is how the browser came: %s', async (_how, headers) => {
    expect((await signIn(operatorToken, headers)).headers.getSetCookie()[0]).toMatch(/; Secure$/);
  });

  it('counts the cookie nowhere else', async () => {
    const headers = withCookie(tenant.adminToken);
    for (const path of ['/devices', '/inventory/products', '/sync/conflicts']) {
      expectProblem(await ask(service.url + path, { headers }), 'UNAUTHENTICATED');
    }
    const posted = await ask(`${service.url}/devices`, {
      method: 'POST',
      headers: { ...headers, ...SAME_ORIGIN, 'content-type': 'application/json' },
      body: '{"name":"Till","device_type":"WEB"}',
    });
    expectProblem(posted, 'UNAUTHENTICATED');
  });

  it('does nothing that a page of another site asks for', async () => {
    const pause = '/queues/api/queues/maintenance/pause';
    const strangers: readonly Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
      { origin: 'https://evil.example.org' },
      { origin: 'null' },
      {}, // no browser that keeps the cookie sends neither
    ];
    for (const stranger of strangers) {
      for (const path of [pause, '/sign-in', '/sign-out']) {
        const method = path === pause ? 'PUT' : 'POST';
        const answer = await ask(at(path), { method, headers: { ...withCookie(operatorToken), ...stranger } });
        expect([stranger, path, answer.status]).toEqual([stranger, path, 403]);
        expectProblem(answer, 'FORBIDDEN');
        expect(answer.headers.getSetCookie()).toEqual([]);
      }
    }
    const ours: readonly Record<string, string>[] = [
      { ...SAME_ORIGIN, ...withCookie(operatorToken) },
      { origin: service.url, ...withCookie(operatorToken) },
      { authorization: `Bearer ${operatorToken}` },
    ];
    for (const headers of ours) {
      expect([headers, (await ask(at(pause), { method: 'PUT', headers })).status]).toEqual([headers, 200]);
      expect(await ask(at(pause.replace('pause', 'resume')), { method: 'PUT', headers })).toMatchObject({
        status: 200,
      });
    }
  });

  it('tells browsers to load, run and keep nothing else', async () => {
    const pages = [
      await ask(at('/sign-in')),
      await ask(at('/sign-out')),
      await ask(at('/queues'), { headers: NAVIGATION }),
      await ask(at('/queues'), { headers: withCookie(operatorToken) }),
      await ask(at(ASSET), { headers: withCookie(operatorToken) }),
      await ask(at('/queues/api/queues'), { headers: withCookie(operatorToken) }),
    ];
    for (const { headers, text } of pages) {
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; .*frame-ancestors 'none'/);
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
      expect(text).not.toMatch(/https?:\/\/(?!www\.w3\.org)|<%/);
    }
  });

  it.each([
    ['no token', 'token=', FORM, 400],
    ['no form', '', FORM, 400],
    ['a token with what would end the cookie', 'token=a%3B%20Domain%3Dexample.org', FORM, 400],
    ['a token that no cookie holds', `token=${'x'.repeat(4_001)}`, FORM, 400],
    ['five megabytes', `token=${'x'.repeat(5_000_000)}`, FORM, 400],
    ['JSON', '{"token":"x"}', { 'content-type': 'application/json' }, 415],
  ])('refuses a form with %s', async (_what, body, headers, status) => {
    const answer = await ask(at('/sign-in'), { method: 'POST', headers: { ...SAME_ORIGIN, ...headers }, body });
    expectProblem(answer, status === 415 ? 'UNSUPPORTED_MEDIA_TYPE' : 'VALIDATION');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('is not there on a worker', async () => {
    const worker = await startAs('worker');
    for (const path of ['/admin/sign-in', '/admin/queues', '/admin/queues/api/queues']) {
      expectProblem(await ask(worker.url + path, { headers: withCookie(operatorToken) }), 'NOT_FOUND');
    }
  });

  (hasRedis ? it : it.skip)('says so when the queues are out of reach', async () => {
    const redis = await startRedis();
    const cutOff = await startAs('api', { REDIS_URL: redis.url });
    await redis.stop();
    const headers = withCookie(operatorToken);
    expectProblem(await ask(`${cutOff.url}/admin/queues/api/queues`, { headers }), 'UNAVAILABLE');
    expect(await ask(`${cutOff.url}/admin/queues`, { headers })).toMatchObject({ status: 200 });
  });
});

describeWithBrowser('the dashboard of the queues in a browser (skips without Chromium)', () => {
  let database: TestDatabase;
  let service: RunningService;
  let browser: Browser;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    browser = await chromium.launch({
      executablePath: BROWSER ?? 'chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await database.drop();
  });

  it('lets a person sign in with a token, see the queues, and sign out', async () => {
    const page = await browser.newPage();
    const elsewhere: string[] = [];
    const violations: string[] = [];
    page.on('request', (sent) => {
      if (!sent.url().startsWith(service.url)) elsewhere.push(sent.url());
    });
    page.on('console', (said) => {
      if (said.text().includes('Content Security Policy')) violations.push(said.text());
    });
    const { adminToken } = await createTenant(service);

    await page.goto(`${service.url}/admin/queues`);
    await page.getByLabel('Token').fill('not a token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.getByRole('alert').innerText()).toMatch(/^The token must be/);
    await page.getByLabel('Token').fill(adminToken);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(/\/admin\/queues\/?$/);
    for (const name of QUEUE_NAMES) await page.getByRole('link', { name }).first().waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('link', { name: MAINTENANCE_QUEUE }).first().click();
    await page.getByText('A job of the platform or of another business').first().waitFor();

    await page.getByRole('banner').getByRole('button').last().click();
    await page.getByText('Sign out').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(/\/admin\/sign-in$/);
    expect(await page.context().cookies()).toEqual([]);
    await page.goto(`${service.url}/admin/queues`);
    await page.getByLabel('Token').waitFor();
    expect({ elsewhere, violations }).toEqual({ elsewhere: [], violations: [] });
    await page.close();
  });
});
