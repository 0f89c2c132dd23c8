import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deviceId } from '../../../test/support/arbitraries.js';
import { paymentId, saleId } from '../../../test/support/state-arbitraries.js';
import type { Fields, StateVersion } from '../../states/domain/state.js';
import {
  type DisputeDecision,
  disputeOf,
  type DisputeSettlement,
  type DisputeSituation,
  settleDispute,
} from './disputed-payment.js';
import { type Payment, type PaymentFields, RECONCILIATION_STATUSES, UNRECONCILED } from './payment.js';

const [FIRST, SECOND, THIRD] = [paymentId(1), paymentId(2), paymentId(3)];
const [BEN, ANA] = [deviceId(1), deviceId(2)];
const CONFLICT = 'cccccccc-0000-4000-8000-000000000001';
/** Ben's edit, at his lamport 20, and where the push found it. */
const [SAID_AT, FOUND_AT] = [20, 30];

const FIELDS: PaymentFields = {
  ...{ saleId: saleId(1), amount: 10, paymentMethod: 'POS_OFFLINE', posTransactionId: 'T-1' },
  ...{ posDeviceId: null, receiptPhoto: null, notes: null },
};

const aPayment = (
  id: string,
  fields: Partial<PaymentFields> = {},
  status: Payment['reconciliation']['status'] = 'PENDING',
) =>
  ({
    ...{ id, fields: { ...FIELDS, ...fields }, version: 1, lamport: 10, createdLamport: 10, clientLamport: 5 },
    ...{
      deviceId: BEN,
      editId: `eeeeeeee${id.slice(8)}`,
      reconciliation: { ...UNRECONCILED, status },
      updatedBy: null,
    },
  }) satisfies Payment;

/** One accepted edit after another, as they make a payment and its history. */
interface Accepted {
  readonly deviceId: string;
  readonly clientLamport: number;
  readonly lamport: number;
  readonly said: Partial<PaymentFields>;
}

function madeOf(edits: readonly Accepted[]): { readonly payment: Payment; readonly history: StateVersion[] } {
  const history: StateVersion[] = [];
  let fields: PaymentFields = { ...FIELDS, posTransactionId: null };
  for (const [index, { said, ...edit }] of edits.entries()) {
    fields = { ...fields, ...said };
    const changed = index === 0 ? Object.keys(fields) : Object.keys(said);
    const editId = `${index}0000000-0000-4000-8000-000000000000`;
    history.push({
      ...{ ...edit, entity: 'PAYMENT', entityId: SECOND, version: index + 1, editId, changed },
      fields: { ...fields },
    });
  }
  const last = history.at(-1);
  if (!last) throw new Error('Something made it');
  const { version, lamport, clientLamport, deviceId: by, editId } = last;
  return { payment: { ...aPayment(SECOND), fields, version, lamport, clientLamport, deviceId: by, editId }, history };
}

const disputeAbout = (payload: Partial<PaymentFields> = {}, version: number | null = null) =>
  disputeOf({
    id: CONFLICT,
    a: { id: SECOND, deviceId: BEN, payload: { ...FIELDS, ...payload, id: SECOND, clientLamport: SAID_AT, version } },
    b: { id: FIRST },
    detectedLamport: FOUND_AT,
  });

const [A, B, BOTH, NEITHER] = [
  [true, false],
  [false, true],
  [true, true],
  [false, false],
].map(([second, first]) => ({ second, first, userId: deviceId(9), at: new Date(5) })) as [
  DisputeDecision,
  DisputeDecision,
  DisputeDecision,
  DisputeDecision,
];

