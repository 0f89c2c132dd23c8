import { expect, it } from '@jest/globals';
import { addressBlock } from './address-block.js';

it.each([
  ['203.0.113.9', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:DB8:0000:0012:a:b:c:d', '2001:db8:0:12::/64'],
  ['2001:db8:0:12::', '2001:db8:0:12::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['no address', 'no address'],
])('takes %s for one of %s', (address, block) => {
  expect(addressBlock(address)).toBe(block);
});
