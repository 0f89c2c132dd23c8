import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { SERVER_ID } from '../../src/inventory/domain/stock-event.js';
import type { Payment } from '../../src/payments/domain/payment.js';
import { PaymentRepository } from '../../src/payments/persistence/payment.repository.js';
import { ReconciliationService } from '../../src/payments/reconciliation.service.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import { StateVersionRepository } from '../../src/states/persistence/state-version.repository.js';
import type { Acting } from '../../src/tenancy/audit/domain/actor.js';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import type { PersonPrincipal } from '../../src/tenancy/domain/principal.js';
import type { TenantClock } from '../../src/tenancy/domain/lamport-clock.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { aPerson } from '../support/actors.js';
import { aPaymentEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, queryOnce, type TestDatabase } from '../support/database.js';
import { TestLedger } from '../support/ledger.js';

const CONFIRMED = { status: 'CONFIRMED', notes: null } as const;
const FAILED = { status: 'FAILED', notes: 'bounced' } as const;

describe('reconciling a payment', () => {
  let testDatabase: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let reconciliations: ReconciliationService;
  let admin: Acting<PersonPrincipal>;
  let deviceId: string;
  let id: string;
  const announced: [tenantId: string, lamport: number][] = [];
  const payments = new PaymentRepository();
  const clocks = new TenantClockRepository();

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    source = await openDataSource(testDatabase.appUrl, 8);
    ledger = new TestLedger(source);
    const signals: Pick<TenantSignals, 'announce'> = {
      announce: (...announcement) => void announced.push(announcement),
    };
    const versions = new StateVersionRepository();
    const { database } = ledger;
    reconciliations = new ReconciliationService(
      database,
      clocks,
      payments,
      versions,
      signals as TenantSignals,
      new AuditTrail(),
    );
  });
  afterAll(async () => {
    await source.destroy();
    await testDatabase.drop();
  });
  beforeEach(async () => {
    const shop = await ledger.addTenant();
    admin = aPerson(shop.tenantId);
    deviceId = shop.deviceId;
    id = await pay(admin.tenantId, deviceId);
    announced.length = 0;
  });

  async function pay(tenantId: string, by: string, paymentId: string = randomUUID()): Promise<string> {
    const { outcomes } = await ledger.push(tenantId, by, { payments: [aPaymentEdit({ id: paymentId })] });
    expect(outcomes).toMatchObject([{ status: 'accepted' }]);
    return paymentId;
  }
  const paymentOf = (tenantId: string): Promise<Payment | undefined> =>
    ledger.database.transaction(tenantId, async (tx) => (await payments.paymentsOf(tx, [id])).get(id));
  const clockOf = (tenantId: string): Promise<TenantClock> =>
    ledger.database.transaction(tenantId, (tx) => clocks.read(tx));
  const versionsOf = (tenantId: string): Promise<Record<string, unknown>[]> =>
    queryOnce(
      testDatabase.superuserUrl,
      `SELECT version::int, lamport_ts::int, edit_id, device_id, client_lamport::int, fields, changed, recorded_at
       FROM state_versions WHERE tenant_id = $1 AND entity = 'PAYMENT' AND entity_id = $2 ORDER BY version`,
      [tenantId, id],
    );

  it('is the next entry of the tenant, with a version of the server’s own, and leaves the device’s edit as it is', async () => {
    const { tenantId, userId } = admin;
    const [before, clock] = [await paymentOf(tenantId), await clockOf(tenantId)];
    const returned = await reconciliations.decide(admin, id, FAILED);

    const lamport = clock.lamport + 1;
    const after = await paymentOf(tenantId);
    expect(after).toEqual({
      ...before,
      ...{ version: 2, lamport, updatedAt: returned.reconciliation.at },
      reconciliation: { ...FAILED, by: userId, at: returned.reconciliation.at },
    });
    expect(returned).toEqual(after);
    expect(await clockOf(tenantId)).toEqual({ ...clock, lamport, recordedAt: returned.reconciliation.at?.getTime() });
    const [first, second, ...others] = await versionsOf(tenantId);
    expect(others).toEqual([]);
    expect(second).toEqual({
      ...{
        version: 2,
        lamport_ts: lamport,
        device_id: SERVER_ID,
        client_lamport: lamport,
        changed: ['reconciliation'],
      },
      ...{
        edit_id: expect.not.stringMatching(String(first?.['edit_id'])),
        fields: {
          ...(first?.['fields'] as object),
          ...{ reconciliationStatus: FAILED.status, reconciliationNotes: FAILED.notes, reconciledBy: userId },
        },
      },
      recorded_at: returned.reconciliation.at,
    });
    expect(announced).toEqual([[tenantId, lamport]]);
  });

  it('writes and announces nothing when it says the same again, whoever says it', async () => {
    const first = await reconciliations.decide(admin, id, CONFIRMED);
    const [clock, versions] = [await clockOf(admin.tenantId), await versionsOf(admin.tenantId)];
    announced.length = 0;
    expect(await reconciliations.decide({ ...admin, userId: randomUUID() }, id, CONFIRMED)).toEqual(first);
    expect(await paymentOf(admin.tenantId)).toEqual(first);
    expect(await clockOf(admin.tenantId)).toEqual(clock);
    expect(await versionsOf(admin.tenantId)).toEqual(versions);
    expect(announced).toEqual([]);
  });

  it('never goes back in time, even if another server’s clock was ahead', async () => {
    const ahead = Date.now() + 60_000;
    await ledger.database.transaction(admin.tenantId, async (tx) => {
      await clocks.advance(tx, { ...(await clocks.lock(tx)), recordedAt: ahead });
    });
    const { reconciliation } = await reconciliations.decide(admin, id, CONFIRMED);
    expect(reconciliation.at).toEqual(new Date(ahead));
    expect((await clockOf(admin.tenantId)).recordedAt).toBe(ahead);
  });

  it('waits for its turn at the tenant’s clock: with pushes and others who decide, each has a lamport of its own', async () => {
    const { tenantId } = admin;
    const before = (await clockOf(tenantId)).lamport;
    const work = Array.from({ length: 6 }, (_, index) => [
      reconciliations.decide(admin, id, { status: index % 2 ? 'CONFIRMED' : 'FAILED', notes: String(index) }),
      pay(tenantId, deviceId),
    ]);
    await Promise.all(work.flat());
    const lamports = (await versionsOf(tenantId)).map((row) => Number(row['lamport_ts'])).slice(1);
    expect(new Set(lamports).size).toBe(6);
    expect((await clockOf(tenantId)).lamport).toBe(before + 12);
    const { payments: pulled, hasMore } = await ledger.pull(tenantId, deviceId, before);
    expect(hasMore).toBe(false);
    expect(pulled).toHaveLength(7); // six new payments, and the one decided six times in its latest state
  });

  it('does nothing to another tenant’s payment, not even to one of the same id', async () => {
    const other = await ledger.addTenant();
    const stranger = aPerson(other.tenantId);
    const clock = await clockOf(other.tenantId);
    await expect(reconciliations.decide(stranger, id, CONFIRMED)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await clockOf(other.tenantId)).toEqual(clock);

    await pay(other.tenantId, other.deviceId, id);
    await reconciliations.decide(stranger, id, CONFIRMED);
    expect(await paymentOf(admin.tenantId)).toMatchObject({ version: 1, reconciliation: { status: 'PENDING' } });
    expect(await versionsOf(admin.tenantId)).toHaveLength(1);
  });
});
