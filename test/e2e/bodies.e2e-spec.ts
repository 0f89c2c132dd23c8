import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { createTenant, request, type RunningService, startService, tokens } from '../support/service.js';

describe('bodies', () => {
  let database: TestDatabase;
  let service: RunningService;
  let operator: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/xml', 'multipart/form-data; boundary=x'])(
    'of type %s are refused with 415',
    async (type) => {
      const answer = await request(`${service.url}/tenants`, {
        token: operator,
        headers: { 'content-type': type },
        body: 'name=x',
      });
      expect(answer.status).toBe(415);
      expect(answer.body.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    },
  );

  it('of strangers are not read: what is wrong with them goes unsaid', async () => {
    const broken = await request(`${service.url}/sync/push`, { body: '{"operations": [' });
    expect(broken.body.code).toBe('UNAUTHENTICATED');
    const huge = await request(`${service.url}/sync/push`, { token: 'not.a.token', body: ' '.repeat(6 * 1024 * 1024) });
    expect(huge.body.code).toBe('UNAUTHENTICATED');
  });

  it('that nobody waits for are not read either', async () => {
    for (const route of ['/nope', '/docs', '/docs/x']) {
      const answer = await request(`${service.url}${route}`, { body: '{bad' });
      expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('of no length are none, so a public route stays public', async () => {
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { 'content-length': '0' };
      http
        .get(`${service.url}/health/live`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
        .on('error', reject);
    });
    expect(answer).toBe(200);
  });

  it('that are empty are as good as none where none is wanted', async () => {
    const tenant = await createTenant(service);
    const answer = await request(`${service.url}/devices/${randomUUID()}`, {
      method: 'DELETE',
      token: tenant.adminToken,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.body.code).toBe('NOT_FOUND');
  });

  it('with more values than any push has are refused before they are parsed', async () => {
    const answer = await request(`${service.url}/tenants`, { token: operator, body: `[${'{},'.repeat(1_000_000)}{}]` });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('MALFORMED_JSON');
  });
});

describe('stopping', () => {
  it('answers what is under way, and does not wait for connections that clients keep open', async () => {
    const database = await createTestDatabase();
    const service = await startService({ DATABASE_URL: database.appUrl });
    const tenant = await createTenant(service);
    const till = await tenant.enrol();
    const exit = new Promise((resolve) => service.process.once('exit', resolve));
    const agent = new http.Agent({ keepAlive: true });
    const body = JSON.stringify({
      operations: Array.from({ length: 1_000 }, (_, index) =>
        anOperation({ tenant_id: tenant.id, device_id: till.id, lamport_ts: index + 1 }),
      ),
      client_lamport: 1_000,
      device_id: till.id,
    });
    const status = new Promise<number | undefined>((resolve, reject) => {
      const sent = http.request(
        `${service.url}/sync/push`,
        {
          method: 'POST',
          agent,
          headers: {
            authorization: `Bearer ${till.token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (answer) => {
          answer.resume().on('end', () => {
            resolve(answer.statusCode);
          });
        },
      );
      sent.on('error', reject).end(body, () => {
        setTimeout(() => service.process.kill('SIGTERM'), 20); // the push is being worked on
      });
    });
    expect(await status).toBe(200);
    // The time limit of a hanging connection is far longer than this takes; what counts is that the end is a clean one.
    expect(await exit).toBe(0);
    agent.destroy();
    await database.drop();
  });
});
