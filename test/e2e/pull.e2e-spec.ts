import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PullResponseDto } from '../../src/sync/pull/pull.dto.js';
import { createTestDatabase, isLockWaited, type TestDatabase, withClient } from '../support/database.js';
import { expectChain, pull, pullAll, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import { createTenant, request, type RunningService, startService, type TestTenant } from '../support/service.js';

const GENESIS = '0'.repeat(64);

describe('a pull', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;
  /** Lamports of the log, which has gaps: 2 to 6, 21 to 25. */
  let lamports: number[];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    tenant = await createTenant(service);
    device = await TestDevice.enrol(tenant);
    const five = (): unknown[] => Array.from({ length: 5 }, () => device.operation({ lamport_ts: 1 }));
    await device.push(service, five(), { client_lamport: 1 });
    await device.push(service, five(), { client_lamport: 20 });
    lamports = [2, 3, 4, 5, 6, 21, 22, 23, 24, 25];
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  const page = async (lastLamport: number, limit?: number): Promise<PullResponseDto> => {
    const answer = await device.pull(service, lastLamport, limit);
    expect(answer.status).toBe(200);
    return answer.body as PullResponseDto;
  };
  const lamportsOf = ({ operations }: PullResponseDto): number[] => operations.map((event) => event.lamport_ts);

  it('says exactly whether there is more, whatever the size of the page', async () => {
    for (let limit = 1; limit <= lamports.length + 1; limit += 1) {
      const seen: number[] = [];
      for (let cursor = 0; ;) {
        const answer = await page(cursor, limit);
        const left = lamports.length - seen.length;
        expect(answer.operations).toHaveLength(Math.min(limit, left));
        expect(answer.has_more).toBe(left > limit);
        seen.push(...lamportsOf(answer));
        cursor = answer.next_lamport;
        expect(answer.server_lamport).toBe(25);
        if (!answer.has_more) break;
      }
      expect(seen).toEqual(lamports);
    }
  });

  it('returns the entries after the cursor, wherever it stands', async () => {
    for (let cursor = 0; cursor <= 25; cursor += 1) {
      const answer = await page(cursor);
      expect(lamportsOf(answer)).toEqual(lamports.filter((lamport) => lamport > cursor));
      expect(answer).toMatchObject({ next_lamport: 25, has_more: false });
    }
  });

  it('returns nothing new at the head', async () => {
    expect(await page(25, 1)).toMatchObject({ operations: [], next_lamport: 25, server_lamport: 25, has_more: false });
  });

  it('sets a cursor beyond the head back to it, so that nothing written later is missed', async () => {
    for (const cursor of [26, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      expect(await page(cursor)).toMatchObject({ operations: [], next_lamport: 25, has_more: false });
    }
  });

  it('gives the chain hash of the log at next_lamport', async () => {
    const log = await pullAll(service, device.token);
    expectChain(tenant.id, log);
    for (let cursor = 0; cursor <= 25; cursor += 1) {
      for (const limit of [1, 3, 10]) {
        const answer = await page(cursor, limit);
        const last = log.filter((event) => event.lamport_ts <= answer.next_lamport).at(-1);
        expect(answer.chain_hash).toBe(last?.chain_hash);
        if (answer.operations.length > 0) expect(answer.chain_hash).toBe(answer.operations.at(-1)?.chain_hash);
      }
    }
  });

  it('misses nothing of a push that commits between its two reads, the clock’s and the log’s (I4)', async () => {
    const reader = await TestDevice.enrol(await createTenant(service));
    await reader.push(service, [reader.operation()]);
    const first = (await pullAll(service, reader.token)).at(-1);
    const head = first?.lamport_ts ?? 0;
    const pulling = await withClient(database.superuserUrl, async (pusher) => {
      await pusher.query('BEGIN; LOCK TABLE stock_events IN ACCESS EXCLUSIVE MODE');
      await pusher.query(
        `INSERT INTO stock_events
         SELECT (jsonb_populate_record(e, jsonb_build_object('lamport_ts', $2::bigint, 'operation_id', gen_random_uuid()))).*
         FROM stock_events e WHERE tenant_id = $1`,
        [reader.tenantId, head + 1],
      );
      await pusher.query('UPDATE tenant_clocks SET lamport = $2 WHERE tenant_id = $1', [reader.tenantId, head + 1]);
      const pull = reader.pull(service, 0);
      await eventually('the pull has read the clock', () => isLockWaited(database.superuserUrl));
      await pusher.query('COMMIT');
      return pull;
    });
    expect(lamportsOf(pulling.body as PullResponseDto)).toEqual([head]);
    expect(pulling.body).toMatchObject({ next_lamport: head, server_lamport: head, has_more: false });
    const next = await reader.pull(service, head);
    expect(lamportsOf(next.body as PullResponseDto)).toEqual([head + 1]);
  });

  it('gives an empty tenant an empty log', async () => {
    const { token } = await TestDevice.enrol(await createTenant(service));
    for (const cursor of [0, 7]) {
      expect((await pull(service, token, cursor)).body).toEqual({
        operations: [],
        products: [],
        payments: [],
        conflicts: [],
        next_lamport: 0,
        server_lamport: 0,
        chain_hash: GENESIS,
        has_more: false,
        epoch: expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
    }
  });

  it('names the epoch that push names too', async () => {
    const [pulled, again] = [await page(0), await page(25)];
    const pushed = await device.push(service, [null]);
    expect(new Set([pulled.epoch, again.epoch, pushed.body.epoch]).size).toBe(1);
  });

  it('has pages of a hundred unless told otherwise', async () => {
    const busy = await TestDevice.enrol(await createTenant(service));
    await busy.push(
      service,
      Array.from({ length: 101 }, () => busy.operation()),
    );
    for (const body of [{ last_lamport: 0 }, { last_lamport: 0, limit: null }]) {
      const answer = await request(`${service.url}/sync/pull`, { token: busy.token, body });
      expect(answer.body.operations).toHaveLength(100);
      expect(answer.body).toMatchObject({ has_more: true, next_lamport: 101, server_lamport: 102 });
    }
  });

  it.each(['staff', 'admin'])('is open to %s, who are no device', async (role) => {
    const token = role === 'admin' ? tenant.adminToken : await tenant.staffToken();
    expect((await pull(service, token, 0)).body.operations).toHaveLength(lamports.length);
  });

  it.each<[body: unknown, path: string]>([
    [{}, 'last_lamport'],
    [{ last_lamport: null }, 'last_lamport'],
    [{ last_lamport: '0' }, 'last_lamport'],
    [{ last_lamport: -1 }, 'last_lamport'],
    [{ last_lamport: 0.5 }, 'last_lamport'],
    [{ last_lamport: 2 ** 53 }, 'last_lamport'],
    [{ last_lamport: 2 ** 60 }, 'last_lamport'],
    [{ last_lamport: 0, limit: 0 }, 'limit'],
    [{ last_lamport: 0, limit: 1_001 }, 'limit'],
    [{ last_lamport: 0, limit: -1 }, 'limit'],
    [{ last_lamport: 0, limit: '10' }, 'limit'],
    [{ last_lamport: 0, limit: 1.5 }, 'limit'],
    [{ last_lamport: 0, tenant_id: 'mine' }, 'tenant_id'],
  ])('is refused with %j', async (body, path) => {
    const answer = await request(`${service.url}/sync/pull`, { token: device.token, body });
    expectProblem(answer, 'VALIDATION');
    expect(answer.body.errors).toMatchObject([{ path }]);
  });

  it('takes a limit of 1,000', async () => {
    expect((await page(0, 1_000)).operations).toHaveLength(lamports.length);
  });

  it('reads a product’s ledger in pages with the same entries', async () => {
    const [first] = (await page(0)).operations;
    const ledger = `${service.url}/inventory/products/${first?.product_id ?? ''}/events`;
    const seen: unknown[] = [];
    for (let cursor: number | null = 0; cursor !== null;) {
      const answer = await request(`${ledger}?cursor=${cursor}&limit=5`, { token: device.token });
      expect(answer.status).toBe(200);
      expect(answer.body.events).toHaveLength(5);
      seen.push(...answer.body.events);
      cursor = answer.body.next_cursor;
    }
    expect(seen).toEqual((await page(0)).operations);
    for (const query of ['cursor=x', 'limit=0', 'limit=1001', 'cursor=-1', 'limit=', 'limit=1&limit=2', 'cursor=1e2']) {
      expectProblem(await request(`${ledger}?${query}`, { token: device.token }), 'VALIDATION');
    }
  });
});
