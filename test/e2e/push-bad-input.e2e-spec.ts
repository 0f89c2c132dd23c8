import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ProblemCode } from '../../src/problems/problem.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { pullAll, TestDevice } from '../support/devices.js';
import { expectProblem } from '../support/problems.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  startService,
  type TestTenant,
} from '../support/service.js';

const TOO_MANY = 1_001;

describe('bad input of a push', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;
  let errorLines: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    errorLines = [];
    service.process.stdout?.on('data', (chunk: Buffer) => {
      errorLines.push(
        ...chunk
          .toString()
          .split('\n')
          .filter((line) => line.includes('"level":"error"')),
      );
    });
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });
  beforeEach(async () => {
    tenant = await createTenant(service);
    device = await TestDevice.enrol(tenant);
  });

  const send = (body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> =>
    request(`${service.url}/sync/push`, { token: device.token, headers, body });

  /** The text of a good push, for cases that spoil it. */
  function goodBody(change: (body: Record<string, unknown>) => void = () => undefined): string {
    const body = { operations: [device.operation()], client_lamport: 1, device_id: device.id };
    change(body);
    return JSON.stringify(body);
  }
  const withField = (name: string, json: string) => (): string =>
    goodBody((body) => (body[name] = '#')).replace('"#"', json);

  it.each<[what: string, body: () => string | Uint8Array, code: ProblemCode, path?: string]>([
    ['JSON that is cut off', () => goodBody().slice(0, -7), 'MALFORMED_JSON'],
    ['a NaN', withField('client_lamport', 'NaN'), 'MALFORMED_JSON'],
    ['an Infinity', withField('client_lamport', '-Infinity'), 'MALFORMED_JSON'],
    ['a comment', () => `${goodBody()} // done`, 'MALFORMED_JSON'],
    ['nothing at all', () => '', 'VALIDATION', 'body'],
    [
      'bytes that are not UTF-8',
      () => Buffer.from(goodBody().replace('RESTOCK', '\u00ff'), 'latin1'),
      'MALFORMED_JSON',
    ],
    ['UTF-16', () => Buffer.from(goodBody(), 'utf16le'), 'MALFORMED_JSON'],
    ['lists in lists, 100,000 deep', withField('note', '['.repeat(100_000) + ']'.repeat(100_000)), 'MALFORMED_JSON'],
    ['objects in objects, 65 deep', withField('note', '{"a":'.repeat(65) + '1' + '}'.repeat(65)), 'MALFORMED_JSON'],
    ['null', () => 'null', 'VALIDATION', 'body'],
    ['a list', () => `[${goodBody()}]`, 'VALIDATION', 'body'],
    ['a text', () => '"push"', 'VALIDATION', 'body'],
    ['a number', () => '1e999', 'VALIDATION', 'body'],
    ['operations that are a text', withField('operations', '"[]"'), 'VALIDATION', 'operations'],
    ['operations that are an object', withField('operations', '{"0":{},"length":1}'), 'VALIDATION', 'operations'],
    ['no operations', withField('operations', 'null'), 'VALIDATION', 'operations'],
    ['an empty batch', withField('operations', '[]'), 'VALIDATION', 'operations'],
    [
      '1,001 operations',
      () => goodBody((b) => (b['operations'] = Array(TOO_MANY).fill({}))),
      'VALIDATION',
      'operations',
    ],
    [
      '1,001 entries in all lists together',
      () => goodBody((b) => Object.assign(b, { operations: Array(500).fill({}), products: Array(501).fill({}) })),
      'VALIDATION',
      'operations',
    ],
    ['payments that are no list', withField('payments', '7'), 'VALIDATION', 'payments'],
    ['a client_lamport that is a text', withField('client_lamport', '"1"'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport below zero', withField('client_lamport', '-1'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport with a fraction', withField('client_lamport', '1.5'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport of 1e999', withField('client_lamport', '1e999'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport of 2^53', withField('client_lamport', '9007199254740992'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport of 2^60', withField('client_lamport', '1152921504606846976'), 'VALIDATION', 'client_lamport'],
    ['a client_lamport of null', withField('client_lamport', 'null'), 'VALIDATION', 'client_lamport'],
    ['no client_lamport', () => goodBody((b) => delete b['client_lamport']), 'VALIDATION', 'client_lamport'],
    ['two client_lamports', () => goodBody().replace('{', '{"client_lamport":1,'), 'VALIDATION', 'client_lamport'],
    ['two lists of operations', () => goodBody().replace('{', '{"operations":[],'), 'VALIDATION', 'operations'],
    ['no device_id', () => goodBody((b) => delete b['device_id']), 'VALIDATION', 'device_id'],
    ['a device_id that is no UUID', withField('device_id', '"till 1"'), 'VALIDATION', 'device_id'],
    [
      'a device_id that is a list',
      () => goodBody((b) => (b['device_id'] = [b['device_id']])),
      'VALIDATION',
      'device_id',
    ],
    ['a tenant_id that is no UUID', withField('tenant_id', '"mine"'), 'VALIDATION', 'tenant_id'],
    ['a tenant_id that is a number', withField('tenant_id', '1'), 'VALIDATION', 'tenant_id'],
    ['a sent_at without an offset', withField('sent_at', '"2026-03-01T09:30:00"'), 'VALIDATION', 'sent_at'],
    ['a sent_at that is a number', withField('sent_at', '1772357400'), 'VALIDATION', 'sent_at'],
    ['a protocol_version that is a text', withField('protocol_version', '"1"'), 'VALIDATION', 'protocol_version'],
    ['a newer protocol_version', withField('protocol_version', '2'), 'UPGRADE_REQUIRED'],
    ['a protocol_version of long ago', withField('protocol_version', '0'), 'UPGRADE_REQUIRED'],
  ])('is refused whole, with a code, when it is %s', async (_what, body, code, path: string | null = null) => {
    const answer = await send(body());
    expectProblem(answer, code);
    if (path !== null) expect(answer.body.errors).toMatchObject([{ path }]);
    expect(await pullAll(service, device.token)).toEqual([]);
  });

  it('names both versions of the protocol when it refuses one', async () => {
    const answer = await device.push(service, [device.operation()], { protocol_version: 2 });
    expect(answer.body).toMatchObject({ status: 426, protocol_version: 1, protocol_version_min: 1 });
    const pulled = await request(`${service.url}/sync/pull`, {
      token: device.token,
      body: { last_lamport: 0, protocol_version: 2 },
    });
    expectProblem(pulled, 'UPGRADE_REQUIRED');
  });

  it('does not judge the envelope of a version that it does not speak', async () => {
    expectProblem(await send('{"protocol_version": 2, "changes": []}'), 'UPGRADE_REQUIRED');
  });

  it('is refused when it has more than 5 MiB, and the sender gets to hear it, though it is still sending', async () => {
    const sizes = [5 * 1024 * 1024 + 1, ...Array.from({ length: 9 }, () => 6 * 1024 * 1024)];
    for (const size of sizes) expectProblem(await send(goodBody().padEnd(size)), 'PAYLOAD_TOO_LARGE');
    expect(await pullAll(service, device.token)).toEqual([]);
  });

  it('is taken up to 5 MiB and 1,000 entries', async () => {
    const operations = Array.from({ length: 1_000 }, () => device.operation());
    const body = JSON.stringify({ operations, client_lamport: 0, device_id: device.id }).padEnd(5 * 1024 * 1024);
    const answer = await send(body);
    expect(answer.status).toBe(200);
    expect(new Set(answer.body.results.map((result: { status: string }) => result.status))).toEqual(
      new Set(['accepted']),
    );
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'json',
    '',
  ])('is refused as %j', async (type) => {
    expectProblem(await send(Buffer.from(goodBody()), { 'content-type': type }), 'UNSUPPORTED_MEDIA_TYPE');
  });

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON'])('is taken as %j', async (type) => {
    expect(await send(goodBody(), { 'content-type': type })).toMatchObject({ status: 200 });
  });

  it('is refused when it says to be compressed and is not', async () => {
    expectProblem(await send(goodBody(), { 'content-encoding': 'gzip' }), 'MALFORMED_JSON');
    expect(await send(gzipSync(goodBody()), { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 });
  });

  const UNKNOWN_FIELDS = { colour: 'red', delta_: null, constructor: { a: [null] } };

  it.each<[what: string, json: (good: Record<string, unknown>) => string, path: string]>([
    ['null', () => 'null', ''],
    ['a text', () => '"INCREMENT"', ''],
    ['a list', () => '[[]]', ''],
    ['an empty object', () => '{}', '.tenant_id'],
    ['an enum value nobody knows', with_('operation', '"MULTIPLY"'), '.operation'],
    ['an enum value in lower case', with_('operation', '"increment"'), '.operation'],
    ['an enum value in a list', with_('operation', '["INCREMENT"]'), '.operation'],
    ['a reason nobody knows', with_('reason', '"THEFT"'), '.reason'],
    ['a device_type nobody knows', with_('device_type', '"SERVER"'), '.device_type'],
    ['a payment_status nobody knows', with_('payment_status', '"paid"'), '.payment_status'],
    ['a required null', with_('product_id', 'null'), '.product_id'],
    ['nested nulls', with_('product_id', '{"id":[null,{"id":null}]}'), '.product_id'],
    ['a product_id that is no UUID', with_('product_id', '"7f0c2a8e"'), '.product_id'],
    ['a product_id with a line end', with_('product_id', `"${randomUUID()}\\n"`), '.product_id'],
    ['an operation_id that is no UUID', with_('operation_id', '1'), '.operation_id'],
    ['an operation_hash that is too short', with_('operation_hash', '"ab"'), '.operation_hash'],
    ['a delta of zero', with_('delta', '0'), '.delta'],
    ['a delta below zero', with_('delta', '-1'), '.delta'],
    ['a delta with a fraction', with_('delta', '0.5'), '.delta'],
    ['a delta that is a text', with_('delta', '"5"'), '.delta'],
    ['a delta that is true', with_('delta', 'true'), '.delta'],
    ['a delta of 2^31', with_('delta', '2147483648'), '.delta'],
    ['a delta of 1e999', with_('delta', '1e999'), '.delta'],
    ['a lamport of 2^60', with_('lamport_ts', '1152921504606846976'), '.lamport_ts'],
    ['a lamport of 2^53', with_('lamport_ts', '9007199254740992'), '.lamport_ts'],
    ['a lamport below zero', with_('lamport_ts', '-1'), '.lamport_ts'],
    ['a base_lamport of 1e308', with_('base_lamport', '1e308'), '.base_lamport'],
    ['a version with a fraction', with_('version', '1.5'), '.version'],
    ['an amount with three decimals', with_('amount', '0.001'), '.amount'],
    ['an amount of 1e-7', with_('amount', '1e-7'), '.amount'],
    ['an amount of 1e999', with_('amount', '1e999'), '.amount'],
    ['an amount of a trillion', with_('amount', '1000000000000'), '.amount'],
    ['an amount that is a text', with_('amount', '"25000.00"'), '.amount'],
    ['a place beyond the pole', with_('location_lat', '90.0001'), '.location_lat'],
    ['a place that is a text', with_('location_lng', '"-58"'), '.location_lng'],
    ['a day that is not in the calendar', with_('created_at', '"2026-02-30T00:00:00Z"'), '.created_at'],
    ['a time without an offset', with_('created_at', '"2026-02-28T00:00:00"'), '.created_at'],
    ['a leap second', with_('created_at', '"2026-12-31T23:59:60Z"'), '.created_at'],
    ['a time in the year 10000', with_('expires_at', '"9999-12-31T23:59:59-12:00"'), '.expires_at'],
    ['a date alone', with_('expires_at', '"2026-02-28"'), '.expires_at'],
    ['a created_by that is missing', (good) => JSON.stringify({ ...good, created_by: undefined }), '.created_by'],
    ['a key twice', (good) => JSON.stringify(good).replace('{', '{"delta":9,'), '.delta'],
    [
      'its id twice',
      (good) => JSON.stringify(good).replace('{', `{"operation_id":"${randomUUID()}",`),
      '.operation_id',
    ],
  ])('rejects one entry that is or has %s, and records its neighbours', async (_what, json, path) => {
    const neighbours = [device.operation(), device.operation()];
    const bad = json(JSON.parse(JSON.stringify(device.operation())) as Record<string, unknown>);
    const [before, after] = neighbours.map((operation) => JSON.stringify(operation));
    const answer = await send(
      `{"operations":[${before},${bad},${after}],"client_lamport":0,"device_id":"${device.id}"}`,
    );
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.body.results).toMatchObject([
      { status: 'accepted' },
      { status: 'rejected', code: 'VALIDATION', server_lamport: null },
      { status: 'accepted' },
    ]);
    expect(answer.body.results[1].errors[0]).toMatchObject({ path: `operations[1]${path}` });
    expect(answer.body.results[1].message).toContain(answer.body.results[1].errors[0].message);
    const log = await pullAll(service, device.token);
    expect(log.map((event) => event.operation_id)).toEqual(neighbours.map((operation) => operation.operation_id));
  });

  it('ignores fields it does not know, whatever they are called', async () => {
    const answer = await device.push(service, [{ ...device.operation(), ...UNKNOWN_FIELDS }], UNKNOWN_FIELDS);
    expect(answer.body.results).toMatchObject([{ status: 'accepted' }]);
    const polluting = goodBody().replaceAll('{', '{"__proto__":{"delta":7},"hasOwnProperty":1,');
    expect((await send(polluting)).body.results).toMatchObject([{ status: 'accepted' }]);
  });

  it.each([
    ['another tenant', { tenant_id: randomUUID() }, 'TENANT_MISMATCH'],
    ['another device', { device_id: randomUUID() }, 'DEVICE_MISMATCH'],
    ['a lamport a million and one ahead', { lamport_ts: 1_000_001 }, 'LAMPORT_OUT_OF_RANGE'],
    ['the last lamport there is', { lamport_ts: Number.MAX_SAFE_INTEGER }, 'LAMPORT_OUT_OF_RANGE'],
  ])('rejects one entry that names %s, and records its neighbours', async (_what, fields, code) => {
    const [before, after] = [device.operation(), device.operation()];
    const bad = device.operation(fields);
    const answer = await device.push(service, [before, bad, after]);
    expect(answer.body.results).toMatchObject([
      { status: 'accepted' },
      { status: 'rejected', code, operation_id: bad.operation_id, server_lamport: null },
      { status: 'accepted' },
    ]);
    const log = await pullAll(service, device.token);
    expect(log.map((event) => event.operation_id)).toEqual([before.operation_id, after.operation_id]);
  });

  it('rejects malformed products and payments one by one, after the operations, for the device to keep', async () => {
    const [product, payment] = [randomUUID(), randomUUID()];
    const answer = await device.push(service, [device.operation()], {
      products: [{ id: product, name: 'Queso' }],
      payments: [{ id: payment }, null],
    });
    expect(answer.body.results).toMatchObject([
      { status: 'accepted' },
      { status: 'rejected', code: 'VALIDATION', id: product, errors: [{ path: 'products[0].lamport_ts' }] },
      { status: 'rejected', code: 'VALIDATION', id: payment, errors: [{ path: 'payments[0].lamport_ts' }] },
      { status: 'rejected', code: 'VALIDATION', id: null, errors: [{ path: 'payments[1]' }] },
    ]);
  });

  it('answers paths and methods that are not there with a problem', async () => {
    for (const path of ['/sync/push/', '/sync/%ff', '/sync/push%00', '/..%2f..%2fetc/passwd', '/favicon.ico']) {
      const answer = await request(`${service.url}${path}`, { token: device.token });
      expect(answer).toMatchObject({ status: expect.any(Number) });
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    expectProblem(await request(`${service.url}/sync/push`, { method: 'PUT', token: device.token }), 'NOT_FOUND');
  });

  it('never made the service fail', () => {
    expect(errorLines).toEqual([]);
  });
});

/** The good operation with one field replaced by this JSON. */
function with_(name: string, json: string): (good: Record<string, unknown>) => string {
  return (good) => JSON.stringify({ ...good, [name]: '#' }).replace('"#"', json);
}
