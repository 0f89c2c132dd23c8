import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { pull, pullAll, TestDevice } from '../support/devices.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';
import {
  createTenant,
  request,
  type RunningService,
  SECRET,
  startService,
  type TestTenant,
  tokens,
} from '../support/service.js';

const ISSUER = 'agrotour-sync-engine';
const AUDIENCE = 'agrotour-sync';
const key = (secret: string): Uint8Array => new TextEncoder().encode(secret);
const now = (): number => Math.floor(Date.now() / 1000);

describe('access with a token', () => {
  let database: TestDatabase;
  let service: RunningService;
  let tenant: TestTenant;
  let other: TestTenant;
  let device: TestDevice;
  let stranger: TestDevice;

  beforeAll(async () => {
    database = await createTestDatabase();
    service = await startService({ DATABASE_URL: database.appUrl });
    [tenant, other] = [await createTenant(service), await createTenant(service)];
    [device, stranger] = [await TestDevice.enrol(tenant), await TestDevice.enrol(other)];
  });
  afterAll(async () => {
    await service.stop();
    await database.drop();
  });

  type Claims = Record<string, unknown>;
  /** What a good token of the device says. */
  const claims = (): Claims => ({
    sub: device.id,
    role: 'device',
    tenant_id: tenant.id,
    device_id: device.id,
    iss: ISSUER,
    aud: AUDIENCE,
    iat: now(),
    exp: now() + 600,
  });
  const signed = (change: Claims = {}, { alg = 'HS256', secret = SECRET } = {}): Promise<string> =>
    new SignJWT({ ...claims(), ...change }).setProtectedHeader({ alg }).sign(key(secret));

  const withToken = (token: string): ReturnType<typeof request> =>
    request(`${service.url}/sync/push`, {
      headers: { authorization: token },
      body: { operations: [device.operation()], client_lamport: 0, device_id: device.id },
    });

  it('is given to what the tests take for a good token', async () => {
    expect(await withToken(`Bearer ${await signed()}`)).toMatchObject({ status: 200 });
    expect(await withToken(`bearer ${await signed({ aud: ['another', AUDIENCE] })}`)).toMatchObject({ status: 200 });
  });

  it.each<[what: string, authorization: () => Promise<string> | string]>([
    ['an empty one', () => ''],
    ['Bearer without a token', () => 'Bearer '],
    ['another scheme', () => `Basic ${Buffer.from('admin:admin').toString('base64')}`],
    ['garbage', () => 'Bearer garbage'],
    ['garbage in three parts', () => 'Bearer a.b.c'],
    ['two tokens', async () => `Bearer ${await signed()} ${await signed()}`],
    ['one that has expired', async () => `Bearer ${await signed({ iat: now() - 700, exp: now() - 60 })}`],
    ['one that is not valid yet', async () => `Bearer ${await signed({ nbf: now() + 300 })}`],
    ['one that never expires', async () => `Bearer ${await signed({ exp: undefined })}`],
    ['one that nobody signed', () => `Bearer ${new UnsecuredJWT(claims()).encode()}`],
    ['one whose algorithm is NONE', async () => `Bearer ${recoded(await signed(), { alg: 'NONE' })}`],
    ['one with its signature cut off', async () => `Bearer ${(await signed()).replace(/[^.]+$/, '')}`],
    ['one of another secret', async () => `Bearer ${await signed({}, { secret: SECRET.replace('tests', 'thieves') })}`],
    ['one of another algorithm', async () => `Bearer ${await signed({}, { alg: 'HS512', secret: SECRET.padEnd(64) })}`],
    ['one of another issuer', async () => `Bearer ${await signed({ iss: 'https://id.example.org/' })}`],
    ['one for another audience', async () => `Bearer ${await signed({ aud: 'agrotour-shop' })}`],
    ['one without an audience', async () => `Bearer ${await signed({ aud: undefined })}`],
    ['one with the role nobody', async () => `Bearer ${await signed({ role: 'nobody' })}`],
    ['one with two roles', async () => `Bearer ${await signed({ role: ['device', 'operator'] })}`],
    ['one without a role', async () => `Bearer ${await signed({ role: undefined })}`],
    ['one whose subject is no UUID', async () => `Bearer ${await signed({ sub: 'ana' })}`],
    ['one without a tenant', async () => `Bearer ${await signed({ tenant_id: undefined })}`],
    ['one of a tenant that does not exist', async () => `Bearer ${await signed({ tenant_id: randomUUID() })}`],
    ['one without a device', async () => `Bearer ${await signed({ device_id: undefined })}`],
  ])('is refused to %s', async (_what, authorization) => {
    const answer = await withToken(await authorization());
    expectProblem(answer, 'UNAUTHENTICATED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('is refused where there is no token', async () => {
    const { url } = service;
    const push = { operations: [device.operation()], client_lamport: 0, device_id: device.id };
    expectProblem(await request(`${url}/sync/push`, { body: push }), 'UNAUTHENTICATED');
    expectProblem(await request(`${url}/sync/pull?token=${device.token}`, { body: {} }), 'UNAUTHENTICATED');
  });

  it('is refused to a device that was never enrolled', async () => {
    const ghost = await tokens.sign({
      role: 'device',
      userId: randomUUID(),
      tenantId: tenant.id,
      deviceId: randomUUID(),
    });
    expectProblem(await pull(service, ghost, 0), 'DEVICE_UNKNOWN');
    expectProblem(await withToken(`Bearer ${ghost}`), 'DEVICE_UNKNOWN');
  });

  it('is refused to a device that is enrolled in another tenant only', async () => {
    const moved = await signed({ device_id: stranger.id });
    expectProblem(await pull(service, moved, 0), 'DEVICE_UNKNOWN');
  });

  it('lets no tenant name another in the envelope, the header or the query', async () => {
    const body = { operations: [device.operation()], client_lamport: 0, device_id: device.id };
    const { url } = service;
    const { token } = device;
    const attempts = [
      request(`${url}/sync/push`, { token, body: { ...body, tenant_id: other.id } }),
      request(`${url}/sync/push`, { token, body, headers: { 'x-tenant-id': other.id } }),
      request(`${url}/sync/push?tenant_id=${other.id}`, { token, body }),
      request(`${url}/sync/pull`, { token, body: { last_lamport: 0, tenant_id: other.id } }),
      request(`${url}/inventory/products/${randomUUID()}/stock?tenant_id=${other.id}`, { token }),
      request(`${url}/devices`, { token: tenant.adminToken, headers: { 'x-tenant-id': other.id } }),
    ];
    for (const answer of await Promise.all(attempts)) expectProblem(answer, 'TENANT_MISMATCH');
    expect(await pullAll(service, stranger.token)).toEqual([]);
  });

  it('takes the tenant’s own id in any of these places, in either case', async () => {
    const body = { operations: [device.operation()], client_lamport: 0, device_id: device.id, tenant_id: tenant.id };
    const url = `${service.url}/sync/push?tenant_id=${tenant.id}`;
    const headers = { 'x-tenant-id': tenant.id.toUpperCase() };
    expect(await request(url, { token: device.token, body, headers })).toMatchObject({ status: 200 });
  });

  it.each(['mine', '', `${randomUUID()}, ${randomUUID()}`])(
    'refuses the X-Tenant-ID %j as malformed',
    async (header) => {
      const answer = await request(`${service.url}/sync/pull`, {
        token: device.token,
        body: { last_lamport: 0 },
        headers: { 'x-tenant-id': header },
      });
      expectProblem(answer, 'VALIDATION');
      expect(answer.body.errors).toMatchObject([{ path: 'X-Tenant-ID' }]);
    },
  );

  it('gives another tenant’s device no way into this one’s log', async () => {
    const before = await pullAll(service, device.token);
    const theirs = device.operation();
    const asItself = await stranger.push(service, [theirs, stranger.operation({ tenant_id: tenant.id })]);
    expect(asItself.body.results).toMatchObject([
      { status: 'rejected', code: 'TENANT_MISMATCH' },
      { status: 'rejected', code: 'TENANT_MISMATCH' },
    ]);
    expectProblem(await stranger.push(service, [theirs], { device_id: device.id }), 'DEVICE_MISMATCH');
    expect(await pullAll(service, device.token)).toEqual(before);
    expect(await pullAll(service, stranger.token)).toEqual([]);
  });

  it('lets a device speak for no other of its own tenant', async () => {
    const sister = await TestDevice.enrol(tenant);
    expectProblem(await device.push(service, [device.operation()], { device_id: sister.id }), 'DEVICE_MISMATCH');
    const answer = await device.push(service, [sister.operation(), device.operation()]);
    expect(answer.body.results).toMatchObject([{ code: 'DEVICE_MISMATCH' }, { status: 'accepted' }]);
  });

  describe('of an identity provider', () => {
    let provider: Server;
    let provided: RunningService;
    let privateKey: CryptoKey;
    let publicKeyAsSecret: string;
    let keysOutOfReach = false;

    beforeAll(async () => {
      const pair = await generateKeyPair('RS256', { extractable: true });
      privateKey = pair.privateKey;
      const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
      publicKeyAsSecret = JSON.stringify(jwk);
      provider = createServer((_request, response) => {
        response.writeHead(keysOutOfReach ? 500 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ keys: [jwk] }));
      });
      await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
      const { port } = provider.address() as AddressInfo;
      keysOutOfReach = true;
      provided = await startService({
        DATABASE_URL: database.appUrl,
        JWT_SECRET: '',
        JWT_JWKS_URL: `http://127.0.0.1:${port}/keys`,
      });
    });
    afterAll(async () => {
      await provided.stop();
      provider.close();
    });
    const byProvider = (): Promise<string> =>
      new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(privateKey);

    it('is put off, not refused, while the keys are out of reach', async () => {
      const answer = await pull(provided, await byProvider(), 0);
      expectProblem(answer, 'UNAVAILABLE');
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    });

    it('is given to tokens that the provider signed', async () => {
      keysOutOfReach = false;
      const token = await byProvider();
      await eventually('they are fetched again', async () => (await pull(provided, token, 0)).status === 200, 3_000);
    });

    it('is refused to tokens signed with a secret, though it were the public key', async () => {
      expectProblem(await pull(provided, device.token, 0), 'UNAUTHENTICATED');
      expectProblem(await pull(provided, await signed({}, { secret: publicKeyAsSecret }), 0), 'UNAUTHENTICATED');
    });

    it('comes from the provider alone: the service gives a device none, and can refuse those issued so far', async () => {
      const byProviderWith = (change: Claims): Promise<string> =>
        new SignJWT({ ...claims(), ...change }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(privateKey);
      const ask = async (path: string, body?: unknown): ReturnType<typeof request> =>
        request(`${provided.url}${path}`, { method: 'POST', token: await byProviderWith({ role: 'admin' }), body });
      const { status, body } = await ask('/devices', { name: 'till', device_type: 'WEB' });
      expect({ status, token: body.token }).toEqual({ status: 201, token: null });
      const issued = (secondsAgo: number): Promise<string> =>
        byProviderWith({ device_id: body.id as string, iat: now() - secondsAgo });
      const before = await issued(60);
      expect(await pull(provided, before, 0)).toMatchObject({ status: 200 });
      expect(await ask(`/devices/${body.id as string}/token`)).toMatchObject({ status: 200, body: { token: null } });
      expectProblem(await pull(provided, before, 0), 'TOKEN_REVOKED');
      expect(await pull(provided, await issued(-1), 0)).toMatchObject({ status: 200 });
    });
  });
});

/** The token with another header, its signature as it was. */
function recoded(token: string, header: Record<string, unknown>): string {
  return token.replace(/^[^.]+/, Buffer.from(JSON.stringify(header)).toString('base64url'));
}
