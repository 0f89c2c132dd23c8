import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StockEventDto } from '../../src/inventory/inventory.dto.js';
import type { OperationDto, PushResultDto } from '../../src/sync/push/push.dto.js';
import { createTestDatabase, queryOnce, type TestDatabase } from '../support/database.js';
import { expectChain, newProducts, pull, pullAll, replay, TestDevice } from '../support/devices.js';
import { createTenant, type RunningService, startService, type TestTenant } from '../support/service.js';

const ROUNDS = 10;
const BATCH = 100;

describe('two services on one database', () => {
  let database: TestDatabase;
  let services: [RunningService, RunningService];
  let tenant: TestTenant;

  beforeAll(async () => {
    database = await createTestDatabase();
    const start = (): Promise<RunningService> => startService({ DATABASE_URL: database.appUrl });
    services = await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await database.drop();
  });

  async function resultsOf(
    device: TestDevice,
    service: RunningService,
    batch: OperationDto[],
  ): Promise<PushResultDto[]> {
    const answer = await device.push(service, batch);
    expect(answer.status).toBe(200);
    return answer.body.results as PushResultDto[];
  }

  it('give the same batch, pushed to both at once, one effect (I2)', async () => {
    tenant = await createTenant(services[0]);
    const device = await TestDevice.enrol(tenant);
    const products = newProducts(7);
    const expected: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const batch = Array.from({ length: BATCH }, (_, index) => device.restock(products[index % 7] ?? '', 1));
      // Every other round in the opposite order: whoever comes second still waits, and nobody waits for ever.
      const mirrored = round % 2 === 0 ? batch : [...batch].reverse();
      const [first, second] = await Promise.all([
        resultsOf(device, services[0], batch),
        resultsOf(device, services[1], mirrored),
      ]);
      const byId = (results: PushResultDto[]): Map<unknown, PushResultDto> =>
        new Map(results.map((result) => [result.operation_id, result]));
      const [here, there] = [byId(first), byId(second)];
      for (const { operation_id: id } of batch) {
        expect([here.get(id)?.status, there.get(id)?.status].sort()).toEqual(['accepted', 'duplicate']);
        expect(here.get(id)?.server_lamport).toBe(there.get(id)?.server_lamport);
        expected.push(id ?? '');
      }
    }
    const log = await pullAll(services[0], device.token);
    expect(log.map((event) => event.operation_id).sort()).toEqual(expected.sort());
    expectChain(tenant.id, log);
    expect([...replay(log).values()].reduce((sum, units) => sum + units)).toBe(ROUNDS * BATCH);
  });

  it('never sell one item twice', async () => {
    const shop = await createTenant(services[0]);
    const [till, phone] = [await TestDevice.enrol(shop), await TestDevice.enrol(shop)];
    for (let round = 0; round < ROUNDS; round += 1) {
      const [product = ''] = newProducts(1);
      await till.push(services[0], [till.restock(product, 1)]);
      const sales = await Promise.all([
        resultsOf(till, services[0], [till.sale(product, 1)]),
        resultsOf(phone, services[1], [phone.sale(product, 1)]),
      ]);
      expect(
        sales
          .flat()
          .map((result) => result.status)
          .sort(),
      ).toEqual(['accepted', 'conflict']); // whoever has it in the end, only one has
      expect(await till.stockOf(services[1], product)).toBe(0);
    }
  });

  it('let a puller that polls both miss nothing while six devices push to both (I4, I7)', async () => {
    const shop = await createTenant(services[0]);
    const products = newProducts(5);
    const devices = await Promise.all(Array.from({ length: 6 }, () => TestDevice.enrol(shop)));
    const reader = await TestDevice.enrol(shop);

    // Enough of each, so that no sale competes with another.
    const accepted = (
      await resultsOf(
        reader,
        services[0],
        products.map((id) => reader.restock(id, 10_000)),
      )
    ).map((result) => result.operation_id ?? '');
    const progress = { pushing: true };
    const pushes = devices.map(async (device, which) => {
      for (let round = 0; round < 12; round += 1) {
        const batch = Array.from({ length: 8 }, (_, index) => {
          const product = products[(which + round + index) % 5] ?? '';
          return index % 3 === 0
            ? device.restock(product, index + 1)
            : device.sale(product, 1, { payment_status: 'PAID' });
        });
        const service = services[(which + round) % 2 === 0 ? 0 : 1];
        for (const result of await resultsOf(device, service, batch)) {
          expect(result.status).toBe('accepted');
          accepted.push(result.operation_id ?? '');
        }
      }
    });
    const log: StockEventDto[] = [];
    const polling = (async () => {
      let cursor = 0;
      for (let turn = 0; ; turn += 1) {
        // What is pushed when this round starts must be there when it ends with nothing more.
        const last = !progress.pushing;
        const { body } = await pull(services[turn % 2 === 0 ? 0 : 1], reader.token, cursor, 7);
        for (const event of body.operations as StockEventDto[]) {
          expect(event.lamport_ts).toBeGreaterThan(log.at(-1)?.lamport_ts ?? 0);
          log.push(event);
        }
        expect(body.next_lamport).toBeGreaterThanOrEqual(cursor);
        cursor = body.next_lamport as number;
        if (last && !body.has_more) return;
        if (!body.has_more) await sleep(2);
      }
    })();
    await Promise.all(pushes).finally(() => (progress.pushing = false));
    await polling;

    expect(accepted).toHaveLength(products.length + 6 * 12 * 8);
    expect(log.map((event) => event.operation_id).sort()).toEqual(accepted.sort());
    expect(log).toEqual(await pullAll(services[1], reader.token));
    expectChain(shop.id, log);
    for (const [product, units] of replay(log)) {
      for (const service of services) expect(await reader.stockOf(service, product)).toBe(units);
    }
  });

  it('let a pull through while another push holds the clock, and show nothing of it before its commit', async () => {
    const shop = await createTenant(services[0]);
    const device = await TestDevice.enrol(shop);
    await device.push(services[0], [device.operation()]);
    const many = Array.from({ length: 1_000 }, () => device.operation());
    const slow = device.push(services[0], many);
    const seen = new Set<number>();
    const progress = { done: false };
    void slow.then(() => (progress.done = true));
    while (!progress.done) seen.add((await pullAll(services[1], device.token)).length);
    expect((await slow).status).toBe(200);
    for (const count of seen) expect([1, 1_001]).toContain(count);
    expect(await pullAll(services[1], device.token)).toHaveLength(1_001);
  });

  it('keep a projection that is what the log says', async () => {
    const drifted = await queryOnce(
      database.superuserUrl,
      `SELECT tenant_id, product_id FROM stock_levels l
       FULL JOIN (SELECT tenant_id, product_id, sum(effect) AS quantity, max(lamport_ts) AS last_lamport
                  FROM stock_events GROUP BY 1, 2) e USING (tenant_id, product_id)
       WHERE (l.quantity, l.last_lamport) IS DISTINCT FROM (e.quantity, e.last_lamport)`,
    );
    expect(drifted).toEqual([]);
  });
});
