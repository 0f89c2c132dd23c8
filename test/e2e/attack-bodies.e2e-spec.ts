import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { DataSource } from 'typeorm';
import type { ProblemCode } from '../../src/problems/problem.js';
import type { Role } from '../../src/tenancy/domain/principal.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { type LivedInTenant, liveIn } from '../support/lived-in-tenant.js';
import { type ApiDocument, type Caller, callOf, idFields, routesOf, send } from '../support/openapi-attack.js';
import { bodiesOf, oddBodiesOf } from '../support/openapi-attack-bodies.js';
import { expectProblem } from '../support/problems.js';
import { request, type RunningService, startService, tokens } from '../support/service.js';

/** Bodies for each route; more of them search longer: FUZZ_RUNS=100000 takes hours. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 120);
/** Of one answer, on a machine that others use, too. */
const ANSWER_MS_MAX = 5_000;
/** Under load the service has some 300 MiB (bench/README.md). */
const MEMORY_MIB_MAX = 700;

const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as ApiDocument;
const routes = routesOf(document).filter(({ body }) => body !== undefined);

describe('whatever body is sent', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let service: RunningService;
  let tenant: LivedInTenant;
  let ids: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 2);
    ledger = new TestLedger(source);
    tenant = await liveIn(ledger, 'Fuzz', 0);
    ids = await ledger.database.transaction(tenant.tenantId, async (tx) =>
      (
        await tx.manager.query<{ id: string }[]>(
          `SELECT id FROM products UNION ALL SELECT id FROM payments UNION ALL SELECT id FROM sync_conflicts
           UNION ALL SELECT operation_id FROM stock_events`,
        )
      ).map(({ id }) => id),
    );
    service = await startService({ DATABASE_URL: database.appUrl, RATE_LIMIT_PER_MINUTE: '0' });
  });
  afterAll(async () => {
    await service.stop();
    await source.destroy();
    await database.drop();
  });

  async function callerOf(role: Role): Promise<Caller> {
    const { tenantId } = tenant;
    const deviceId = await ledger.addDevice(tenantId);
    return { token: await tokens.sign({ role, userId: randomUUID(), tenantId, deviceId }), tenantId, deviceId };
  }

  describe.each(routes)('to $name', (route) => {
    const { body: schema } = route;
    const role = route.roles.find((allowed) => allowed !== 'everyone');
    if (role === undefined || schema === undefined) throw new Error(`${route.name} is for nobody`);
    const inPath = idFields(route).filter((field) => field.in === 'path');
    let caller: Caller;
    beforeAll(async () => {
      caller = await callerOf(role);
    });

    async function expectAnswer(body: string, id: string): Promise<void> {
      const call = callOf(
        route,
        caller,
        inPath.map((field) => [field, id] as const),
      );
      const startedMs = performance.now();
      const answer = await send(service.url, route, { ...call, body });
      const tookMs = performance.now() - startedMs;
      const isRight = answer.status < 500 && route.statuses.includes(answer.status) && tookMs < ANSWER_MS_MAX;
      if (!isRight) throw new Error(`${answer.status} after ${tookMs} ms to ${body.slice(0, 2_000)}`);
      if (answer.status >= 400) expectProblem(answer, answer.body.code as ProblemCode);
    }

    it('with one field wrong, the answer is soon there, and one that the API document knows', async () => {
      for (const body of oddBodiesOf(schema, () => callOf(route, caller).body)) await expectAnswer(body, randomUUID());
    });

    it(
      'with several, too',
      async () => {
        const property = fc.asyncProperty(bodiesOf(schema, caller, ids), fc.constantFrom(...ids), expectAnswer);
        await fc.assert(property, { numRuns: RUNS });
      },
      60_000 + RUNS * 200,
    );
  });

  it('the ledger is sound, and the service is no larger than before', async () => {
    const { token } = await callerOf('admin');
    const verified = await request(`${service.url}/inventory/verify`, { method: 'POST', token: token ?? '' });
    expect(verified).toMatchObject({ status: 200, body: { ok: true } });
    const status = `/proc/${service.process.pid}/status`;
    if (!existsSync(status)) return;
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]);
    expect(peakKib / 1_024).toBeLessThan(MEMORY_MIB_MAX);
  });
});
