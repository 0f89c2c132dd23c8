import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IDENTITY_VECTORS, operationOf } from '../../../test/support/identity-vectors.js';
import {
  INT4_MAX,
  type Operation,
  OPERATION_KINDS,
  OPERATION_REASONS,
  PAYMENT_STATUSES,
} from '../../inventory/domain/operation.js';
import { isServerId } from '../../inventory/domain/server-id.js';
import { ProblemError } from '../../problems/problem.js';
import { DEVICE_TYPES } from '../../tenancy/domain/device-type.js';
import { LAMPORT_MAX } from '../../tenancy/domain/lamport-clock.js';
import type { DevicePrincipal } from '../../tenancy/domain/principal.js';
import { parseJsonBody } from '../../wire/json-body.js';
import { AMOUNT_MAX } from '../../wire/wire.decorators.js';
import { WirePipe } from '../../wire/wire.pipe.js';
import type { PushCommand, PushEntry } from '../domain/push-command.js';
import type { PushOutcome } from '../domain/push-outcome.js';
import { type OperationDto, PUSH_ENTRIES_MAX, PushRequestDto } from './push.dto.js';
import { toPushCommand, toPushResponse } from './push.wire.js';

const TENANT = 'aaaaaaaa-0000-4000-8000-00000000000a';
const DEVICE = 'dddddddd-0000-4000-8000-00000000000d';
const PRODUCT = 'bbbbbbbb-0000-4000-8000-00000000000b';
const USER = 'eeeeeeee-0000-4000-8000-00000000000e';
const principal: DevicePrincipal = { role: 'device', tenantId: TENANT, deviceId: DEVICE, userId: USER };

/** What is required of an operation, and no more. */
const BARE = {
  tenant_id: TENANT,
  product_id: PRODUCT,
  device_id: DEVICE,
  device_type: 'DESKTOP',
  operation: 'DECREMENT',
  delta: 1,
  reason: 'SALE',
  lamport_ts: 1,
  created_by: USER,
} as const;

/** A number as a JSON text may have it, though no JavaScript program would write it. */
const raw = (number: string): string => `RAW(${number})`;
const toText = (body: unknown): string => JSON.stringify(body).replaceAll(/"RAW\(([^)]*)\)"/g, '$1');

/** Text to command, by the way that a request goes. */
function commandFrom(text: string): PushCommand {
  const body: unknown = parseJsonBody(Buffer.from(text));
  const metadata = { type: 'body', metatype: PushRequestDto } as const;
  return toPushCommand(principal, new WirePipe().transform(body, metadata) as PushRequestDto);
}

const entriesOf = (operations: readonly unknown[]): readonly PushEntry[] =>
  commandFrom(toText({ operations, client_lamport: 0, device_id: DEVICE })).entries;

function operationFrom(fields: Record<string, unknown>): Operation {
  const [entry] = entriesOf([{ ...BARE, ...fields }]);
  if (!entry?.readable || entry.what !== 'OPERATION') throw new Error(JSON.stringify(entry));
  return entry.operation;
}

/** Path and code of each error of an entry; undefined if it could be read. */
function errorsOf(entry: PushEntry | undefined): string[] | undefined {
  return entry?.readable === false ? entry.errors.map(({ path, code }) => `${path} ${code}`) : undefined;
}

function problemOf(act: () => unknown): ProblemError | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
}

// The rules of the design, section 5, said once more and in another way.
type Check = (value: unknown) => boolean;
const isUuid: Check = (value) =>
  typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
const isOneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string);
const isWhole =
  (max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
const isDegrees =
  (max: number): Check =>
  (value) =>
    typeof value === 'number' && Math.abs(value) <= max;
const isMoney: Check = (value) =>
  typeof value === 'number' && Math.abs(value) <= AMOUNT_MAX && Number(value.toFixed(2)) === value;
const isTime: Check = (value) => {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(value)) return false;
  // Date takes 30 February for 2 March.
  const day = value.slice(0, 10);
  return !isNaN(Date.parse(value)) && new Date(day).toISOString().startsWith(day);
};
const orNothing =
  (check: Check): Check =>
  (value) =>
    value == null || check(value);
