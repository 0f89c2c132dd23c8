import {
  createFrom,
  type EditBase,
  type Merge,
  mergeEdit,
  NO_EDITS,
  standingEdit,
  withEdits,
} from '../../states/domain/merge.js';
import type { Edit, Fields, StateVersion } from '../../states/domain/state.js';
import { uuidV5 } from '../../tenancy/domain/name-based-uuid.js';
import { type Payment, PAYMENT_METHODS, type PaymentFields, UNRECONCILED } from './payment.js';
import { reconcile, reconciledVersion } from './reconcile.js';

/** A payment as the conflict log keeps it. */
export interface DisputedPayment {
  readonly id: string;
  readonly deviceId: string;
  /** All its fields, and what else the device said. */
  readonly payload: Fields;
}

interface DisputedFields extends PaymentFields {
  readonly posTransactionId: string;
}

/** Two payments with one POS transaction: the push kept the second out, or a change of it as a whole. */
export interface PaymentDispute {
  /** What was kept out; its admission is an edit with the id of the conflict. */
  readonly second: Edit<PaymentFields> & { readonly said: DisputedFields };
  /** The payment that had the POS transaction. */
  readonly firstId: string;
  /** Position at which the push found it. */
  readonly foundLamport: number;
}

/** Which of the two people take for payments. */
export interface DisputeDecision {
  readonly second: boolean;
  readonly first: boolean;
  readonly userId: string;
  readonly at: Date;
}

/** What has become of the payments by now. */
export interface DisputeSituation {
  /** Both, as far as they are there, and all that have the POS transaction. */
  readonly payments: readonly Payment[];
  /** Of the second, in order, from the version that its device had edited. */
  readonly history: readonly StateVersion[];
}

/** What to write. */
export interface PaymentChange {
  readonly payment: Payment;
  readonly version: StateVersion;
}

export type DisputeSettlement =
  | { readonly ok: true; readonly changes: readonly PaymentChange[] }
  /** It has been overtaken: a sentence for the shop's people. */
  | { readonly ok: false; readonly reason: string };

/**
 * What a decision comes to, as the payments stand by now. The second is admitted without what newer edits have changed;
 * the first becomes FAILED if it still has the POS transaction: else it is no duplicate.
 * @param giveLamport a position for each change
 */
export function settleDispute(
  dispute: PaymentDispute,
  decision: DisputeDecision,
  situation: DisputeSituation,
  giveLamport: () => number,
): DisputeSettlement {
  const { posTransactionId } = dispute.second.said;
  const before = situation.payments.find(({ id }) => id === dispute.second.id);
  const first = situation.payments.find(({ id }) => id === dispute.firstId);
  const merge = decision.second ? mergeSecond(before, dispute, situation.history) : null;
  const failing = !decision.first && first && isLiving(first) && has(first, posTransactionId) ? first : null;
  const reason =
    (failing && whyNotFail(failing)) ?? (merge && whyNotAdmit(merge.fields, before, dispute, decision, situation));
  if (reason) return { ok: false, reason };
  return {
    ok: true,
    changes: [
      ...(merge?.takes ? [admit(before, dispute, merge, giveLamport())] : []),
      ...(failing ? fail(failing, dispute, decision, giveLamport()) : []),
    ],
  };
}

/** @param conflict as the log has it, `a` being what was kept out */
export function disputeOf(conflict: {
  readonly id: string;
  readonly a: DisputedPayment;
  readonly b: Pick<DisputedPayment, 'id'>;
  readonly detectedLamport: number;
}): PaymentDispute {
  const { id: editId, a, b, detectedLamport: foundLamport } = conflict;
  const { clientLamport, version } = a.payload;
  if (typeof clientLamport !== 'number') throw new Error('A payment in the conflict log has its lamport');
  const baseVersion = typeof version === 'number' ? version : null;
  const second = { id: a.id, editId, deviceId: a.deviceId, clientLamport, baseVersion, said: fieldsOf(a.payload) };
  return { second, firstId: b.id, foundLamport };
}

function whyNotFail({ reconciliation }: Payment): string | undefined {
  if (reconciliation.status !== 'CONFIRMED') return undefined;
  return 'The first payment was reconciled as CONFIRMED: its money came. Let it stand, or reconcile it as FAILED before.';
}

function whyNotAdmit(
  fields: PaymentFields,
  before: Payment | undefined,
  { second: { id, said }, firstId }: PaymentDispute,
  decision: DisputeDecision,
  { payments }: DisputeSituation,
): string | undefined {
  const hasIt = fields.posTransactionId === said.posTransactionId;
  if (!decision.first && !hasIt) {
    return 'By a newer edit the second payment has another POS transaction, or none. Let both stand, or the first alone.';
  }
  if (!decision.first && before && !isLiving(before)) {
    return 'The second payment was reconciled as FAILED: its money never came. Reconcile it otherwise before.';
  }
  if (!hasIt || (before && has(before, said.posTransactionId))) return undefined;
  const third = payments.find(
    (payment) =>
      payment.id !== id && payment.id !== firstId && isLiving(payment) && has(payment, said.posTransactionId),
  );
  if (!third) return undefined;
  return (
    `Payment ${third.id} has this POS transaction, too, and nobody has said that it and the second both stand. ` +
    'Reconcile it as FAILED before if it is none, or decide against the second.'
  );
}

