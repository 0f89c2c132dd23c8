import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RecordedConflict } from '../../src/conflicts/domain/conflict.js';
import type { RecordedPayment, ReconciliationStatus } from '../../src/payments/domain/payment.js';
import { PaymentRepository } from '../../src/payments/persistence/payment.repository.js';
import { ReconciliationService } from '../../src/payments/reconciliation.service.js';
import type { TenantSignals } from '../../src/signals/tenant-signals.js';
import { StateVersionRepository } from '../../src/states/persistence/state-version.repository.js';
import type { PushOutcome } from '../../src/sync/domain/push-outcome.js';
import type { PaymentEditDto } from '../../src/sync/push/push.dto.js';
import { AuditTrail } from '../../src/tenancy/audit/persistence/audit-trail.js';
import { TenantClockRepository } from '../../src/tenancy/persistence/tenant-clock.repository.js';
import { aPerson } from '../support/actors.js';
import { aPaymentEdit } from '../support/builders.js';
import { createTestDatabase, openDataSource, type TestDatabase } from '../support/database.js';
import { type PulledPage, TestLedger } from '../support/ledger.js';

const PERSON = randomUUID();

type Edit = Partial<PaymentEditDto> & Pick<PaymentEditDto, 'id'>;
type Decision = 'A' | 'B' | 'BOTH' | 'NEITHER';

