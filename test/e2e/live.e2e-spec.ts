import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { fastify, type FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import http, { type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIGNALS_APPLICATION_NAME } from '../../src/signals/postgres-line.js';
import { TenantSignals } from '../../src/signals/tenant-signals.js';
import { EventStream } from '../../src/sync/live/event-stream.js';
import { STREAMS_PER_BEARER_MAX, STREAMS_PER_TENANT_MAX } from '../../src/sync/live/live-hub.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.js';
import {
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

Logger.overrideLogger(false);
const ORIGIN = 'https://till.example.org';

interface ListenOptions {
  readonly lastEventId?: string;
  readonly limit?: number;
  readonly method?: 'GET' | 'HEAD';
}

/** A client that reads a stream to its end. */
class Client {
  readonly events: Record<string, string>[] = [];
  readonly comments: string[] = [];
  retryMs = 0;
  ended = false;
  private unread = '';

  private constructor(
    private readonly sent: http.ClientRequest,
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
  ) {}

  /** Resolves with the head of the answer. */
  static async listen(service: Pick<RunningService, 'url'>, token: string, options: ListenOptions = {}) {
    const { lastEventId, limit, method } = options;
    const sent = http.request(`${service.url}/sync/events${limit === undefined ? '' : `?limit=${limit}`}`, {
      agent: false,
      method: method ?? 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        origin: ORIGIN,
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
    });
    const answer = await new Promise<http.IncomingMessage>((resolve, reject) => {
      sent.on('response', resolve).on('error', reject).end();
    });
    const client = new Client(sent, answer.statusCode ?? 0, answer.headers);
    answer.setEncoding('utf8').on('data', (text: string) => {
      client.read(text);
    });
    answer.on('error', () => undefined).on('close', () => (client.ended = true));
    return client;
  }

  /** Goes away without a word. */
  leave(): void {
    this.sent.destroy();
  }

  /** Waits for the event of this lamport, and returns its data. */
  async told(lamport: number, timeoutMs?: number): Promise<Record<string, unknown>> {
    const found = await eventually(
      `lamport ${lamport} is told`,
      () => this.events.find((event) => event['id'] === `${lamport}`),
      timeoutMs,
    );
    return JSON.parse(found['data'] ?? '') as Record<string, unknown>;
  }

  ids(): number[] {
    return this.events.flatMap((event) => (event['id'] === undefined ? [] : [Number(event['id'])]));
  }

  private read(text: string): void {
    this.unread += text;
    const blocks = this.unread.split('\n\n');
    this.unread = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n').map((line) => /^([a-z]*): ?(.*)$/.exec(line)?.slice(1) ?? ['?', line]);
      const fields = Object.fromEntries(lines) as Record<string, string>;
      if ('' in fields) this.comments.push(fields[''] ?? '');
      else if ('retry' in fields) this.retryMs = Number(fields['retry']);
      else this.events.push(fields);
    }
  }
}

describe('the live feed of two processes', () => {
  let database: TestDatabase;
  let here: RunningService;
  let there: RunningService;
  let signals: TenantSignals;
  const clients: Client[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    const variables = { DATABASE_URL: database.appUrl, ALLOWED_ORIGINS: ORIGIN };
    [here, there] = await Promise.all([startService(variables), startService(variables)]);
    signals = new TenantSignals({ redisUrl: undefined, databaseUrl: database.appUrl, role: 'worker' });
    signals.onModuleInit();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.leave();
  });
  afterAll(async () => {
    await signals.onApplicationShutdown();
    await Promise.all([here.stop(), there.stop()]);
    await database.drop();
  });

  async function listen(service: RunningService, token: string, options?: ListenOptions): Promise<Client> {
    const client = await Client.listen(service, token, options);
    clients.push(client);
    expect(client.status).toBe(200);
    return client;
  }
  /** One unit received. @returns the lamport it got. */
  async function commit(device: TestDevice, service: RunningService = here): Promise<number> {
    const answer = await device.push(service, [device.operation()]);
    expect(answer.body.results).toMatchObject([{ status: 'accepted' }]);
    return answer.body.server_lamport as number;
  }
  async function tenantWithDevice(): Promise<{ tenant: TestTenant; device: TestDevice }> {
    const tenant = await createTenant(here);
    return { tenant, device: await TestDevice.enrol(tenant) };
  }
  const asSuperuser = (statement: string, ...parameters: unknown[]): Promise<unknown> =>
    queryOnce(database.superuserUrl, statement, parameters);

  it('tells where the clock stands, and each commit, whichever process it was made through', async () => {
    const { tenant, device } = await tenantWithDevice();
    const [near, far] = [await listen(here, device.token), await listen(there, tenant.adminToken)];
    await Promise.all([near.told(0), far.told(0)]);
    const { epoch } = (await device.pull(here, 0)).body as { epoch: string };
    const committedAt = Date.now();
    const lamport = await commit(device, here);
    const [event] = await Promise.all([far.told(lamport), near.told(lamport)]);
    expect(Date.now() - committedAt).toBeLessThan(2_000);
    expect(event).toEqual({ server_lamport: lamport, epoch });
    expect(far.ids()).toEqual([0, lamport]);
  });

  it('is an event stream that proxies pass on as it comes, and pages of a known origin may read', async () => {
    const { device } = await tenantWithDevice();
    const client = await listen(here, device.token);
    await client.told(0);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'access-control-allow-origin': ORIGIN,
    });
    expect(client.retryMs).toBeGreaterThanOrEqual(1_000);
    expect(client.retryMs).toBeLessThanOrEqual(5_000);
  });

  it('tells one tenant nothing of another', async () => {
    const [ana, ben] = [await tenantWithDevice(), await tenantWithDevice()];
    const client = await listen(there, ana.tenant.adminToken);
    await client.told(0);
    for (let count = 0; count < 5; count += 1) await commit(ben.device);
    signals.announce(ben.tenant.id, 1_000);
    const lamport = await commit(ana.device);
    await client.told(lamport);
    await sleep(200);
    expect(client.ids()).toEqual([0, lamport]);
  });

  it('tells what is in the database, whatever a signal says', async () => {
    const { tenant, device } = await tenantWithDevice();
    const client = await listen(here, tenant.adminToken);
    await client.told(0);
    signals.announce(tenant.id, 1_000_000);
    await sleep(300);
    expect(client.ids()).toEqual([0]);
    const lamport = await commit(device);
    await client.told(lamport);
  });

  it('tells the last of a burst, and never goes back', async () => {
    const { tenant, device } = await tenantWithDevice();
    const other = await TestDevice.enrol(tenant);
    const [near, far] = [await listen(here, device.token), await listen(there, device.token)];
    const lamports = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? commit(device, here) : commit(other, there))),
    );
    await Promise.all([near.told(Math.max(...lamports)), far.told(Math.max(...lamports))]);
    for (const client of [near, far]) expect(client.ids()).toEqual(client.ids().toSorted((a, b) => a - b));
  });

  it('tells a client that comes back only what it does not know', async () => {
    const { device } = await tenantWithDevice();
    await commit(device);
    const known = await commit(device);
    const client = await listen(here, device.token, { lastEventId: `${known}` });
    const lamport = await commit(device);
    await client.told(lamport);
    expect(client.ids()).toEqual([lamport]);
  });

  it.each([
    ['is behind', '1'],
    ['knows more than there is, as after a restore', '900'],
    ['says something else', 'lamport 2'],
    ['says too much', '9'.repeat(300)],
  ])('tells a client at once that %s', async (_, lastEventId) => {
    const { device } = await tenantWithDevice();
    await commit(device);
    const lamport = await commit(device);
    await (await listen(here, device.token, { lastEventId })).told(lamport, 5_000);
  });

  it('ends after as many events as were asked for', async () => {
    const { device } = await tenantWithDevice();
    const client = await listen(there, device.token, { limit: 2 });
    await client.told(0);
    const lamport = await commit(device);
    await eventually('it ends', () => client.ended);
    expect(client.events.map((event) => event['id'])).toEqual(['0', `${lamport}`]);
  });

  it('refuses with a problem, before there is a stream', async () => {
    const { tenant, device } = await tenantWithDevice();
    const url = `${here.url}/sync/events`;
    const operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
    expectProblem(await request(url), 'UNAUTHENTICATED');
    expectProblem(await request(url, { token: operator }), 'FORBIDDEN');
    expectProblem(await request(`${url}?limit=none`, { token: device.token }), 'VALIDATION');
    expectProblem(await request(`${url}?tenant_id=${randomUUID()}`, { token: device.token }), 'TENANT_MISMATCH');
    await request(`${here.url}/devices/${device.id}`, { method: 'DELETE', token: tenant.adminToken });
    expectProblem(await request(url, { token: device.token }), 'DEVICE_REVOKED');
  });

  /** As many bearers of a tenant as take all of its places, each for as many of them as it may have. */
  async function crowdOf({ id }: TestTenant): Promise<string[]> {
    const people = Array.from({ length: STREAMS_PER_TENANT_MAX / STREAMS_PER_BEARER_MAX }, () =>
      tokens.sign({ role: 'staff', userId: randomUUID(), tenantId: id }),
    );
    return (await Promise.all(people)).flatMap((token) => Array<string>(STREAMS_PER_BEARER_MAX).fill(token));
  }

  it('has some places for a device, which leave some for all others', async () => {
    const { tenant, device } = await tenantWithDevice();
    await Promise.all(Array.from({ length: STREAMS_PER_BEARER_MAX }, () => listen(here, device.token)));
    expectProblem(await request(`${here.url}/sync/events`, { token: device.token }), 'TOO_MANY_STREAMS');
    await (await listen(here, (await TestDevice.enrol(tenant)).token)).told(0);
  });

  it('has a hundred places for a tenant in a process, and a place is free as soon as its client has gone', async () => {
    const { tenant, device } = await tenantWithDevice();
    const crowd = await Promise.all((await crowdOf(tenant)).map((token) => listen(here, token)));
    const refused = await request(`${here.url}/sync/events`, { token: device.token });
    expectProblem(refused, 'TOO_MANY_STREAMS');
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    // Neither other processes nor other tenants are concerned.
    await (await listen(there, device.token)).told(0);
    await (await listen(here, (await createTenant(here)).adminToken)).told(0);

    const lamport = await commit(device);
    await Promise.all(crowd.map((client) => client.told(lamport)));
    crowd[0]?.leave();
    const late = await eventually(
      'there is a place',
      async () => {
        const client = await Client.listen(here, tenant.adminToken);
        clients.push(client);
        return client.status === 200 && client;
      },
      2_000,
    );
    await late.told(lamport);
  });

  it('gives no place to whoever only asks for the head, or has gone before the answer', async () => {
    const { tenant, device } = await tenantWithDevice();
    const bearers = await crowdOf(tenant);
    const url = new URL(here.url);
    for (let count = 0; count < STREAMS_PER_TENANT_MAX; count += 1) {
      await listen(here, device.token, { method: 'HEAD' });
      const hasty = connect(Number(url.port), url.hostname);
      hasty.write(`GET /sync/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${device.token}\r\n\r\n`);
      await sleep(count % 5);
      hasty.destroy();
    }
    await eventually('all places are free', async () => {
      const all = await Promise.all(bearers.map((token) => Client.listen(here, token)));
      const open = all.filter((client) => client.status === 200);
      for (const client of all) client.leave();
      return open.length === STREAMS_PER_TENANT_MAX;
    });
  });

  it('ends at once, and says why, when a device is revoked: its own streams only', async () => {
    const { tenant, device } = await tenantWithDevice();
    const other = await TestDevice.enrol(tenant);
    const [near, far] = [await listen(here, device.token), await listen(there, device.token)];
    const staying = await listen(there, other.token);
    await Promise.all([near, far, staying].map((client) => client.told(0)));
    await request(`${here.url}/devices/${device.id}`, { method: 'DELETE', token: tenant.adminToken });
    signals.announceAccessChange(tenant.id);
    await eventually('both have ended', () => near.ended && far.ended, 2_000);
    for (const { events } of [near, far])
      expect(events.at(-1)).toEqual({ event: 'closed', data: '{"code":"DEVICE_REVOKED"}' });
    const lamport = await commit(other);
    await staying.told(lamport);
    expect(near.ids()).toEqual([0]);
  });

  it('ends with its token', async () => {
    const { tenant } = await tenantWithDevice();
    // Clocks may differ by thirty seconds: until then it is let in.
    const token = await tokens.sign({ role: 'staff', userId: randomUUID(), tenantId: tenant.id }, 3 - 30);
    const client = await listen(here, token);
    await client.told(0);
    expect(client.ended).toBe(false);
    await eventually('it has ended', () => client.ended, 4_000);
    expect(client.events.at(-1)).toEqual({ event: 'closed', data: '{"code":"UNAUTHENTICATED"}' });
  });

  it('notices with the next keep-alive what no signal told: a suspension, and a commit', async () => {
    const [suspended, quiet] = [await tenantWithDevice(), await tenantWithDevice()];
    const [ending, told] = [await listen(here, suspended.device.token), await listen(here, quiet.device.token)];
    await Promise.all([ending.told(0), told.told(0)]);
    await told.told(await commit(quiet.device)); // just now, so the clock was read not long before the keep-alive
    await asSuperuser(`UPDATE tenants SET status = 'SUSPENDED' WHERE id = $1`, suspended.tenant.id);
    await asSuperuser('UPDATE tenant_clocks SET lamport = 7 WHERE tenant_id = $1', quiet.tenant.id);
    await told.told(7, 20_000);
    await eventually('it has ended', () => ending.ended, 20_000);
    expect(ending.events.at(-1)).toEqual({ event: 'closed', data: '{"code":"TENANT_SUSPENDED"}' });
    expect(told.comments).toEqual(['keep-alive']);
    expect(told.ended).toBe(false);
  });

  it('stays open when the connection for signals is lost, and then tells what it has missed', async () => {
    const { tenant, device } = await tenantWithDevice();
    const client = await listen(there, device.token);
    await client.told(0);
    await asSuperuser('UPDATE tenant_clocks SET lamport = 5 WHERE tenant_id = $1', tenant.id);
    await asSuperuser(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
      SIGNALS_APPLICATION_NAME,
    );
    await client.told(5, 5_000);
    const lamport = await commit(device, here);
    await client.told(lamport, 5_000);
  });

  it('does not hold up a stop', async () => {
    const service = await startService({ DATABASE_URL: database.appUrl });
    const { device } = await tenantWithDevice();
    const open = await Promise.all(Array.from({ length: 20 }, () => listen(service, device.token)));
    await Promise.all(open.map((client) => client.told(0)));
    const askedAt = Date.now();
    expect(await service.stop()).toBe(0);
    expect(Date.now() - askedAt).toBeLessThan(5_000); // after 6 s the connections would be cut
    // Nothing is wrong with the client: it comes back, to another process.
    await eventually('all have ended', () => open.every((client) => client.ended));
    for (const client of open) expect(client.events.map((event) => event['event'])).toEqual([undefined]);
  });
});

