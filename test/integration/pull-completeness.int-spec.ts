import type { PulledPage } from '../support/ledger.js';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { anOperation, aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { type PushLists, TestLedger } from '../support/ledger.js';

/** What a device does in one push: how many of each, on which of a few products and payments. */
interface Step {
  readonly operations: readonly number[];
  readonly products: readonly number[];
  readonly payments: readonly number[];
}

const few = fc.array(fc.nat({ max: 2 }), { maxLength: 3 });
const steps = fc.record({ operations: few, products: few, payments: few });
const writers = fc.array(fc.array(steps, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 4 });

/** A copy of the tenant, kept by pulling alone: states as they were last seen, and each event once. */
class Replica {
  readonly events: number[] = [];
  readonly states = new Map<string, number>();
  cursor = 0;
  private serverLamport = 0;

  take(page: PulledPage, limit: number): void {
    const lamports = lamportsOf(page);
    expect(lamports.length).toBeLessThanOrEqual(limit);
    for (const lamport of lamports) {
      expect(lamport).toBeGreaterThan(this.cursor);
      expect(lamport).toBeLessThanOrEqual(page.nextLamport);
    }
    // has_more is exact at the instant of the page's clock: without it the page ends at the head.
    expect(page.nextLamport === page.serverLamport).toBe(!page.hasMore);
    expect(page.serverLamport).toBeGreaterThanOrEqual(this.serverLamport);
    this.events.push(...page.events.map((event) => event.lamport));
    for (const state of [...page.products, ...page.payments, ...page.conflicts])
      this.states.set(state.id, state.lamport);
    this.cursor = page.nextLamport;
    this.serverLamport = page.serverLamport;
  }
}

const lamportsOf = ({ events, products, payments, conflicts }: PulledPage): number[] =>
  [events, products, payments, conflicts].flatMap((entries) => entries.map(({ lamport }) => lamport));

describe('pulling while others write (I4)', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  it('misses nothing, whatever the interleaving of commits, the kinds of entries and the sizes of pages', async () => {
    await fc.assert(
      fc.asyncProperty(writers, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 2, maxLength: 3 }), run),
      { numRuns: 25, endOnFailure: true },
    );
  });

  /** Writers of one tenant all at once, pullers with pages of `limits` beside them; then all pull to the end. */
  async function run(writing: readonly (readonly Step[])[], limits: readonly number[]): Promise<void> {
    const { tenantId, deviceId } = await ledger.addTenant();
    const [products, payments] = [newIds(3), newIds(3)];
    const devices = await Promise.all(writing.map(() => ledger.addDevice(tenantId)));
    let written = false;
    const write = async (device: string, todo: readonly Step[]): Promise<void> => {
      let lamport = 0;
      for (const step of todo) {
        const lists: PushLists = {
          products: step.products.map((index) =>
            aProductEdit({ id: products[index] ?? '', lamport_ts: (lamport += 1), name: randomUUID(), version: 1 }),
          ),
          payments: step.payments.map((index) =>
            aPaymentEdit({ id: payments[index] ?? '', lamport_ts: (lamport += 1), notes: randomUUID(), version: 1 }),
          ),
          operations: step.operations.map((index) =>
            anOperation({
              tenant_id: tenantId,
              device_id: device,
              product_id: products[index] ?? '',
              lamport_ts: (lamport += 1),
            }),
          ),
        };
        if (lamport > 0 && count(lists) > 0) await ledger.push(tenantId, device, lists);
      }
    };
    const replicas = limits.map((limit) => ({ replica: new Replica(), limit }));
    const pullOnce = async ({ replica, limit }: (typeof replicas)[number]): Promise<boolean> => {
      const page = await ledger.pull(tenantId, deviceId, replica.cursor, limit);
      replica.take(page, limit);
      return page.hasMore;
    };
    const follow = async (puller: (typeof replicas)[number]): Promise<void> => {
      while (!written) await pullOnce(puller);
      while (await pullOnce(puller)) continue;
    };
    const writingDone = Promise.all(devices.map((device, index) => write(device, writing[index] ?? []))).finally(() => {
      written = true;
    });
    await Promise.all([writingDone, ...replicas.map(follow)]);

    const whole = new Replica();
    whole.take(await ledger.pull(tenantId, deviceId, 0), 1_000);
    for (const { replica } of replicas) {
      expect(replica.events).toEqual(whole.events);
      expect(replica.states).toEqual(whole.states);
      expect(replica.cursor).toBe(whole.cursor);
    }
  }
});

const newIds = (many: number): string[] => Array.from({ length: many }, () => randomUUID());

const count = ({ operations = [], products = [], payments = [] }: PushLists): number =>
  operations.length + products.length + payments.length;