/** Its money came, or may come. */
function isLiving({ reconciliation }: Payment): boolean {
  return reconciliation.status !== 'FAILED';
}

function has({ fields }: Payment, posTransactionId: string): boolean {
  return fields.posTransactionId === posTransactionId;
}

/** What was kept out of the second, and has not been overtaken since. */
function mergeSecond(
  before: Payment | undefined,
  { second, foundLamport }: PaymentDispute,
  history: readonly StateVersion[],
): Merge<PaymentFields> {
  if (!before) return createFrom(second.said);
  const then = history.filter(({ lamport }) => lamport < foundLamport);
  const since = history.slice(then.length);
  const taken = keptOut(second, then).filter((name) => !since.some((version) => overtakes(version, second, name)));
  const values = Object.fromEntries(taken.map((name) => [name, (second.said as unknown as Fields)[name]]));
  const fields = { ...before.fields, ...(values as Partial<PaymentFields>) };
  const { newer } = mergeEdit(before, second, undefined);
  return { fields, changed: taken, contested: [], newer, takes: taken.length > 0 };
}

/** Names of the fields that the edit would have changed, had the POS transaction been free. */
function keptOut(edit: PaymentDispute['second'], then: readonly StateVersion[]): readonly string[] {
  const [base, ...after] = then;
  const last = then.at(-1);
  if (!base || !last) return Object.keys(edit.said);
  const state = { ...last, id: edit.id, fields: last.fields as unknown as PaymentFields };
  // As in the push: what the device had edited is the base if others changed it since.
  const isMerge = after.some(({ deviceId }) => deviceId !== edit.deviceId);
  return mergeEdit(state, edit, isMerge ? baseOf(base, after, edit.deviceId) : baseOf(last, [], edit.deviceId)).changed;
}

/** @param after the versions that followed, in order */
function baseOf({ fields }: StateVersion, after: readonly StateVersion[], deviceId: string): EditBase {
  const own = after.filter((version) => version.deviceId === deviceId);
  const others = after.filter((version) => version.deviceId !== deviceId);
  return {
    fields,
    changedByOthers: new Set(others.flatMap(({ changed }) => changed)),
    othersLamport: others.at(-1)?.lamport ?? -Infinity,
    own: own.reduce(
      (edits, { changed, ...more }) => withEdits(edits, { ...more, changed: new Set(changed) }),
      NO_EDITS,
    ),
  };
}

/** What was accepted while the edit was kept out is newer, unless its own device's clock says otherwise. */
function overtakes(
  { changed, deviceId, clientLamport }: StateVersion,
  edit: Edit<PaymentFields>,
  name: string,
): boolean {
  return changed.includes(name) && (deviceId !== edit.deviceId || clientLamport >= edit.clientLamport);
}

function admit(
  before: Payment | undefined,
  { second: edit }: PaymentDispute,
  merge: Merge<PaymentFields>,
  lamport: number,
): PaymentChange {
  const version = (before?.version ?? 0) + 1;
  const payment: Payment = {
    ...standingEdit(before, edit, merge, lamport),
    ...{ id: edit.id, fields: merge.fields, version, lamport },
    createdLamport: before?.createdLamport ?? lamport,
    reconciliation: before?.reconciliation ?? UNRECONCILED,
    updatedBy: before?.updatedBy ?? null,
  };
  const { editId, deviceId, clientLamport } = edit;
  return {
    payment,
    version: {
      ...{ entity: 'PAYMENT', entityId: edit.id, version, lamport, editId, deviceId, clientLamport },
      ...{ changed: merge.changed, fields: merge.fields as unknown as Fields },
    },
  };
}

function fail(
  payment: Payment,
  { second: { editId: conflictId } }: PaymentDispute,
  { userId, at }: DisputeDecision,
  lamport: number,
): PaymentChange[] {
  const notes = `A duplicate, by conflict ${conflictId}`;
  const failed = reconcile(payment, { status: 'FAILED', notes }, userId, at, lamport);
  return failed ? [{ payment: failed, version: reconciledVersion(failed, uuidV5(conflictId, payment.id)) }] : [];
}

/** The payload was checked when it was pushed; what the conflict log kept of it since is looked at all the same. */
function fieldsOf(payload: Fields): DisputedFields {
  const text = (name: string): string | null => {
    const value = payload[name];
    return typeof value === 'string' ? value : null;
  };
  const [saleId, posTransactionId] = [text('saleId'), text('posTransactionId')];
  const { amount } = payload;
  const paymentMethod = PAYMENT_METHODS.find((method) => method === payload['paymentMethod']);
  if (saleId === null || posTransactionId === null || typeof amount !== 'number' || !paymentMethod) {
    throw new Error('A disputed payment has all that a payment needs, and its POS transaction');
  }
  return {
    ...{ saleId, amount, paymentMethod, posTransactionId },
    posDeviceId: text('posDeviceId'),
    receiptPhoto: text('receiptPhoto'),
    notes: text('notes'),
  };
}