const CHECKS: Readonly<Record<keyof OperationDto, Check>> = {
  operation_id: orNothing((value) => isUuid(value) && !isServerId(String(value))),
  operation_hash: orNothing((value) => typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)),
  tenant_id: isUuid,
  product_id: isUuid,
  device_id: isUuid,
  device_type: isOneOf(DEVICE_TYPES),
  operation: isOneOf(OPERATION_KINDS),
  delta: isWhole(INT4_MAX),
  reason: isOneOf(OPERATION_REASONS),
  payment_status: orNothing(isOneOf(PAYMENT_STATUSES)),
  amount: orNothing(isMoney),
  location_lat: orNothing(isDegrees(90)),
  location_lng: orNothing(isDegrees(180)),
  lamport_ts: isWhole(LAMPORT_MAX),
  base_lamport: orNothing(isWhole(LAMPORT_MAX)),
  version: orNothing(isWhole(LAMPORT_MAX)),
  group_id: orNothing(isUuid),
  ref_operation_id: orNothing(isUuid),
  expires_at: orNothing(isTime),
  created_at: orNothing(isTime),
  created_by: isUuid,
  updated_by: orNothing(isUuid),
};
const FIELDS = Object.keys(CHECKS) as (keyof OperationDto)[];

/** Values that are right somewhere, nearly right, or known to upset validators. */
const oddValues = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.uuid().map((id) => `{${id}}`),
  fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(...DEVICE_TYPES, ...OPERATION_KINDS, ...OPERATION_REASONS, ...PAYMENT_STATUSES, 'sale', 'SET '),
  fc.constantFrom('2026-03-01T04:30:00-05:00', '2026-03-01T09:30:00', '2026-03-01', '2026-02-30T00:00:00Z', '1e3', ''),
  fc.constantFrom(0, 1, -1, 0.5, 1e-7, 0.1 + 0.2, 1e21, 2 ** 31, INT4_MAX, 2 ** 53, 2 ** 60, LAMPORT_MAX, AMOUNT_MAX),
  fc
    .constantFrom('1e999', '-1e999', '-0', '0.0', '1e2', '1E-400', '9007199254740993', '1.0000000000000000001')
    .map(raw),
  fc.constantFrom('a'.repeat(64), 'A'.repeat(64), 'g'.repeat(64), '\u0000', '\ud800', '__proto__', 'constructor'),
);

interface Sent {
  readonly input: unknown;
  /** Fields that are not as they must be; undefined if it is no object at all. */
  readonly wrong: readonly string[] | undefined;
}

