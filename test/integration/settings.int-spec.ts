import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import {
  DEFAULT_SETTINGS,
  type SettingsChange,
  type TenantSettings,
} from '../../src/tenancy/domain/tenant-settings.js';
import { TenantRepository } from '../../src/tenancy/persistence/tenant.repository.js';
import { anOperation } from '../support/builders.js';
import { createTestDatabase, isLockWaited, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { TestLedger } from '../support/ledger.js';

describe('the settings in a tenant’s row', () => {
  const tenants = new TenantRepository();
  let testDatabase: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let ana: string;
  let ben: string;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl);
    ledger = new TestLedger(source);
  });
  beforeEach(async () => {
    ana = (await ledger.addTenant()).tenantId;
    ben = (await ledger.addTenant()).tenantId;
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });

  const read = (tenantId: string): Promise<TenantSettings> =>
    ledger.database.transaction(tenantId, (tx) => tenants.settingsOf(tx));
  const change = (tenantId: string, changed: SettingsChange): Promise<TenantSettings> =>
    ledger.database.transaction(tenantId, (tx) => tenants.updateSettings(tx, changed));
  const stored = async (tenantId: string): Promise<unknown> =>
    (await queryOnce(testDatabase.superuserUrl, 'SELECT settings FROM tenants WHERE id = $1', [tenantId]))[0]?.[
      'settings'
    ];
  const store = (tenantId: string, settings: unknown): Promise<unknown> =>
    queryOnce(testDatabase.superuserUrl, 'UPDATE tenants SET settings = $2 WHERE id = $1', [
      tenantId,
      JSON.stringify(settings),
    ]);

  /** Changes them in a transaction that stays open until the returned function is called, which waits for its commit. */
  async function changeSlowly(tenantId: string, changed: SettingsChange): Promise<() => Promise<void>> {
    const { promise: mayCommit, resolve: commit } = deferred();
    const { promise: hasChanged, resolve: noteChanged } = deferred();
    const transaction = ledger.database.transaction(tenantId, async (tx) => {
      await tenants.updateSettings(tx, changed);
      noteChanged();
      await mayCommit;
    });
    await hasChanged;
    return () => {
      commit();
      return transaction;
    };
  }

  it('are the defaults of a new tenant, of which the row says nothing', async () => {
    expect(await read(ana)).toEqual(DEFAULT_SETTINGS);
    expect(await stored(ana)).toEqual({});
  });

  it('are kept under the names of the wire, and only those that were chosen', async () => {
    expect(await change(ana, { heuristicThreshold: 0.95 })).toEqual({ ...DEFAULT_SETTINGS, heuristicThreshold: 0.95 });
    expect(await stored(ana)).toEqual({ heuristic_threshold: 0.95 });
    await change(ana, { conflictDetection: 'CONCURRENCY', heuristicThreshold: undefined });
    expect(await stored(ana)).toEqual({ conflict_detection: 'CONCURRENCY', heuristic_threshold: 0.95 });
    expect(await read(ana)).toEqual({ conflictDetection: 'CONCURRENCY', heuristicThreshold: 0.95 });
  });

  it('stay as they are if a change names none', async () => {
    const chosen = await change(ana, { conflictDetection: 'CONCURRENCY', heuristicThreshold: 0.5 });
    expect(await change(ana, {})).toEqual(chosen);
    expect(await read(ana)).toEqual(chosen);
  });

  it('leave alone what another version of the service has put beside them', async () => {
    await store(ana, { of_a_later_version: [1], heuristic_threshold: 'high' });
    expect(await change(ana, { conflictDetection: 'CONCURRENCY' })).toEqual({
      conflictDetection: 'CONCURRENCY',
      heuristicThreshold: DEFAULT_SETTINGS.heuristicThreshold,
    });
    expect(await stored(ana)).toMatchObject({ of_a_later_version: [1] });
  });

  it('of one tenant are nothing to another', async () => {
    await change(ben, { heuristicThreshold: 0.1 });
    await change(ana, { conflictDetection: 'CONCURRENCY' });
    expect(await read(ben)).toEqual({ ...DEFAULT_SETTINGS, heuristicThreshold: 0.1 });
    expect(await read(ana)).toEqual({ ...DEFAULT_SETTINGS, conflictDetection: 'CONCURRENCY' });
  });

  it('can’t be changed for a tenant that is not the transaction’s, even by its id', async () => {
    const changing = ledger.database.transaction(ana, (tx) =>
      tenants.updateSettings({ ...tx, tenantId: ben }, { heuristicThreshold: 0 }),
    );
    await expect(changing).rejects.toThrow(`There is no tenant ${ben}`);
    expect(await stored(ben)).toEqual({});
  });

  it('are never the defaults of a tenant that isn’t there', async () => {
    await expect(read(randomUUID())).rejects.toThrow('There is no tenant');
  });

  it('lose nothing when two people change different ones at the same moment', async () => {
    const commit = await changeSlowly(ana, { conflictDetection: 'CONCURRENCY' });
    const second = change(ana, { heuristicThreshold: 0.5 });
    await eventually('the second waits for the first', () => isLockWaited(testDatabase.superuserUrl));
    await commit();
    expect(await second).toEqual({ conflictDetection: 'CONCURRENCY', heuristicThreshold: 0.5 });
    expect(await read(ana)).toEqual({ conflictDetection: 'CONCURRENCY', heuristicThreshold: 0.5 });
  });

  it('keep no sale waiting while somebody changes them', async () => {
    const deviceId = await ledger.addDevice(ana);
    const commit = await changeSlowly(ana, { heuristicThreshold: 0.5 });
    // Neither the reading of them nor a foreign key to the tenant's row waits for the change.
    expect(await read(ana)).toEqual(DEFAULT_SETTINGS);
    const sale = anOperation({ tenant_id: ana, device_id: deviceId });
    expect((await ledger.push(ana, deviceId, [sale])).outcomes).toMatchObject([{ status: 'accepted' }]);
    await ledger.addDevice(ana);
    await commit();
    expect(await read(ana)).toMatchObject({ heuristicThreshold: 0.5 });
  });
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
