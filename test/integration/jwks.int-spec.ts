import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type GenerateKeyPairResult, type JWK, SignJWT } from 'jose';
import { ProblemError } from '../../src/problems/problem.js';
import { TokensService } from '../../src/tenancy/tokens.service.js';
import { eventually } from '../support/eventually.js';

/** An identity provider that publishes one ES256 key. */
describe('tokens of an identity provider', () => {
  const claims = { role: 'admin', tenant_id: randomUUID() };
  let keys: GenerateKeyPairResult;
  let provider: Server;
  let tokens: TokensService;
  let available = true;

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' };
    provider = createServer((_request, response) => {
      response
        .writeHead(available ? 200 : 500, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    tokens = newService();
  });
  afterAll(() => {
    provider.close();
  });

  const newService = (): TokensService => {
    const address = provider.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const url = new URL(`http://127.0.0.1:${port}/keys`);
    return new TokensService({ keys: { kind: 'jwks', url }, issuer: 'https://id.example.org/', audience: 'sync' });
  };
  const jwt = (header: { alg: string; kid?: string }, over: Record<string, unknown> = {}): SignJWT =>
    new SignJWT({ ...claims, iss: 'https://id.example.org/', aud: 'sync', sub: randomUUID(), ...over })
      .setProtectedHeader(header)
      .setExpirationTime('5 minutes');
  const codeOf = async (token: string, service = tokens): Promise<string> => {
    try {
      await service.verify(token);
      return 'accepted';
    } catch (error) {
      return error instanceof ProblemError ? error.code : String(error);
    }
  };

  it('are accepted when signed with the published key', async () => {
    const token = await jwt({ alg: 'ES256', kid: 'one' }).sign(keys.privateKey);
    expect(await tokens.verify(token)).toMatchObject({ role: 'admin', tenantId: claims.tenant_id });
  });

  it('are refused when signed with HS256 and the public key as the secret', async () => {
    const publicKey = new TextEncoder().encode(await exportSPKI(keys.publicKey));
    expect(await codeOf(await jwt({ alg: 'HS256', kid: 'one' }).sign(publicKey))).toBe('UNAUTHENTICATED');
  });

  it('are refused with an unknown key id, another key, another issuer or another audience', async () => {
    const other = await generateKeyPair('ES256');
    const known = { alg: 'ES256', kid: 'one' };
    expect(await codeOf(await jwt({ alg: 'ES256', kid: 'two' }).sign(keys.privateKey))).toBe('UNAUTHENTICATED');
    expect(await codeOf(await jwt(known).sign(other.privateKey))).toBe('UNAUTHENTICATED');
    expect(await codeOf(await jwt(known, { iss: 'https://elsewhere/' }).sign(keys.privateKey))).toBe('UNAUTHENTICATED');
    expect(await codeOf(await jwt(known, { aud: 'other' }).sign(keys.privateKey))).toBe('UNAUTHENTICATED');
  });

  it('are not judged while the keys can not be fetched', async () => {
    available = false;
    const token = await jwt({ alg: 'ES256', kid: 'one' }).sign(keys.privateKey);
    expect(await codeOf(token, newService())).toBe('UNAVAILABLE');
    available = true;
  });

  it('are not made by the service', async () => {
    expect(tokens.signs).toBe(false);
    await expect(tokens.sign({ role: 'operator', userId: randomUUID() })).rejects.toThrow(/identity provider/);
  });
});

/** One whose keys, answers and address change, as seen by a service that has just started. */
describe('an identity provider that has a bad day', () => {
  type Answering = (response: ServerResponse) => void;
  let provider: Server;
  let answering: Answering;
  let asked: number;
  let tokens: TokensService;
  let published: JWK[];
  let pairs: Record<'one' | 'two', GenerateKeyPairResult>;
  const now = Date.now;
  let laterMs: number;

  const publish: Answering = (response) => response.end(JSON.stringify({ keys: published }));
  const refuse: Answering = (response) => response.writeHead(503).end();
  const hang: Answering = () => undefined;
  const hangInTheMiddle: Answering = (response) => response.write('{"keys": [');

  const jwkOf = async (kid: 'one' | 'two'): Promise<JWK> => ({
    ...(await exportJWK(pairs[kid].publicKey)),
    kid,
    alg: 'ES256',
  });

  beforeAll(async () => {
    pairs = { one: await generateKeyPair('ES256'), two: await generateKeyPair('ES256') };
  });
  beforeEach(async () => {
    laterMs = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + laterMs);
    asked = 0;
    answering = publish;
    published = [await jwkOf('one')];
    provider = createServer((_request, response) => {
      asked += 1;
      answering(response);
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    const url = new URL(`http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`);
    tokens = new TokensService({ keys: { kind: 'jwks', url }, issuer: 'https://id.example.org/', audience: 'sync' });
  });
  afterEach(() => {
    jest.restoreAllMocks();
    provider.closeAllConnections();
    provider.close();
  });

  const pass = (minutes: number): void => {
    laterMs += minutes * 60_000;
  };
  /** What becomes of a token that is signed just now. */
  const ask = async (kid: 'one' | 'two' = 'one', named: string = kid): Promise<string> => {
    const claims = { role: 'operator', iss: 'https://id.example.org/', aud: 'sync', sub: randomUUID() };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: named })
      .setExpirationTime('5 minutes')
      .sign(pairs[kid].privateKey);
    return tokens.verify(token).then(
      () => 'accepted',
      (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
    );
  };

  it.each([
    ['refuses', refuse, 1_000],
    ['hangs', hang, 4_000],
    ['hangs in the middle of its answer', hangInTheMiddle, 4_000],
    ['answers with a page', ((response) => response.end('<html>')) satisfies Answering, 1_000],
    ['answers with no set of keys', ((response) => response.end('{"keys": "none"}')) satisfies Answering, 1_000],
  ] as const)(
    'puts requests off in bounded time while it %s, and is asked no more than it must be',
    async (_what, how, withinMs) => {
      answering = how;
      const start = performance.now();
      expect(await Promise.all(Array.from({ length: 10 }, () => ask()))).toEqual(Array(10).fill('UNAVAILABLE'));
      expect(performance.now() - start).toBeLessThan(withinMs);
      const again = performance.now();
      expect(await ask()).toBe('UNAVAILABLE');
      expect(performance.now() - again).toBeLessThan(500);
      expect(asked).toBe(1);
      answering = publish;
      pass(0.1);
      expect(await ask()).toBe('accepted');
    },
  );

  it('is asked once, however many tokens there are', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => ask()))).toEqual(Array(20).fill('accepted'));
    pass(9);
    expect(await ask()).toBe('accepted');
    expect(asked).toBe(1);
  });

  it('is asked for a key it did not have before, but no more than twice a minute', async () => {
    expect(await ask()).toBe('accepted');
    for (let time = 0; time < 20; time += 1) expect(await ask('one', randomUUID())).toBe('UNAUTHENTICATED');
    expect(asked).toBe(1);
    pass(1);
    published = [await jwkOf('one'), await jwkOf('two')];
    expect(await ask('two')).toBe('accepted');
    for (let time = 0; time < 20; time += 1) expect(await ask('one', randomUUID())).toBe('UNAUTHENTICATED');
    expect(asked).toBe(2);
  });

  it('withdraws a key, and within some ten minutes it is refused', async () => {
    expect(await ask()).toBe('accepted');
    published = [await jwkOf('two')];
    pass(11);
    await ask(); // has the keys fetched anew, and doesn't wait for them
    await eventually('the new keys are there', async () => (await ask()) === 'UNAUTHENTICATED');
    expect(await ask('two')).toBe('accepted');
  });

  it('is gone for an hour, and tokens are checked with the keys that it had, without waiting', async () => {
    expect(await ask()).toBe('accepted');
    answering = hang;
    for (const minutes of [11, 20, 20]) {
      pass(minutes);
      const start = performance.now();
      expect(await ask()).toBe('accepted');
      expect(performance.now() - start).toBeLessThan(500);
    }
    pass(10);
    expect(await ask()).toBe('UNAVAILABLE');
    answering = publish;
    pass(0.1);
    expect(await ask()).toBe('accepted');
  });

  it('sends more than any key set has: it is not read to its end', async () => {
    let sent = 0;
    answering = (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    expect(await ask()).toBe('UNAVAILABLE');
    expect(sent).toBeLessThan(64 * 1024 * 1024); // what the buffers between them took
  });

  it('is gone: of a key that is not known nothing can be said', async () => {
    expect(await ask()).toBe('accepted');
    answering = refuse;
    pass(1);
    expect(await ask('two')).toBe('UNAVAILABLE');
    expect(await ask()).toBe('accepted');
  });
});
