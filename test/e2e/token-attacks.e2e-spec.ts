import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac, createSign, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestDevice } from '../support/devices.js';
import { expectProblem } from '../support/problems.js';
import { type Answer, createTenant, request, type RunningService, SECRET, startService } from '../support/service.js';

type Json = Readonly<Record<string, unknown>>;
type Signer = (input: string) => Buffer;

const base64url = (part: string | Buffer | Json): string =>
  (typeof part === 'string' || part instanceof Buffer ? Buffer.from(part) : Buffer.from(JSON.stringify(part))).toString(
    'base64url',
  );
/** A token of exactly these parts: a text is taken as it is, whether or not it is JSON. */
function craft(header: Json | string, claims: Json | string | Buffer, sign: Signer): string {
  const input = `${base64url(header)}.${base64url(claims)}`;
  return `${input}.${sign(input).toString('base64url')}`;
}
const hmac =
  (secret: string | Buffer, hash = 'sha256'): Signer =>
  (input) =>
    createHmac(hash, secret).update(input).digest();
const rsa =
  (key: KeyObject, hash = 'RSA-SHA256'): Signer =>
  (input) =>
    createSign(hash).update(input).sign(key);
const unsigned: Signer = () => Buffer.alloc(0);
const now = (): number => Math.floor(Date.now() / 1_000);

let database: TestDatabase;
let device: TestDevice;
let service: RunningService;
/** Guesses are refused here as often as they come. */
const OFTEN = { RATE_LIMIT_REFUSED_PER_MINUTE: '0', RATE_LIMIT_PER_DEVICE_PER_MINUTE: '0', RATE_LIMIT_PER_MINUTE: '0' };

beforeAll(async () => {
  database = await createTestDatabase();
  service = await startService({ DATABASE_URL: database.appUrl, ...OFTEN });
  device = await TestDevice.enrol(await createTenant(service));
});
afterAll(async () => {
  await service.stop();
  await database.drop();
});

const claims = (changes: Json = {}): Json => ({
  sub: device.id,
  role: 'device',
  tenant_id: device.tenantId,
  device_id: device.id,
  iss: 'agrotour-sync-engine',
  aud: 'agrotour-sync',
  iat: now(),
  exp: now() + 600,
  ...changes,
});
const show = (token: string, to: RunningService): Promise<Answer> => request(`${to.url}/inventory/products`, { token });

async function expectRefused(token: string, to: RunningService): Promise<void> {
  const answer = await show(token, to);
  expectProblem(answer, 'UNAUTHENTICATED');
  expect(answer.headers.get('www-authenticate')).toBe('Bearer');
}

