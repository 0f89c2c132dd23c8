import { randomUUID } from 'node:crypto';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { ConflictExportService } from '../../src/conflicts/conflict-export.service.js';
import { toConflictStatsWire } from '../../src/conflicts/conflict-stats.wire.js';
import { ConflictsService } from '../../src/conflicts/conflicts.service.js';
import {
  type Conflict,
  CONFLICT_AWAITS,
  CONFLICT_ENTITIES,
  CONFLICT_KINDS,
  CONFLICT_STATUSES,
  type RecordedConflict,
  winnerOf,
} from '../../src/conflicts/domain/conflict.js';
import type { ConflictFilter, LabelledConflict } from '../../src/conflicts/domain/conflict-log.js';
import { RESOLUTION_METHODS, type Verdict, VERDICTS } from '../../src/conflicts/domain/verdict.js';
import { ConflictListingRepository } from '../../src/conflicts/persistence/conflict-listing.repository.js';
import { ConflictRepository } from '../../src/conflicts/persistence/conflict.repository.js';
import { LongReads } from '../../src/database/long-reads.js';
import type { Receiver } from '../../src/downloads/receiver.js';
import { StockLevelRepository } from '../../src/inventory/persistence/stock-level.repository.js';
import { SERVER_ID } from '../../src/tenancy/domain/device.js';
import { AccessService } from '../../src/tenancy/access.service.js';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { aPerson } from '../support/actors.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

const ANY: ConflictFilter = {
  ...{ status: null, awaits: null, kind: null, method: null, productId: null, deviceId: null, from: null, to: null },
};
const START = Date.parse('2026-03-01T12:00:00Z');
/** Ids that both tenants have: nothing must be told by them. */
const PRODUCTS: string[] = [randomUUID(), randomUUID(), randomUUID()];
const DEVICES: string[] = [randomUUID(), randomUUID(), randomUUID()];

/** A conflict as a push, or what settles it, leaves it. */
const conflicts = fc.record({
  kind: fc.constantFrom(...CONFLICT_KINDS),
  entity: fc.constantFrom(...CONFLICT_ENTITIES),
  entityId: fc.constantFrom(...PRODUCTS),
  devices: fc.tuple(fc.constantFrom(...DEVICES), fc.constantFrom(...DEVICES, SERVER_ID)),
  method: fc.constantFrom(...RESOLUTION_METHODS, null),
  verdict: fc.constantFrom(...VERDICTS),
  suggested: fc.constantFrom(...VERDICTS, null),
  awaits: fc.constantFrom(...CONFLICT_AWAITS),
  /** Until the next is detected: many have the time of the one before. */
  pauseMs: fc.constantFrom(0, 0, 1, 60_000),
  settledAfterMs: fc.integer({ min: 0, max: 600_000 }),
  stockThen: fc.option(fc.integer({ min: -5, max: 5 })),
});
type Draft = typeof conflicts extends fc.Arbitrary<infer T> ? T : never;

