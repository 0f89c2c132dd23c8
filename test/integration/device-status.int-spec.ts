import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { TenantDatabase } from '../../src/database/tenant-database.js';
import type { Device, PullNote, PushNote } from '../../src/tenancy/domain/device.js';
import { DeviceRepository } from '../../src/tenancy/persistence/device.repository.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase, withClient } from '../support/database.js';

const NOON = Date.parse('2026-03-01T12:00:00.000Z');
const at = (seconds: number): Date => new Date(NOON + seconds * 1_000);

describe('what is kept of a device', () => {
  let database: TestDatabase;
  let source: DataSource;
  let tenants: TenantDatabase;
  let tenantId: string;
  const devices = new DeviceRepository();

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl);
    tenants = new TenantDatabase(source);
    tenantId = await addTenant();
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  async function addTenant(): Promise<string> {
    const id = randomUUID();
    await tenants.transaction(id, (tx) => new TenantRepository().create(tx, { name: 'Test tenant', createdAt: at(0) }));
    return id;
  }

  async function enrol(id: string = randomUUID(), tenant = tenantId): Promise<string> {
    await tenants.transaction(tenant, (tx) =>
      devices.enrol(tx, { id, name: 'Test device', deviceType: 'MOBILE', createdAt: at(0) }),
    );
    return id;
  }

  async function statusOf(id: string, tenant = tenantId): Promise<Device | undefined> {
    const all = await tenants.transaction(tenant, (tx) => devices.list(tx));
    return all.find((device) => device.id === id);
  }

  const push = async (id: string, note: Partial<PushNote>): Promise<void> => {
    await tenants.transaction(tenantId, (tx) =>
      devices.notePushes(
        tx,
        new Map([[id, { at: at(0), lamport: null, clockSkewMs: null, clockReused: false, ...note }]]),
      ),
    );
  };

  const pull = (id: string, note: PullNote): Promise<void> =>
    tenants.transaction(tenantId, (tx) => devices.notePull(tx, id, note));

  /** Of the row: another one after each write. */
  async function versionOf(id: string): Promise<string | undefined> {
    const [row] = await queryOnce<{ version: string }>(
      database.superuserUrl,
      `SELECT ctid::text || ' ' || xmin::text AS version FROM devices WHERE tenant_id = $1 AND id = $2`,
      [tenantId, id],
    );
    return row?.version;
  }

  /** As a push is told it. */
  const pulledBy = async (tenant: string, id: string): Promise<number | null> =>
    (await tenants.transaction(tenant, (tx) => new TenantRepository().pushersOf(tx, [id]))).lastPulledLamportOf(id);

  it('is nothing until it pushes or pulls', async () => {
    expect(await statusOf(await enrol())).toMatchObject({
      lastSeenAt: null,
      lastPushedLamport: null,
      lastPulledLamport: null,
      clockSkewMs: null,
      clockReusedAt: null,
    });
  });

  it('is what its last push told', async () => {
    const id = await enrol();
    await push(id, { at: at(1), lamport: 7, clockSkewMs: -3_600_000 });
    expect(await statusOf(id)).toMatchObject({
      lastSeenAt: at(1),
      lastPushedLamport: 7,
      lastPulledLamport: null,
      clockSkewMs: -3_600_000,
      clockReusedAt: null,
    });
    await push(id, { at: at(2), lamport: Number.MAX_SAFE_INTEGER, clockSkewMs: 0 });
    expect(await statusOf(id)).toMatchObject({
      lastSeenAt: at(2),
      lastPushedLamport: Number.MAX_SAFE_INTEGER,
      clockSkewMs: 0,
    });
  });

  it('stays known when a push recorded nothing, or did not say what time it was', async () => {
    const id = await enrol();
    await push(id, { at: at(1), lamport: 7, clockSkewMs: 250 });
    await push(id, { at: at(2), lamport: null, clockSkewMs: null });
    expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(2), lastPushedLamport: 7, clockSkewMs: 250 });
  });

  it('says when it last reused its clock', async () => {
    const id = await enrol();
    await push(id, { at: at(1), clockReused: true });
    await push(id, { at: at(2), clockReused: true });
    await push(id, { at: at(3) });
    expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(3), clockReusedAt: at(2) });
  });

  it('is how far it pulled, back to the start too, as a wiped device does', async () => {
    const id = await enrol();
    const lastPulled = (): Promise<number | null> => pulledBy(tenantId, id);
    expect(await lastPulled()).toBeNull();
    await pull(id, { at: at(1), lamport: 40 });
    expect(await lastPulled()).toBe(40);
    await pull(id, { at: at(2), lamport: 0 });
    expect(await lastPulled()).toBe(0);
    expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(2), lastPulledLamport: 0, lastPushedLamport: null });
    await push(id, { at: at(3), lamport: 41 });
    expect(await lastPulled()).toBe(0);
  });

  it('is null for a device that there is not', async () => {
    const unknown = randomUUID();
    expect(await pulledBy(tenantId, unknown)).toBeNull();
    await push(unknown, {});
    await pull(unknown, { at: at(0), lamport: 1 });
    expect(await statusOf(unknown)).toBeUndefined();
  });

  it('is another tenant’s own, for a device of the same id', async () => {
    const other = await addTenant();
    const id = await enrol();
    await enrol(id, other);
    await push(id, { at: at(1), lamport: 7, clockReused: true });
    await pull(id, { at: at(2), lamport: 7 });
    expect(await statusOf(id, other)).toMatchObject({ lastSeenAt: null, lastPulledLamport: null, clockReusedAt: null });
    expect(await pulledBy(other, id)).toBeNull();
  });

  describe('by a pull', () => {
    it('is not written again within a minute if nothing is new', async () => {
      const id = await enrol();
      await pull(id, { at: at(0), lamport: 5 });
      const written = await versionOf(id);
      for (const seconds of [0, 1, 59, 60, -59]) await pull(id, { at: at(seconds), lamport: 5 });
      expect(await versionOf(id)).toBe(written);
      expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(0) });
    });

    it('takes part in no log then: the transaction is given no id', async () => {
      const id = await enrol();
      const writes = (lamport: number): Promise<boolean> =>
        tenants.transaction(tenantId, async (tx) => {
          await devices.notePull(tx, id, { at: at(0), lamport });
          const [row] = await tx.manager.query<[{ writes: boolean }]>(
            'SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS writes',
          );
          return row.writes;
        });
      expect(await writes(5)).toBe(true);
      expect(await writes(5)).toBe(false);
    });

    it.each([
      ['it is further than before', 1, 6],
      ['it was last seen more than a minute ago', 61, 5],
      ['a server whose clock is ahead has seen it "later"', -61, 5],
    ])('is written if %s', async (_, seconds, lamport) => {
      const id = await enrol();
      await pull(id, { at: at(0), lamport: 5 });
      await pull(id, { at: at(seconds), lamport });
      expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(seconds), lastPulledLamport: lamport });
    });

    it('is left out, and not waited for, while a push of the device is under way', async () => {
      const id = await enrol();
      await tenants.transaction(tenantId, async (tx) => {
        const note = { at: at(1), lamport: 9, clockSkewMs: null, clockReused: false };
        await devices.notePushes(tx, new Map([[id, note]]));
        // Were it to wait, it would be for this very transaction, until its time for a lock is out.
        await pull(id, { at: at(2), lamport: 8 });
      });
      expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(1), lastPushedLamport: 9, lastPulledLamport: null });
      await pull(id, { at: at(3), lamport: 8 });
      expect(await statusOf(id)).toMatchObject({ lastSeenAt: at(3), lastPulledLamport: 8 });
    });

    it('is written while someone holds on to the device’s key, as the check of a foreign key does', async () => {
      const id = await enrol();
      await withClient(database.superuserUrl, async (client) => {
        await client.query('BEGIN');
        await client.query('SELECT FROM devices WHERE tenant_id = $1 AND id = $2 FOR KEY SHARE', [tenantId, id]);
        await pull(id, { at: at(1), lamport: 3 });
        await client.query('COMMIT');
      });
      expect(await statusOf(id)).toMatchObject({ lastPulledLamport: 3 });
    });
  });
});
