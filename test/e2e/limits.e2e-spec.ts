import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { pull, pullAll, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { hasRedis, startRedis } from '../support/redis.js';
import { type Answer, createTenant, request, type RunningService, startService, tokens } from '../support/service.js';

/** Of a tenant and of a device, in the services of these tests. */
const LIMITS = { RATE_LIMIT_PER_MINUTE: '12', RATE_LIMIT_PER_DEVICE_PER_MINUTE: '8' };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function repeat(times: number, ask: () => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let time = 0; time < times; time += 1) answers.push(await ask());
  return answers;
}
const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);

/** A device of a tenant of its own, which has sent the one request by which an admin enrolled it. */
const newDevice = async (service: RunningService): Promise<TestDevice> => TestDevice.enrol(await createTenant(service));

describe('requests of a business', () => {
  let service: RunningService;
  beforeAll(async () => {
    service = await startService({ DATABASE_URL: database.appUrl, ...LIMITS, RATE_LIMIT_REFUSED_PER_MINUTE: '5' });
  });
  afterAll(() => service.stop());

  it('are refused with 429 and when to come again, once a device has sent too many', async () => {
    const device = await newDevice(service);
    expect(statuses(await repeat(8, () => device.pull(service, 0)))).toEqual(Array(8).fill(200));
    const refused = await device.pull(service, 0);
    expectProblem(refused, 'RATE_LIMITED');
    expect(refused.body.detail).toMatch(/^This device.* more than 8 requests/);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(60);
  });

  it('say how many are left, for the device and for the business', async () => {
    const device = await newDevice(service);
    const { headers } = await device.pull(service, 0);
    expect(headers.get('ratelimit-policy')).toBe('"device";q=8;w=60, "tenant";q=12;w=60');
    // Of the twelve, one went for enrolling the device.
    expect(headers.get('ratelimit')).toMatch(/^"device";r=7;t=(59|60), "tenant";r=10;t=(5\d|60)$/);
  });

  it('of one device leave something for the others, however many it sends', async () => {
    const tenant = await createTenant(service);
    const [wild, calm] = [await TestDevice.enrol(tenant), await TestDevice.enrol(tenant)];
    await repeat(20, () => wild.pull(service, 0));
    expect(await calm.pull(service, 0)).toMatchObject({ status: 200 });
  });

  it('are counted together for all devices and people, and for no other business', async () => {
    const tenant = await createTenant(service);
    const devices = [await TestDevice.enrol(tenant), await TestDevice.enrol(tenant)] as const; // two of the twelve
    const answers = [
      ...(await repeat(6, () => devices[0].pull(service, 0))),
      ...(await repeat(6, () => devices[1].pull(service, 0))),
    ];
    expect(statuses(answers)).toEqual([...Array<number>(10).fill(200), 429, 429]);
    expect(answers.at(-1)?.body.detail).toMatch(/^All devices of this business/);
    expectProblem(await request(`${service.url}/devices`, { token: tenant.adminToken }), 'RATE_LIMITED');
    expect(await (await newDevice(service)).pull(service, 0)).toMatchObject({ status: 200 });
  });

  it('that are refused leave no trace, and nothing is read of their bodies', async () => {
    const device = await newDevice(service);
    const pushes = await repeat(9, () => device.push(service, [device.operation()]));
    expect(statuses(pushes)).toEqual([...Array<number>(8).fill(200), 429]);
    const broken = await request(`${service.url}/sync/push`, { token: device.token, body: '{"operations": [' });
    expectProblem(broken, 'RATE_LIMITED');
    const person = await tokens.sign({ role: 'staff', userId: randomUUID(), tenantId: device.tenantId });
    expect(await pullAll(service, person)).toHaveLength(8);
  });

  it('are counted once each, bad ones too: with a body, without, and a live stream', async () => {
    const device = await newDevice(service);
    const leftOf = ({ headers }: { headers: Headers }): string | undefined =>
      /"device";r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
    const bad = await request(`${service.url}/sync/pull`, { token: device.token, body: '{' });
    const query = await request(`${service.url}/inventory/products`, { token: device.token });
    const stop = new AbortController();
    const stream = await fetch(`${service.url}/sync/events`, {
      headers: { authorization: `Bearer ${device.token}` },
      signal: stop.signal,
    });
    const next = await device.pull(service, 0);
    stop.abort();
    expect([bad.status, leftOf(bad)]).toEqual([400, '7']);
    expect([query.status, leftOf(query)]).toEqual([200, '6']);
    expect([stream.status, leftOf(stream)]).toEqual([200, '5']);
    expect([next.status, leftOf(next)]).toEqual([200, '4']);
  });

  it('for its health are not counted, which a balancer may ask for from the address of all', async () => {
    for (const route of ['/', '/health/live', '/health/ready']) {
      const answers = await repeat(15, () => request(`${service.url}${route}`));
      expect([route, new Set(statuses(answers))]).toEqual([route, new Set([200])]);
      expect(answers[0]?.headers.get('ratelimit')).toBeNull();
    }
  });

  it.each(['DEVICE_REVOKED', 'TOKEN_REVOKED'] as const)(
    'that are refused with %s use up nothing of what the others have',
    async (code) => {
      const tenant = await createTenant(service);
      const device = await TestDevice.enrol(tenant);
      const path = `${service.url}/devices/${device.id}`;
      const asAdmin = { token: tenant.adminToken };
      const renewed =
        code === 'DEVICE_REVOKED'
          ? await request(path, { ...asAdmin, method: 'DELETE' })
          : await request(`${path}/token`, { ...asAdmin, method: 'POST' });
      const answers = await repeat(20, () => device.pull(service, 0));
      expectProblem(answers[0] ?? renewed, code);
      expect(statuses(answers.slice(8))).toEqual(Array(12).fill(429)); // its own are used up
      expect(await request(`${service.url}/devices`, asAdmin)).toMatchObject({ status: 200 });
      if (code === 'TOKEN_REVOKED')
        expect(await pull(service, String(renewed.body.token), 0)).toMatchObject({ status: 200 });
    },
  );

  it('to sign in are counted, too', async () => {
    const admin = await tokens.sign({ role: 'operator', userId: randomUUID() });
    const signIn = (): Promise<Response> =>
      fetch(`${service.url}/admin/sign-in`, {
        method: 'POST',
        headers: { origin: service.url, accept: 'text/html' },
        body: new URLSearchParams({ token: admin }),
        redirect: 'manual',
      });
    const answers: number[] = [];
    for (let time = 0; time < 9; time += 1) answers.push((await signIn()).status);
    expect(answers).toEqual([...Array<number>(8).fill(303), 429]);
  });

  it('are counted on the pages of the queues, too', async () => {
    const admin = await tokens.sign({ role: 'operator', userId: randomUUID() });
    const answers = await repeat(9, () => request(`${service.url}/admin/queues/`, { token: admin }));
    expect(statuses(answers)).toEqual([...Array<number>(8).fill(200), 429]);
  });

  it('without a valid token are put off after a few, and those with one are let in from the same address', async () => {
    const device = await newDevice(service);
    const guesses = [
      ...(await repeat(3, () => pull(service, 'not.a.token', 0))),
      ...(await repeat(4, () => request(`${service.url}/devices`))),
    ];
    expect(statuses(guesses)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const last = guesses[6];
    if (!last) throw new Error('no answer');
    expectProblem(last, 'RATE_LIMITED');
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(last.headers.get('www-authenticate')).toBeNull();
    expect(await device.pull(service, 0)).toMatchObject({ status: 200 });
    expect(await request(`${service.url}/health/live`)).toMatchObject({ status: 200 });
  });
});

it('counts what is heavy to answer tenfold, of whoever asks without a token', async () => {
  const service = await startService({ DATABASE_URL: database.appUrl, RATE_LIMIT_REFUSED_PER_MINUTE: '40' });
  try {
    const device = await newDevice(service);
    const routes = ['/docs', '/openapi.json', '/metrics', '/docs/swagger-ui.css'];
    for (const route of routes) expect((await request(service.url + route)).status).toBe(200);
    for (const route of routes) expectProblem(await request(service.url + route), 'RATE_LIMITED');
    expect(await request(`${service.url}/health/ready`)).toMatchObject({ status: 200 });
    expect(await device.pull(service, 0)).toMatchObject({ status: 200 });
  } finally {
    await service.stop();
  }
});

it('counts strangers by the address that a trusted proxy names, and believes nobody else', async () => {
  const variables = { DATABASE_URL: database.appUrl, RATE_LIMIT_REFUSED_PER_MINUTE: '2' };
  const services = [
    await startService({ ...variables, TRUSTED_PROXIES: 'loopback' }),
    await startService(variables),
  ] as const;
  const askFrom = (service: RunningService, address: string): Promise<Answer> =>
    request(`${service.url}/devices`, { headers: { 'x-forwarded-for': address } });
  try {
    const addresses = ['203.0.113.1', '203.0.113.1', '203.0.113.1', '203.0.113.2', '2001:db8::1', '2001:db8::2'];
    const [behind, bare] = services;
    const answers = { behind: [] as number[], bare: [] as number[] };
    for (const address of [...addresses, '2001:db8::3']) {
      answers.behind.push((await askFrom(behind, address)).status);
      answers.bare.push((await askFrom(bare, address)).status);
    }
    expect(answers.behind).toEqual([401, 401, 429, 401, 401, 401, 429]);
    expect(answers.bare).toEqual([401, 401, 429, 429, 429, 429, 429]);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
});

it('counts nothing where the limits are 0', async () => {
  const off = { RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_PER_DEVICE_PER_MINUTE: '0', RATE_LIMIT_REFUSED_PER_MINUTE: '0' };
  const service = await startService({ DATABASE_URL: database.appUrl, ...off });
  try {
    const device = await newDevice(service);
    const answers = await repeat(20, () => device.pull(service, 0));
    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    expect(answers[0]?.headers.get('ratelimit')).toBeNull();
  } finally {
    await service.stop();
  }
});

const describeWithRedis = hasRedis || process.env['CI'] ? describe : describe.skip;

async function countedInRedis(url: string, key: string): Promise<boolean> {
  const client = new Redis(url);
  try {
    return (await client.exists(`agrotour:limit:tenant:${key}`)) === 1;
  } finally {
    client.disconnect();
  }
}

describeWithRedis('limits in Redis (skips without redis-server)', () => {
  const logOf = (service: RunningService): { text: () => string } => {
    let log = '';
    service.process.stdout?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    return { text: () => log };
  };

  it('are of all processes together, and of each alone while Redis is gone, which refuses nobody', async () => {
    const redis = await startRedis();
    const variables = { DATABASE_URL: database.appUrl, REDIS_URL: redis.url, ...LIMITS };
    const services = [await startService(variables), await startService(variables)] as const;
    const log = logOf(services[0]);
    let again: Awaited<ReturnType<typeof startRedis>> | undefined;
    try {
      const [device, other] = [await newDevice(services[0]), await newDevice(services[0])];
      const shared = [
        ...(await repeat(5, () => device.pull(services[0], 0))),
        ...(await repeat(5, () => device.pull(services[1], 0))),
      ];
      expect(statuses(shared)).toEqual([...Array<number>(8).fill(200), 429, 429]);

      await redis.stop();
      const alone = [
        ...(await repeat(9, () => other.pull(services[0], 0))),
        ...(await repeat(9, () => other.pull(services[1], 0))),
      ];
      expect(statuses(alone)).toEqual([...Array<number>(8).fill(200), 429, ...Array<number>(8).fill(200), 429]);
      const told = await eventually('the log tells of it', () =>
        log
          .text()
          .split('\n')
          .find((line) => line.includes('each process counts limits for itself')),
      );
      expect(told).toContain('"level":"warn"');
      expect(log.text().match(/each process counts limits for itself/g)).toHaveLength(1);

      again = await startRedis(Number(new URL(redis.url).port));
      await eventually('the log tells that it is back', () =>
        log.text().includes('limits are counted for all processes again'),
      );
      await eventually('what one process counts, the other knows again', async () => {
        const { headers } = await (await newDevice(services[0])).pull(services[1], 0);
        return headers.get('ratelimit')?.includes('"tenant";r=10'); // the enrolment was counted by the first
      });
    } finally {
      await Promise.all(services.map((service) => service.stop()));
      await again?.stop();
    }
  });

  it('hold nobody up when Redis takes connections and does not answer', async () => {
    const redis = await startRedis();
    const service = await startService({ DATABASE_URL: database.appUrl, REDIS_URL: redis.url, ...LIMITS });
    try {
      const device = await newDevice(service);
      await device.pull(service, 0);
      redis.pause();
      const start = performance.now();
      const answers = await repeat(6, () => device.pull(service, 0));
      expect(statuses(answers)).toEqual(Array(6).fill(200));
      expect(performance.now() - start).toBeLessThan(2_500); // each would wait for two answers of 250 ms
      redis.resume();
      await eventually('it is counted there again', async () => {
        const late = await newDevice(service);
        return countedInRedis(redis.url, late.tenantId);
      });
    } finally {
      redis.resume();
      await service.stop();
      await redis.stop();
    }
  });
});