function settle(
  decision: DisputeDecision,
  situation: DisputeSituation,
  dispute = disputeAbout(),
): DisputeSettlement & { readonly lamports: number } {
  let lamport = 100;
  const settled = settleDispute(dispute, decision, situation, () => (lamport += 1));
  return { ...settled, lamports: lamport - 100 };
}
const reasonOf = (settled: DisputeSettlement): string => (settled.ok ? 'It is not overtaken' : settled.reason);
/** Second and first after the decision. */
function after(settled: DisputeSettlement, { payments }: DisputeSituation): (Payment | undefined)[] {
  if (!settled.ok) throw new Error(settled.reason);
  const changed = settled.changes.map(({ payment }) => payment);
  return [SECOND, FIRST].map((id) => [...changed, ...payments].find((payment) => payment.id === id));
}

const statuses = fc.constantFrom(...RECONCILIATION_STATUSES);
const transactions = fc.constantFrom('T-1', 'T-1', 'T-2', null);
const decisions = fc.constantFrom(A, B, BOTH, NEITHER);
const saids = fc.record(
  { posTransactionId: transactions, amount: fc.nat({ max: 3 }), notes: fc.constantFrom('x', null) },
  { requiredKeys: [] },
);
const others = fc.record({ posTransactionId: transactions, status: statuses });
const edits = fc.record({
  deviceId: fc.constantFrom(BEN, ANA),
  clientLamport: fc.integer({ min: 15, max: 25 }),
  said: saids,
});
const situations: fc.Arbitrary<DisputeSituation> = fc
  .record({
    first: others,
    third: fc.option(others, { nil: undefined }),
    second: statuses,
    // Those before the conflict don't take the POS transaction, or there would have been none.
    before: fc.array(
      edits.map((edit) => ({ ...edit, said: { ...edit.said, posTransactionId: null } })),
      { maxLength: 3 },
    ),
    since: fc.array(edits, { maxLength: 3 }),
  })
  .map(({ first, third, second, before, since }) => {
    const made = [
      ...before.map((edit, index) => ({ ...edit, lamport: 11 + index })),
      ...since.map((edit, index) => ({ ...edit, lamport: 31 + index })),
    ];
    const { payment, history } = made.length > 0 ? madeOf(made) : { payment: undefined, history: [] };
    const payments = [
      ...(payment ? [{ ...payment, reconciliation: { ...UNRECONCILED, status: second } }] : []),
      aPayment(FIRST, { posTransactionId: first.posTransactionId }, first.status),
      ...(third?.posTransactionId === 'T-1' ? [aPayment(THIRD, {}, third.status)] : []),
    ];
    return { payments, history };
  });

function holds(
  law: (decision: DisputeDecision, situation: DisputeSituation, settled: ReturnType<typeof settle>) => void,
): void {
  fc.assert(
    fc.property(decisions, situations, (decision, situation) => {
      law(decision, situation, settle(decision, situation, disputeAbout({ amount: 7, notes: 'kept out' })));
    }),
    { numRuns: 2_000 },
  );
}