describe('deciding of two payments with one POS transaction', () => {
  let database: TestDatabase;
  let source: DataSource;
  let ledger: TestLedger;
  let reconciliations: ReconciliationService;
  let [tenantId, ana, ben, carol] = ['', '', '', ''];

  beforeAll(async () => {
    database = await createTestDatabase();
    source = await openDataSource(database.appUrl, 8);
    ledger = new TestLedger(source);
    reconciliations = new ReconciliationService(
      ledger.database,
      new TenantClockRepository(),
      new PaymentRepository(),
      new StateVersionRepository(),
      { announce: () => undefined } as unknown as TenantSignals,
      new AuditTrail(),
    );
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });
  beforeEach(async () => {
    ({ tenantId, deviceId: ana } = await ledger.addTenant());
    [ben, carol] = [await ledger.addDevice(tenantId), await ledger.addDevice(tenantId)];
  });

  const charge = (fields: Partial<PaymentEditDto> = {}): PaymentEditDto =>
    aPaymentEdit({ payment_method: 'POS_OFFLINE', pos_transaction_id: 'T-1', lamport_ts: 5, ...fields });
  /** An edit names what it changes; the checks of its shape are the wire's. */
  async function push(device: string, payment: Edit): Promise<PushOutcome> {
    const { outcomes } = await ledger.push(tenantId, device, { payments: [payment as PaymentEditDto] });
    const [outcome] = outcomes;
    if (!outcome) throw new Error('Something was pushed');
    return outcome;
  }
  async function pushed(device: string, payment: Edit): Promise<void> {
    expect(await push(device, payment)).toMatchObject({ status: 'accepted' });
  }
  /** @returns the id of the conflict that it leads to. */
  async function disputed(device: string, payment: Edit): Promise<string> {
    const outcome = await push(device, payment);
    if (outcome.status !== 'conflict') throw new Error(`It is ${outcome.status}`);
    return outcome.conflict.id;
  }
  const pull = (since = 0): Promise<PulledPage> => ledger.pull(tenantId, carol, since);
  async function conflict(id: string): Promise<RecordedConflict> {
    const found = (await pull()).conflicts.find((one) => one.id === id);
    if (!found) throw new Error('There is no such conflict');
    return found;
  }
  async function payment(id: string): Promise<RecordedPayment> {
    const found = (await pull()).payments.find((one) => one.id === id);
    if (!found) throw new Error('There is no such payment');
    return found;
  }
  async function decide(id: string, decision: Decision): Promise<RecordedConflict> {
    const { a, b } = await conflict(id);
    const order =
      decision === 'A' || decision === 'B'
        ? ({ order: 'WINNER', winnerId: decision === 'A' ? a.id : b.id } as const)
        : ({ order: decision, winnerId: null } as const);
    return ledger.resolutions.resolve(tenantId, PERSON, id, { ...order, feedback: null });
  }
  const reconcile = (id: string, status: Exclude<ReconciliationStatus, 'PENDING'>): Promise<RecordedPayment> =>
    reconciliations.decide({ ...aPerson(tenantId), userId: PERSON }, id, { status, notes: null });
  const versionsOf = async (id: string) =>
    ledger.database.transaction(tenantId, (tx) =>
      new StateVersionRepository().historyFrom(tx, 'PAYMENT', id, { version: 1, lamport: Number.MAX_SAFE_INTEGER }),
    );
  /** Refused, and nothing is other than before: what is pulled, what was in the history, whose turn it is. */
  async function expectOvertaken(id: string, decision: Decision, detail: RegExp): Promise<void> {
    await ledger.resolutions.settleAwaiting(tenantId);
    const before = await pull();
    await expect(decide(id, decision)).rejects.toMatchObject({
      code: 'RESOLUTION_OVERTAKEN',
      details: { detail: expect.stringMatching(detail) },
    });
    expect(await pull()).toEqual(before);
    expect(await conflict(id)).toMatchObject({ status: 'PENDING', resolution: null });
  }
  /** The payments that have the POS transaction and are not FAILED. */
  const living = async (posTransactionId = 'T-1'): Promise<string[]> =>
    (await pull()).payments
      .filter(({ fields }) => fields.posTransactionId === posTransactionId)
      .filter(({ reconciliation }) => reconciliation.status !== 'FAILED')
      .map(({ id }) => id)
      .sort();

  describe('where a third has it, too', () => {
    let [first, second, third, secondConflict, thirdConflict] = ['', '', '', '', ''];
    beforeEach(async () => {
      [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
      await pushed(ana, charge({ id: first }));
      secondConflict = await disputed(ben, charge({ id: second }));
      thirdConflict = await disputed(carol, charge({ id: third }));
    });

    it('does not let a payment stand beside one that has replaced the first', async () => {
      await decide(secondConflict, 'A');
      await expectOvertaken(thirdConflict, 'A', new RegExp(second));
      await expectOvertaken(thirdConflict, 'BOTH', new RegExp(second));
      expect(await living()).toEqual([second]);
    });

    it('is compared with the one that stands, not with one that has failed', async () => {
      await decide(secondConflict, 'A');
      const fourth = await disputed(ana, charge({ id: randomUUID() }));
      expect(await conflict(fourth)).toMatchObject({ b: { id: second } });
    });

    it('does not take a word about the first for one about the second', async () => {
      await decide(secondConflict, 'BOTH');
      await expectOvertaken(thirdConflict, 'A', new RegExp(second));
      await expectOvertaken(thirdConflict, 'BOTH', new RegExp(second));
      expect(await living()).toEqual([first, second].sort());
    });

    it('lets it stand once the other is none', async () => {
      await decide(secondConflict, 'A');
      await expectOvertaken(thirdConflict, 'A', new RegExp(second));
      await reconcile(second, 'FAILED');
      await decide(thirdConflict, 'A');
      expect(await living()).toEqual([third]);
    });

    it('refuses it, or both, whatever else there is', async () => {
      await decide(secondConflict, 'BOTH');
      await decide(thirdConflict, 'NEITHER');
      expect(await living()).toEqual([second]);
    });
  });

  describe('where the second is an edit of a payment', () => {
    let [first, second] = ['', ''];
    beforeEach(async () => {
      [first, second] = [randomUUID(), randomUUID()];
      await pushed(ana, charge({ id: first }));
      await pushed(ben, charge({ id: second, pos_transaction_id: null, amount: 10, notes: 'old' }));
    });

    it('keeps what newer edits have made of it', async () => {
      const id = await disputed(ben, { id: second, pos_transaction_id: 'T-1', pos_device_id: 'till', lamport_ts: 20 });
      await pushed(ben, { id: second, amount: 99, notes: 'new', lamport_ts: 40 });
      await decide(id, 'A');
      expect(await payment(second)).toMatchObject({
        fields: { posTransactionId: 'T-1', posDeviceId: 'till', amount: 99, notes: 'new' },
        version: 3,
        editId: (await versionsOf(second))[1]?.editId,
        clientLamport: 40,
      });
      expect(await versionsOf(second)).toMatchObject([
        { version: 1, fields: { amount: 10 } },
        { version: 2, fields: { amount: 99 }, changed: ['amount', 'notes'] },
        {
          ...{ version: 3, editId: id, deviceId: ben, clientLamport: 20, changed: ['posTransactionId', 'posDeviceId'] },
          fields: { amount: 99, notes: 'new', posTransactionId: 'T-1' },
        },
      ]);
      expect(await payment(first)).toMatchObject({ reconciliation: { status: 'FAILED' } });
    });

    it('takes what else was kept out, but for what another device has changed since', async () => {
      const id = await disputed(ben, {
        id: second,
        pos_transaction_id: 'T-1',
        amount: 11,
        notes: 'mine',
        lamport_ts: 20,
      });
      await pushed(carol, { id: second, amount: 99, lamport_ts: 12 });
      await decide(id, 'BOTH');
      expect((await payment(second)).fields).toMatchObject({ posTransactionId: 'T-1', amount: 99, notes: 'mine' });
    });

    it("does not put back what the edit's device had not known of", async () => {
      await pushed(carol, { id: second, amount: 99, lamport_ts: 12 });
      const { fields } = await payment(second);
      // The whole payment as Ben had it, and its POS transaction.
      const whole = charge({ id: second, sale_id: fields.saleId, amount: 10, notes: 'old' });
      const id = await disputed(ben, { ...whole, version: 1, lamport_ts: 30 });
      await decide(id, 'A');
      expect((await payment(second)).fields).toEqual({ ...fields, posTransactionId: 'T-1' });
    });

    it('lets its own device edit on from there, by its own clock', async () => {
      const id = await disputed(ben, { id: second, pos_transaction_id: 'T-1', lamport_ts: 20 });
      await decide(id, 'A');
      const older = await push(ben, { id: second, notes: 'before it', lamport_ts: 12 });
      expect(older).toMatchObject({ status: 'ignored' });
      await pushed(ben, { id: second, notes: 'offline still', lamport_ts: 21 });
      expect((await payment(second)).fields).toMatchObject({ posTransactionId: 'T-1', notes: 'offline still' });
    });

    it('does not let it stand instead of the first when it has another POS transaction by now', async () => {
      const id = await disputed(ben, { id: second, pos_transaction_id: 'T-1', notes: 'mine', lamport_ts: 20 });
      await pushed(ben, { id: second, pos_transaction_id: 'T-2', lamport_ts: 30 });
      await expectOvertaken(id, 'A', /another POS transaction/);
      await decide(id, 'BOTH');
      expect((await payment(second)).fields).toMatchObject({ posTransactionId: 'T-2', notes: 'mine' });
      expect(await living()).toEqual([first]);
    });

    it('does not let it stand instead of the first when it is known to have failed', async () => {
      const id = await disputed(ben, { id: second, pos_transaction_id: 'T-1', lamport_ts: 20 });
      await reconcile(second, 'FAILED');
      await expectOvertaken(id, 'A', /money never came/);
      expect(await living()).toEqual([first]);
    });

    it('leaves it as it stands when the edit is refused', async () => {
      const id = await disputed(ben, { id: second, pos_transaction_id: 'T-1', lamport_ts: 20 });
      const before = await payment(second);
      await decide(id, 'NEITHER');
      expect(await payment(second)).toEqual(before);
      expect(await living()).toEqual([]);
    });
  });

  it('takes the later of two edits of one device, whichever is decided first', async () => {
    const [first, second, other] = [randomUUID(), randomUUID(), randomUUID()];
    await pushed(ana, charge({ id: first }));
    const mistyped = await disputed(ben, charge({ id: second, amount: 1, lamport_ts: 5 }));
    const mended = await disputed(ben, charge({ id: second, amount: 10, lamport_ts: 6 }));
    await decide(mistyped, 'A');
    expect(await payment(second)).toMatchObject({ fields: { amount: 1 }, version: 1 });
    await decide(mended, 'A');
    expect(await payment(second)).toMatchObject({ fields: { amount: 10 }, version: 2 });

    await pushed(ana, charge({ id: randomUUID(), pos_transaction_id: 'T-2' }));
    const early = await disputed(ben, charge({ id: other, pos_transaction_id: 'T-2', amount: 1, lamport_ts: 5 }));
    const late = await disputed(ben, charge({ id: other, pos_transaction_id: 'T-2', amount: 10, lamport_ts: 6 }));
    await decide(late, 'A');
    await decide(early, 'A');
    expect(await payment(other)).toMatchObject({ fields: { amount: 10 }, version: 1 });
  });

  it.each(['A', 'NEITHER'] as const)('by %s leaves the first alone once it has another one', async (decision) => {
    const [first, second] = [randomUUID(), randomUUID()];
    await pushed(ana, charge({ id: first }));
    const id = await disputed(ben, charge({ id: second }));
    await pushed(ana, { id: first, pos_transaction_id: 'T-2', lamport_ts: 30 });
    const before = await payment(first);
    await decide(id, decision);
    expect(await payment(first)).toEqual(before);
    expect(await living()).toEqual(decision === 'A' ? [second] : []);
  });

  it.each(['A', 'NEITHER'] as const)('by %s does not fail the first when its money came', async (decision) => {
    const first = randomUUID();
    await pushed(ana, charge({ id: first }));
    const id = await disputed(ben, charge());
    await reconcile(first, 'CONFIRMED');
    await expectOvertaken(id, decision, /its money came/);
    await decide(id, 'B');
    expect(await living()).toEqual([first]);
  });

  it('leaves what people have noted of a failed payment', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await pushed(ana, charge({ id: first }));
    const id = await disputed(ben, charge({ id: second }));
    const failed = await reconcile(first, 'FAILED');
    await decide(id, 'A');
    expect(await payment(first)).toEqual(failed);
    expect(await living()).toEqual([second]);
  });

  it('hands both to those that had pulled before, and changes nothing when it is decided again', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    await pushed(ana, charge({ id: first }));
    const id = await disputed(ben, charge({ id: second }));
    const { nextLamport } = await pull();
    const settled = await decide(id, 'A');
    const page = await pull(nextLamport);
    expect(page.payments).toMatchObject([
      { id: second, lamport: nextLamport + 1, version: 1 },
      { id: first, lamport: nextLamport + 2, version: 2, reconciliation: { status: 'FAILED', by: PERSON } },
    ]);
    expect(page.conflicts).toMatchObject([{ id, lamport: nextLamport + 3 }]);
    expect(await decide(id, 'A')).toEqual(settled);
    expect(await pull(nextLamport)).toEqual(page);
    expect(await versionsOf(first)).toMatchObject([
      { version: 1, deviceId: ana },
      { version: 2, changed: ['reconciliation'], fields: { reconciliationStatus: 'FAILED', reconciledBy: PERSON } },
    ]);
  });
});
