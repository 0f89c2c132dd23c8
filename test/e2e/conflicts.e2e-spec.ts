import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import type { ConflictDetailDto, ConflictDto } from '../../src/conflicts/conflict.dto.js';
import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, newProducts, pull, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
} from '../support/service.js';

/** More than the buffers between service and client hold, at some 2 kB each. */
const MANY = 10_000;
const FORMULA = '=HYPERLINK("http://example.org";"Click")';

describe('/sync/conflicts', () => {
  let database: TestDatabase;
  /** Two on one database; the second has no workers. */
  let service: RunningService;
  let other: RunningService;
  let tenant: TestTenant;
  let staff: string;
  let ana: TestDevice;
  let ben: TestDevice;
  const log: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    [service, other] = await Promise.all([
      startService({ DATABASE_URL: database.appUrl }),
      startService({ DATABASE_URL: database.appUrl, ROLE: 'api' }),
    ]);
    for (const { process } of [service, other]) {
      if (process.stdout) createInterface(process.stdout).on('line', (line) => log.push(line));
    }
  });
  afterAll(async () => {
    await Promise.all([service.stop(), other.stop()]);
    await database.drop();
    expect(log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    staff = await tenant.staffToken();
    [ana, ben] = await Promise.all([TestDevice.enrol(tenant, 'Ana’s phone'), TestDevice.enrol(tenant, '+Ben')]);
  });

  const at = (path: string, on: RunningService = service): string => `${on.url}/sync/conflicts${path}`;
  const get = (path: string, token = staff): Promise<Answer> => request(at(path), { token });
  async function detail(id: string): Promise<ConflictDetailDto> {
    const answer = await get(`/${id}`);
    expect(answer.status).toBe(200);
    return answer.body as ConflictDetailDto;
  }
  const resolve = (id: string, body: unknown, on = service): Promise<Answer> =>
    request(at(`/${id}/resolve`, on), { token: staff, body });
  const resolveMany = (resolutions: unknown, token = staff): Promise<Answer> =>
    request(at('/resolve'), { token, body: { resolutions } });

  async function push(device: TestDevice, lists: Record<string, unknown[]>): Promise<PushResultDto> {
    const answer = await device.push(service, [], lists);
    expect(answer.status).toBe(200);
    const result = (answer.body.results as PushResultDto[]).at(-1);
    if (!result) throw new Error('Something was pushed');
    return result;
  }

  interface Rivals {
    readonly productId: string;
    /** Stands: it came first. */
    readonly first: OperationDto;
    /** Waits for a decision. */
    readonly second: OperationDto;
    readonly conflictId: string;
  }

  /** The last five units, sold and paid for twice: money is for people to decide. */
  async function oversell(): Promise<Rivals> {
    const [productId = ''] = newProducts(1);
    const { server_lamport: base } = await push(ana, { operations: [ana.restock(productId, 5)] });
    const [first, second] = [ana, ben].map((device, index) =>
      device.sale(productId, 5, {
        ...{ payment_status: 'PAID', base_lamport: base, lamport_ts: (base ?? 0) + 1 + 1_000 * index },
      }),
    );
    if (!first || !second) throw new Error('Two sales');
    expect(await push(ana, { operations: [first] })).toMatchObject({ status: 'accepted' });
    const result = await push(ben, { operations: [second] });
    expect(result).toMatchObject({ status: 'conflict', resolution: { requires_approval: true } });
    return { productId, first, second, conflictId: result.conflict_id ?? '' };
  }

  /** The same once the heuristics have said what they would do. */
  async function suggested(): Promise<Rivals & { readonly suggestion: NonNullable<ConflictDto['suggestion']> }> {
    const rivals = await oversell();
    const suggestion = await eventually('a suggestion', async () => {
      return (await detail(rivals.conflictId)).suggestion ?? undefined;
    });
    return { ...rivals, suggestion };
  }

  /** Two edits of one field: settled at once, the newer one stands. */
  async function fieldEdit(names: readonly [string, string] = ['Fresh', 'Cured']): Promise<string> {
    const product = aProductEdit({ lamport_ts: 1 });
    await push(ana, { products: [product] });
    const edit = { id: product.id, version: 1 };
    const { server_lamport: lamport } = await push(ana, { products: [{ ...edit, name: names[0], lamport_ts: 2 }] });
    const newer = { ...edit, name: names[1], lamport_ts: (lamport ?? 0) + 1 };
    const { conflict_id: id } = await push(ben, { products: [newer] });
    if (id == null) throw new Error('There is no conflict');
    return id;
  }

  /** I1, I7: the chain holds, and a replica that adds up effects has the server's stock. */
  async function stockOf(productId: string): Promise<number> {
    const events = await pullAll(service, ana.token);
    expectChain(tenant.id, events);
    const stock = await ana.stockOf(service, productId);
    expect(replay(events).get(productId)).toBe(stock);
    return stock;
  }

  describe('in a list', () => {
    it('tells of each whose turn it is, and what is suggested, as pull does', async () => {
      const { conflictId, productId, first, second, suggestion } = await suggested();
      const edit = await fieldEdit();
      const { body } = await get('');
      expect(body).toMatchObject({
        ...{ total: 2, next_cursor: null },
        conflicts: [
          { id: edit, kind: 'FIELD_EDIT', status: 'RESOLVED_AUTO', awaits: null, verdict: 'A', resolved_by: null },
          {
            ...{
              id: conflictId,
              kind: 'OVERSELL',
              status: 'PENDING',
              awaits: 'PERSON',
              verdict: null,
              entity_id: productId,
            },
            ...{ a: { id: second.operation_id, device_id: ben.id }, b: { id: first.operation_id, device_id: ana.id } },
            ...{ stock_then: 0, winner_id: null, resolved_by: null, user_feedback: null, suggestion },
          },
        ],
      });
      const { body: pulled } = await pull(service, ana.token, 0);
      expect(pulled.conflicts).toEqual(expect.arrayContaining(body.conflicts));
      for (const conflict of body.conflicts) expect(conflict).not.toHaveProperty('decisions');
    });

    it('is what passes the filters, in pages', async () => {
      const edits = [await fieldEdit(), await fieldEdit(), await fieldEdit()].reverse();
      const { conflictId, productId } = await suggested();
      const ids = async (query: string): Promise<string[]> => {
        const { status, body } = await get(query);
        expect(status).toBe(200);
        return (body.conflicts as ConflictDto[]).map(({ id }) => id);
      };
      expect(await ids(`?product_id=${productId.toUpperCase()}`)).toEqual([conflictId]);
      expect(await ids('?awaits=PERSON')).toEqual([conflictId]);
      expect(await ids('?awaits=HEURISTIC')).toEqual([]);
      expect(await ids('?status=RESOLVED_AUTO')).toEqual(edits);
      expect(await ids('?method=HARDCODED&kind=FIELD_EDIT')).toEqual(edits);
      expect(await ids('?method=MANUAL')).toEqual([]);
      expect(await ids(`?device_id=${ana.id}`)).toEqual([conflictId, ...edits]);
      expect(await ids(`?device_id=${randomUUID()}`)).toEqual([]);
      const { detected_at: time } = await detail(edits[1] ?? '');
      expect(await ids(`?from=${time}`)).toEqual([conflictId, ...edits.slice(0, 2)]);
      expect(await ids(`?to=${time}`)).toEqual(edits.slice(2));
      expect(await ids(`?from=${time}&to=${time}`)).toEqual([]);
      const { body } = await get('?limit=2');
      expect(body).toMatchObject({ total: 4, conflicts: [{ id: conflictId }, { id: edits[0] }] });
      expect(await ids(`?limit=2&cursor=${body.next_cursor as number}`)).toEqual(edits.slice(1));
    });

    it.each([
      ['?status=OPEN', 'status'],
      ['?awaits=NOBODY', 'awaits'],
      ['?kind=', 'kind'],
      ['?method=GUESS', 'method'],
      ['?method=MANUAL&method=HARDCODED', 'method'],
      ['?product_id=1', 'product_id'],
      ['?device_id=till', 'device_id'],
      ['?from=yesterday', 'from'],
      ['?from=2026-02-30T00:00:00Z', 'from'],
      ['?to=2026-03-01', 'to'],
      ['?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z', 'from'],
      ['?cursor=-1', 'cursor'],
      ['?limit=0', 'limit'],
      ['?limit=1001', 'limit'],
    ])('refuses %s', async (query, path) => {
      const refused = await get(query);
      expectProblem(refused, 'VALIDATION');
      expect(refused.body.errors).toMatchObject([{ path }]);
    });
  });

  describe('one', () => {
    it('is told with all who were asked, its devices and the stock then and now', async () => {
      const { conflictId, productId } = await suggested();
      await push(ana, { operations: [ana.restock(productId, 2)] });
      const conflict = await detail(conflictId);
      expect(conflict).toMatchObject({
        ...{ stock_then: 0, stock_now: 2 },
        a: { device_id: ben.id, device: { name: '+Ben', device_type: 'DESKTOP' } },
        b: { device_id: ana.id, device: { name: 'Ana’s phone', device_type: 'DESKTOP' } },
      });
      expect(conflict.decisions.length).toBeGreaterThan(0);
      for (const decision of conflict.decisions) {
        expect(Object.keys(decision)).toEqual(['tier', 'name', 'verdict', 'confidence', 'reason', 'at']);
        expect(['HARDCODED', 'HEURISTIC']).toContain(decision.tier);
      }
      expect(await detail(await fieldEdit())).toMatchObject({
        ...{ entity: 'PRODUCT', stock_then: null, stock_now: null },
        decisions: [{ tier: 'HARDCODED', name: 'last-write-wins', verdict: 'A', confidence: 1 }],
      });
    });

    it('is not there for another tenant, which can’t tell it from none', async () => {
      const { conflictId } = await oversell();
      const stranger = await (await createTenant(service)).staffToken();
      /** All but what differs between any two answers. */
      const of = ({ status, headers, body }: Answer): unknown => {
        const told = [...headers].filter(([name]) => !['x-request-id', 'date', 'ratelimit'].includes(name));
        return { status, told, body: { ...body, instance: '' } };
      };
      for (const id of [conflictId, conflictId.toUpperCase()]) {
        const foreign = await get(`/${id}`, stranger);
        expectProblem(foreign, 'NOT_FOUND');
        expect(of(foreign)).toEqual(of(await get(`/${randomUUID()}`, stranger)));
        const settle = (target: string): Promise<Answer> =>
          request(at(`/${target}/resolve`), { token: stranger, body: { resolution: 'BOTH' } });
        const refused = await settle(id);
        expectProblem(refused, 'NOT_FOUND');
        expect(of(refused)).toEqual(of(await settle(randomUUID())));
      }
      const unknown = randomUUID();
      const { body } = await resolveMany(
        [conflictId, unknown].map((conflict_id) => ({ conflict_id, resolution: 'BOTH' })),
        stranger,
      );
      const refusal = { status: 'refused', code: 'NOT_FOUND', detail: expect.any(String) };
      expect(body.results).toEqual([conflictId, unknown].map((conflict_id) => ({ conflict_id, ...refusal })));
      expect((await get('', stranger)).body).toMatchObject({ conflicts: [], total: 0 });
      expect((await get('/export?format=ndjson', stranger)).body).toBe('');
      expect((await get('/stats', stranger)).body.total).toBe(0);
      expect((await detail(conflictId)).status).toBe('PENDING');
    });

    it('needs a well-formed id', async () => {
      expectProblem(await get('/12'), 'VALIDATION');
      expectProblem(await resolve('exports', { resolution: 'BOTH' }), 'VALIDATION');
    });
  });

  describe('settled by a person', () => {
    it.each([
      {
        title: 'the later one',
        of: ({ second }: Rivals) => ({ winner_id: second.operation_id }),
        verdict: 'A',
        stock: 0,
      },
      {
        title: 'the first one',
        of: ({ first }: Rivals) => ({ winner_id: first.operation_id?.toUpperCase() }),
        verdict: 'B',
        stock: 0,
      },
      { title: 'both', of: () => ({ resolution: 'BOTH' }), verdict: 'BOTH', stock: -5 },
      { title: 'neither', of: () => ({ resolution: 'NEITHER', winner_id: null }), verdict: 'NEITHER', stock: 5 },
    ])('lets $title stand, in the ledger too, and says who decided and why', async ({ of, verdict, stock }) => {
      const rivals = await oversell();
      const { first, second, productId, conflictId } = rivals;
      const answer = await resolve(conflictId, { ...of(rivals), feedback: 'Counted\nagain: "sí"' });
      expect(answer.status).toBe(200);
      const winner_id = verdict === 'A' ? second.operation_id : verdict === 'B' ? first.operation_id : null;
      expect(answer.body).toMatchObject({
        ...{ id: conflictId, status: 'RESOLVED_MANUAL', awaits: null, verdict, winner_id, stock_now: stock },
        ...{ resolution_method: 'MANUAL', user_feedback: 'Counted\nagain: "sí"', resolved_at: expect.any(String) },
        ...{ resolved_by: expect.stringMatching(/^[0-9a-f-]{36}$/), a: { device: { name: '+Ben' } } },
      });
      expect(await detail(conflictId)).toEqual(answer.body);
      expect((answer.body as ConflictDetailDto).decisions.at(-1)).toMatchObject({ tier: 'MANUAL', verdict });
      expect(await stockOf(productId)).toBe(stock);
    });

    it('may be as the heuristics suggest, if they do', async () => {
      const { conflictId, suggestion } = await suggested();
      const answer = await resolve(conflictId, { resolution: 'SUGGESTION' });
      expect(answer.body).toMatchObject({
        status: 'RESOLVED_MANUAL',
        verdict: suggestion.verdict,
        winner_id: suggestion.winner_id,
      });
      const edit = await fieldEdit();
      const refused = await resolve(edit, { resolution: 'SUGGESTION' });
      expectProblem(refused, 'VALIDATION');
      expect(refused.body.errors).toMatchObject([{ path: 'resolution', code: 'NO_SUGGESTION' }]);
    });

    it('is settled once: the same again changes nothing, another is refused and told what stands', async () => {
      const { conflictId, first, second, productId } = await oversell();
      const settled = await resolve(conflictId, { winner_id: second.operation_id, feedback: 'Ben' });
      const before = await pullAll(service, ana.token);
      for (const body of [
        { winner_id: second.operation_id },
        { winner_id: second.operation_id, resolution: 'WINNER', feedback: 'Ana' },
      ]) {
        expect(await resolve(conflictId, body)).toMatchObject({ status: 200, body: settled.body });
      }
      for (const body of [{ winner_id: first.operation_id }, { resolution: 'BOTH' }, { resolution: 'NEITHER' }]) {
        const refused = await resolve(conflictId, body);
        expectProblem(refused, 'ALREADY_RESOLVED');
        expect(refused.body.resolution).toMatchObject({
          method: 'MANUAL',
          verdict: 'A',
          winner_id: second.operation_id,
        });
      }
      expect(await pullAll(service, ana.token)).toEqual(before);
      expect(await detail(conflictId)).toEqual(settled.body);
      expect(await stockOf(productId)).toBe(0);
      expectProblem(await resolve(await fieldEdit(), { resolution: 'BOTH' }), 'ALREADY_RESOLVED');
    });

    it('is settled once by two at once, on two servers', async () => {
      for (let round = 0; round < 4; round += 1) {
        const { conflictId, first, second, productId } = await oversell();
        const bodies = [{ winner_id: first.operation_id }, { winner_id: second.operation_id }];
        const same = round % 2 === 0;
        const answers = await Promise.all([
          resolve(conflictId, bodies[0], service),
          resolve(conflictId, same ? bodies[0] : bodies[1], other),
        ]);
        expect(answers.map(({ status }) => status).sort()).toEqual(same ? [200, 200] : [200, 409]);
        expect(await stockOf(productId)).toBe(0);
        const { decisions, verdict } = await detail(conflictId);
        expect(decisions.filter(({ tier }) => tier === 'MANUAL')).toMatchObject([{ verdict }]);
      }
    });

    it('takes no side of another conflict', async () => {
      const [{ conflictId }, { first }] = [await oversell(), await oversell()];
      for (const winner_id of [first.operation_id, ana.id, randomUUID()]) {
        const refused = await resolve(conflictId, { winner_id });
        expectProblem(refused, 'VALIDATION');
        expect(refused.body.errors).toMatchObject([{ path: 'winner_id', code: 'NOT_A_SIDE' }]);
      }
      expect((await detail(conflictId)).status).toBe('PENDING');
    });

    it('admits a payment that was charged twice, or fails one', async () => {
      const [first, second] = [5, 6].map((amount) => aPaymentEdit({ pos_transaction_id: randomUUID(), amount }));
      if (!first || !second) throw new Error('Two payments');
      await push(ana, { payments: [first] });
      const { conflict_id: id } = await push(ben, {
        payments: [{ ...second, pos_transaction_id: first.pos_transaction_id }],
      });
      const { status, body } = await resolve(id ?? '', { winner_id: second.id });
      expect([status, body.verdict, body.stock_now]).toEqual([200, 'A', null]);
      const { body: payments } = await request(`${service.url}/payments`, { token: staff });
      expect(payments.payments).toMatchObject([
        { id: second.id, reconciliation_status: 'PENDING' },
        { id: first.id, reconciliation_status: 'FAILED' },
      ]);
    });

    it.each([
      ['nothing at all', {}, 'winner_id', 'REQUIRED'],
      ['no winner', { winner_id: null }, 'winner_id', 'REQUIRED'],
      ['WINNER without one', { resolution: 'WINNER' }, 'winner_id', 'REQUIRED'],
      ['a winner that is no id', { winner_id: 'ana' }, 'winner_id', 'IS_UUID'],
      ['a list of winners', { winner_id: [] }, 'winner_id', 'IS_UUID'],
      ['a winner with BOTH', { winner_id: randomUUID(), resolution: 'BOTH' }, 'winner_id', 'EXCLUSIVE'],
      ['a winner with SUGGESTION', { winner_id: randomUUID(), resolution: 'SUGGESTION' }, 'winner_id', 'EXCLUSIVE'],
      ['an unknown resolution', { resolution: 'both' }, 'resolution', 'IS_IN'],
      ['too much feedback', { resolution: 'BOTH', feedback: 'x'.repeat(2_001) }, 'feedback', 'MAX_LENGTH'],
      ['feedback with a NUL', { resolution: 'BOTH', feedback: 'nul \0' }, 'feedback', 'MATCHES'],
      ['feedback that is no text', { resolution: 'BOTH', feedback: 7 }, 'feedback', 'IS_STRING'],
      ['a list', [], 'body', 'IS_OBJECT'],
      ['null', 'null', 'body', 'IS_OBJECT'],
    ])('refuses %s, before it looks for the conflict', async (_, body, path, code) => {
      const refused = await resolve(randomUUID(), body);
      expectProblem(refused, 'VALIDATION');
      expect(refused.body.errors).toMatchObject([{ path, code }]);
    });
  });

  describe('many at once', () => {
    it('are settled each on its own, in order, whatever becomes of the others', async () => {
      const [one, two, three] = [await oversell(), await oversell(), await oversell()];
      const [foreign, edit] = [randomUUID(), await fieldEdit()];
      const answer = await resolveMany([
        { conflict_id: one.conflictId.toUpperCase(), winner_id: one.first.operation_id },
        null,
        { conflict_id: two.conflictId, winner_id: one.first.operation_id },
        { conflict_id: foreign, resolution: 'BOTH' },
        { conflict_id: two.conflictId },
        { conflict_id: two.conflictId, resolution: 'BOTH', feedback: 'x'.repeat(2_001) },
        { conflict_id: edit, resolution: 'NEITHER' },
        { conflict_id: 'none', resolution: 'BOTH' },
        { conflict_id: three.conflictId, resolution: 'NEITHER', feedback: 'Both were sent back' },
        { conflict_id: three.conflictId, resolution: 'NEITHER' },
        { conflict_id: three.conflictId, resolution: 'BOTH' },
      ]);
      expect(answer.status).toBe(200);
      const invalid = { status: 'refused', code: 'VALIDATION' };
      expect(answer.body.results).toMatchObject([
        { conflict_id: one.conflictId, status: 'resolved', conflict: { verdict: 'B', stock_now: 0 } },
        { conflict_id: null, ...invalid, errors: [{ path: 'resolutions[1]' }] },
        { conflict_id: two.conflictId, ...invalid, errors: [{ path: 'resolutions[2].winner_id', code: 'NOT_A_SIDE' }] },
        { conflict_id: foreign, status: 'refused', code: 'NOT_FOUND', detail: expect.any(String) },
        { conflict_id: two.conflictId, ...invalid, errors: [{ path: 'resolutions[4].winner_id', code: 'REQUIRED' }] },
        { conflict_id: two.conflictId, ...invalid, errors: [{ path: 'resolutions[5].feedback' }] },
        {
          conflict_id: edit,
          status: 'refused',
          code: 'ALREADY_RESOLVED',
          resolution: { method: 'HARDCODED', verdict: 'A' },
        },
        { conflict_id: null, ...invalid, errors: [{ path: 'resolutions[7].conflict_id' }] },
        { conflict_id: three.conflictId, status: 'resolved', conflict: { verdict: 'NEITHER', stock_now: 5 } },
        { conflict_id: three.conflictId, status: 'resolved', conflict: { user_feedback: 'Both were sent back' } },
        {
          conflict_id: three.conflictId,
          status: 'refused',
          code: 'ALREADY_RESOLVED',
          resolution: { verdict: 'NEITHER' },
        },
      ]);
      expect(await Promise.all([one, two, three].map(({ productId }) => ana.stockOf(service, productId)))).toEqual([
        0, 0, 5,
      ]);
      expect((await detail(two.conflictId)).status).toBe('PENDING');
    });

    it.each([
      ['missing', undefined, 'REQUIRED'],
      ['null', null, 'IS_ARRAY'],
      ['an object', {}, 'IS_ARRAY'],
      ['empty', [], 'ENTRY_COUNT'],
      ['longer than 100', Array.from({ length: 101 }, () => ({ conflict_id: randomUUID() })), 'ARRAY_MAX_SIZE'],
    ])('are refused as a whole if the list is %s', async (_, resolutions, code) => {
      const refused = await resolveMany(resolutions);
      expectProblem(refused, 'VALIDATION');
      expect(refused.body.errors).toMatchObject([{ path: 'resolutions', code }]);
    });

    it('may be a hundred', async () => {
      const resolutions = Array.from({ length: 100 }, () => ({ conflict_id: randomUUID(), resolution: 'BOTH' }));
      const { status, body } = await resolveMany(resolutions);
      expect(status).toBe(200);
      expect(body.results).toHaveLength(100);
    });
  });

  it('are decided, counted and exported by people alone', async () => {
    const { conflictId } = await oversell();
    for (const token of [ana.token]) {
      for (const path of ['/export', '/stats']) expectProblem(await get(path, token), 'FORBIDDEN');
      for (const path of [`/${conflictId}/resolve`, '/resolve']) {
        const body = { resolution: 'BOTH', resolutions: [{ conflict_id: conflictId, resolution: 'BOTH' }] };
        expectProblem(await request(at(path), { token, body }), 'FORBIDDEN');
      }
      expect((await get('', token)).status).toBe(200);
      expect((await get(`/${conflictId}`, token)).status).toBe(200);
    }
    expect((await detail(conflictId)).status).toBe('PENDING');
    expect((await get('/export', tenant.adminToken)).status).toBe(200);
    for (const path of ['/export', '/stats', '']) {
      expectProblem(await get(`${path}?tenant_id=${randomUUID()}`), 'TENANT_MISMATCH');
    }
  });

  it('come to figures: how many, how soon, and how good the suggestions were', async () => {
    const [one, two] = [await suggested(), await suggested()];
    await fieldEdit();
    await resolve(one.conflictId, { resolution: 'SUGGESTION' });
    await resolve(two.conflictId, { resolution: two.suggestion.verdict === 'BOTH' ? 'NEITHER' : 'BOTH' });
    const waiting = await suggested();
    const { body } = await get('/stats');
    expect(body).toMatchObject({
      total: 4,
      pending: { heuristic: 0, person: 1, oldest_detected_at: (await detail(waiting.conflictId)).detected_at },
      settled: [
        { method: 'HARDCODED', count: 1, mean_seconds: 0, median_seconds: 0 },
        { method: 'MANUAL', count: 2, mean_seconds: expect.any(Number), median_seconds: expect.any(Number) },
      ],
      agreement: [{ kind: 'OVERSELL', decided: 2, agreed: 1, rate: 0.5 }],
    });
    expect(body.settled[1].mean_seconds).toBeGreaterThan(0);
    expect(body.counts).toContainEqual({ kind: 'OVERSELL', status: 'PENDING', method: null, verdict: null, count: 1 });
    const { body: later } = await get(`/stats?from=${body.pending.oldest_detected_at as string}`);
    expect(later).toMatchObject({ total: 1, settled: [], agreement: [] });
    expectProblem(await get('/stats?from=now'), 'VALIDATION');
  });

  describe('exported', () => {
    interface File {
      readonly response: Response;
      readonly text: string;
    }
    async function file(query: string): Promise<File> {
      const response = await fetch(at(`/export${query}`), {
        headers: { authorization: `Bearer ${staff}`, 'accept-encoding': 'identity' },
        signal: AbortSignal.timeout(30_000),
      });
      expect(response.status).toBe(200);
      return { response, text: await response.text() };
    }
    const rowsOf = (text: string): Record<string, string>[] => parse(text, { columns: true, record_delimiter: '\r\n' });

    it('are a CSV that a program reads back whole, and a spreadsheet computes nothing of', async () => {
      const edit = await fieldEdit([FORMULA, '@SUM(A1:A9);=1+1']);
      const { conflictId, second } = await oversell();
      await resolve(conflictId, { winner_id: second.operation_id, feedback: '=1+1,\n"quoted"' });
      const { response, text } = await file('');
      expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      expect(response.headers.get('content-disposition')).toMatch(
        /^attachment; filename="conflicts-\d{4}-\d\d-\d\d\.csv"$/,
      );
      expect(response.headers.get('cache-control')).toBe('no-store');
      const rows = rowsOf(text);
      expect(rows).toMatchObject([
        {
          ...{ id: conflictId, kind: 'OVERSELL', stock_then: '0', confidence: '1', winner_id: second.operation_id },
          ...{ user_feedback: `'=1+1,\n"quoted"`, a_device_name: `'+Ben`, b_device_name: 'Ana’s phone' },
        },
        { id: edit, fields: 'name', user_feedback: '', resolution_method: 'HARDCODED' },
      ]);
      expect(JSON.parse(rows[1]?.['a_payload'] ?? '')).toMatchObject({ name: '@SUM(A1:A9);=1+1' });
      expect(JSON.parse(rows[1]?.['b_payload'] ?? '')).toMatchObject({ name: FORMULA });
      const { decisions } = await detail(conflictId);
      expect(JSON.parse(rows[0]?.['decisions'] ?? '')).toEqual(decisions);
      for (const cell of rows.flatMap((row) => Object.values(row))) expect(cell).not.toMatch(/(^|[;\t\n])\s*[=+@]|^-/);
    });

    it('are a detail a line in NDJSON', async () => {
      const edit = await fieldEdit();
      const { conflictId } = await suggested();
      const { response, text } = await file('?format=ndjson');
      expect(response.headers.get('content-type')).toBe('application/x-ndjson');
      expect(response.headers.get('content-disposition')).toMatch(/\.ndjson"$/);
      const lines = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      const details = [await detail(conflictId), await detail(edit)].map((one) => ({ ...one, stock_now: undefined }));
      expect(lines).toEqual(details); // but for the stock, which is not the log's
    });

    it('are those that pass the filter, and without any the names of the columns', async () => {
      await fieldEdit();
      const { conflictId } = await oversell();
      expect(rowsOf((await file('?format=csv&kind=OVERSELL')).text)).toMatchObject([{ id: conflictId }]);
      expect(rowsOf((await file(`?device_id=${ana.id}&cursor=1&limit=1`)).text)).toHaveLength(2);
      const { text } = await file(`?to=2000-01-01T00:00:00Z`);
      expect(text).toMatch(/^id,kind,[a-z_,]+\r\n$/);
      expect((await file('?format=ndjson&method=MANUAL')).text).toBe('');
      for (const query of [
        '?format=xlsx',
        '?format=',
        '?kind=x',
        '?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z',
      ]) {
        expectProblem(await get(`/export${query}`), 'VALIDATION');
      }
    });

    describe('from a long log', () => {
      const streams: http.IncomingMessage[] = [];

      beforeEach(async () => {
        await queryOnce(
          database.superuserUrl,
          `INSERT INTO sync_conflicts (tenant_id, id, kind, status, entity, entity_id, fields, a_id, a_device_id, a_payload,
             b_id, b_device_id, b_payload, verdict, resolution_method, confidence, lamport_ts, detected_lamport, detected_at)
           SELECT $1, gen_random_uuid(), 'CONCURRENT_UPDATE', 'RESOLVED_AUTO', 'STOCK', gen_random_uuid(), '{}',
             gen_random_uuid(), $2, $3::jsonb, gen_random_uuid(), $2, $3::jsonb, 'BOTH', 'HARDCODED', 1, number, number, now()
           FROM generate_series(1, $4::integer) AS number`,
          [tenant.id, ana.id, JSON.stringify({ notes: 'x'.repeat(1_000) }), MANY],
        );
      });
      afterEach(() => {
        for (const stream of streams.splice(0)) stream.destroy();
      });

      /** A client that has the head of the answer, and reads no further until it is told to. */
      async function open(query = ''): Promise<http.IncomingMessage> {
        const headers = { authorization: `Bearer ${staff}` };
        const asked = http.get(at(`/export${query}`), { headers, agent: false });
        const [response] = (await once(asked, 'response')) as [http.IncomingMessage];
        response.on('error', () => undefined); // a cut stream is one
        streams.push(response);
        return response;
      }
      /** What an open stream still had, and whether it came to its end. */
      async function drain(response: http.IncomingMessage): Promise<{ text: string; complete: boolean }> {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
        return { text, complete: response.complete };
      }
      const openTransactions = (): Promise<unknown[]> =>
        queryOnce(
          database.superuserUrl,
          `SELECT state, query FROM pg_stat_activity
           WHERE datname = current_database() AND usename = 'agrotour_app' AND state = 'idle in transaction'
             AND xact_start < now() - interval '0.2 seconds'`,
        );

      it('let go of the database while they are read slowly, and come whole', async () => {
        const response = await open();
        await eventually('the end of the transaction', async () => (await openTransactions()).length === 0);
        const { text, complete } = await drain(response);
        expect(complete).toBe(true);
        const ids = rowsOf(text).map(({ id }) => id);
        expect(new Set(ids).size).toBe(MANY);
      });

      it('come in gzip for whoever asks, much shorter', async () => {
        const { text } = await file('?format=ndjson');
        const packed = await new Promise<Buffer>((done, reject) => {
          const headers = { authorization: `Bearer ${staff}`, 'accept-encoding': 'gzip' };
          const asked = http.get(at('/export?format=ndjson'), { headers, agent: false }, (response) => {
            const chunks: Buffer[] = [];
            expect(response.headers['content-encoding']).toBe('gzip');
            response
              .on('data', (chunk: Buffer) => chunks.push(chunk))
              .on('end', () => {
                done(Buffer.concat(chunks));
              });
          });
          asked.on('error', reject);
        });
        expect(gunzipSync(packed).toString()).toBe(text);
        expect(packed.length).toBeLessThan(text.length / 5);
      });

      it('are answered with a problem if the database refuses before the first line', async () => {
        const rights = (statement: string): Promise<unknown> => queryOnce(database.superuserUrl, statement);
        const before = log.length;
        try {
          await rights('REVOKE SELECT ON sync_conflicts FROM agrotour_app');
          for (const format of ['csv', 'ndjson']) {
            const refused = await get(`/export?format=${format}`);
            expectProblem(refused, 'INTERNAL');
            expect(refused.headers.get('content-disposition')).toBeNull();
          }
        } finally {
          await rights('GRANT SELECT ON sync_conflicts TO agrotour_app');
        }
        await sleep(200);
        log.splice(before); // of that it tells as of any fault
      });
    });
  });
});