describe('the conflict log', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let log: ConflictsService;
  let ana: Shop;
  let ben: Shop;

  interface Shop {
    readonly tenantId: string;
    /** All its conflicts, the newest first. */
    readonly all: readonly RecordedConflict[];
  }

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    log = serviceOn(ledger);
    ana = await fill(400, 1);
    ben = await fill(150, 2);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const serviceOn = ({ database: tenants }: TestLedger): ConflictsService =>
    new ConflictsService(
      tenants,
      new ConflictRepository(),
      new ConflictListingRepository(),
      new DeviceRepository(),
      new StockLevelRepository(),
    );
  const exportOn = ({ database: tenants }: TestLedger, longReads = new LongReads(8)) => {
    const access = new AccessService(tenants, new TenantRepository());
    const [listing, devices, audit] = [new ConflictListingRepository(), new DeviceRepository(), new AuditTrail()];
    const exports = new ConflictExportService(tenants, longReads, listing, devices, access, audit);
    return {
      send: (tenantId: string, filter: ConflictFilter, receive: Receiver<readonly LabelledConflict[]>['receive']) =>
        exports.send(aPerson(tenantId), filter, { receive, end: () => Promise.resolve(), cutOff: () => undefined }),
    };
  };

  const judgement = (verdict: Verdict) => ({ verdict, confidence: 0.9, reason: `Verdict ${verdict}` });
  function conflictOf(draft: Draft, lamport: number): Conflict {
    const [a, b] = draft.devices.map((deviceId) => ({ id: randomUUID(), deviceId, payload: { lamport } }));
    if (!a || !b) throw new Error('Two sides');
    const { kind, entity, entityId, stockThen, method, verdict, suggested, awaits } = draft;
    const resolution = method === 'HARDCODED' && {
      ...{ method, ...judgement(verdict), winnerId: winnerOf({ a, b }, verdict), resolvedBy: null, feedback: null },
    };
    return {
      ...{ id: randomUUID(), kind, entity, entityId, fields: [], a, b, stockThen, lamport },
      ...{ awaits: resolution ? null : awaits, resolution: resolution || null },
      suggestion: suggested && { ...judgement(suggested), reasons: [] },
      decisions: [],
    };
  }

  /** A tenant whose log has some of everything. */
  async function fill(count: number, seed: number): Promise<Shop> {
    const { tenantId } = await ledger.addTenant(DEVICES[0]);
    const repository = new ConflictRepository();
    let [lamport, at] = [0, START];
    for (const draft of fc.sample(conflicts, { numRuns: count, seed })) {
      const conflict = conflictOf(draft, (lamport += 1 + (lamport % 3)));
      const { method, verdict, suggested } = draft;
      at += draft.pauseMs;
      await ledger.database.transaction(tenantId, async (tx) => {
        await repository.insert(tx, [conflict], new Date(at));
        if (method === null || method === 'HARDCODED') return;
        const winnerId = winnerOf(conflict, verdict);
        const change = {
          ...{ id: conflict.id, awaits: null, asked: [], lamport: 1_000_000 + lamport },
          suggestion: suggested && { ...judgement(suggested), reasons: [] },
          resolution: { method, ...judgement(verdict), winnerId, resolvedBy: null, feedback: null },
        };
        await repository.update(tx, [change], new Date(at + draft.settledAfterMs));
      });
    }
    const all = await ledger.database.transaction(tenantId, (tx) => repository.between(tx, 0, 2_000_000, count + 1));
    expect(all).toHaveLength(count);
    return { tenantId, all: [...all].sort((a, b) => b.detectedLamport - a.detectedLamport) };
  }

  const passes = (conflict: RecordedConflict, filter: ConflictFilter): boolean =>
    (filter.status === null || conflict.status === filter.status) &&
    (filter.awaits === null || conflict.awaits === filter.awaits) &&
    (filter.kind === null || conflict.kind === filter.kind) &&
    (filter.method === null || conflict.resolution?.method === filter.method) &&
    (filter.productId === null || (conflict.entityId === filter.productId && conflict.entity !== 'PAYMENT')) &&
    (filter.deviceId === null || [conflict.a.deviceId, conflict.b.deviceId].includes(filter.deviceId)) &&
    (filter.from === null || conflict.detectedAt >= filter.from) &&
    (filter.to === null || conflict.detectedAt < filter.to);

  const idsOf = (some: readonly RecordedConflict[]): string[] => some.map(({ id }) => id);

  /** All pages of a list, checked against their neighbours. */
  async function walk({ tenantId }: Shop, filter: ConflictFilter, limit: number): Promise<RecordedConflict[]> {
    const found: RecordedConflict[] = [];
    for (let before: number | null = null; ;) {
      const page = await log.list(tenantId, filter, before, limit);
      found.push(...page.conflicts);
      expect(page.conflicts.length).toBeLessThanOrEqual(limit);
      if (page.nextCursor === null) {
        expect(page.total).toBe(found.length);
        return found;
      }
      expect(page.conflicts).toHaveLength(limit);
      before = page.nextCursor;
    }
  }

  /** Times around which conflicts were detected, and some far off. */
  const times = fc.option(
    fc
      .oneof(
        fc.integer({ min: -2, max: 200 }).map((minutes) => START + minutes * 60_000),
        fc.tuple(fc.nat(549), fc.constantFrom(-1, 0, 1)).map(([index, offset]) => {
          const conflict = [...ana.all, ...ben.all][index];
          return (conflict?.detectedAt.valueOf() ?? START) + offset;
        }),
        fc.constantFrom(Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59Z')),
      )
      .map((time) => new Date(time)),
  );
  const maybe = <T>(...values: readonly T[]): fc.Arbitrary<T | null> =>
    fc.option(fc.constantFrom(...values), { freq: 2 });
  const filters: fc.Arbitrary<ConflictFilter> = fc.record({
    status: maybe(...CONFLICT_STATUSES),
    awaits: maybe(...CONFLICT_AWAITS),
    kind: maybe(...CONFLICT_KINDS),
    method: maybe(...RESOLUTION_METHODS),
    productId: maybe(...PRODUCTS, randomUUID()),
    deviceId: maybe(...DEVICES, SERVER_ID, randomUUID()),
    from: times,
    to: times,
  });
  /** By one alone: of many together most find nothing. */
  const single = fc.oneof(
    ...(Object.keys(ANY) as (keyof ConflictFilter)[]).map((name) =>
      filters.map((filter): ConflictFilter => ({ ...ANY, [name]: filter[name] })),
    ),
  );

  it('lists exactly what passes the filter, the newest first, whatever the size of a page', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.oneof(single, filters),
        fc.constantFrom(1, 7, 50, 1_000),
        async (isAna, filter, limit) => {
          const shop = isAna ? ana : ben;
          const expected = shop.all.filter((conflict) => passes(conflict, filter));
          const size = Math.max(limit, Math.ceil(expected.length / 20)); // not 400 pages of one
          expect(idsOf(await walk(shop, filter, size))).toEqual(idsOf(expected));
        },
      ),
      { numRuns: 150 },
    );
  });

  it.each([
    ['status', CONFLICT_STATUSES],
    ['awaits', CONFLICT_AWAITS],
    ['kind', CONFLICT_KINDS],
    ['method', RESOLUTION_METHODS],
    ['productId', PRODUCTS],
    ['deviceId', [...DEVICES, SERVER_ID]],
  ] as const)('finds some by each %s, and not all', async (name, values) => {
    for (const value of values) {
      const { total } = await log.list(ana.tenantId, { ...ANY, [name]: value }, null, 1);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThan(ana.all.length);
    }
  });

  it('takes the first instant of a time, and not the last', async () => {
    const [newest] = ana.all;
    const oldest = ana.all.at(-1);
    if (!newest || !oldest) throw new Error('There are conflicts');
    const total = async (from: Date | null, to: Date | null): Promise<number> =>
      (await log.list(ana.tenantId, { ...ANY, from, to }, null, 1)).total;
    const after = (time: Date): Date => new Date(time.valueOf() + 1);
    expect(await total(oldest.detectedAt, after(newest.detectedAt))).toBe(ana.all.length);
    expect(await total(oldest.detectedAt, null)).toBe(ana.all.length);
    expect(await total(after(newest.detectedAt), null)).toBe(0);
    expect(await total(null, oldest.detectedAt)).toBe(0);
    expect(await total(newest.detectedAt, newest.detectedAt)).toBe(0);
    expect(await total(newest.detectedAt, null)).toBeGreaterThan(0);
  });

  it('has no page after one that is just full', async () => {
    const count = ana.all.length;
    expect(await log.list(ana.tenantId, ANY, null, count)).toMatchObject({ total: count, nextCursor: null });
    const { conflicts: found, nextCursor } = await log.list(ana.tenantId, ANY, null, count - 1);
    expect(nextCursor).toBe(found.at(-1)?.detectedLamport);
  });

  it('goes on after any cursor, of its own or not, and ends before the first', async () => {
    for (const before of [0, 1, 2, 3, 500, 10 ** 9, Number.MAX_SAFE_INTEGER]) {
      const { conflicts: found, total } = await log.list(ana.tenantId, ANY, before, 1_000);
      expect(found).toEqual(ana.all.filter(({ detectedLamport }) => detectedLamport < before));
      expect(total).toBe(ana.all.length);
    }
  });

  it('shows nothing of another tenant, not even on a connection that has served it', async () => {
    const alone = await openDataSource(database.appUrl, 1);
    try {
      const service = serviceOn(new TestLedger(alone));
      const theirs = ben.all[0]?.id ?? '';
      for (const shop of [ana, ben, ana]) {
        const { conflicts: found, total } = await service.list(shop.tenantId, ANY, null, 1_000);
        expect([found, total]).toEqual([shop.all, shop.all.length]);
      }
      expect((await service.get(ben.tenantId, theirs)).conflict.id).toBe(theirs);
      await expect(service.get(ana.tenantId, theirs)).rejects.toMatchObject({ code: 'NOT_FOUND', details: {} });
      await expect(service.get(ana.tenantId, randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND', details: {} });
      const { counts } = await service.stats(ana.tenantId, { from: null, to: null });
      expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(ana.all.length);
    } finally {
      await alone.destroy();
    }
  });

  it('tells of one what is in stock now, and what its devices are called', async () => {
    const { tenantId, deviceId } = await ledger.addTenant();
    const [productId = ''] = PRODUCTS;
    const levels = new Map([[productId, { quantity: -3, tracked: true, lastLamport: 1 }]]);
    const draft = {
      devices: [deviceId, SERVER_ID],
      method: null,
      awaits: 'PERSON',
      verdict: 'A',
      suggested: null,
    } as const;
    const drafts = (['STOCK', 'PRODUCT', 'PAYMENT', 'STOCK'] as const).map((entity, index) =>
      conflictOf(
        {
          ...{ ...draft, devices: [...draft.devices], entity, entityId: index === 3 ? randomUUID() : productId },
          ...{ kind: 'OVERSELL', stockThen: 2, pauseMs: 0, settledAfterMs: 0 },
        },
        index + 1,
      ),
    );
    await ledger.database.transaction(tenantId, async (tx) => {
      await new ConflictRepository().insert(tx, drafts, new Date());
      await new StockLevelRepository().save(tx, levels);
    });
    const found = await Promise.all(drafts.map(({ id }) => log.get(tenantId, id)));
    expect(found.map(({ stockNow }) => stockNow)).toEqual([-3, null, null, 0]);
    expect(found.map(({ conflict }) => conflict.stockThen)).toEqual([2, 2, 2, 2]);
    const [detailed] = found;
    expect(detailed?.devices.get(deviceId)).toMatchObject({ name: 'Test device', deviceType: 'DESKTOP' });
    expect(detailed?.devices.has(SERVER_ID)).toBe(false);
  });

  it('comes to the figures of a count by hand, in any time', async () => {
    await fc.assert(
      fc.asyncProperty(times, times, async (from, to) => {
        const among = ana.all.filter((conflict) => passes(conflict, { ...ANY, from, to }));
        expect(toConflictStatsWire(await log.stats(ana.tenantId, { from, to }))).toEqual({
          total: among.length,
          counts: expect.any(Array),
          pending: {
            heuristic: among.filter(({ awaits }) => awaits === 'HEURISTIC').length,
            person: among.filter(({ awaits }) => awaits === 'PERSON').length,
            oldest_detected_at: among.findLast(({ status }) => status === 'PENDING')?.detectedAt.toISOString() ?? null,
          },
          settled: RESOLUTION_METHODS.flatMap((method) => secondsByHand(method, among)),
          agreement: CONFLICT_KINDS.flatMap((kind) => {
            const decided = among.filter(
              (one) => one.kind === kind && one.resolution?.method === 'MANUAL' && one.suggestion !== null,
            );
            const agreed = decided.filter((one) => one.suggestion?.verdict === one.resolution?.verdict).length;
            const rate = expect.closeTo(agreed / decided.length, 3);
            return decided.length === 0 ? [] : [{ kind, decided: decided.length, agreed, rate }];
          }),
        });
      }),
      { numRuns: 40 },
    );
    const { counts } = toConflictStatsWire(await log.stats(ana.tenantId, { from: null, to: null }));
    for (const { kind, status, method, verdict, count } of counts) {
      const same = ana.all.filter(
        (one) =>
          one.kind === kind &&
          one.status === status &&
          (one.resolution?.method ?? null) === method &&
          (one.resolution?.verdict ?? null) === verdict,
      );
      expect(same).toHaveLength(count);
    }
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(ana.all.length);
  });

  function secondsByHand(method: (typeof RESOLUTION_METHODS)[number], among: readonly RecordedConflict[]): unknown[] {
    const seconds = among
      .filter(({ resolution }) => resolution?.method === method)
      .map(({ detectedAt, resolvedAt }) => ((resolvedAt?.valueOf() ?? NaN) - detectedAt.valueOf()) / 1_000)
      .sort((a, b) => a - b);
    const half = (seconds.length - 1) / 2;
    const median = ((seconds[Math.floor(half)] ?? NaN) + (seconds[Math.ceil(half)] ?? NaN)) / 2;
    const mean = seconds.reduce((sum, one) => sum + one, 0) / seconds.length;
    return seconds.length === 0
      ? []
      : [
          {
            ...{ method, count: seconds.length },
            ...{ mean_seconds: expect.closeTo(mean, 2), median_seconds: expect.closeTo(median, 2) },
          },
        ];
  }

  describe('exported', () => {
    async function exported({ tenantId }: Pick<Shop, 'tenantId'>, filter = ANY): Promise<LabelledConflict[]> {
      const found: LabelledConflict[] = [];
      await exportOn(ledger).send(tenantId, filter, (some) => {
        found.push(...some);
        return Promise.resolve();
      });
      return found;
    }

    it('is all that passes the filter, as the list has it', async () => {
      expect((await exported(ana)).map(({ conflict }) => conflict)).toEqual(ana.all);
      await fc.assert(
        fc.asyncProperty(single, async (filter) => {
          const found = await exported(ana, filter);
          expect(idsOf(found.map(({ conflict }) => conflict))).toEqual(
            idsOf(ana.all.filter((one) => passes(one, filter))),
          );
        }),
        { numRuns: 30 },
      );
    });

    it('of nothing is nothing, once', async () => {
      const { tenantId } = await ledger.addTenant();
      const parts: number[] = [];
      await exportOn(ledger).send(tenantId, ANY, (some) => Promise.resolve(void parts.push(some.length)));
      expect(parts).toEqual([0]);
    });

    it('is as it was at one instant, whatever is found and settled meanwhile', async () => {
      const shop = await fill(120, 3);
      const repository = new ConflictRepository();
      const found: RecordedConflict[] = [];
      await exportOn(ledger).send(shop.tenantId, ANY, async (some) => {
        found.push(...some.map(({ conflict }) => conflict));
        await ledger.database.transaction(shop.tenantId, async (tx) => {
          const [draft] = fc.sample(conflicts, 1);
          if (draft) await repository.insert(tx, [conflictOf(draft, 10_000 + found.length)], new Date());
          const resolution = {
            method: 'MANUAL',
            ...judgement('A'),
            winnerId: null,
            resolvedBy: null,
            feedback: null,
          } as const;
          const changes = shop.all.map(({ id, suggestion }, index) => ({
            ...{ id, awaits: null, resolution, suggestion, asked: [] },
            lamport: 3_000_000 + found.length * 1_000 + index,
          }));
          await repository.update(tx, changes, new Date());
        });
      });
      expect(found).toEqual(shop.all);
      expect((await log.list(shop.tenantId, ANY, null, 1)).total).toBeGreaterThan(120);
    });

    it('ends its transaction and gives its place back as soon as the receiver takes no more', async () => {
      const longReads = new LongReads(8, 50);
      for (let time = 0; time < 5; time += 1) {
        let parts = 0;
        const sending = exportOn(ledger, longReads).send(ana.tenantId, ANY, () =>
          (parts += 1) > 1 ? Promise.reject(new Error('enough')) : Promise.resolve(),
        );
        await expect(sending).rejects.toThrow('enough');
        expect(
          await queryOnce(
            database.superuserUrl,
            `SELECT state, query FROM pg_stat_activity
             WHERE datname = current_database() AND usename = 'agrotour_app' AND state LIKE 'idle in transaction%'`,
          ),
        ).toEqual([]);
      }
    });

    it('is at most twice under way for a tenant', async () => {
      const longReads = new LongReads(8, 50);
      let refused: unknown;
      await exportOn(ledger, longReads).send(ana.tenantId, { ...ANY, kind: 'OVERSELL' }, () =>
        exportOn(ledger, longReads).send(ana.tenantId, { ...ANY, kind: 'OVERSELL' }, async () => {
          refused ??= await exportOn(ledger, longReads)
            .send(ana.tenantId, ANY, () => Promise.resolve())
            .catch((error: unknown) => error);
        }),
      );
      expect(refused).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    });

    it('needs no more memory for a long log than for a short one', async () => {
      const { tenantId } = await ledger.addTenant();
      const payload = JSON.stringify({ notes: 'x'.repeat(1_000) });
      await ledger.database.transaction(tenantId, (tx) =>
        tx.manager.query(
          `INSERT INTO sync_conflicts (tenant_id, id, kind, status, entity, entity_id, fields, a_id, a_device_id, a_payload,
             b_id, b_device_id, b_payload, verdict, resolution_method, confidence, lamport_ts, detected_lamport, detected_at)
           SELECT $1, gen_random_uuid(), 'CONCURRENT_UPDATE', 'RESOLVED_AUTO', 'STOCK', gen_random_uuid(), '{}',
             gen_random_uuid(), gen_random_uuid(), $2::jsonb, gen_random_uuid(), gen_random_uuid(), $2::jsonb, 'BOTH',
             'HARDCODED', 1, number, number, now()
           FROM generate_series(1, 20000) AS number`,
          [tenantId, payload],
        ),
      );
      v8.setFlagsFromString('--expose-gc');
      const collectGarbage = vm.runInNewContext('gc') as () => void;
      const used: number[] = [];
      let [parts, count] = [0, 0];
      await exportOn(ledger).send(tenantId, ANY, (some) => {
        count += some.length;
        parts += 1;
        if (parts % 100 === 0) {
          collectGarbage();
          used.push(process.memoryUsage().heapUsed);
        }
        return Promise.resolve();
      });
      expect(count).toBe(20_000);
      expect(used).toHaveLength(4);
      // 100 parts have some 15 MB of payloads.
      expect(Math.max(...used) - (used[0] ?? 0)).toBeLessThan(5_000_000);
    });
  });
});