(hasRedis ? describe : describe.skip)('the live feed with Redis', () => {
  let database: TestDatabase;
  let redis: TestRedis;
  let services: RunningService[];

  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), startRedis()]);
    const variables = { DATABASE_URL: database.appUrl, REDIS_URL: redis.url };
    services = await Promise.all([startService(variables), startService(variables)]);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.kill())); // BullMQ would wait for Redis
    await redis.stop();
    await database.drop();
  });

  it('tells what was committed through another process; without Redis sales go on, and streams stay open', async () => {
    const [here, there] = services as [RunningService, RunningService];
    const device = await TestDevice.enrol(await createTenant(here));
    const client = await Client.listen(there, device.token);
    await client.told(0);
    const push = async (): Promise<number> => {
      const answer = await device.push(here, [device.operation()]);
      expect(answer.body.results).toMatchObject([{ status: 'accepted' }]);
      return answer.body.server_lamport as number;
    };
    await client.told(await push(), 2_000);
    const listeners = await queryOnce(
      database.superuserUrl,
      'SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1',
      [SIGNALS_APPLICATION_NAME],
    );
    expect(listeners).toEqual([]);

    await redis.stop();
    await push();
    expect(client.ended).toBe(false); // the next keep-alive tells it
    client.leave();
  });
});