describe('settleDispute, of any decision and situation', () => {
  it('changes the second and the first alone, each by one version at a lamport of its own, and nothing if overtaken', () => {
    holds((_decision, { payments }, settled) => {
      const changes = settled.ok ? settled.changes : [];
      expect(settled.lamports).toBe(changes.length);
      expect(changes.map(({ payment }) => payment.lamport)).toEqual(changes.map((_, index) => 101 + index));
      expect([[], [SECOND], [FIRST], [SECOND, FIRST]]).toContainEqual(changes.map(({ payment }) => payment.id));
      for (const { payment, version } of changes) {
        const before = payments.find(({ id }) => id === payment.id);
        expect(payment.version).toBe((before?.version ?? 0) + 1);
        expect(version).toMatchObject({ entityId: payment.id, version: payment.version, lamport: payment.lamport });
        expect(version.fields).toMatchObject({ ...payment.fields });
      }
    });
  });

  it('never lets the second newly stand beside another living payment, but for the first by BOTH', () => {
    holds((decision, situation, settled) => {
      if (!settled.ok) return;
      const before = situation.payments.find(({ id }) => id === SECOND);
      const [second, first] = after(settled, situation);
      if (second?.fields.posTransactionId !== 'T-1' || before?.fields.posTransactionId === 'T-1') return;
      const beside = [first, situation.payments.find(({ id }) => id === THIRD)].filter(
        (payment) => payment?.fields.posTransactionId === 'T-1' && payment.reconciliation.status !== 'FAILED',
      );
      expect(beside).toEqual(decision === BOTH && beside.includes(first) ? [first] : []);
    });
  });

  it('fails the first only if it stood with the POS transaction, its money not known to have come, and then always', () => {
    holds((decision, situation, settled) => {
      if (!settled.ok) return;
      const before = situation.payments.find(({ id }) => id === FIRST);
      const [, first] = after(settled, situation);
      const fails =
        !decision.first && before?.fields.posTransactionId === 'T-1' && before.reconciliation.status !== 'FAILED';
      if (fails) expect(before.reconciliation.status).toBe('PENDING');
      expect(first?.reconciliation.status).toBe(fails ? 'FAILED' : before?.reconciliation.status);
      if (fails) expect(first?.fields).toEqual(before.fields);
      else expect(first).toBe(before);
    });
  });

  it('loses nothing that another device has had accepted since', () => {
    holds((_decision, situation, settled) => {
      if (!settled.ok) return;
      const before = situation.payments.find(({ id }) => id === SECOND);
      const [second] = after(settled, situation);
      const since = situation.history.filter(({ lamport, deviceId: by }) => lamport > FOUND_AT && by === ANA);
      for (const name of since.flatMap(({ changed }) => changed) as (keyof PaymentFields)[]) {
        expect(second?.fields[name]).toEqual(before?.fields[name]);
      }
      if (!before) return;
      const { reconciliation, createdLamport } = before;
      expect(second).toMatchObject({ reconciliation, createdLamport });
    });
  });

  it('leaves the second as it is unless it is admitted', () => {
    holds((decision, situation, settled) => {
      if (!settled.ok || decision.second) return;
      expect(after(settled, situation)[0]).toBe(situation.payments.find(({ id }) => id === SECOND));
    });
  });

  it('changes nothing when it is settled so again', () => {
    holds((decision, { payments, history }, settled) => {
      if (!settled.ok) return;
      const changed = new Map(settled.changes.map(({ payment }) => [payment.id, payment]));
      const again = {
        payments: [...payments.filter(({ id }) => !changed.has(id)), ...changed.values()],
        history: [
          ...history,
          ...settled.changes.map(({ version }) => version).filter(({ entityId }) => entityId === SECOND),
        ],
      };
      expect(settle(decision, again, disputeAbout({ amount: 7, notes: 'kept out' }))).toMatchObject({
        ok: true,
        changes: [],
      });
    });
  });

  it('can refuse the second in any situation', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        expect(settle(B, situation)).toMatchObject({ ok: true, changes: [] });
      }),
    );
  });
});

