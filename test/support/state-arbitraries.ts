import fc from 'fast-check';
import { INT4_MAX, type Operation } from '../../src/inventory/domain/operation.js';
import type { ProductEdit, ProductFields } from '../../src/inventory/domain/product.js';
import { PAYMENT_METHODS, type PaymentEdit, type PaymentFields } from '../../src/payments/domain/payment.js';
import { editIdentity } from '../../src/states/domain/edit-identity.js';
import type { PaymentEntry, ProductEntry, PushCommand, PushEntry } from '../../src/sync/domain/push-command.js';
import { LAMPORT_LEAD_MAX, LAMPORT_MAX } from '../../src/tenancy/domain/lamport-clock.js';
import {
  anEntry,
  aPush,
  aSale,
  deviceId,
  FOREIGN_TENANT,
  groupId,
  type HistoryPush,
  operationId,
  productId,
  TENANT,
} from './arbitraries.js';

const idOf = (what: string) => (number: number) => `${what}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
export const paymentId = idOf('aaaa1111');
export const saleId = idOf('aaaa2222');

/** What the first device says of the first product at its lamport 1: that it is there. Its id follows from what it says. */
export function aProductEdit(fields: Partial<Omit<ProductEdit, 'editId'>> = {}): ProductEdit {
  const { currentStock = null, updatedBy = null, ...rest } = fields;
  const edit = {
    ...{ id: productId(1), deviceId: deviceId(1), clientLamport: 1, baseVersion: null, said: { name: 'Cheese' } },
    ...rest,
  };
  const besides = { currentStock, updatedBy };
  return { ...edit, ...besides, editId: editIdentity(TENANT, 'PRODUCT', edit, besides) };
}

/** What the first device says of the first payment at its lamport 1: that it is there. Its id follows from what it says. */
export function aPaymentEdit(fields: Partial<Omit<PaymentEdit, 'editId'>> = {}): PaymentEdit {
  const { updatedBy = null, ...rest } = fields;
  const edit: Omit<PaymentEdit, 'editId' | 'updatedBy'> = {
    ...{ id: paymentId(1), deviceId: deviceId(1), clientLamport: 1, baseVersion: null },
    said: { saleId: saleId(1), amount: 10, paymentMethod: 'CASH' },
    ...rest,
  };
  const besides = { updatedBy };
  return { ...edit, ...besides, editId: editIdentity(TENANT, 'PAYMENT', edit, besides) };
}

type EntryFields = Partial<Pick<ProductEntry, 'path' | 'tenantId' | 'groupId'>>;

export function aProductEntry(edit: ProductEdit, fields: EntryFields = {}): ProductEntry {
  return { what: 'PRODUCT', readable: true, path: 'products[0]', tenantId: null, groupId: null, ...fields, edit };
}

export function aPaymentEntry(edit: PaymentEdit, fields: EntryFields = {}): PaymentEntry {
  return { what: 'PAYMENT', readable: true, path: 'payments[0]', tenantId: null, groupId: null, ...fields, edit };
}

const WIRE_ORDER = ['OPERATION', 'PRODUCT', 'PAYMENT'] as const;

/** A push of entries of any kind, put into the order of the wire: operations, products, payments. */
export function aMixedPush(
  entries: readonly (Operation | ProductEdit | PaymentEdit | PushEntry)[],
  fields: Partial<PushCommand> = {},
): PushCommand {
  const all = entries.map((entry) =>
    'readable' in entry
      ? entry
      : 'operationId' in entry
        ? anEntry(entry)
        : 'currentStock' in entry
          ? aProductEntry(entry)
          : aPaymentEntry(entry),
  );
  const ordered = WIRE_ORDER.flatMap((what) => all.filter((entry) => entry.what === what));
  return aPush(ordered, fields);
}

const DEVICES = 3;

/** A push of a history of all kinds, with how far its device had pulled. */
export interface MixedPush extends HistoryPush {
  readonly lastPulledLamport: number | null;
}

/** Pushes of one tenant's devices, in the order in which they arrived. */
export type MixedHistory = readonly MixedPush[];

/**
 * How far a device's own clock moves: mostly on, at times not or back, at times past all that the server has given.
 * Seldom it is broken, and gives a lamport at the bounds; so seldom that it doesn't shape every history.
 */
const ticks = fc.oneof(
  { weight: 50, arbitrary: fc.constantFrom(1, 1, 1, 2) },
  { weight: 6, arbitrary: fc.constantFrom(0, -2) },
  { weight: 14, arbitrary: fc.constantFrom(8, 30) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(LAMPORT_LEAD_MAX, LAMPORT_LEAD_MAX + 200, 2 * LAMPORT_LEAD_MAX, LAMPORT_MAX),
  },
);
const groups = fc.constantFrom(null, null, null, groupId(1), groupId(2));
/** Those of a state are few, so that a guess is often right. */
const baseVersions = fc.constantFrom(null, null, 1, 1, 1, 1, 2, 2, 2, 3, 3, 9);
/** Lamports as low as those of a history, so that they lie on both sides of a deletion. */
const pulled = fc.option(fc.integer({ min: 0, max: 40 }), { freq: 2 });

/** Some of the fields, each with one of its values: few, so that devices often say the same, and often something else. */
function someOf<F extends object>(values: { readonly [N in keyof F]: readonly F[N][] }): fc.Arbitrary<Partial<F>> {
  const pairs = Object.entries<readonly unknown[]>(values).flatMap(([name, of]) => of.map((value) => [name, value]));
  return fc
    .uniqueArray(fc.constantFrom(...pairs), { selector: ([name]) => name, maxLength: 4 })
    .map((chosen) => Object.fromEntries(chosen) as Partial<F>);
}

const saidOfProducts = someOf<ProductFields>({
  name: ['Cheese', 'Honey', 'Milk'],
  description: [null, 'Fresh'],
  price: [null, 1, 2.5],
  sku: [null, 'A', 'A', 'B', 'B', 'C'],
  category: [null, 'Dairy'],
  reorderPoint: [null, 5],
  isDeleted: [true, false, false],
});
const saidOfPayments = someOf<PaymentFields>({
  saleId: [saleId(1), saleId(2)],
  amount: [-5, 10, 25.5],
  paymentMethod: PAYMENT_METHODS,
  posTransactionId: [null, 'T-1', 'T-1', 'T-2'],
  posDeviceId: [null, 'POS-7'],
  receiptPhoto: [null, 'photo.jpg'],
  notes: [null, 'half now', 'in full'],
});
/** What a first edit has to say; most clients say it each time. */
const NAME = { name: 'Cheese' } as const;
const SALE = { saleId: saleId(1), amount: 10, paymentMethod: 'CASH' } as const;

type Whose = 'own' | 'tenant' | 'device';
const whose = fc.constantFrom<Whose>(...Array<'own'>(30).fill('own'), 'tenant', 'device');

const productDrafts = fc.record({
  what: fc.constant('product' as const),
  product: fc.constantFrom(1, 1, 1, 1, 1, 2, 3),
  first: fc.constantFrom({}, {}, NAME),
  said: saidOfProducts,
  currentStock: fc.constantFrom(null, null, null, null, 0, 5, 5, INT4_MAX),
  ...{ tick: ticks, baseVersion: baseVersions, groupId: groups, whose },
});
const paymentDrafts = fc.record({
  what: fc.constant('payment' as const),
  payment: fc.constantFrom(1, 1, 1, 1, 2, 2, 3),
  first: fc.constantFrom({}, SALE),
  said: saidOfPayments,
  ...{ tick: ticks, baseVersion: baseVersions, groupId: groups, whose },
});

/** What an operation does, and which of those before it names the one that it refers to, if it refers. */
const MOVES = {
  sale: { kind: 'DECREMENT', reason: 'SALE', paymentStatus: 'PAID' },
  claim: { kind: 'DECREMENT', reason: 'SALE', paymentStatus: 'PENDING' },
  reservation: { kind: 'DECREMENT', reason: 'RESERVATION', paymentStatus: null },
  confirmation: { kind: 'DECREMENT', reason: 'SALE', paymentStatus: 'PAID' },
  restock: { kind: 'INCREMENT', reason: 'RESTOCK', paymentStatus: null },
  cancellation: { kind: 'INCREMENT', reason: 'CANCEL', paymentStatus: null },
  count: { kind: 'SET', reason: 'COUNT', paymentStatus: null },
} as const;
type Move = keyof typeof MOVES;
const REFERS: Partial<Record<Move, (operation: Operation) => boolean>> = {
  confirmation: (operation) => operation.reason === 'RESERVATION',
  cancellation: (operation) => operation.kind === 'DECREMENT',
};

const operationDrafts = fc.record({
  what: fc.constant('operation' as const),
  move: fc.constantFrom<Move>(
    ...(['sale', 'claim', 'reservation', 'reservation', 'confirmation', 'confirmation'] as const),
    ...(['restock', 'cancellation', 'cancellation', 'count'] as const),
  ),
  /** The last one is never in the catalogue. */
  product: fc.constantFrom(1, 1, 1, 2, 2, 3, 4),
  delta: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 5 }) },
    { weight: 1, arbitrary: fc.constant(INT4_MAX) },
  ),
  /** Names the one that was sent so many before it of those that it may well refer to. */
  refBack: fc.constantFrom(0, 0, 0, 1, 1, 2),
  /** Or any one at all; the product is then often another one. */
  refersAtRandom: fc.constantFrom(...Array<false>(9).fill(false), true),
  baseLamport: pulled,
  ...{ tick: ticks, groupId: groups, whose },
});

type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Draft =
  | Drawn<typeof productDrafts>
  | Drawn<typeof paymentDrafts>
  | Drawn<typeof operationDrafts>
  | { readonly what: 'malformed'; readonly of: PushEntry['what']; readonly groupId: string | null }
  /** The entry that the device sent so many entries ago; an edit may come in another group. */
  | { readonly what: 'repeat'; readonly back: number; readonly regroup: boolean; readonly groupId: string | null };

const drafts: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 12, arbitrary: productDrafts },
  { weight: 8, arbitrary: paymentDrafts },
  { weight: 10, arbitrary: operationDrafts },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('malformed' as const),
      of: fc.constantFrom(...WIRE_ORDER),
      groupId: fc.constantFrom(null, groupId(1)),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('repeat' as const),
      back: fc.nat({ max: 9 }),
      regroup: fc.boolean(),
      groupId: groups,
    }),
  },
);

/** Most businesses have something to edit: one product with stock, one without, one payment. */
const FIRST_PUSH: readonly Draft[] = [
  {
    ...{ what: 'product', product: 1, first: NAME, said: { sku: 'A' }, currentStock: 5 },
    ...{ tick: 1, baseVersion: null, groupId: null, whose: 'own' },
  },
  {
    ...{ what: 'product', product: 2, first: NAME, said: {}, currentStock: null },
    ...{ tick: 1, baseVersion: null, groupId: null, whose: 'own' },
  },
  {
    ...{ what: 'payment', payment: 1, first: SALE, said: { posTransactionId: 'T-1' } },
    ...{ tick: 1, baseVersion: null, groupId: null, whose: 'own' },
  },
];

const pushDrafts = fc.record({
  device: fc.integer({ min: 1, max: DEVICES }),
  /** Whether the device has pulled before it did all this, so that its clock is past the server's. */
  pulls: fc.boolean(),
  tick: ticks,
  clockSkewMs: fc.constantFrom(null, 0, 300_001),
  lastPulledLamport: pulled,
  drafts: fc.array(drafts, { minLength: 1, maxLength: 6, size: 'max' }),
});

/**
 * Pushes of up to three devices that edit the same few products and payments and move the same stock: new states,
 * merges on versions known and guessed, deletions and revivals, references, groups across kinds, repeats, malformed and
 * foreign entries, broken clocks.
 */
export const mixedHistories: fc.Arbitrary<MixedHistory> = fc
  .tuple(
    fc.constantFrom([FIRST_PUSH], [FIRST_PUSH], [FIRST_PUSH], []),
    fc.array(pushDrafts, { minLength: 1, maxLength: 9, size: 'max' }),
  )
  .map(([first, pushes]) => {
    const writer = new HistoryWriter();
    const toPush = ({ device, tick, clockSkewMs, lastPulledLamport, ...push }: Drawn<typeof pushDrafts>): MixedPush => {
      if (push.pulls) writer.pull(device);
      const entries = push.drafts.flatMap((draft) => writer.write(draft, device) ?? []);
      const clientLamport = writer.lamportOf(device, tick > 2 ? tick : 0);
      const command = aMixedPush(entries, { deviceId: deviceId(device), clientLamport });
      return { command, clockSkewMs, lastPulledLamport };
    };
    const opening = { device: 1, pulls: false, tick: 0, clockSkewMs: null, lastPulledLamport: null };
    return [...first.map((of) => ({ ...opening, drafts: [...of] })), ...pushes].map(toPush);
  });

/** A new product with its opening balance takes as many, a merge with a conflict too. */
const LAMPORTS_PER_ENTRY = 2;

/** Makes entries of drafts: it knows the devices' clocks, and what each has sent. */
class HistoryWriter {
  private readonly clocks = new Map<number, number>();
  private readonly sentBy = new Map<number, PushEntry[]>();
  private readonly operations: Operation[] = [];
  /** The server's clock is not past it. */
  private lamportMax = 0;

  pull(device: number): void {
    this.clocks.set(device, this.lamportMax);
  }

  lamportOf(device: number, tick: number): number {
    if (tick >= LAMPORT_LEAD_MAX) return tick; // once: the clock goes on from where it was
    const clock = Math.max(0, (this.clocks.get(device) ?? 0) + tick);
    this.clocks.set(device, clock);
    this.lamportMax = Math.max(this.lamportMax, clock);
    return clock;
  }

  write(draft: Draft, device: number): PushEntry | undefined {
    const sent = this.sentBy.get(device) ?? [];
    this.sentBy.set(device, sent);
    const entry = this.entryOf(draft, device, sent);
    if (entry) sent.push(entry);
    this.lamportMax += LAMPORTS_PER_ENTRY;
    return entry;
  }

  private entryOf(draft: Draft, device: number, sent: readonly PushEntry[]): PushEntry | undefined {
    switch (draft.what) {
      case 'product': {
        const { currentStock, baseVersion } = draft;
        const said = { ...draft.first, ...draft.said };
        const edit = { id: productId(draft.product), said, currentStock, baseVersion, ...this.stamp(draft, device) };
        return aProductEntry(aProductEdit(edit), entryFieldsOf(draft));
      }
      case 'payment': {
        const { baseVersion } = draft;
        const said = { ...draft.first, ...draft.said };
        const edit = { id: paymentId(draft.payment), said, baseVersion, ...this.stamp(draft, device) };
        return aPaymentEntry(aPaymentEdit(edit), entryFieldsOf(draft));
      }
      case 'operation': {
        const named = this.namedBy(draft);
        const operation = aSale({
          ...MOVES[draft.move],
          ...{ delta: draft.delta, baseLamport: draft.baseLamport, groupId: draft.groupId },
          operationId: operationId(this.operations.length + 1),
          productId: named && !draft.refersAtRandom ? named.productId : productId(draft.product),
          refOperationId: named?.operationId ?? null,
          ...this.stamp(draft, device),
        });
        this.operations.push(operation);
        return anEntry(operation, draft.whose === 'tenant' ? FOREIGN_TENANT : TENANT);
      }
      case 'malformed':
        return {
          ...{ what: draft.of, readable: false, path: 'x[0]', id: null, groupId: draft.groupId },
          errors: [{ path: 'x[0].lamport_ts', code: 'IS_INT', message: 'must be an integer' }],
        };
      case 'repeat': {
        const entry = sent.at(-1 - draft.back);
        // The group is part of what an operation says, not of what an edit says.
        if (!entry?.readable || entry.what === 'OPERATION' || !draft.regroup) return entry;
        return { ...entry, groupId: draft.groupId };
      }
    }
  }

  private namedBy({ move, refBack, refersAtRandom }: Drawn<typeof operationDrafts>): Operation | undefined {
    const may = refersAtRandom ? (): boolean => true : REFERS[move];
    return may && this.operations.filter(may).at(-1 - refBack);
  }

  private stamp(draft: { readonly tick: number; readonly whose: Whose }, device: number): Stamp {
    return {
      deviceId: deviceId(draft.whose === 'device' ? (device % DEVICES) + 1 : device),
      clientLamport: this.lamportOf(device, draft.tick),
    };
  }
}

interface Stamp {
  readonly deviceId: string;
  readonly clientLamport: number;
}

function entryFieldsOf({
  whose,
  groupId: ofGroup,
}: {
  readonly whose: Whose;
  readonly groupId: string | null;
}): EntryFields {
  return { tenantId: whose === 'tenant' ? FOREIGN_TENANT : TENANT, groupId: ofGroup };
}

/** Any edit of the first product by the first device, with every field said and every field left out. */
export const productEdits: fc.Arbitrary<ProductEdit> = fc
  .record({
    said: saidOfProducts,
    currentStock: fc.constantFrom(null, 0, 5),
    baseVersion: baseVersions,
    clientLamport: fc.integer({ min: 0, max: 30 }),
    deviceId: fc.integer({ min: 1, max: DEVICES }).map(deviceId),
  })
  .map(aProductEdit);

/** Any edit of the first payment. */
export const paymentEdits: fc.Arbitrary<PaymentEdit> = fc
  .record({
    said: saidOfPayments,
    baseVersion: baseVersions,
    clientLamport: fc.integer({ min: 0, max: 30 }),
    deviceId: fc.integer({ min: 1, max: DEVICES }).map(deviceId),
  })
  .map(aPaymentEdit);