describe('a service with a secret', () => {
  const HS256 = { alg: 'HS256', typ: 'JWT' };
  const good = (changes: Json = {}, header: Json = {}): string =>
    craft({ ...HS256, ...header }, claims(changes), hmac(SECRET));
  const text = (changes: Json = {}): string => JSON.stringify(claims(changes));
  const partsOf = (token: string): [header: string, payload: string, signature: string] => {
    const [header = '', payload = '', signature = ''] = token.split('.');
    return [header, payload, signature];
  };

  it.each<[what: string, token: () => string]>([
    ['as it should be', () => good()],
    ['that leaves its type out', () => craft({ alg: 'HS256' }, claims(), hmac(SECRET))],
    ['of the type at+jwt', () => good({}, { typ: 'at+jwt' })],
    ['with fractions of a second', () => good({ exp: now() + 600.5 })],
    ['that expired less than the tolerance ago', () => good({ exp: now() - 20 })],
    ['that is to be valid in less than the tolerance', () => good({ nbf: now() + 20 })],
    [
      'of the last one of two roles, as RFC 7519 has it',
      () => craft(HS256, text().replace('{', '{"role":"nobody",'), hmac(SECRET)),
    ],
    // These are for others: nobody here looks where they point.
    ['with a key id', () => good({}, { kid: '../../etc/passwd' })],
    ['with addresses of keys', () => good({}, { jku: 'http://127.0.0.1:1/', x5u: 'http://127.0.0.1:1/' })],
  ])('lets a token in %s', async (_what, token) => {
    expect(await show(token(), service)).toMatchObject({ status: 200 });
  });

  it.each<[what: string, token: () => string]>([
    ...['none', 'None', 'nOnE', 'NONE', '', 'null'].flatMap((alg): [string, () => string][] => [
      [`whose algorithm is ${JSON.stringify(alg)}`, () => craft({ ...HS256, alg }, claims(), unsigned)],
      [`whose algorithm became ${JSON.stringify(alg)}`, () => craft({ ...HS256, alg }, claims(), hmac(SECRET))],
    ]),
    ['whose algorithm is no text', () => good({}, { alg: ['HS256'] })],
    ['without an algorithm', () => craft({ typ: 'JWT' }, claims(), hmac(SECRET))],
    ['with two algorithms, of which one is none', () => craft('{"alg":"HS256","alg":"none"}', claims(), unsigned)],
    ['with two algorithms, in the other order', () => craft('{"alg":"none","alg":"HS256"}', claims(), unsigned)],
    ['with HS384', () => craft({ alg: 'HS384' }, claims(), hmac(SECRET, 'sha384'))],
    ['with HS512', () => craft({ alg: 'HS512' }, claims(), hmac(SECRET, 'sha512'))],
    ['of an empty secret', () => craft(HS256, claims(), hmac(''))],
    ['of a secret too many', () => craft(HS256, claims(), hmac(`${SECRET} `))],
    ['without its signature', () => partsOf(good()).slice(0, 2).join('.')],
    ['with an empty signature', () => `${partsOf(good()).slice(0, 2).join('.')}.`],
    ['with half of its signature', () => good().slice(0, -22)],
    [
      'with the signature of another',
      () => [...partsOf(good()).slice(0, 2), partsOf(good({ sub: randomUUID() }))[2]].join('.'),
    ],
    ['without dots', () => good().replaceAll('.', '')],
    ['with one dot', () => good().replace('.', '')],
    ['of nothing but dots', () => '..'],
    ['of four parts', () => `${good()}.${partsOf(good())[2]}`],
    ['of five parts, like an encrypted one', () => ['', '', ...partsOf(good())].join('.')],
    ['with padding', () => `${good()}=`],
    [
      'of plain base64',
      () =>
        partsOf(good())
          .map((part) => Buffer.from(part, 'base64url').toString('base64'))
          .join('.'),
    ],
    ['of more than 8 KiB', () => good({ padding: 'x'.repeat(8_000) })],
    ['whose header is no JSON', () => craft('{"alg":"HS256"', claims(), hmac(SECRET))],
    ['whose header is no object', () => craft('["HS256"]', claims(), hmac(SECRET))],
    ['whose claims are no JSON', () => craft(HS256, text().slice(1), hmac(SECRET))],
    ['whose claims are a list', () => craft(HS256, `[${text()}]`, hmac(SECRET))],
    ['whose claims are a text', () => craft(HS256, JSON.stringify(text()), hmac(SECRET))],
    ['whose claims are null', () => craft(HS256, 'null', hmac(SECRET))],
    ['whose claims are not UTF-8', () => craft(HS256, Buffer.from([0xff, 0xfe, 0x7b, 0x7d]), hmac(SECRET))],
    [
      'whose claims are nested a thousand deep',
      () => craft(HS256, '['.repeat(1_000) + ']'.repeat(1_000), hmac(SECRET)),
    ],
    ['that must be understood in a way that nobody here knows', () => good({}, { crit: ['exp'], exp: 1 })],
    ['with an empty list of what must be understood', () => good({}, { crit: [] })],
    ['whose payload is not encoded', () => good({}, { b64: false, crit: ['b64'] })],
    ['of another type', () => good({}, { typ: 'logout+jwt' })],
    ['of a type that is none', () => good({}, { typ: 7 })],
    ['that expires after the year 9999', () => good({ exp: 253_402_300_800 })],
    ['that expires at infinity', () => craft(HS256, text({ exp: 0 }).replace('"exp":0', '"exp":1e999'), hmac(SECRET))],
    ['that expired before the tolerance', () => good({ exp: now() - 40 })],
    ['that expired in the year 1', () => good({ exp: -62_135_596_800 })],
    ['that expires at a text', () => good({ exp: String(now() + 600) })],
    ['that expires at null', () => good({ exp: null })],
    ['that expires at a list', () => good({ exp: [now() + 600] })],
    ['that is valid from a text on', () => good({ nbf: '0' })],
    ['that will be valid after the tolerance', () => good({ nbf: now() + 60 })],
    ['of two issuers', () => good({ iss: ['agrotour-sync-engine', 'https://id.example.org/'] })],
    ['for an audience in other letters', () => good({ aud: 'Agrotour-Sync' })],
    ['for an audience that is an object', () => good({ aud: { 0: 'agrotour-sync' } })],
    ['of a tenant that is SQL', () => good({ tenant_id: `' OR '1'='1` })],
    ['of a tenant that is a list', () => good({ tenant_id: [device.tenantId] })],
    ['of the tenant nil', () => good({ tenant_id: '00000000-0000-0000-0000-000000000000' })],
    [
      'of a role in a prototype',
      () => craft(HS256, text({ role: undefined }).replace('{', '{"__proto__":{"role":"admin"},'), hmac(SECRET)),
    ],
    ['of a role that every object has', () => good({ role: 'constructor' })],
  ])('lets no token in %s', async (_what, token) => {
    await expectRefused(token(), service);
  });

  it('lets no token in of which any character was changed', async () => {
    const token = good();
    const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=');
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), character, async (at, changed) => {
        fc.pre(token[at] !== changed);
        expect((await show(token.slice(0, at) + changed + token.slice(at + 1), service)).status).toBe(401);
      }),
      {
        numRuns: 400,
        examples: [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((last) => [
          token.length - 1,
          last,
        ]),
      },
    );
  });

  it('lets no token in of which characters were cut out or put in', async () => {
    const token = good();
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length), fc.nat(8), fc.stringMatching(/^[\w.-]{0,8}$/), async (at, cut, put) => {
        const changed = token.slice(0, at) + put + token.slice(at + cut);
        fc.pre(changed !== token);
        expect((await show(changed, service)).status).toBe(401);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a service with an identity provider', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const thief = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const RS256 = { alg: 'RS256', kid: 'one', typ: 'JWT' };
  let provider: Server;
  let elsewhere: Server;
  let elsewhereUrl = '';
  let provided: RunningService;
  let asked = 0;
  const askedElsewhere: string[] = [];

  beforeAll(async () => {
    const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' };
    const stolen = { ...thief.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' };
    provider = createServer((_request, response) => {
      asked += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    });
    elsewhere = createServer(({ url }, response) => {
      askedElsewhere.push(url ?? '');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [stolen] }));
    });
    for (const server of [provider, elsewhere])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    elsewhereUrl = urlOf(elsewhere);
    provided = await startService({
      DATABASE_URL: database.appUrl,
      JWT_SECRET: '',
      JWT_JWKS_URL: urlOf(provider),
      ...OFTEN,
    });
  });
  afterAll(async () => {
    await provided.stop();
    provider.close();
    elsewhere.close();
  });

  const good = (header: Json = {}): string => craft({ ...RS256, ...header }, claims(), rsa(keys.privateKey));
  /** What a thief signs, who knows the public key and everything else. */
  const forged = (header: Json = {}): string => craft({ ...RS256, ...header }, claims(), rsa(thief.privateKey));

  it('lets a token in that the provider signed', async () => {
    expect(await show(good(), provided)).toMatchObject({ status: 200 });
  });

  it.each<[what: string, secret: () => string | Buffer]>([
    ['its PEM', () => keys.publicKey.export({ format: 'pem', type: 'spki' })],
    [
      'its PEM without the last line break',
      () => String(keys.publicKey.export({ format: 'pem', type: 'spki' })).trim(),
    ],
    ['its PEM of PKCS#1', () => keys.publicKey.export({ format: 'pem', type: 'pkcs1' })],
    ['its DER', () => keys.publicKey.export({ format: 'der', type: 'spki' })],
    [
      'its JWK',
      () => JSON.stringify({ ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }),
    ],
    ['its modulus', () => Buffer.from(String(keys.publicKey.export({ format: 'jwk' }).n), 'base64url')],
  ])('lets no token in that takes the public key for a secret: %s', async (_what, secret) => {
    for (const alg of ['HS256', 'RS256'])
      await expectRefused(craft({ ...RS256, alg }, claims(), hmac(secret())), provided);
  });

  it.each<[what: string, token: () => string]>([
    ['signed by another', () => forged()],
    ['that brings its own key', () => forged({ jwk: thief.publicKey.export({ format: 'jwk' }) })],
    [
      'that brings its own key, and no key id',
      () => forged({ kid: undefined, jwk: thief.publicKey.export({ format: 'jwk' }) }),
    ],
    ['that says where its key is, by jku', () => forged({ jku: elsewhereUrl })],
    ['that says where its key is, by x5u', () => forged({ x5u: elsewhereUrl })],
    ['whose key id says where its key is', () => forged({ kid: elsewhereUrl })],
    [
      'that brings a certificate',
      () => forged({ x5c: [thief.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] }),
    ],
    ['of nobody', () => craft({ ...RS256, alg: 'none' }, claims(), unsigned)],
    ['with an empty signature', () => craft(RS256, claims(), unsigned)],
    ['with a signature of zeros', () => craft(RS256, claims(), () => Buffer.alloc(256))],
    ['with an ES256 signature of zeros', () => craft({ ...RS256, alg: 'ES256' }, claims(), () => Buffer.alloc(64))],
    ['with RS512', () => craft({ ...RS256, alg: 'RS512' }, claims(), rsa(keys.privateKey, 'RSA-SHA512'))],
    ['with PS256', () => good({ alg: 'PS256' })],
    ['with ES256, by an RSA key', () => good({ alg: 'ES256' })],
    ['of another type', () => good({ typ: 'logout+jwt' })],
    ...[
      'two',
      '',
      'ONE',
      '../../../../dev/null',
      '/proc/self/environ',
      `one' UNION SELECT 'x' --`,
      'one\u0000',
      '__proto__',
      'constructor',
      '*',
      'x'.repeat(4_000),
      1,
      null,
      ['one'],
      { toString: 'one' },
    ].map((kid): [string, () => string] => [
      `with the key id ${JSON.stringify(kid).slice(0, 40)}`,
      () => forged({ kid }),
    ]),
  ])('lets no token in %s', async (_what, token) => {
    await expectRefused(token(), provided);
  });

  it('has asked nobody else for keys, and the provider once, whatever key ids there were', async () => {
    for (let time = 0; time < 50; time += 1) await expectRefused(forged({ kid: randomUUID() }), provided);
    expect(askedElsewhere).toEqual([]);
    expect(asked).toBe(1);
    expect(await show(good(), provided)).toMatchObject({ status: 200 });
  });

  it('lets no token in of which any character was changed', async () => {
    const token = good();
    const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=');
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), character, async (at, changed) => {
        fc.pre(token[at] !== changed);
        expect((await show(token.slice(0, at) + changed + token.slice(at + 1), provided)).status).toBe(401);
      }),
      { numRuns: 300 },
    );
  });
});