const nearlyValid: fc.Arbitrary<Sent> = fc
  .record({
    changes: fc.dictionary(fc.constantFrom(...FIELDS), oddValues, { maxKeys: 4 }),
    left: fc.subarray<string>(FIELDS, { maxLength: 1 }),
    others: fc.dictionary(fc.string({ maxLength: 12 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }),
  })
  .map(({ changes, left, others }) => {
    const input: Record<string, unknown> = { ...others, ...BARE, ...changes };
    for (const name of left) Reflect.deleteProperty(input, name);
    return { input, wrong: wrongFieldsOf(JSON.parse(toText(input)) as Record<string, unknown>) };
  });

function wrongFieldsOf(input: Readonly<Record<string, unknown>>): string[] {
  const wrong = FIELDS.filter((name) => !CHECKS[name](Object.hasOwn(input, name) ? input[name] : undefined));
  return wrong.length === 0 && input['delta'] === 0 && input['operation'] !== 'SET' ? ['delta'] : wrong;
}

const anything: fc.Arbitrary<Sent> = fc.jsonValue({ maxDepth: 3 }).map((input) => ({
  input,
  wrong:
    typeof input === 'object' && input !== null && !Array.isArray(input)
      ? wrongFieldsOf(input as Record<string, unknown>)
      : undefined,
}));

describe('toPushCommand, over whatever is sent', () => {
  it('reads each entry on its own, in order, and names just the fields that are wrong', () => {
    const sent = fc.array(fc.oneof({ weight: 4, arbitrary: nearlyValid }, { weight: 1, arbitrary: anything }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(sent, (list) => {
        const entries = entriesOf(list.map(({ input }) => input));
        expect(entries).toHaveLength(list.length);
        entries.forEach((entry, index) => {
          const wrong = list[index]?.wrong?.map((name) => `operations[${index}].${name}`) ?? [`operations[${index}]`];
          const named = entry.readable ? [] : entry.errors.map(({ path }) => path);
          expect([...named].sort()).toEqual([...wrong].sort());
          expect(entry.readable).toBe(wrong.length === 0);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('brings what it reads into one form: small letters, UTC, null for nothing, no minus zero', () => {
    fc.assert(
      fc.property(nearlyValid, ({ input }) => {
        const [entry] = entriesOf([input]);
        if (!entry?.readable || entry.what !== 'OPERATION') return;
        const said = JSON.parse(toText(input)) as OperationDto;
        const { operation } = entry;
        const texts = Object.values(operation).filter((value) => typeof value === 'string');
        expect(texts.every((text) => !isUuid(text) || text === text.toLowerCase())).toBe(true);
        expect(Object.values(operation)).not.toContain(undefined);
        expect(operation.amount).not.toBe(-0);
        for (const at of [operation.createdAt, operation.expiresAt]) {
          if (at !== null) expect(at).toBe(new Date(at).toISOString());
        }
        expect(operation).toMatchObject({ kind: said.operation, clientLamport: said.lamport_ts, delta: said.delta });
      }),
      { numRuns: 300 },
    );
  });

  it('reads what it has read the same again', () => {
    fc.assert(
      fc.property(nearlyValid, ({ input }) => {
        const [entry] = entriesOf([input]);
        if (!entry?.readable || entry.what !== 'OPERATION') return;
        const { operation } = entry;
        const [again] = entriesOf([
          {
            operation_id: operation.operationId,
            tenant_id: entry.tenantId,
            product_id: operation.productId,
            device_id: operation.deviceId,
            device_type: operation.deviceType,
            operation: operation.kind,
            delta: operation.delta,
            reason: operation.reason,
            payment_status: operation.paymentStatus,
            amount: operation.amount,
            location_lat: operation.locationLat,
            location_lng: operation.locationLng,
            lamport_ts: operation.clientLamport,
            base_lamport: operation.baseLamport,
            version: operation.version,
            group_id: operation.groupId,
            ref_operation_id: operation.refOperationId,
            expires_at: operation.expiresAt,
            created_at: operation.createdAt,
            created_by: operation.createdBy,
            updated_by: operation.updatedBy,
          },
        ]);
        expect(again).toEqual(entry);
      }),
      { numRuns: 300 },
    );
  });

  it('answers any body with a command or a coded problem', () => {
    const envelope = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record(
        {
          operations: fc.oneof(fc.array(anything.map(({ input }) => input)), oddValues),
          products: oddValues,
          payments: oddValues,
          client_lamport: fc.oneof(fc.nat(), oddValues),
          device_id: fc.oneof(fc.constant(DEVICE), oddValues),
          tenant_id: oddValues,
          sent_at: oddValues,
          protocol_version: oddValues,
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(envelope, (body) => {
        const text = toText(body);
        let command: PushCommand | undefined;
        const problem = problemOf(() => (command = commandFrom(text)));
        expect(['VALIDATION', 'DEVICE_MISMATCH', undefined]).toContain(problem?.code);
        if (command) expect(command.entries.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('toPushCommand', () => {
  it.each(IDENTITY_VECTORS)('reads the vector: $name', (vector) => {
    const text = JSON.stringify({ operations: [vector.sent], client_lamport: 0, device_id: DEVICE });
    const { tenantId, operation } = operationOf(vector);
    expect(commandFrom(text).entries).toEqual([
      {
        what: 'OPERATION',
        path: 'operations[0]',
        readable: true,
        groupId: operation.groupId,
        tenantId,
        operation,
      },
    ]);
  });

  it('reads ids and hashes in capitals as in small letters', () => {
    const said = { operation_id: PRODUCT, group_id: USER, ref_operation_id: USER, updated_by: USER };
    const capitals = Object.fromEntries(Object.entries(said).map(([name, id]) => [name, id.toUpperCase()]));
    const loud = { ...capitals, product_id: PRODUCT.toUpperCase(), tenant_id: TENANT.toUpperCase() };
    expect(entriesOf([{ ...BARE, ...loud }])).toEqual(entriesOf([{ ...BARE, ...said }]));
    const hash = 'ab'.repeat(32);
    expect(operationFrom({ operation_hash: hash.toUpperCase() })).toEqual(operationFrom({ operation_hash: hash }));
  });

  it('knows its own device in capitals', () => {
    const text = toText({ operations: [BARE], client_lamport: 3, device_id: DEVICE.toUpperCase() });
    expect(commandFrom(text)).toMatchObject({ tenantId: TENANT, deviceId: DEVICE, clientLamport: 3, sentAt: null });
  });

  it.each([
    ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T04:30:00-05:00', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T04:30:00.1239-0500', '2026-03-01T09:30:00.123Z'],
    ['2026-02-28T23:59+00:00', '2026-02-28T23:59:00.000Z'],
    ['2024-02-29T23:00:00-02:00', '2024-03-01T01:00:00.000Z'],
    ['1899-12-31T23:59:59Z', '1899-12-31T23:59:59.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('writes the time %s as %s', (sent, written) => {
    const { createdAt, expiresAt } = operationFrom({ created_at: sent, expires_at: sent });
    expect([createdAt, expiresAt]).toEqual([written, written]);
    const text = toText({ operations: [BARE], client_lamport: 0, device_id: DEVICE, sent_at: sent });
    expect(commandFrom(text).sentAt).toBe(written);
  });

  it('gives one identity to one operation, however its numbers and time are written', () => {
    const one = operationFrom({ amount: raw('25000.00'), created_at: '2026-03-01T04:30:00.000-05:00' });
    const other = operationFrom({ amount: raw('2.5e4'), created_at: '2026-03-01T09:30Z', lamport_ts: raw('1.0') });
    expect(other).toEqual(one);
    expect(operationFrom({ amount: raw('-0') })).toEqual(operationFrom({ amount: 0 }));
  });

  it.each([
    ['amount', raw('1e-7'), 'IS_AMOUNT'],
    ['amount', 0.1 + 0.2, 'IS_AMOUNT'],
    ['amount', 1e21, 'IS_AMOUNT'],
    ['amount', raw('1e999'), 'IS_AMOUNT'],
    ['amount', 1_000_000_000_000, 'IS_AMOUNT'],
    ['amount', '25000', 'IS_AMOUNT'],
    ['delta', raw('1e999'), 'IS_INT'],
    ['delta', 2 ** 31, 'MAX'],
    ['delta', -1, 'MIN'],
    ['delta', 1.5, 'IS_INT'],
    ['delta', '5', 'IS_INT'],
    ['delta', null, 'IS_INT'],
    ['delta', [[null]], 'IS_INT'],
    ['lamport_ts', 2 ** 60, 'MAX'],
    ['lamport_ts', 2 ** 53, 'MAX'],
    ['lamport_ts', raw('-1e999'), 'IS_INT'],
    ['location_lat', 90.1, 'MAX'],
    ['location_lng', raw('1e999'), 'IS_NUMBER'],
    ['product_id', '', 'IS_UUID'],
    ['product_id', { toString: null }, 'IS_UUID'],
    ['operation', 'set', 'IS_IN'],
    ['operation', ['SET'], 'IS_IN'],
    ['payment_status', {}, 'IS_IN'],
    ['operation_hash', 'abc', 'MATCHES'],
    ['created_at', '2026-03-01T09:30:00', 'IS_TIME'],
    ['created_at', '2026-02-29T09:30:00Z', 'IS_TIME'],
    ['created_at', '9999-12-31T23:59:59-01:00', 'IS_TIME'],
    ['created_at', 1772357400, 'IS_TIME'],
  ])('refuses the %s %p, and that entry alone', (field, value, code) => {
    const entries = entriesOf([BARE, { ...BARE, [field]: value }, BARE]);
    expect(entries.map(errorsOf)).toEqual([undefined, [`operations[1].${field} ${code}`], undefined]);
  });

  it.each(['operation', 'lamport_ts', 'created_by'])('misses a %s that is not there', (field) => {
    const rest = Object.entries(BARE).filter(([name]) => name !== field);
    expect(entriesOf([Object.fromEntries(rest)]).map(errorsOf)).toEqual([[`operations[0].${field} REQUIRED`]]);
  });

  it('wants at least one unit to be moved, and lets a count be zero', () => {
    const entries = entriesOf(OPERATION_KINDS.map((operation) => ({ ...BARE, operation, delta: 0 })));
    expect(entries.map(errorsOf)).toEqual([['operations[0].delta MIN'], ['operations[1].delta MIN'], undefined]);
  });

  it('keeps the ids of the server for the server', () => {
    const entries = entriesOf([
      { ...BARE, operation_id: '5d1f6a52-0c1b-8d0a-8a37-94b9c7e2f016' },
      { ...BARE, operation_id: '5d1f6a52-0c1b-7d0a-8a37-94b9c7e2f016' },
    ]);
    expect(entries.map(errorsOf)).toEqual([['operations[0].operation_id RESERVED'], undefined]);
  });

  it('takes a key that stands twice for a fault of its entry, which keeps its id', () => {
    const text = toText({
      operations: [BARE, { ...BARE, operation_id: USER.toUpperCase() }],
      client_lamport: 0,
      device_id: DEVICE,
    });
    const { entries } = commandFrom(text.replace(/"delta":1(?=[^{]*$)/, '"delta":1,"delta":9'));
    expect(entries.map(errorsOf)).toEqual([undefined, ['operations[1].delta DUPLICATED_KEY']]);
    expect(entries[1]).toMatchObject({ id: USER });
  });

  it('says of an entry that it could not read, which operation and group it names', () => {
    const entries = entriesOf([
      { operation_id: USER.toUpperCase(), group_id: PRODUCT.toUpperCase() },
      { operation_id: 5, group_id: 'x' },
      null,
      [USER],
      'text',
      { __proto__: null, constructor: 1 },
    ]);
    expect(entries.map((entry) => !entry.readable && [entry.id, entry.groupId])).toEqual([
      [USER, PRODUCT],
      ...Array<[null, null]>(5).fill([null, null]),
    ]);
    expect(entries.slice(2, 5).map(errorsOf)).toEqual([2, 3, 4].map((index) => [`operations[${index}] IS_OBJECT`]));
  });

  it('takes no field from where a body can not put one', () => {
    const text = toText({ operations: [BARE], client_lamport: 0, device_id: DEVICE });
    const { entries } = commandFrom(text.replace('"delta":1', '"__proto__":{"delta":1}'));
    expect(entries.map(errorsOf)).toEqual([['operations[0].delta REQUIRED']]);
  });

  it('reads products and payments after the operations, each on its own and in the order sent', () => {
    const text = toText({
      payments: [null],
      products: [{ id: PRODUCT.toUpperCase() }, { id: 7, lamport_ts: 1 }],
      operations: [BARE],
      client_lamport: 0,
      device_id: DEVICE,
    });
    const { entries } = commandFrom(text);
    expect(entries.map(errorsOf)).toEqual([
      undefined,
      ['products[0].lamport_ts REQUIRED'],
      ['products[1].id IS_UUID'],
      ['payments[0] IS_OBJECT'],
    ]);
    expect(entries[1]).toMatchObject({ id: PRODUCT });
  });

  it.each([
    ['nothing in it', {}, 'operations', 'ENTRY_COUNT'],
    ['only empty lists', { operations: [], products: null }, 'operations', 'ENTRY_COUNT'],
    ['too many entries', { operations: Array(PUSH_ENTRIES_MAX + 1).fill(1) }, 'operations', 'ARRAY_MAX_SIZE'],
    [
      'too many entries in all lists together',
      { operations: Array(PUSH_ENTRIES_MAX).fill(1), products: [1] },
      'operations',
      'ENTRY_COUNT',
    ],
    ['operations that are no list', { operations: BARE }, 'operations', 'IS_ARRAY'],
    ['an unsafe clock', { operations: [BARE], client_lamport: 2 ** 53 }, 'client_lamport', 'MAX'],
    ['no device', { operations: [BARE], device_id: undefined }, 'device_id', 'REQUIRED'],
  ])('refuses as a whole a push with %s', (_name, fields, path, code) => {
    const problem = problemOf(() => commandFrom(toText({ client_lamport: 0, device_id: DEVICE, ...fields })));
    expect(problem?.code).toBe('VALIDATION');
    expect(problem?.details.errors).toMatchObject([{ path, code }]);
  });

  it('takes as many entries as a push may have', () => {
    expect(entriesOf(Array(PUSH_ENTRIES_MAX).fill(BARE))).toHaveLength(PUSH_ENTRIES_MAX);
  });

  it('refuses a push in the name of another device', () => {
    const text = toText({ operations: [BARE], client_lamport: 0, device_id: USER });
    expect(problemOf(() => commandFrom(text))?.code).toBe('DEVICE_MISMATCH');
  });

  it('leaves it to the decision whose an operation is', () => {
    const [entry] = entriesOf([{ ...BARE, tenant_id: USER, device_id: USER }]);
    expect(entry).toMatchObject({ readable: true, tenantId: USER, operation: { deviceId: USER } });
  });
});

describe('toPushResponse', () => {
  const receipt = {
    serverLamport: 43,
    epoch: '99999999-0000-4000-8000-000000000009',
    at: new Date('2026-03-01T18:04:11.218Z'),
  };
  const resultsOf = (body: Partial<PushRequestDto>, outcomes: readonly PushOutcome[]): unknown[] =>
    toPushResponse(Object.assign(new PushRequestDto(), body), { ...receipt, outcomes }).results;

  it('answers when and where the log stands', () => {
    expect(toPushResponse(new PushRequestDto(), { ...receipt, outcomes: [] })).toEqual({
      results: [],
      server_lamport: 43,
      epoch: receipt.epoch,
      timestamp: '2026-03-01T18:04:11.218Z',
    });
  });

  it('gives each outcome a result of its own, operations under operation_id and all else under id', () => {
    const outcome = { status: 'rejected', id: PRODUCT, code: 'VALIDATION', errors: [] } as const;
    expect(resultsOf({ operations: [1], products: [2], payments: [3] }, [outcome, outcome, outcome])).toMatchObject([
      { operation_id: PRODUCT },
      { id: PRODUCT },
      { id: PRODUCT },
    ]);
  });

  it('says of each status what its device needs to know', () => {
    const original = { lamport: 40, effect: -1, stockAfter: 4, disposition: 'APPLIED' } as const;
    const error = { path: 'operations[4].delta', code: 'IS_INT', message: 'must be an integer' };
    const outcomes: PushOutcome[] = [
      { status: 'accepted', id: PRODUCT, lamport: 43, warnings: ['OVERSOLD'] },
      { status: 'duplicate', id: PRODUCT, original },
      { status: 'duplicate', id: PRODUCT, original: { ...original, effect: 0, disposition: 'HELD' } },
      { status: 'rejected', id: PRODUCT, code: 'INSUFFICIENT_STOCK', available: 0 },
      { status: 'rejected', id: null, code: 'VALIDATION', errors: [error] },
    ];
    expect(resultsOf({ operations: outcomes.map(() => ({})) }, outcomes)).toEqual([
      {
        operation_id: PRODUCT,
        status: 'accepted',
        server_lamport: 43,
        warnings: ['OVERSOLD'],
        message: 'Recorded at lamport 43.',
      },
      {
        operation_id: PRODUCT,
        status: 'duplicate',
        server_lamport: 40,
        original: { status: 'accepted', server_lamport: 40, effect: -1, stock_after: 4, disposition: 'APPLIED' },
        message: 'Known since lamport 40; nothing was recorded again.',
      },
      expect.objectContaining({ original: expect.objectContaining({ status: 'conflict', disposition: 'HELD' }) }),
      expect.objectContaining({ server_lamport: null, code: 'INSUFFICIENT_STOCK', suggestion: { available: 0 } }),
      {
        operation_id: null,
        status: 'rejected',
        server_lamport: null,
        code: 'VALIDATION',
        errors: [error],
        message: 'operations[4].delta must be an integer.',
      },
    ]);
  });
});
