import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import type { DeviceDto, DeviceListDto } from '../../src/sync/devices/device-list.dto.js';
import type { OperationDto, PushResponseDto } from '../../src/sync/push/push.dto.js';
import type { EnrolledDeviceDto } from '../../src/tenancy/device.dto.js';
import { aPaymentEdit, aProductEdit } from '../support/builders.js';
import { createTestDatabase, queryOnce, type TestDatabase, withClient } from '../support/database.js';
import { newProducts, pull, pullAll, replay, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  type Answer,
  createTenant,
  request,
  type RunningService,
  SECRET,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

/** How soon a change of who is let in must be known in every process. */
const IN_FORCE_MS = 1_000;
const HOUR_MS = 3_600_000;

describe('a device, from its enrolment on, with two processes', () => {
  let database: TestDatabase;
  let here: RunningService;
  let there: RunningService;
  let tenant: TestTenant;
  let device: TestDevice;
  const log: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    const variables = { DATABASE_URL: database.appUrl };
    [here, there] = await Promise.all([startService(variables), startService(variables)]);
    for (const { process } of [here, there]) {
      if (process.stdout) createInterface(process.stdout).on('line', (line) => log.push(line));
    }
  });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await database.drop();
    expect(log.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  });
  beforeEach(async () => {
    tenant = await createTenant(here);
    device = await TestDevice.enrol(tenant);
  });

  const asAdmin = (method: string, path: string, body?: unknown, of = tenant, on = here): Promise<Answer> =>
    request(`${on.url}/devices${path}`, { method, token: of.adminToken, ...(body !== undefined && { body }) });
  const revoke = (id = device.id): Promise<Answer> => asAdmin('DELETE', `/${id}`);
  const enrol = (id = device.id, of = tenant, on = here): Promise<Answer> =>
    asAdmin('POST', '', { id, name: 'Back again', device_type: 'MOBILE' }, of, on);
  const replaceToken = (id = device.id, on = here): Promise<Answer> =>
    asAdmin('POST', `/${id}/token`, undefined, tenant, on);
  async function statusOf(id = device.id): Promise<DeviceDto | undefined> {
    const answer = await asAdmin('GET', '');
    return (answer.body as DeviceListDto).devices.find((listed) => listed.id === id);
  }
  /** What each process says to a bearer. */
  const codes = (token: string): Promise<unknown[]> =>
    Promise.all([here, there].map(async (service) => (await pull(service, token, 0)).body.code ?? 'OK'));

  /** A stream of events that is read to its end. */
  async function listen(service: RunningService, token: string): Promise<{ text: () => string; ended: () => boolean }> {
    const response = await fetch(`${service.url}/sync/events`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    let [text, ended] = ['', false];
    void (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString();
    })()
      .catch(() => undefined)
      .finally(() => (ended = true));
    await eventually('it is connected', () => text.includes('data: '));
    return { text: () => text, ended: () => ended };
  }

  describe('its name', () => {
    it('and its type can be changed, each alone', async () => {
      const { id } = device;
      expect(await asAdmin('PATCH', `/${id.toUpperCase()}`, { name: 'Cheese stall' })).toMatchObject({
        status: 200,
        body: { id, name: 'Cheese stall', device_type: 'DESKTOP' },
      });
      expect((await asAdmin('PATCH', `/${id}`, { device_type: 'WEB' })).body).toEqual({
        ...{ id, name: 'Cheese stall', device_type: 'WEB' },
      });
      expect(await asAdmin('PATCH', `/${id}`, {})).toMatchObject({ status: 200 });
      expect(await statusOf()).toMatchObject({ name: 'Cheese stall', device_type: 'WEB' });
      expect(await device.pull(there, 0)).toMatchObject({ status: 200 });
    });

    it('can be changed of one that is revoked, and stays revoked', async () => {
      await revoke();
      expect(await asAdmin('PATCH', `/${device.id}`, { name: 'Stolen' })).toMatchObject({ status: 200 });
      expect(await statusOf()).toMatchObject({ name: 'Stolen', revoked_at: expect.any(String) });
    });

    it.each<[body: unknown, path: string]>([
      [{ name: null }, 'name'],
      [{ name: ' ' }, 'name'],
      [{ name: 'x'.repeat(201) }, 'name'],
      [{ name: 'a\u0000b' }, 'name'],
      [{ device_type: null }, 'device_type'],
      [{ device_type: 'TOASTER' }, 'device_type'],
    ])('is not changed by %j', async (body, path) => {
      const answer = await asAdmin('PATCH', `/${device.id}`, body);
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path }]);
      expect(await statusOf()).toMatchObject({ name: 'Test device', device_type: 'DESKTOP' });
    });
  });

  it('of another tenant is as good as none, whatever is asked of it', async () => {
    const theirs = await TestDevice.enrol(await createTenant(here));
    const outbox = (deviceId: string): unknown => ({
      operations: [device.operation({ device_id: deviceId })],
      ...{ client_lamport: 0, device_id: deviceId },
    });
    const requests = [
      (id: string) => asAdmin('PATCH', `/${id}`, { name: 'Mine' }),
      (id: string) => asAdmin('POST', `/${id}/token`),
      (id: string) => asAdmin('DELETE', `/${id}`),
      (id: string) => asAdmin('POST', `/${id}/outbox`, outbox(id)),
    ];
    for (const ask of requests) {
      const [hidden, missing] = [await ask(theirs.id), await ask(randomUUID())];
      expectProblem(hidden, 'NOT_FOUND');
      expect({ ...hidden.body, instance: '' }).toEqual({ ...missing.body, instance: '' });
      expectProblem(await asAdmin('PATCH', '/till-1', {}), 'VALIDATION');
    }
    expect(await theirs.pull(here, 0)).toMatchObject({ status: 200, body: { operations: [] } });
    expect(await pullAll(here, device.token)).toEqual([]);
  });

  describe('its token', () => {
    it('is replaced by another, and refused in every process from then on', async () => {
      await device.push(here, [device.operation({ lamport_ts: 40 })]);
      const answer = await replaceToken();
      expect(answer).toMatchObject({
        status: 200,
        body: { id: device.id, name: 'Test device', device_type: 'DESKTOP', token: expect.any(String), lamport: 41 },
      });
      const { token } = answer.body as EnrolledDeviceDto;
      expect(await codes(device.token)).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
      expect(await codes(token ?? '')).toEqual(['OK', 'OK']);
      const refused = await device.push(there, [device.operation()]);
      expectProblem(refused, 'TOKEN_REVOKED');
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await pullAll(there, token ?? '')).toHaveLength(1);
    });

    it('is one alone, when two admins replace it at the same moment through two processes, again and again', async () => {
      const given = [device.token];
      for (let round = 0; round < 5; round += 1) {
        const answers = await Promise.all([replaceToken(device.id, here), replaceToken(device.id, there)]);
        given.push(...answers.map(({ body }) => (body as EnrolledDeviceDto).token ?? ''));
      }
      const said = await Promise.all(given.map(async (token) => (await codes(token)).join()));
      expect(said.filter((code) => code === 'OK,OK')).toHaveLength(1);
      expect(said.filter((code) => code === 'TOKEN_REVOKED,TOKEN_REVOKED')).toHaveLength(10);
      expect(said.slice(-2)).toContain('OK,OK');
    });

    it('is refused, though it was given out by a server whose clock is ahead', async () => {
      const ahead = new Date(Date.now() + HOUR_MS);
      await queryOnce(database.superuserUrl, 'UPDATE devices SET created_at = $1 WHERE id = $2', [ahead, device.id]);
      const bearer = { role: 'device', userId: device.id, tenantId: tenant.id, deviceId: device.id } as const;
      const token = await tokens.sign({ ...bearer, tokenIssuedAt: ahead.getTime() });
      expect(await codes(token)).toEqual(['OK', 'OK']);
      const { token: next } = (await replaceToken()).body as EnrolledDeviceDto;
      expect(await codes(token)).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
      expect(await codes(next ?? '')).toEqual(['OK', 'OK']);
    });

    it('may be of an issuer that knows seconds only, or no time at all', async () => {
      const signed = (iat: number | undefined): Promise<string> =>
        new SignJWT({
          ...{ sub: randomUUID(), role: 'device', tenant_id: tenant.id, device_id: device.id },
          ...{ iss: 'agrotour-sync-engine', aud: 'agrotour-sync', exp: Math.floor(Date.now() / 1_000) + 600 },
          ...(iat !== undefined && { iat }),
        })
          .setProtectedHeader({ alg: 'HS256' })
          .sign(new TextEncoder().encode(SECRET));
      const now = Math.floor(Date.now() / 1_000);
      const all = await Promise.all([signed(undefined), signed(now - 3_600), signed(now), signed(now + 5)]);
      for (const token of all) expect(await codes(token)).toEqual(['OK', 'OK']);
      await replaceToken();
      const said = await Promise.all(all.map(async (token) => (await codes(token))[1]));
      expect(said).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED', 'TOKEN_REVOKED', 'OK']);
    });

    it('is not replaced while the device is revoked', async () => {
      await revoke();
      expectProblem(await replaceToken(), 'DEVICE_INACTIVE');
      expect(await codes(device.token)).toEqual(['DEVICE_REVOKED', 'DEVICE_REVOKED']);
    });

    it('of another device stays as it was', async () => {
      const sister = await TestDevice.enrol(tenant);
      const twin = await enrol(device.id, await createTenant(here));
      await replaceToken();
      expect(await codes(sister.token)).toEqual(['OK', 'OK']);
      expect(await codes((twin.body as EnrolledDeviceDto).token ?? '')).toEqual(['OK', 'OK']);
    });
  });

  describe('its open streams', () => {
    it.each([
      ['revoked', 'DEVICE_REVOKED', () => revoke()],
      ['given another token', 'TOKEN_REVOKED', () => replaceToken()],
    ])('end within a second in every process when it is %s, and those of others go on', async (_, code, change) => {
      const sister = await TestDevice.enrol(tenant);
      const ending = await Promise.all([here, there].map((service) => listen(service, device.token)));
      const staying = await listen(there, sister.token);
      await change();
      await eventually('both have ended', () => ending.every((stream) => stream.ended()), IN_FORCE_MS);
      for (const stream of ending) expect(stream.text()).toContain(`event: closed\ndata: {"code":"${code}"}`);
      const { body } = await sister.push(here, [sister.operation()]);
      await eventually('the other is told', () => staying.text().includes(`id: ${body.server_lamport as number}`));
      expect(staying.ended()).toBe(false);
    });

    it('end as soon, though it was revoked between the check and the opening', async () => {
      const opening = await withClient(database.superuserUrl, async (client) => {
        await client.query('BEGIN');
        await client.query('LOCK TABLE tenant_clocks'); // which a stream reads before it opens
        const opened = listen(there, device.token);
        await eventually('it waits', async () => {
          const { rowCount } = await client.query(
            `SELECT FROM pg_locks WHERE NOT granted AND relation = 'tenant_clocks'::regclass`,
          );
          return rowCount === 1;
        });
        await revoke();
        await sleep(300); // its signal goes by: there is no stream yet that it could end
        await client.query('COMMIT');
        return opened;
      });
      await eventually('it has ended', () => opening.ended(), IN_FORCE_MS);
      expect(opening.text()).toContain('{"code":"DEVICE_REVOKED"}');
    });
  });

  describe('once revoked', () => {
    it('is refused in every process, is let in again with another token alone, and is where it was', async () => {
      const operation = device.operation({ lamport_ts: 12 });
      await device.push(here, [operation]);
      await device.pull(here, 0);
      const before = await statusOf();
      await revoke();
      expect(await codes(device.token)).toEqual(['DEVICE_REVOKED', 'DEVICE_REVOKED']);
      const answer = await enrol(device.id.toUpperCase(), tenant, there);
      expect(answer).toMatchObject({
        status: 201,
        body: { id: device.id, name: 'Back again', device_type: 'MOBILE', token: expect.any(String), lamport: 13 },
      });
      const { token } = answer.body as EnrolledDeviceDto;
      expect(await codes(device.token)).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED']);
      expect(await codes(token ?? '')).toEqual(['OK', 'OK']);
      expect(await statusOf()).toEqual({
        ...before,
        ...{ name: 'Back again', device_type: 'MOBILE', revoked_at: null, last_seen_at: expect.any(String) },
      });
      expect(await pullAll(there, token ?? '')).toMatchObject([{ operation_id: operation.operation_id }]);
    });

    it('is enrolled again by one of two admins, and a device that is not revoked by none', async () => {
      expectProblem(await enrol(), 'DEVICE_EXISTS');
      expect(await codes(device.token)).toEqual(['OK', 'OK']);
      await revoke();
      const answers = await Promise.all([enrol(device.id, tenant, here), enrol(device.id, tenant, there)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
      const enrolled = answers.find(({ status }) => status === 201);
      expect(await codes((enrolled?.body as EnrolledDeviceDto).token ?? '')).toEqual(['OK', 'OK']);
    });

    it('can be revoked and enrolled again and again: the last token is the only one', async () => {
      const given = [device.token];
      for (let round = 0; round < 3; round += 1) {
        await revoke();
        given.push(((await enrol()).body as EnrolledDeviceDto).token ?? '');
      }
      const said = await Promise.all(given.map(async (token) => (await codes(token))[0]));
      expect(said).toEqual(['TOKEN_REVOKED', 'TOKEN_REVOKED', 'TOKEN_REVOKED', 'OK']);
    });
  });

  describe('re-installed', () => {
    const [product = ''] = newProducts(1);
    const answerOf = async (answer: Promise<Answer>): Promise<PushResponseDto> => {
      const { status, body } = await answer;
      expect(status).toBe(200);
      return body as PushResponseDto;
    };
    async function pushAs(token: string, operations: readonly OperationDto[]): Promise<PushResponseDto> {
      const body = { operations, client_lamport: 0, device_id: device.id };
      return answerOf(request(`${there.url}/sync/push`, { token, body }));
    }

    it('with its old id and a clock at 1 again loses nothing and doubles nothing', async () => {
      const sister = await TestDevice.enrol(tenant);
      const sales = (count: number): OperationDto[] =>
        Array.from({ length: count }, (_, index) =>
          device.sale(product, 1, { payment_status: 'PAID', lamport_ts: index + 1, base_lamport: 0 }),
        );
      await sister.push(here, [sister.restock(product, 100)]);
      const before = sales(3);
      await device.push(here, before);
      const { token } = (await replaceToken()).body as EnrolledDeviceDto;
      const after = sales(3);
      const recorded = await pushAs(token ?? '', after);
      expect(recorded.results).toMatchObject(
        after.map(({ operation_id }) => ({
          ...{ operation_id, status: 'accepted', warnings: expect.arrayContaining(['DEVICE_CLOCK_REUSED']) },
        })),
      );
      expect((await pushAs(token ?? '', after)).results).toMatchObject(after.map(() => ({ status: 'duplicate' })));
      const events = await pullAll(there, token ?? '');
      expect(events.filter((event) => event.device_id === device.id).map((event) => event.operation_id)).toEqual(
        [...before, ...after].map((operation) => operation.operation_id),
      );
      expect(replay(events).get(product)).toBe(94);
      expect(await sister.stockOf(here, product)).toBe(94);
      expect(await statusOf()).toMatchObject({ clock_reused: true });
    });

    it('is told where its clock starts, beyond all that it used, and then gives no lamport twice', async () => {
      await device.push(here, [device.operation({ lamport_ts: 700 }), device.operation({ lamport_ts: 9 })]);
      await revoke();
      const { token, lamport } = (await enrol()).body as EnrolledDeviceDto;
      expect(lamport).toBeGreaterThan(700);
      const { results } = await pushAs(token ?? '', [device.operation({ lamport_ts: lamport + 1 })]);
      expect(results).toMatchObject([{ status: 'accepted', warnings: ['UNKNOWN_PRODUCT'] }]);
      expect(await statusOf()).toMatchObject({ clock_reused: false });
      // A device that was never here before starts where the others are.
      const other = await asAdmin('POST', '', { name: 'New phone', device_type: 'MOBILE' });
      expect(other).toMatchObject({ status: 201, body: { lamport: results[0]?.server_lamport } });
    });
  });

  describe('its outbox', () => {
    const outboxOf = (id: string, lists: Record<string, unknown[]>, envelope = {}): Record<string, unknown> => ({
      ...{ client_lamport: 0, device_id: id, ...lists, ...envelope },
    });
    const importOutbox = (body: unknown, id = device.id, token = tenant.adminToken): Promise<Answer> =>
      request(`${here.url}/devices/${id}/outbox`, { token, body });

    it('is imported by an admin after it was revoked: once, as its own', async () => {
      const [pushed, kept] = [device.operation(), device.operation()];
      await device.push(here, [pushed]);
      await revoke();
      const [refused, last] = [device.operation({ delta: 3 }), device.operation({ product_id: 'cheese' })];
      expectProblem(await device.push(there, [kept]), 'DEVICE_REVOKED');
      const lists = {
        operations: [pushed, kept, refused, last],
        products: [aProductEdit({ lamport_ts: 9 })],
        payments: [aPaymentEdit({ lamport_ts: 10 })],
      };
      const outbox = outboxOf(device.id.toUpperCase(), lists);
      const answer = await importOutbox(outbox);
      expect(answer.status).toBe(200);
      const statuses = (body: PushResponseDto): string[] => body.results.map(({ status }) => status);
      const imported = answer.body as PushResponseDto;
      expect(statuses(imported)).toEqual(['duplicate', 'accepted', 'accepted', 'rejected', 'accepted', 'accepted']);
      expect(imported).toMatchObject({ epoch: expect.any(String), server_lamport: expect.any(Number) });
      expect(statuses((await importOutbox(outbox)).body as PushResponseDto)).toEqual([
        ...['duplicate', 'duplicate', 'duplicate', 'rejected', 'duplicate', 'duplicate'],
      ]);
      const sister = await TestDevice.enrol(tenant);
      expect(await pullAll(there, sister.token)).toMatchObject(
        [pushed, kept, refused].map(({ operation_id }) => ({ operation_id, device_id: device.id })),
      );
      expect(await codes(device.token)).toEqual(['DEVICE_REVOKED', 'DEVICE_REVOKED']);
      const query = 'action=device.outbox_imported';
      const audit = await request(`${here.url}/audit?${query}`, { token: tenant.adminToken }); // once, of what was recorded
      expect(audit.body.entries).toMatchObject([
        { entity_id: device.id, role: 'admin', changes: { entries: { before: null, after: 4 } } },
      ]);
    });

    it('does not tell when the device was here, or what time it had', async () => {
      await device.push(here, [device.operation()], { sent_at: new Date().toISOString() });
      const before = await statusOf();
      const written = { sent_at: new Date(Date.now() - 48 * HOUR_MS).toISOString() };
      const operations = [device.operation({ lamport_ts: 1 }), device.operation({ lamport_ts: 30 })];
      const answer = await importOutbox(outboxOf(device.id, { operations }, written));
      expect(answer.body.results).toMatchObject([
        { status: 'accepted', warnings: ['UNKNOWN_PRODUCT', 'DEVICE_CLOCK_REUSED'] },
        { status: 'accepted', warnings: ['UNKNOWN_PRODUCT'], server_lamport: 31 },
      ]);
      expect(await statusOf()).toEqual({ ...before, last_pushed_lamport: 31 });
    });

    it('holds what that device recorded and nothing else', async () => {
      const sister = await TestDevice.enrol(tenant);
      const operations = [sister.operation(), device.operation({ tenant_id: randomUUID() }), device.operation()];
      expectProblem(await importOutbox(outboxOf(sister.id, { operations })), 'DEVICE_MISMATCH');
      const { body } = await importOutbox(outboxOf(device.id, { operations }));
      expect(body.results).toMatchObject([
        { status: 'rejected', code: 'DEVICE_MISMATCH' },
        { status: 'rejected', code: 'TENANT_MISMATCH' },
        { status: 'accepted' },
      ]);
    });

    it('is checked as a push is, and is no way in for others', async () => {
      const outbox = outboxOf(device.id, { operations: [device.operation()] });
      expectProblem(await importOutbox({}), 'VALIDATION');
      expectProblem(await importOutbox(outboxOf(device.id, { operations: [] })), 'VALIDATION');
      expectProblem(await importOutbox({ ...outbox, protocol_version: 2 }), 'UPGRADE_REQUIRED');
      for (const token of [device.token, await tenant.staffToken()])
        expectProblem(await importOutbox(outbox, device.id, token), 'FORBIDDEN');
      expect(await pullAll(here, device.token)).toEqual([]);
    });
  });

  it('is listed with the conflicts that wait for a decision on one of its entries', async () => {
    const [sister, idle] = [await TestDevice.enrol(tenant), await TestDevice.enrol(tenant)];
    const pending = async (): Promise<(number | undefined)[]> =>
      (await Promise.all([device, sister, idle].map(({ id }) => statusOf(id)))).map(
        (found) => found?.pending_conflicts,
      );
    expect(await pending()).toEqual([0, 0, 0]);
    const conflictIds: string[] = [];
    for (const [productId, rivals] of [
      [newProducts(1)[0], [device, sister]],
      [newProducts(1)[0], [sister, device]],
    ] as const) {
      // The last units, sold and paid for twice: money is for people to decide.
      const { body } = await device.push(here, [device.restock(productId ?? '', 5)]);
      const base = body.server_lamport as number;
      for (const [index, rival] of rivals.entries()) {
        const fields = { payment_status: 'PAID', base_lamport: base, lamport_ts: base + 1 + index } as const;
        const answer = await rival.push(here, [rival.sale(productId ?? '', 5, fields)]);
        const [result] = (answer.body as PushResponseDto).results;
        if (result?.conflict_id) conflictIds.push(result.conflict_id);
      }
    }
    expect(conflictIds).toHaveLength(2);
    expect(await pending()).toEqual([2, 2, 0]);
    await eventually('one is settled', async () => {
      const { status } = await request(`${here.url}/sync/conflicts/${conflictIds[0] ?? ''}/resolve`, {
        ...{ token: tenant.adminToken, body: { winner_id: null, resolution: 'BOTH' } },
      });
      return status === 200;
    });
    expect(await pending()).toEqual([1, 1, 0]);
    const elsewhere = await asAdmin('GET', '', undefined, await createTenant(here));
    expect((elsewhere.body as DeviceListDto).devices).toEqual([]);
  });
});