describe('settleDispute', () => {
  const first = aPayment(FIRST);

  it('makes a new payment of what was kept out, and fails the first', () => {
    const situation = { payments: [first], history: [] };
    const settled = settle(A, situation, disputeAbout({ amount: 7 }));
    expect(settled).toMatchObject({
      ok: true,
      changes: [
        {
          payment: {
            ...{ id: SECOND, fields: { ...FIELDS, amount: 7 }, version: 1, lamport: 101, createdLamport: 101 },
            ...{ deviceId: BEN, clientLamport: SAID_AT, editId: CONFLICT, reconciliation: UNRECONCILED },
          },
          version: { editId: CONFLICT, deviceId: BEN, changed: Object.keys(FIELDS) },
        },
        {
          payment: {
            ...{ id: FIRST, fields: FIELDS, version: 2, editId: first.editId },
            reconciliation: { status: 'FAILED', by: A.userId, at: A.at, notes: `A duplicate, by conflict ${CONFLICT}` },
          },
          version: { changed: ['reconciliation'] },
        },
      ],
    });
  });

  it('says what is in the way', () => {
    const { payment: second, history } = madeOf([{ deviceId: BEN, clientLamport: 5, lamport: 11, said: {} }]);
    const confirmed = { payments: [aPayment(FIRST, {}, 'CONFIRMED')], history: [] };
    expect(reasonOf(settle(NEITHER, confirmed))).toMatch(/its money came/);
    const failed = {
      payments: [{ ...second, reconciliation: { ...UNRECONCILED, status: 'FAILED' } as const }, first],
      history,
    };
    expect(reasonOf(settle(A, failed))).toMatch(/money never came/);
    expect(reasonOf(settle(BOTH, { payments: [first, aPayment(THIRD)], history: [] }))).toContain(THIRD);
    const moved = madeOf([
      { deviceId: BEN, clientLamport: 5, lamport: 11, said: {} },
      { deviceId: ANA, clientLamport: 5, lamport: 31, said: { posTransactionId: 'T-2' } },
    ]);
    expect(reasonOf(settle(A, { payments: [moved.payment, first], history: moved.history }))).toMatch(/newer edit/);
  });

  it('minds a third only if it lives, and the second is not beside it already', () => {
    const thirdFailed = { payments: [first, aPayment(THIRD, {}, 'FAILED')], history: [] };
    expect(settle(BOTH, thirdFailed)).toMatchObject({ ok: true, changes: [{ payment: { id: SECOND } }] });
    const { payment, history } = madeOf([
      { deviceId: BEN, clientLamport: 5, lamport: 11, said: {} },
      { deviceId: ANA, clientLamport: 5, lamport: 31, said: { posTransactionId: 'T-1' } },
    ]);
    const beside = { payments: [payment, first, aPayment(THIRD)], history };
    const settled = settle(BOTH, beside, disputeAbout({ amount: 7 }));
    expect(settled).toMatchObject({ ok: true, changes: [{ payment: { fields: { amount: 7 } } }] });
  });

  it.each([
    ['not newer than what its own device has said since', BEN, 25, 99],
    ['newer than what its own device has said since', BEN, 15, 7],
    ['older in the order than what another has', ANA, 15, 99],
  ])('has a value that is %s', (_what, by, clientLamport, amount) => {
    const { payment, history } = madeOf([
      { deviceId: BEN, clientLamport: 5, lamport: 11, said: {} },
      { deviceId: by, clientLamport, lamport: 31, said: { amount: 99 } },
    ]);
    const situation = { payments: [payment, first], history };
    expect(after(settle(A, situation, disputeAbout({ amount: 7 })), situation)[0]?.fields).toEqual({
      ...FIELDS,
      amount,
    });
  });

  it.each([
    ['nothing that its device has left as it was', 10, 25, 99],
    ['nothing of what another had changed later', 7, 25, 99],
    ['what it changed later than another', 7, 15, 7],
  ])('takes, where it named the version that it edited, %s', (_what, said, lamport, amount) => {
    const { payment, history } = madeOf([
      { deviceId: BEN, clientLamport: 5, lamport: 11, said: {} },
      { deviceId: ANA, clientLamport: 12, lamport, said: { amount: 99 } },
    ]);
    const situation = { payments: [payment, first], history };
    const settled = settle(A, situation, disputeAbout({ amount: said }, 1));
    expect(after(settled, situation)[0]?.fields).toEqual({ ...FIELDS, amount });
  });
});

describe('disputeOf', () => {
  it('takes nothing for a payment that is none', () => {
    const of = (payload: Fields) => () =>
      disputeOf({
        id: CONFLICT,
        a: { id: SECOND, deviceId: BEN, payload },
        b: { id: FIRST },
        detectedLamport: FOUND_AT,
      });
    const whole = { ...FIELDS, clientLamport: SAID_AT };
    expect(of(whole)).not.toThrow();
    for (const name of ['saleId', 'amount', 'paymentMethod', 'posTransactionId', 'clientLamport']) {
      expect(of({ ...whole, [name]: null })).toThrow();
    }
  });
});
