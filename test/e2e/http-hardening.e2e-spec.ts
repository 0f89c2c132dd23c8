import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { pull, pullAll, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { type Answer, createTenant, request, type RunningService, startService, tokens } from '../support/service.js';

const ORIGIN = 'https://till.example.org';
const MIB = 1024 * 1024;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A client that says what it likes. */
class RawClient {
  received = '';
  closed = false;
  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => (this.received += chunk.toString('latin1')));
    socket.on('error', () => undefined); // that the service cuts it is what the tests are about
    socket.on('close', () => (this.closed = true));
  }

  static async open(service: RunningService): Promise<RawClient> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const client = new RawClient(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    return client;
  }

  /** What the service says to `text`, until it closes the connection. */
  static async say(service: RunningService, text: string): Promise<string> {
    const client = await RawClient.open(service);
    client.socket.write(text);
    await eventually('the service closes the connection', () => client.closed);
    return client.received;
  }

  /** A byte each `everyMs`, until it is cut. @returns milliseconds until then. */
  async drip(text: string, everyMs: number): Promise<number> {
    const start = performance.now();
    for (const character of text) {
      if (this.closed) break;
      this.socket.write(character);
      await sleep(everyMs);
    }
    return performance.now() - start;
  }
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n`;

describe('a client that takes its time', () => {
  let service: RunningService;
  let device: TestDevice;
  beforeAll(async () => {
    service = await startService({
      DATABASE_URL: database.appUrl,
      HTTP_HEADERS_TIMEOUT_SECONDS: '2',
      HTTP_REQUEST_TIMEOUT_SECONDS: '4',
      HTTP_IDLE_TIMEOUT_SECONDS: '2',
    });
    device = await TestDevice.enrol(await createTenant(service));
  });
  afterAll(() => service.stop());

  /** Whether others are served meanwhile, and at once. */
  async function othersAreServed(): Promise<void> {
    const start = performance.now();
    expect(await device.pull(service, 0)).toMatchObject({ status: 200 });
    expect(performance.now() - start).toBeLessThan(1_000);
  }

  it('is cut within the limit when it drips its headers, and told why', async () => {
    const client = await RawClient.open(service);
    client.socket.write(head('GET / HTTP/1.1', 'host: x'));
    const cut = client.drip('x-slow: loris and friends', 500);
    await othersAreServed();
    expect(await cut).toBeLessThan(4_500);
    expect(client.received).toMatch(/^HTTP\/1\.1 408 .*"code":"REQUEST_TIMEOUT"/s);
  });

  it('is cut within the limit when it drips its body', async () => {
    const client = await RawClient.open(service);
    const headers = [`authorization: Bearer ${device.token}`, 'content-type: application/json', 'content-length: 500'];
    client.socket.write(`${head('POST /sync/push HTTP/1.1', 'host: x', ...headers)}\r\n`);
    const cut = client.drip(' '.repeat(30), 500);
    await othersAreServed();
    expect(await cut).toBeLessThan(7_000);
    expect(client.received).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('is cut when it says nothing at all', async () => {
    const client = await RawClient.open(service);
    await eventually('it is cut', () => client.closed, 5_000);
  });

  it('is cut when it takes nothing of its answers', async () => {
    const client = await RawClient.open(service);
    client.socket.pause();
    // Some 30 MiB: more than the buffers of two sockets hold.
    client.socket.write(`${head('GET /docs/swagger-ui-bundle.js HTTP/1.1', 'host: x')}\r\n`.repeat(20));
    await sleep(5_000);
    await othersAreServed();
    client.socket.resume();
    await eventually('what was under way has come', () => client.closed);
    expect(client.received.length).toBeLessThan(15 * MIB);
  });
});

describe('many clients', () => {
  const openMany = (service: RunningService, count: number): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: count }, () => RawClient.open(service)));

  it('that only hold a connection each take none from the others, and are cut', async () => {
    const service = await startService({ DATABASE_URL: database.appUrl, HTTP_HEADERS_TIMEOUT_SECONDS: '5' });
    try {
      const device = await TestDevice.enrol(await createTenant(service));
      const idle = await openMany(service, 1_000);
      const start = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => pull(service, device.token, 0)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(performance.now() - start).toBeLessThan(3_000);
      expect(idle.filter(({ closed }) => closed)).toEqual([]);
      await eventually('all are cut', () => idle.every(({ closed }) => closed));
    } finally {
      await service.stop();
    }
  });

  it('are refused from the bound on, with a line of log, and taken again once there is room', async () => {
    const service = await startService({ DATABASE_URL: database.appUrl, HTTP_CONNECTIONS_MAX: '20' });
    let log = '';
    service.process.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    try {
      const idle = await openMany(service, 30);
      await eventually('ten are refused', () => idle.filter(({ closed }) => closed).length === 10);
      await expect(request(service.url)).rejects.toThrow();
      await eventually('the log says so', () => log.includes('"connectionsMax":20'));
      for (const { socket } of idle) socket.destroy();
      await eventually('there is room again', () =>
        request(service.url).then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      expect(log.match(/"connectionsMax":20/g)).toHaveLength(1);
    } finally {
      await service.stop();
    }
  });
});

describe('requests', () => {
  let service: RunningService;
  let device: TestDevice;
  beforeAll(async () => {
    service = await startService({ DATABASE_URL: database.appUrl, ALLOWED_ORIGINS: ORIGIN });
    device = await TestDevice.enrol(await createTenant(service));
  });
  afterAll(() => service.stop());

  it.each([
    [
      'with more than 16 KiB of headers',
      head('GET / HTTP/1.1', `x-much: ${'x'.repeat(17_000)}`, ''),
      431,
      'HEADERS_TOO_LARGE',
    ],
    [
      'with a token of 17 KiB',
      head('GET / HTTP/1.1', `authorization: Bearer ${'x'.repeat(17_000)}`, ''),
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['with a path of 17 KiB', head(`GET /${'x'.repeat(17_000)} HTTP/1.1`, 'host: x', ''), 431, 'HEADERS_TOO_LARGE'],
    ['that are none', 'hello\r\n\r\n', 400, 'BAD_REQUEST'],
    [
      'with two lengths',
      head('POST / HTTP/1.1', 'host: x', 'content-length: 1', 'content-length: 2', ''),
      400,
      'BAD_REQUEST',
    ],
    [
      'with a length and chunks, which two servers may read as two different requests',
      head('POST / HTTP/1.1', 'host: x', 'content-length: 4', 'transfer-encoding: chunked', '', '0', '', ''),
      400,
      'BAD_REQUEST',
    ],
    ['without a host', head('GET / HTTP/1.1', 'connection: close', ''), 400, 'BAD_REQUEST'],
    ['with a header on two lines', head('GET / HTTP/1.1', 'host: x', 'x-folded: a', ' b: c', ''), 400, 'BAD_REQUEST'],
  ])('%s are refused with a problem, and the connection is closed', async (_what, text, status, code) => {
    const answer = await RawClient.say(service, text);
    const [headers = '', body = ''] = answer.split('\r\n\r\n');
    expect(headers).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(headers).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });

  it('that expect what nobody knows are answered as if they did not', async () => {
    const answer = await RawClient.say(
      service,
      head('GET / HTTP/1.1', 'host: x', 'expect: foo', 'connection: close', ''),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('that break off a stream leave it as it is: nothing is mixed into it', async () => {
    const client = await RawClient.open(service);
    const events = head('GET /sync/events HTTP/1.1', 'host: x', `authorization: Bearer ${device.token}`, '');
    client.socket.write(events);
    await eventually('the stream has begun', () => client.received.includes('retry:'));
    client.socket.write('garbage\r\n\r\n');
    await eventually('it is closed', () => client.closed);
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  describe('with a packed body', () => {
    const push = (body: Uint8Array, encoding: string): Promise<Answer> =>
      request(`${service.url}/sync/push`, { token: device.token, body, headers: { 'content-encoding': encoding } });
    const envelope = (operations: unknown[]): string =>
      JSON.stringify({ operations, client_lamport: 0, device_id: device.id });

    it('are taken as if it had not been', async () => {
      const operation = device.operation();
      const answer = await push(gzipSync(envelope([operation])), 'gzip');
      expect(answer).toMatchObject({ status: 200, body: { results: [{ status: 'accepted' }] } });
      const events = await pullAll(service, device.token);
      expect(events.map(({ operation_id }) => operation_id)).toContain(operation.operation_id);
    });

    it('may unpack to no more than others may have', async () => {
      const operation = device.operation({ operation_id: randomUUID() });
      const padding = Array.from({ length: 150_000 }, () => randomUUID()).join('');
      const large = gzipSync(JSON.stringify({ ...JSON.parse(envelope([operation])), padding }));
      expect(large.length).toBeLessThan(5 * MIB);
      expectProblem(await push(large, 'gzip'), 'PAYLOAD_TOO_LARGE');
    });

    it.each([
      ['br', brotliCompressSync('{}'), 'UNSUPPORTED_MEDIA_TYPE'],
      ['gzip, gzip', gzipSync(gzipSync('{}')), 'UNSUPPORTED_MEDIA_TYPE'],
      ['gzip', Buffer.from('{}'), 'MALFORMED_JSON'],
      ['gzip', gzipSync('{"operations": [').subarray(0, 25), 'MALFORMED_JSON'],
    ] as const)('are refused where it is not gzip: %j', async (encoding, body, code) => {
      expectProblem(await push(body, encoding), code);
    });

    it('cost a bounded amount of memory when it is a bomb', async () => {
      // Members of a gzip file may follow each other: 5 GiB in less than 5 MiB.
      const member = gzipSync(Buffer.alloc(10 * MIB), { level: 9 });
      const bomb = Buffer.concat(Array.from({ length: 500 }, () => member));
      expect(bomb.length).toBeLessThan(5 * MIB);
      expect(bomb.length).toBeGreaterThan(4 * MIB);
      const before = peakBytes(service);
      const start = performance.now();
      const answers = await Promise.all(Array.from({ length: 4 }, () => push(bomb, 'gzip')));
      for (const answer of answers) expectProblem(answer, 'PAYLOAD_TOO_LARGE');
      expect(performance.now() - start).toBeLessThan(5_000);
      expect(peakBytes(service) - before).toBeLessThan(120 * MIB); // four bodies of 5 MiB, as they came and unpacked
      expect(await device.pull(service, 0)).toMatchObject({ status: 200 });
    });
  });

  it.each<[what: string, ask: () => Promise<Answer>, status: number]>([
    ['an answer', () => device.pull(service, 0), 200],
    ['a refusal', () => request(`${service.url}/devices`), 401],
    ['a refusal before the body is read', () => request(`${service.url}/sync/push`, { body: {} }), 401],
    ['a route that is not there', () => request(`${service.url}/nope`), 404],
    ['a page of docs', () => request(`${service.url}/docs`), 200],
    ['the page of the queues', () => request(`${service.url}/admin/sign-in`), 200],
  ])('get headers that keep browsers from misusing %s', async (_what, ask, status) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'/),
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': expect.stringMatching(/^(no-referrer|same-origin)$/),
    });
    expect(answer.headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
    expect(answer.headers.get('x-powered-by')).toBeNull();
    expect(answer.headers.get('server')).toBeNull();
  });

  it('of a business get answers that no cache keeps', async () => {
    const products = await request(`${service.url}/inventory/products`, { token: device.token });
    expect(products.headers.get('cache-control')).toBe('no-store');
  });

  describe('of web pages', () => {
    const preflight = (origin: string): Promise<Answer> =>
      request(`${service.url}/sync/push`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type',
        },
      });

    it('are allowed to the origins that are configured, and to no others', async () => {
      expect((await preflight(ORIGIN)).headers.get('access-control-allow-origin')).toBe(ORIGIN);
      for (const origin of ['https://evil.example', `${ORIGIN}.evil.example`, 'null', 'http://till.example.org']) {
        expect([origin, (await preflight(origin)).headers.get('access-control-allow-origin')]).toEqual([origin, null]);
      }
    });

    it('can read refusals, when to come again, and how much is left; and no cookie is ever asked for', async () => {
      const refused = await request(`${service.url}/sync/push`, { body: {}, headers: { origin: ORIGIN } });
      expectProblem(refused, 'UNAUTHENTICATED');
      expect(refused.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(refused.headers.get('access-control-expose-headers')).toMatch(/RateLimit,.*Retry-After/);
      expect(refused.headers.get('access-control-allow-credentials')).toBeNull();
      expect(refused.headers.get('vary')).toContain('Origin');
    });
  });
});

it('lets no web page call where no origin is configured', async () => {
  const service = await startService({ DATABASE_URL: database.appUrl });
  try {
    const token = await tokens.sign({ role: 'operator', userId: randomUUID() });
    const { headers } = await request(`${service.url}/tenants`, { token, headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  } finally {
    await service.stop();
  }
});

/** The most that the service's process has had in memory so far. */
function peakBytes(service: RunningService): number {
  const status = readFileSync(`/proc/${service.process.pid ?? 0}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
