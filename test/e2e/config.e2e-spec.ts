import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/database.js';
import { pull, TestDevice } from '../support/devices.js';
import { expectProblem } from '../support/problems.js';
import { createTenant, request, type RunningService, runToExit, startService } from '../support/service.js';

describe('the configuration', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  /** Starts with these variables, and tells why that was refused. */
  async function refusal(variables: Record<string, string>): Promise<string> {
    const { code, stderr } = await runToExit({ DATABASE_URL: database.appUrl, ...variables });
    expect(code).toBe(1);
    return stderr;
  }
  const passwordOf = (url: string): string => new URL(url).password;

  it('is refused with every variable that is wrong, its shape and an example, and never a value', async () => {
    const wrong = {
      PORT: 'eight-thousand',
      HOST: 'not a host',
      DATABASE_URL: 'mysql://hunter2@db/shop',
      DATABASE_OWNER_URL: 'hunter3',
      DATABASE_POOL_MAX: '9999',
      REDIS_URL: 'http://:hunter4@cache',
      JWT_SECRET: 'hunter5',
      ALLOWED_ORIGINS: 'https://till.example.org/path',
      LOG_LEVEL: 'loud',
      RATE_LIMIT_PER_MINUTE: 'unlimited',
      TRUSTED_PROXIES: 'everybody',
      HTTP_CONNECTIONS_MAX: 'plenty',
      ROLE: 'boss',
    };
    const stderr = await refusal(wrong);
    for (const [name, value] of Object.entries(wrong)) {
      expect(stderr).toMatch(new RegExp(`- ${name} must be .+, for example .+\\.`));
      expect(stderr).not.toContain(value);
    }
    expect(stderr).not.toMatch(/hunter|at .*\.js:/);
  });

  it('is refused for a single variable too: a short secret, a strange URL, a port there can’t be', async () => {
    const cases = [
      ['JWT_SECRET', 'thirty-one bytes are one too few'.slice(1)],
      ['JWT_JWKS_URL', 'ftp://id.example.org/keys'],
      ['PORT', '65536'],
    ] as const;
    const told = await Promise.all(
      cases.map(([name, value]) => refusal({ ...(name === 'JWT_JWKS_URL' && { JWT_SECRET: '' }), [name]: value })),
    );
    for (const [index, [name, value]] of cases.entries()) {
      expect(told[index]).toContain(`- ${name} must be`);
      expect(told[index]?.match(/^ {2}- /gm)).toHaveLength(1);
      expect(told[index]).not.toContain(value);
    }
  });

  it('is refused with a kept secret that was shortened by hand', async () => {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), 'agrotour-config-'));
    const kept = { superuserPassword: 'a', ownerPassword: 'b', appPassword: 'c', jwtSecret: 'hunter6' };
    writeFileSync(path.join(dataDir, 'secrets.json'), JSON.stringify(kept));
    try {
      const { code, stderr } = await runToExit({ DATA_DIR: dataDir, JWT_SECRET: '' });
      expect(code).toBe(1);
      expect(stderr).toContain('secrets.json is damaged');
      expect(stderr).not.toContain('hunter6');
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  it('is refused without anything to check tokens with, where there is a database', async () => {
    expect(await refusal({ JWT_SECRET: '' })).toContain('- JWT_SECRET must be');
  });

  it('is refused with a database login that could pass row-level security by, with the reason', async () => {
    const cases = [
      [
        database.superuserUrl,
        /logs in as "postgres", which could bypass row-level security: it (is a superuser|has SUPERUSER)/,
      ],
      [database.ownerUrl, /logs in as "agrotour_owner", which could bypass row-level security: it owns/],
    ] as const;
    const told = await Promise.all(cases.map(([url]) => refusal({ DATABASE_URL: url })));
    for (const [index, [url, reason]] of cases.entries()) {
      expect(told[index]).toMatch(reason);
      expect(told[index]).not.toContain(passwordOf(url));
      expect(told[index]).not.toMatch(/at .*\.js:/); // for people: no stack
    }
  });

  it('is refused with a database that has no schema, with what to do', async () => {
    const empty = await createEmptyDatabase();
    try {
      const stderr = await refusal({ DATABASE_URL: empty.appUrl });
      expect(stderr).toMatch(/no schema yet.*DATABASE_OWNER_URL/);
      expect(stderr).not.toMatch(/at .*\.js:/);
    } finally {
      await empty.drop();
    }
  });

  it('is refused with a database that is not there, without its password', async () => {
    const nowhere = new URL(database.appUrl);
    nowhere.port = '1';
    const wrong = new URL(database.appUrl);
    wrong.password = 'hunter2';
    const told = await Promise.all([nowhere, wrong].map((url) => refusal({ DATABASE_URL: url.href })));
    expect(told[0]).toContain('ECONNREFUSED');
    expect(told[0]).not.toContain(nowhere.password);
    expect(told[1]).toContain('authentication failed');
    expect(told[1]).not.toContain(wrong.password);
  });

  it('with the owner’s login lets two services migrate an empty database and serve', async () => {
    const empty = await createEmptyDatabase();
    const variables = { DATABASE_URL: empty.appUrl, DATABASE_OWNER_URL: empty.ownerUrl };
    const services = await Promise.all([startService(variables), startService(variables)]);
    try {
      const device = await TestDevice.enrol(await createTenant(services[0]));
      expect(await pull(services[1], device.token, 0)).toMatchObject({ status: 200 });
    } finally {
      await Promise.all(services.map((service) => service.stop()));
      await empty.drop();
    }
  });
});

describe.each(['all', 'api', 'worker'])('a service of ROLE=%s', (role) => {
  let database: TestDatabase;
  let service: RunningService;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl, ROLE: role });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it('says that it is alive, and ready with database, migrations and queue', async () => {
    expect(await request(`${service.url}/health/live`)).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await request(`${service.url}/health/ready`)).toMatchObject({
      status: 200,
      body: { details: { database: { status: 'up' }, migrations: { status: 'up' }, queue: { status: 'up' } } },
    });
  });

  it('answers requests unless it only works', async () => {
    const root = await request(service.url);
    const push = await request(`${service.url}/sync/push`, { body: {} });
    if (role === 'worker') {
      expectProblem(root, 'NOT_FOUND');
      expectProblem(push, 'NOT_FOUND');
    } else {
      expect(root.body).toEqual({
        service: 'agrotour-sync-engine',
        status: 'ok',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      });
      expectProblem(push, 'UNAUTHENTICATED');
    }
  });

  it('ends with 0 when it is asked to', async () => {
    expect(await service.stop()).toBe(0);
  });
});
