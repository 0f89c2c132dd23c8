import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLastEventId, toLiveEvent } from './live.wire.js';

describe('parseLastEventId', () => {
  it('reads the id of any event', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (lamport) => {
        expect(parseLastEventId(toLiveEvent({ lamport, epoch: '' }).id)).toBe(lamport);
      }),
    );
  });

  it.each([undefined, '', ' ', 'x', '-1', '1.5', '1e3', '0x10', '41, 42', '9007199254740992', '٤٢', '9'.repeat(400)])(
    'takes %p for none',
    (header) => {
      expect(parseLastEventId(header)).toBeUndefined();
    },
  );
});

describe('toLiveEvent', () => {
  it('has the lamport as id, and clock and epoch as JSON on one line', () => {
    expect(toLiveEvent({ lamport: 43, epoch: '6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55' })).toEqual({
      id: '43',
      data: '{"server_lamport":43,"epoch":"6a3f0e1c-33a5-4f0e-8d55-9d3f6f1c7f55"}',
    });
  });
});
