import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OpenAPIObject } from '@nestjs/swagger';
import { type Role, ROLES } from '../../src/tenancy/domain/principal.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problems.js';
import { type Answer, createTenant, request, type RunningService, startService, tokens } from '../support/service.js';

const TENANT: readonly Role[] = ['device', 'staff', 'admin'];

/** Who may call what. A route that is not here has not been thought about, and fails the walk. */
const ALLOWED: Readonly<Record<string, readonly Role[] | 'everyone'>> = {
  'GET /': 'everyone',
  'GET /health/live': 'everyone',
  'GET /health/ready': 'everyone',
  'GET /metrics': 'everyone',
  'POST /tenants': ['operator'],
  'GET /tenants': ['operator'],
  'GET /tenants/{id}': ['operator'],
  'PATCH /tenants/{id}': ['operator'],
  'DELETE /tenants/{id}': ['operator'],
  'GET /tenants/{id}/export': ['operator'],
  'GET /export': ['admin'],
  'GET /audit': ['admin', 'operator'],
  'POST /devices': ['admin'],
  'GET /devices': ['admin', 'staff'],
  'PATCH /devices/{id}': ['admin'],
  'DELETE /devices/{id}': ['admin'],
  'POST /devices/{id}/token': ['admin'],
  'POST /devices/{id}/outbox': ['admin'],
  'GET /settings': ['admin', 'staff'],
  'PATCH /settings': ['admin'],
  'GET /inventory/products': TENANT,
  'GET /inventory/products/{id}': TENANT,
  'GET /inventory/alerts': TENANT,
  'POST /inventory/verify': ['admin'],
  'POST /inventory/rebuild': ['admin'],
  'GET /payments': TENANT,
  'GET /payments/{id}': TENANT,
  'POST /payments/{id}/reconcile': ['admin'],
  'GET /sync/conflicts': TENANT,
  'GET /sync/conflicts/{id}': TENANT,
  'GET /sync/conflicts/export': ['admin', 'staff'],
  'GET /sync/conflicts/stats': ['admin', 'staff'],
  'POST /sync/conflicts/resolve': ['admin', 'staff'],
  'POST /sync/conflicts/{id}/resolve': ['admin', 'staff'],
  'GET /sync/events': TENANT,
  'GET /sync/snapshot': TENANT,
  'GET /inventory/products/{id}/stock': TENANT,
  'GET /inventory/products/{id}/events': TENANT,
  'POST /sync/push': ['device'],
  'POST /sync/pull': TENANT,
};

describe('every route', () => {
  let database: TestDatabase;
  let service: RunningService;
  let routes: string[];
  const tokenOf = new Map<Role, string>();

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    const document = (await request(`${service.url}/openapi.json`)).body as OpenAPIObject;
    routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const tenant = await createTenant(service);
    tokenOf.set('device', (await tenant.enrol()).token);
    tokenOf.set('staff', await tenant.staffToken());
    tokenOf.set('admin', tenant.adminToken);
    tokenOf.set('operator', await tokens.sign({ role: 'operator', userId: randomUUID() }));
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  function call(route: string, token?: string): Promise<Answer> {
    const [method = '', path = ''] = route.split(' ');
    const url = service.url + path.replaceAll(/\{\w+\}/g, randomUUID());
    if (path === '/sync/events' && token !== undefined) return openStream(url, token);
    return request(url, {
      method,
      ...(token !== undefined && { token }),
      ...(['POST', 'PATCH'].includes(method) && { body: {} }),
    });
  }

  /** A stream that is let in never ends by itself. */
  async function openStream(url: string, token: string): Promise<Answer> {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    const { status, headers } = response;
    if (status !== 200) return { status, headers, body: await response.json() };
    await response.body?.cancel();
    return { status, headers, body: undefined };
  }

  it('is on the list of who may call it', () => {
    expect(routes.sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  it('is closed without a token, unless it is for everyone', async () => {
    for (const route of routes) {
      const answer = await call(route);
      if (ALLOWED[route] === 'everyone') expect([route, answer.status]).toEqual([route, 200]);
      else expectProblem(answer, 'UNAUTHENTICATED');
    }
  });

  it.each(ROLES)('lets the role %s in where it may, and nowhere else', async (role) => {
    for (const route of routes) {
      const allowed = ALLOWED[route] ?? [];
      const answer = await call(route, tokenOf.get(role));
      if (allowed === 'everyone' || allowed.includes(role)) {
        // Empty bodies and unknown ids are refused further in.
        const { status } = answer;
        const isIn = status < 500 && ![401, 403].includes(status);
        expect({ route, status, isIn }).toEqual({ route, status, isIn: true });
      } else {
        expect({ route, status: answer.status }).toEqual({ route, status: 403 });
        expectProblem(answer, 'FORBIDDEN');
      }
    }
  });
});
