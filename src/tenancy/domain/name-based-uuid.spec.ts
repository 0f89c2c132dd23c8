import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { uuidV5, uuidV8 } from './name-based-uuid.js';

describe('uuidV5', () => {
  it('makes the example of RFC 9562, appendix A.4', () => {
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    );
  });

  it('always carries version 5 and the variant of the RFC', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string({ unit: 'grapheme' }), (namespace, name) => {
        expect(uuidV5(namespace, name)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
      }),
    );
  });
});

describe('uuidV8', () => {
  it('makes the example of RFC 9562, appendix B.2', () => {
    expect(uuidV8('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '5c146b14-3c52-8afd-938a-375d0df1fbf6',
    );
  });
});