/** The connection alone, on a server of the test's own: events of a size that no socket buffers. */
describe('an event stream whose client does not read', () => {
  const BIG = 'x'.repeat(256 * 1024);
  let server: FastifyInstance;
  let streams: EventStream[];
  let responses: ServerResponse[];
  let blockedMaxMs: number;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    server = fastify({ forceCloseConnections: true });
    server.get('/', (_request, reply) => {
      responses.push(reply.raw);
      streams.push(new EventStream(reply, { blockedMaxMs }));
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(() => server.close());

  /** A client that has asked, and reads only if it is resumed. */
  async function ask(patienceMs = 30_000): Promise<{ stream: EventStream; response: ServerResponse; socket: Socket }> {
    [streams, responses, blockedMaxMs] = [[], [], patienceMs];
    const address = server.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined).pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return eventually('it is answered', () => {
      const [stream, response] = [streams[0], responses[0]];
      return stream && response && { stream, response, socket };
    });
  }
  /** Offers events until the system has room for none: with a little patience it may find some more. */
  async function block(stream: EventStream, response: ServerResponse): Promise<void> {
    let fullMs = 0;
    for (let id = 1; fullMs < 200; id += 1) {
      stream.offer({ id: `${id}`, data: BIG });
      await sleep(10);
      fullMs = response.writableLength > 0 ? fullMs + 10 : 0;
    }
  }

  it('has one event on its way, keeps the newest, and sends that one when the client reads on', async () => {
    const { stream, response, socket } = await ask();
    let buffered = 0;
    await block(stream, response);
    for (let id = 1_001; id <= 1_200; id += 1) {
      stream.offer({ id: `${id}`, data: BIG });
      await sleep(1);
      buffered = Math.max(buffered, response.writableLength);
    }
    expect(buffered).toBeGreaterThan(0);
    expect(buffered).toBeLessThan(BIG.length + 1_024);

    const ids: number[] = [];
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = [...text.matchAll(/id: (\d+)\ndata: x+\r?\n/g)];
      for (const match of found) ids.push(Number(match[1]));
      if (found.length > 0) text = text.slice((found.at(-1)?.index ?? 0) + (found.at(-1)?.[0].length ?? 0));
    });
    socket.resume();
    await eventually('the newest has come', () => ids.at(-1) === 1_200);
    expect(ids.filter((id) => id > 1_000).length).toBeLessThan(50);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    stream.end();
  });

  it('delays no other stream', async () => {
    const blocked = await ask();
    await block(blocked.stream, blocked.response);
    const { stream, socket } = await ask();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
    stream.offer({ id: '7', data: 'seven' });
    await eventually('it is told', () => text.includes('id: 7\ndata: seven\n\n'), 2_000);
    expect(blocked.response.writableLength).toBeGreaterThan(0);
  });

  it('is cut when it has been blocked for too long, and not while the client reads, however slowly', async () => {
    const { stream, response, socket } = await ask(3_000);
    let over = false;
    stream.onClosed(() => (over = true));
    await block(stream, response);
    for (let count = 0; count < 8; count += 1) {
      await sleep(400);
      socket.resume();
      await eventually('it has taken all', () => response.writableLength === 0);
      socket.pause();
      await block(stream, response);
    }
    expect(over).toBe(false);
    const blockedSince = Date.now();
    await eventually(
      'it is cut',
      () => {
        stream.offer({ id: '1', data: BIG }); // what still found room is no reading
        return over;
      },
      30_000,
    );
    expect(Date.now() - blockedSince).toBeGreaterThan(2_000);
    expect(response.destroyed).toBe(true);
    stream.offer({ id: '1', data: 'too late' });
    stream.keepAlive();
    stream.end('DEVICE_REVOKED');
  });

  it('ends all the same, though its last words are not heard', async () => {
    const { stream, response } = await ask();
    let over = false;
    stream.onClosed(() => (over = true));
    await block(stream, response);
    stream.end('DEVICE_REVOKED');
    await eventually('it is over', () => over, 5_000);
  });

  it('says at once that it is over to whoever asks later', async () => {
    const { stream, socket } = await ask();
    let closes = 0;
    stream.onClosed(() => (closes += 1));
    socket.destroy();
    await eventually('it is over', () => closes === 1);
    stream.onClosed(() => (closes += 1));
    expect(closes).toBe(2);
  });
});
