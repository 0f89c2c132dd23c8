import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '../problems/problem.js';
import { assertProtocolVersion, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from './protocol.js';

describe('assertProtocolVersion', () => {
  it.each([PROTOCOL_VERSION_MIN, PROTOCOL_VERSION])('speaks with a client of version %p', (version) => {
    expect(() => {
      assertProtocolVersion(version);
    }).not.toThrow();
  });

  it.each([PROTOCOL_VERSION + 1, PROTOCOL_VERSION_MIN - 1, Number.MAX_SAFE_INTEGER])(
    'tells a client of version %p which ones it speaks',
    (version) => {
      let problem: unknown;
      try {
        assertProtocolVersion(version);
      } catch (error) {
        problem = error;
      }
      expect(problem).toBeInstanceOf(ProblemError);
      expect(problem).toMatchObject({
        code: 'UPGRADE_REQUIRED',
        details: {
          extensions: { protocol_version: PROTOCOL_VERSION, protocol_version_min: PROTOCOL_VERSION_MIN },
        },
      });
    },
  );
});
