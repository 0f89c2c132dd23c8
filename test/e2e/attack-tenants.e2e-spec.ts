import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DataSource } from 'typeorm';
import type { ProblemCode } from '../../src/problems/problem.js';
import { type Role, ROLES } from '../../src/tenancy/domain/principal.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';
import { type LivedInTenant, liveIn } from '../support/lived-in-tenant.js';
import {
  type ApiDocument,
  type Call,
  type Caller,
  callOf,
  idFields,
  type IdField,
  meaningOf,
  type Route,
  routesOf,
  send,
  textOf,
} from '../support/openapi-attack.js';
import { expectProblem } from '../support/problems.js';
import { type Answer, request, type RunningService, startService, tokens } from '../support/service.js';
import { fillEmptyTables, type Query, rowsOf, secretsOf } from '../support/tenant-rows.js';

const MARK_OF_B = 'Only B knows';
/** The operator knows tenants by name; nobody else is told. */
const NAME_OF_B = 'B’s Dairy';

/** In the document, as the tests below were made from it. The test of the document itself sees to its being true. */
const document = JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as ApiDocument;
const routes = routesOf(document);

describe('one tenant attacks another over HTTP', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let service: RunningService;
  let a: LivedInTenant;
  let b: LivedInTenant;
  let idsOfA: string[];
  let idsOfB: string[];
  let secrets: string[];
  let superuser: DataSource;
  const asSuperuser: Query = (statement, parameters) => superuser.query(statement, parameters);

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 2);
    superuser = await openDataSource(database.superuserUrl, 2);
    ledger = new TestLedger(source);
    b = await liveIn(ledger, MARK_OF_B, 700_000);
    a = await liveIn(ledger, 'A knows', 0);
    for (const { tenantId } of [a, b])
      await fillEmptyTables(asSuperuser, tenantId, tenantId === a.tenantId ? 'A knows' : MARK_OF_B);
    await asSuperuser('UPDATE tenants SET name = $2 WHERE id = $1', [b.tenantId, NAME_OF_B]);
    await asSuperuser('UPDATE sync_conflicts SET user_feedback = $2 WHERE tenant_id = $1', [
      b.tenantId,
      `${MARK_OF_B} feedback`,
    ]);
    await asSuperuser('UPDATE payments SET reconciliation_notes = $2 WHERE tenant_id = $1', [
      b.tenantId,
      `${MARK_OF_B} notes`,
    ]);
    [idsOfA, idsOfB] = [await keyIdsOf(a.tenantId), await keyIdsOf(b.tenantId)];
    secrets = [NAME_OF_B, ...(await secretsOf(asSuperuser, b.tenantId, MARK_OF_B, [a.tenantId]))];
    // Without workers: whatever changes is the doing of a request.
    service = await startService({ DATABASE_URL: database.appUrl, ROLE: 'api', RATE_LIMIT_PER_MINUTE: '0' });
  });
  afterAll(async () => {
    await service.stop();
    await source.destroy();
    await superuser.destroy();
    await database.drop();
  });

  /** One of each sort of id that a key of a table has. */
  async function keyIdsOf(tenantId: string): Promise<string[]> {
    const columns = await asSuperuser<{ table: string; name: string }>(
      `SELECT DISTINCT indrelid::regclass::text AS table, attname AS name FROM pg_index, unnest(indkey) AS num
       JOIN pg_attribute ON attnum = num
       WHERE indisunique AND attrelid = indrelid AND atttypid = 'uuid'::regtype AND attname <> 'tenant_id'
         AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = indrelid AND attname = 'tenant_id') ORDER BY 1, 2`,
    );
    const ids = new Set([tenantId]);
    for (const { table, name } of columns) {
      const rows = await asSuperuser<{ id: string }>(
        `SELECT ${name} AS id FROM ${table} WHERE tenant_id = $1 LIMIT 1`,
        [tenantId],
      );
      for (const { id } of rows) ids.add(id);
    }
    return [...ids];
  }

  /** Somebody of A, with a device of their own that nobody has revoked yet. */
  async function callerOf(role: Role, tenantId = a.tenantId): Promise<Caller> {
    const deviceId = await ledger.addDevice(tenantId);
    const userId = randomUUID();
    return { token: await tokens.sign({ role, userId, tenantId, deviceId }), tenantId, deviceId };
  }

  /** All that attackers have sent: rows of A's own may say it, too, from then on. */
  let said = '';

  /** Sends it, and looks whether the answer keeps to what holds for every answer. */
  async function attack(route: Route, role: Role | undefined, call: Call): Promise<Answer> {
    said += `\n${JSON.stringify(call)}`;
    const answer = await send(service.url, route, call);
    const visible = role === 'operator' ? [NAME_OF_B, b.tenantId] : [];
    const told = textOf(answer);
    const leaked = secrets.filter(
      (secret) => told.includes(secret) && !visible.includes(secret) && !said.includes(secret),
    );
    const isDocumented = route.statuses.includes(answer.status);
    const found = { leaked, isDocumented, isFault: answer.status >= 500 };
    const about = { call: { ...call, token: role }, status: answer.status };
    expect({ ...about, ...found }).toEqual({ ...about, leaked: [], isDocumented: true, isFault: false });
    if (answer.status >= 400) expectProblem(answer, answer.body.code as ProblemCode);
    return answer;
  }

  /** That whatever `attacks` does, it does not do to B. */
  async function sparingB(attacks: () => Promise<void>): Promise<void> {
    const before = await rowsOf(asSuperuser, b.tenantId);
    await attacks();
    expect(await rowsOf(asSuperuser, b.tenantId)).toEqual(before);
  }

  /** A call with the same id wherever the path asks for one. */
  const callAbout = (route: Route, caller: Caller, id: string): Call =>
    callOf(
      route,
      caller,
      idFields(route)
        .filter((field) => field.in === 'path')
        .map((field): [IdField, string] => [field, id]),
    );

  it('finds on every route who may call it', () => {
    expect(routes.filter(({ roles }) => roles.length === 0).map(({ name }) => name)).toEqual([]);
  });

  it('knows all routes that the service gives out', async () => {
    const served = (await request(`${service.url}/openapi.json`)).body as ApiDocument;
    expect(routesOf(served).map(({ name, roles }) => [name, roles])).toEqual(
      routes.map(({ name, roles }) => [name, roles]),
    );
  });

  describe.each(routes)('$name', (route) => {
    const isOpen = route.roles.includes('everyone');
    const closedTo = [undefined, ...ROLES].filter((role) => role === undefined || !route.roles.includes(role));

    it.each(closedTo.map((role) => [isOpen ? 'lets in' : 'refuses', role] as const))(
      '%s the role %s, whatever tenant is named',
      async (_, role) => {
        const caller = role === undefined ? { ...(await callerOf('staff')), token: undefined } : await callerOf(role);
        await sparingB(async () => {
          for (const tenant of [undefined, a.tenantId, b.tenantId, 'malformed']) {
            const headers = tenant === undefined ? {} : { 'x-tenant-id': tenant };
            const answer = await attack(route, role, { ...callOf(route, caller), headers });
            if (isOpen) expect(answer.status).toBe(200);
            else expectProblem(answer, role === undefined ? 'UNAUTHENTICATED' : 'FORBIDDEN');
          }
        });
      },
    );

    if (route.roles.includes('operator')) {
      it('shows the operator no rows of a tenant, whichever is named', async () => {
        const caller = await callerOf('operator');
        await sparingB(async () => {
          for (const headers of [{}, { 'x-tenant-id': b.tenantId }]) {
            const { tenantId } = await ledger.addTenant();
            const answer = await attack(route, 'operator', { ...callAbout(route, caller, tenantId), headers });
            // A tenant is only deleted by its name.
            if (route.method === 'DELETE') expectProblem(answer, 'VALIDATION');
            else expect(answer.status).toBeLessThan(300);
          }
        });
      });
    }

    for (const role of tenantRolesOf(route)) {
      it(`serves the role ${role} with what is its own tenant’s`, async () => {
        const caller = await callerOf(role);
        const spare = await ledger.addDevice(a.tenantId);
        await sparingB(async () => {
          const statuses: number[] = [];
          for (const id of [spare, ...idsOfA]) {
            // Of another device an admin says whose entries they are.
            for (const by of role === 'device' ? [caller] : [caller, { ...caller, deviceId: id }]) {
              statuses.push((await attack(route, role, callAbout(route, by, id))).status);
            }
            if (Math.min(...statuses) < 300) break;
          }
          // Else what is refused below might be refused for another reason.
          expect(Math.min(...statuses)).toBeLessThan(300);
        });
      });

      it(`answers the role ${role} for no tenant but its own`, async () => {
        const caller = await callerOf(role);
        const say = (named: Partial<Call>): Promise<Answer> =>
          attack(route, role, { ...callAbout(route, caller, randomUUID()), ...named });
        const inBody = (tenant: unknown): Partial<Call> => ({
          body: { ...(callOf(route, caller).body as object), tenant_id: tenant },
        });
        const [mine, theirs] = [a.tenantId, b.tenantId];
        await sparingB(async () => {
          const { status } = await say({});
          for (const own of [mine, mine.toUpperCase()]) {
            expect(await say({ headers: { 'x-tenant-id': own }, query: { tenant_id: own } })).toMatchObject({ status });
          }
          for (const foreign of [theirs, theirs.toUpperCase(), randomUUID()]) {
            const refused = [
              { headers: { 'x-tenant-id': foreign } },
              { query: { tenant_id: foreign } },
              { headers: { 'x-tenant-id': mine }, query: { tenant_id: foreign } },
              { headers: { 'x-tenant-id': foreign }, query: { tenant_id: mine } },
              ...(route.body ? [inBody(foreign), { ...inBody(foreign), headers: { 'x-tenant-id': mine } }] : []),
            ];
            for (const named of refused) expectProblem(await say(named), 'TENANT_MISMATCH');
          }
          for (const malformed of ['x', '', `${theirs}x`, `${mine}, ${theirs}`, '*', `' OR true --`]) {
            expectProblem(await say({ headers: { 'x-tenant-id': malformed } }), 'VALIDATION');
            expectProblem(await say({ query: { tenant_id: malformed } }), 'VALIDATION');
            if (route.body?.properties?.['tenant_id']) expectProblem(await say(inBody(malformed)), 'VALIDATION');
          }
          if (route.body) for (const odd of [[theirs], { id: theirs }, 7, true]) await say(inBody(odd));
        });
      });
    }
  });

  describe.each(routes.filter((route) => idFields(route).length > 0 && tenantRolesOf(route).length > 0))(
    '$name, asked for ids of B,',
    (route) => {
      it.each(tenantRolesOf(route))('tells the role %s no more than of what nobody has', async (role) => {
        // Of a tenant of its own: who enrols a device with an id that B has, has one with that id from then on.
        const attacker = await liveIn(ledger, 'A knows', 0);
        const caller = await callerOf(role, attacker.tenantId);
        const ask = async (ids: readonly [IdField, string][]): Promise<[Answer, string]> => {
          const call = callOf(route, caller, ids);
          const answer = await attack(route, role, call);
          return [answer, meaningOf(answer, call)];
        };
        const [inPath, beside] = partition(idFields(route), (field) => field.in === 'path');
        /** A row of the attacker's own for the path to name, so that the fields beside it are looked at. */
        let own: [IdField, string][] = [];
        for (const id of inPath.length > 0 && beside.length > 0 ? await keyIdsOf(attacker.tenantId) : []) {
          own = inPath.map((field) => [field, id]);
          if ((await ask(own))[0].status !== 404) break;
        }
        await sparingB(async () => {
          for (const [fields, rest] of [
            [inPath, []],
            [beside, own],
          ] as const) {
            for (const field of fields) {
              await ask([...rest, [field, randomUUID()]]); // what is new the first time is not so the second
              const [, meaning] = await ask([...rest, [field, randomUUID()]]);
              for (const id of idsOfB) {
                expect({ field, id, meaning: (await ask([...rest, [field, id]]))[1] }).toEqual({ field, id, meaning });
              }
            }
          }
        });
      });
    },
  );
});

function partition<T>(list: readonly T[], holds: (item: T) => boolean): [T[], T[]] {
  return [list.filter(holds), list.filter((item) => !holds(item))];
}

/** Those of the roles that may call the route who belong to a tenant. */
function tenantRolesOf({ roles }: Route): Role[] {
  return ROLES.filter((role) => role !== 'operator' && roles.includes(role));
}
