import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { decodeBody, negotiateEncoding } from './content-encoding.js';

it.each([
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['*', 'gzip'],
  ['gzip, deflate, br, zstd', 'gzip'],
  ['br', 'identity'],
  ['identity', 'identity'],
  ['gzip;q=0', 'identity'],
  ['gzip;q=0, *', 'identity'],
  ['gzip; q=0.0, identity; q=0.5', 'identity'],
  ['identity;q=1.0, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip;q=1.0', 'gzip'],
  ['br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip'],
  ['*;q=0', 'identity'],
  ['identity;q=0', 'identity'],
  [';;;,=,q', 'identity'],
])('of Accept-Encoding %j takes %s', (acceptEncoding, expected) => {
  expect(negotiateEncoding(acceptEncoding)).toBe(expected);
});

describe('decodeBody', () => {
  const BYTES_MAX = 1024 * 1024;
  const text = Buffer.from(JSON.stringify({ operations: ['añejo'] }));
  const decode = (body: Buffer, encoding: string | undefined): Promise<Buffer> => decodeBody(body, encoding, BYTES_MAX);

  it.each([undefined, '', 'identity', ' Identity '])(
    'takes a body of Content-Encoding %j as it is',
    async (encoding) => {
      expect(await decode(text, encoding)).toEqual(text);
    },
  );

  it.each(['gzip', 'GZIP', 'x-gzip'])('unpacks a body of Content-Encoding %s', async (encoding) => {
    expect(await decode(gzipSync(text), encoding)).toEqual(text);
  });

  it('takes a body of no bytes for none, whatever it is said to be', async () => {
    expect(await decode(Buffer.alloc(0), 'gzip')).toHaveLength(0);
  });

  it.each(['br', 'deflate', 'zstd', 'gzip, gzip', 'gzip, br', 'GZIP;q=1'])('refuses %j', async (encoding) => {
    await expect(decode(gzipSync(text), encoding)).rejects.toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it('unpacks as much as a body may have, and not a byte more', async () => {
    const most = randomBytes(BYTES_MAX);
    expect(await decode(gzipSync(most), 'gzip')).toEqual(most);
    const more = gzipSync(Buffer.concat([most, Buffer.of(0)]));
    await expect(decode(more, 'gzip')).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'The body unpacks to more than 1048576 bytes.',
    });
  });

  it('suspects what unpacks to a hundred times its size, unless that is little', async () => {
    const [little, much] = [gzipSync(Buffer.alloc(60_000)), gzipSync(Buffer.alloc(600_000))];
    expect(await decode(little, 'gzip')).toHaveLength(60_000);
    await expect(decode(much, 'gzip')).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'The body unpacks to more than 100 times its size.',
    });
  });

  it.each([
    ['plain text', text],
    ['half of it', gzipSync(text).subarray(0, 20)],
    ['a checksum that is wrong', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
    ['random bytes', randomBytes(100)],
  ])('refuses %s as malformed', async (_what, body) => {
    await expect(decode(body, 'gzip')).rejects.toMatchObject({ code: 'MALFORMED_JSON' });
  });
});
