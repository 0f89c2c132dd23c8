import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Level } from 'level';
import { StoreError, SyncClient } from '../../client/src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { newProducts, pullAll, TestDevice } from '../support/devices.js';
import { createTenant, type RunningService, startService, type TestTenant } from '../support/service.js';

const TILL = path.resolve('test/support/recording-till.mjs');
const LIVES = 6;

describe('a till on LevelDB that is killed', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let folder: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    tenant = await createTenant(service);
    folder = mkdtempSync(path.join(tmpdir(), 'agrotour-test-'));
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const authorOf = (device: TestDevice) =>
    ({ tenantId: tenant.id, deviceId: device.id, userId: device.id, deviceType: 'DESKTOP' }) as const;
  const open = (store: string, device: TestDevice): Promise<SyncClient> =>
    SyncClient.open({
      ...authorOf(device),
      database: new Level<string, unknown>(store),
      baseUrl: service.url,
      token: () => device.token,
    });

  /** @returns ids of the sales that it was told are kept, before it was killed */
  async function liveAndDie(store: string, device: TestDevice, product: string, ms: number): Promise<string[]> {
    const options = { ...authorOf(device), baseUrl: service.url, token: device.token };
    const child = spawn(process.execPath, [TILL, store, product, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child.stdout, 'data');
    await sleep(ms);
    child.kill('SIGKILL');
    await once(child, 'close');
    return said.slice(0, said.lastIndexOf('\n')).split('\n');
  }

  it('has every sale that it was told is kept, whole and once, here and on the server', async () => {
    const [store, device] = [path.join(folder, 'till'), await TestDevice.enrol(tenant)];
    const [product = ''] = newProducts(1);
    await device.push(service, [device.restock(product, 1_000_000)]);
    const kept: string[] = [];
    for (let life = 0; life < LIVES; life += 1) kept.push(...(await liveAndDie(store, device, product, life * 40)));
    expect(new Set(kept).size).toBe(kept.length);

    const till = await open(store, device);
    const groups = new Map<string, number>();
    for await (const { body } of till.outbox()) {
      const { group_id: group } = body;
      if (group != null) groups.set(group, (groups.get(group) ?? 0) + 1);
    }
    expect([...new Set(groups.values())]).toEqual([2]); // no half of a sale
    await till.sync();
    const log = (await pullAll(service, tenant.adminToken)).filter(({ reason }) => reason === 'SALE');
    const ids = log.map((event) => event.operation_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(kept.filter((id) => !ids.includes(id))).toEqual([]);
    expect(new Set(log.map((event) => event.client_lamport)).size).toBe(ids.length);
    const confirmed = 1_000_000 - ids.length;
    expect(await till.stock(product)).toMatchObject({ confirmed, pending: 0, optimistic: confirmed });
    expect(await device.stockOf(service, product)).toBe(confirmed);
    expect(await till.position()).toMatchObject({ waiting: 0 });
    await till.close();
  });

  it('lets nobody else open its store meanwhile', async () => {
    const [store, device] = [path.join(folder, 'shared'), await TestDevice.enrol(tenant)];
    const till = await open(store, device);
    await expect(open(store, device)).rejects.toThrow(StoreError);
    await till.close();
    await (await open(store, device)).close();
  });
});
