import fc from 'fast-check';
import {
  INT4_MAX,
  type Operation,
  OPERATION_KINDS,
  OPERATION_REASONS,
  PAYMENT_STATUSES,
} from '../../src/inventory/domain/operation.js';
import type { OperationEntry, PushCommand, PushEntry } from '../../src/sync/domain/push-command.js';
import { DEVICE_TYPES } from '../../src/tenancy/domain/device-type.js';
import { LAMPORT_LEAD_MAX, LAMPORT_MAX } from '../../src/tenancy/domain/lamport-clock.js';

/** Ids that can be read in a shrunk failure: the first group tells what, the last which one. */
const idOf = (what: string) => (number: number) => `${what}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
export const tenantId = idOf('aaaaaaaa');
export const productId = idOf('bbbbbbbb');
export const deviceId = idOf('dddddddd');
export const groupId = idOf('cccccccc');
export const operationId = idOf('00000000');

export const TENANT = tenantId(1);
export const FOREIGN_TENANT = tenantId(2);
const USER = idOf('eeeeeeee')(1);
const PRODUCTS = [1, 2, 3].map(productId);
/** The last product is never in it. */
export const CATALOGUE: ReadonlySet<string> = new Set(PRODUCTS.slice(0, 2));

/** One paid unit sold by the first device at its lamport 1, unless the test says otherwise. */
export function aSale(fields: Partial<Operation> = {}): Operation {
  return {
    operationId: operationId(1),
    productId: productId(1),
    deviceId: deviceId(1),
    deviceType: 'DESKTOP',
    kind: 'DECREMENT',
    delta: 1,
    reason: 'SALE',
    paymentStatus: 'PAID',
    amount: null,
    locationLat: null,
    locationLng: null,
    clientLamport: 1,
    baseLamport: null,
    version: null,
    groupId: null,
    refOperationId: null,
    expiresAt: null,
    createdAt: null,
    createdBy: USER,
    updatedBy: null,
    ...fields,
  };
}

/** `units` received: gives the product a baseline, so that its availability is enforced from then on. */
export function aRestock(units: number, fields: Partial<Operation> = {}): Operation {
  return aSale({ kind: 'INCREMENT', delta: units, reason: 'RESTOCK', paymentStatus: null, ...fields });
}

export function anEntry(operation: Operation, ofTenant = TENANT): OperationEntry {
  const { groupId: ofGroup } = operation;
  return { what: 'OPERATION', readable: true, path: 'operations[0]', tenantId: ofTenant, groupId: ofGroup, operation };
}

/** What the first device pushes at its lamport 0, unless the test says otherwise. */
export function aPush(entries: readonly (Operation | PushEntry)[], fields: Partial<PushCommand> = {}): PushCommand {
  return {
    tenantId: TENANT,
    deviceId: deviceId(1),
    clientLamport: 0,
    sentAt: null,
    entries: entries.map((entry) => ('readable' in entry ? entry : anEntry(entry))),
    ...fields,
  };
}

const oftenNull = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { freq: 2 });
const amounts = fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100);
const instants = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Any operation of the first device there can be, with every field used and every field null. */
export const operations: fc.Arbitrary<Operation> = fc
  .record({
    operationId: fc.uuid(),
    productId: fc.uuid(),
    deviceId: fc.constant(deviceId(1)),
    deviceType: fc.constantFrom(...DEVICE_TYPES),
    kind: fc.constantFrom(...OPERATION_KINDS),
    delta: fc.integer({ min: 1, max: INT4_MAX }),
    reason: fc.constantFrom(...OPERATION_REASONS),
    paymentStatus: oftenNull(fc.constantFrom(...PAYMENT_STATUSES)),
    amount: oftenNull(amounts),
    locationLat: oftenNull(fc.double({ min: -90, max: 90, noNaN: true })),
    locationLng: oftenNull(fc.double({ min: -180, max: 180, noNaN: true })),
    clientLamport: fc.integer({ min: 0, max: LAMPORT_MAX }),
    baseLamport: oftenNull(fc.integer({ min: 0, max: LAMPORT_MAX })),
    version: oftenNull(fc.integer({ min: 0, max: LAMPORT_MAX })),
  })
  .chain((fields) =>
    fc
      .record({
        groupId: oftenNull(fc.uuid()),
        refOperationId: oftenNull(fc.uuid()),
        expiresAt: oftenNull(instants),
        createdAt: oftenNull(instants),
        createdBy: fc.uuid(),
        updatedBy: oftenNull(fc.uuid()),
      })
      .map((rest) => ({ ...fields, ...rest })),
  );

/** A push as a device of a history made it, and how far its wall clock was off. */
export interface HistoryPush {
  readonly command: PushCommand;
  readonly clockSkewMs: number | null;
}

/** Pushes of one tenant's devices, in the order in which they arrived. */
export type PushHistory = readonly HistoryPush[];

/** Mostly small, so that devices meet; seldom at the bounds, so that one broken clock doesn't shape every history. */
const lamports = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 0, max: 12 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      LAMPORT_LEAD_MAX,
      LAMPORT_LEAD_MAX + 1,
      2 * LAMPORT_LEAD_MAX,
      LAMPORT_MAX - 1,
      LAMPORT_MAX,
    ),
  },
);

const deltas = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom(INT4_MAX - 1, INT4_MAX) },
);

/** Drawn from so few ids, products and lamports that entries often touch each other. */
const historyOperations = fc
  .record({
    operationId: fc.integer({ min: 1, max: 40 }).map(operationId),
    productId: fc.constantFrom(...PRODUCTS),
    kind: fc.constantFrom(...OPERATION_KINDS, 'DECREMENT' as const),
    delta: deltas,
    reason: fc.constantFrom(...OPERATION_REASONS),
    paymentStatus: fc.constantFrom(null, ...PAYMENT_STATUSES),
    amount: fc.option(amounts),
    clientLamport: lamports,
    groupId: fc.constantFrom(null, null, null, groupId(1), groupId(2)),
  })
  .map((fields) => aSale({ ...fields, delta: fields.kind === 'SET' ? fields.delta : Math.max(1, fields.delta) }));

type Draft =
  | { readonly what: 'operation'; readonly operation: Operation; readonly whose: 'own' | 'tenant' | 'device' }
  | { readonly what: 'malformed'; readonly id: string | null; readonly groupId: string | null }
  /** The entry that the device sent so many entries ago. */
  | { readonly what: 'repeat'; readonly back: number };

const drafts: fc.Arbitrary<Draft> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      what: fc.constant('operation' as const),
      operation: historyOperations,
      whose: fc.constantFrom(...Array<'own'>(15).fill('own'), 'tenant' as const, 'device' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('malformed' as const),
      id: fc.option(fc.integer({ min: 1, max: 40 }).map(operationId)),
      groupId: fc.constantFrom(null, groupId(1)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('repeat' as const), back: fc.nat({ max: 12 }) }) },
);

/**
 * Entries that are refused whatever the log holds, of groups that no operation of a history has: what they leave
 * undone must not touch their neighbours.
 */
export const poisonEntries = (deviceOfPush: string): fc.Arbitrary<PushEntry> =>
  fc.oneof(
    fc.record({
      what: fc.constant('OPERATION' as const),
      path: fc.constant('operations[0]'),
      readable: fc.constant(false as const),
      id: fc.constantFrom(null, operationId(1)),
      groupId: fc.constantFrom(null, groupId(9)),
      errors: fc.constant([{ path: 'operations[0]', code: 'IS_OBJECT', message: 'must be an object' }]),
    }),
    historyOperations.map((operation) =>
      anEntry({ ...operation, deviceId: deviceOfPush, groupId: null }, FOREIGN_TENANT),
    ),
    historyOperations.map((operation) => anEntry({ ...operation, deviceId: deviceId(9), groupId: null })),
    historyOperations.map((operation) =>
      anEntry({ ...operation, deviceId: deviceOfPush, groupId: groupId(9), clientLamport: LAMPORT_MAX }),
    ),
  );

/** Pushes of two to four devices: all kinds, groups, doubled lines, repeats, malformed and foreign entries, broken clocks. */
export const pushHistories: fc.Arbitrary<PushHistory> = fc
  .array(
    fc.record({
      device: fc.integer({ min: 1, max: 4 }),
      clientLamport: lamports,
      clockSkewMs: fc.constantFrom(null, 0, -1_000, 300_000, 300_001, -86_400_000),
      drafts: fc.array(drafts, { minLength: 1, maxLength: 7 }),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((pushes) => {
    const sentBy = new Map<number, PushEntry[]>();
    return pushes.map(({ device, clientLamport, clockSkewMs, drafts: drafted }) => {
      const sent = sentBy.get(device) ?? [];
      sentBy.set(device, sent);
      const before = sent.length;
      for (const draft of drafted) {
        const entry = toEntry(draft, device, sent);
        if (entry) sent.push(entry);
      }
      const command = aPush(sent.slice(before), { deviceId: deviceId(device), clientLamport });
      return { command, clockSkewMs };
    });
  });

function toEntry(draft: Draft, device: number, sent: readonly PushEntry[]): PushEntry | undefined {
  switch (draft.what) {
    case 'operation': {
      const owner = draft.whose === 'device' ? deviceId((device % 4) + 1) : deviceId(device);
      return anEntry({ ...draft.operation, deviceId: owner }, draft.whose === 'tenant' ? FOREIGN_TENANT : TENANT);
    }
    case 'malformed':
      return {
        what: 'OPERATION',
        path: 'operations[0]',
        readable: false,
        id: draft.id,
        groupId: draft.groupId,
        errors: [{ path: 'operations[0].delta', code: 'IS_INT', message: 'must be an integer' }],
      };
    case 'repeat':
      return sent.at(-1 - draft.back);
  }
}
