import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import type { TenantPrincipal } from '../../src/tenancy/domain/principal.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { AccessService } from '../../src/tenancy/access.service.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

describe('admission', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let access: AccessService;
  let tenantId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 4);
    ledger = new TestLedger(source);
  });
  beforeEach(async () => {
    access = new AccessService(ledger.database, new TenantRepository());
    ({ tenantId } = await ledger.addTenant());
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const device = (deviceId: string): TenantPrincipal => ({ role: 'device', userId: deviceId, tenantId, deviceId });
  async function enrol(): Promise<string> {
    const id = randomUUID();
    await ledger.addDevice(tenantId, id);
    return id;
  }
  const revoke = (id: string): Promise<boolean> =>
    ledger.database.transaction(tenantId, (tx) => new DeviceRepository().revoke(tx, id, new Date()));
  function countQuestions(): () => number {
    const queries = jest.spyOn(pg.Client.prototype, 'query');
    return () =>
      queries.mock.calls.filter(([query]) => (query as { name?: string }).name === 'access and settings').length;
  }

  it('of many at once asks twice, and tells each its own verdict', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, enrol));
    const [revoked = ''] = ids;
    await revoke(revoked);
    const asked = countQuestions();
    const person: TenantPrincipal = { role: 'staff', userId: randomUUID(), tenantId };
    const principals = [...ids.map(device), device(randomUUID()), person, device(revoked)];
    const verdicts = await Promise.allSettled(principals.map((principal) => access.admit(principal)));
    expect(asked()).toBe(2); // the first goes at once, and alone
    expect(
      verdicts.map((verdict) => (verdict.status === 'rejected' ? (verdict.reason as unknown) : null)),
    ).toMatchObject([
      { code: 'DEVICE_REVOKED' },
      ...ids.slice(1).map(() => null),
      { code: 'DEVICE_UNKNOWN' },
      null,
      { code: 'DEVICE_REVOKED' },
    ]);
  });

  it('sees a revocation that was there before the request, whatever is being asked', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, enrol));
    for (const id of ids) {
      const others = ids.map((other) => access.admit(device(other)).catch(() => undefined));
      await revoke(id);
      await expect(access.admit(device(id))).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
      await Promise.all(others);
    }
  });

  describe('of those who ask again', () => {
    it('asks once in a second', async () => {
      const id = await enrol();
      const now = jest.spyOn(performance, 'now');
      const asked = countQuestions();
      const at = async (ms: number): Promise<number> => {
        now.mockReturnValue(1_000_000 + ms);
        await access.admitForNow(device(id));
        return asked();
      };
      expect([await at(0), await at(1), await at(999), await at(1_000), await at(1_999), await at(2_000)]).toEqual([
        1, 1, 1, 2, 2, 3,
      ]);
    });

    it('knows no bearer by another', async () => {
      const [one, other] = [await enrol(), await enrol()];
      await revoke(other);
      await access.admitForNow(device(one));
      await expect(access.admitForNow(device(other))).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
      const { tenantId: elsewhere } = await ledger.addTenant();
      const stranger: TenantPrincipal = { role: 'device', userId: one, tenantId: elsewhere, deviceId: one };
      await expect(access.admitForNow(stranger)).rejects.toMatchObject({ code: 'DEVICE_UNKNOWN' });
    });

    it('never repeats a refusal', async () => {
      const id = await enrol();
      await revoke(id);
      await expect(access.admitForNow(device(id))).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
      await ledger.database.transaction(tenantId, (tx) =>
        tx.manager.query('UPDATE devices SET revoked_at = NULL WHERE id = $1', [id]),
      );
      await expect(access.admitForNow(device(id))).resolves.toBeUndefined();
    });

    it('forgets an answer that the next one, of whoever asked, contradicts', async () => {
      const id = await enrol();
      await access.admitForNow(device(id));
      await revoke(id);
      await expect(access.admit(device(id))).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
      await expect(access.admitForNow(device(id))).rejects.toMatchObject({ code: 'DEVICE_REVOKED' });
    });

    it('judges each token by itself, and its end', async () => {
      const id = await enrol();
      await access.admitForNow(device(id));
      await expect(access.admitForNow({ ...device(id), tokenExpiresAt: Date.now() })).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    });
  });

  it('that could not be asked fails those who shared the question, and no others', async () => {
    const id = await enrol();
    const lost = jest.spyOn(ledger.database, 'flight').mockRejectedValueOnce(new Error('connection lost'));
    const first = access.admit(device(id));
    const second = access.admit(device(id));
    await expect(first).rejects.toThrow('connection lost');
    await expect(second).resolves.toBeUndefined();
    await expect(access.admit(device(id))).resolves.toBeUndefined();
    expect(lost).toHaveBeenCalledTimes(3);
  });
});
