import { expect, it } from '@jest/globals';
import { negotiateEncoding } from './content-encoding.js';

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
