import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { exportJWK, exportSPKI, generateKeyPair, type GenerateKeyPairResult, SignJWT } from 'jose';
import { ProblemError } from '../../src/problems/problem.js';
import { TokensService } from '../../src/tenancy/tokens.service.js';

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
