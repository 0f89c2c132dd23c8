import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '../problems/problem.js';
import { toResolutionEntries, toResolutionOrder, toResolutionResults } from './resolution.wire.js';

const ID = '99999999-0000-4000-8000-00000000000a';
const WINNER = '99999999-0000-4000-8000-00000000000b';

describe('toResolutionOrder', () => {
  it('takes a winner for what is decided, and needs none for the rest', () => {
    const none = { winnerId: null, feedback: null };
    expect(toResolutionOrder({ winner_id: WINNER.toUpperCase() })).toEqual({
      order: 'WINNER',
      winnerId: WINNER,
      feedback: null,
    });
    expect(toResolutionOrder({ winner_id: WINNER, resolution: 'WINNER' })).toMatchObject({ order: 'WINNER' });
    for (const order of ['BOTH', 'NEITHER', 'SUGGESTION'] as const) {
      expect(toResolutionOrder({ resolution: order })).toEqual({ order, ...none });
      expect(toResolutionOrder({ resolution: order, winner_id: null, feedback: null })).toEqual({ order, ...none });
    }
  });

  it('keeps what is said, and takes blank for nothing', () => {
    const said = (feedback: string): unknown => toResolutionOrder({ resolution: 'BOTH', feedback }).feedback;
    expect(said(' Ana counted\nagain ')).toBe(' Ana counted\nagain ');
    expect(said('')).toBeNull();
    expect(said(' \n')).toBeNull();
  });

  it.each([
    [{}, 'REQUIRED'],
    [{ winner_id: null, resolution: null }, 'REQUIRED'],
    [{ resolution: 'WINNER' }, 'REQUIRED'],
    [{ resolution: 'WINNER', winner_id: null }, 'REQUIRED'],
    [{ resolution: 'BOTH', winner_id: WINNER }, 'EXCLUSIVE'],
    [{ resolution: 'NEITHER', winner_id: WINNER }, 'EXCLUSIVE'],
    [{ resolution: 'SUGGESTION', winner_id: WINNER }, 'EXCLUSIVE'],
  ] as const)('refuses %j, which says nothing or two things', (body, code) => {
    const errors = [{ path: 'winner_id', code, message: expect.any(String) }];
    expect(() => toResolutionOrder(body)).toThrow(expect.objectContaining({ code: 'VALIDATION', details: { errors } }));
  });
});

describe('toResolutionEntries', () => {
  it('reads each on its own, and says of a bad one what is wrong, and with which conflict if it can', () => {
    expect(
      toResolutionEntries({
        resolutions: [
          { conflict_id: ID.toUpperCase(), winner_id: WINNER, surplus: 1 },
          { conflict_id: ID },
          { conflict_id: ID, resolution: 'MAYBE' },
          { conflict_id: 'x', resolution: 'BOTH' },
          { resolution: 'BOTH' },
          null,
          'text',
          [],
        ],
      }),
    ).toMatchObject([
      { readable: true, path: 'resolutions[0]', conflictId: ID, order: { order: 'WINNER', winnerId: WINNER } },
      { readable: false, conflictId: ID, errors: [{ path: 'resolutions[1].winner_id', code: 'REQUIRED' }] },
      { readable: false, conflictId: ID, errors: [{ path: 'resolutions[2].resolution', code: 'IS_IN' }] },
      { readable: false, conflictId: null, errors: [{ path: 'resolutions[3].conflict_id' }] },
      { readable: false, conflictId: null, errors: [{ path: 'resolutions[4].conflict_id', code: 'REQUIRED' }] },
      { readable: false, conflictId: null, errors: [{ path: 'resolutions[5]', code: 'IS_OBJECT' }] },
      { readable: false, conflictId: null, errors: [{ path: 'resolutions[6]', code: 'IS_OBJECT' }] },
      { readable: false, conflictId: null, errors: [{ path: 'resolutions[7]', code: 'IS_OBJECT' }] },
    ]);
  });

  it('refuses an empty list as a whole', () => {
    expect(() => toResolutionEntries({ resolutions: [] })).toThrow(
      expect.objectContaining({
        code: 'VALIDATION',
        details: { errors: [expect.objectContaining({ code: 'ENTRY_COUNT' })] },
      }),
    );
  });
});

describe('toResolutionResults', () => {
  it('tells of a refused one why, and how it had been settled', () => {
    const resolution = { method: 'MANUAL', verdict: 'A', winner_id: WINNER, reason: 'A person decided.' };
    const errors = [{ path: 'resolutions[1].winner_id', code: 'NOT_A_SIDE', message: 'must be one' }];
    const problems = [
      new ProblemError('ALREADY_RESOLVED', { extensions: { resolution } }),
      new ProblemError('VALIDATION', { errors }),
      new ProblemError('RESOLUTION_OVERTAKEN', { detail: 'All of it was cancelled.' }),
    ];
    const outcomes = problems.map((problem) => ({ status: 'refused', conflictId: ID, problem }) as const);
    expect(toResolutionResults(outcomes).results).toEqual([
      {
        conflict_id: ID,
        status: 'refused',
        code: 'ALREADY_RESOLVED',
        detail: 'The conflict is settled already',
        resolution,
      },
      { conflict_id: ID, status: 'refused', code: 'VALIDATION', detail: 'The request is not valid', errors },
      { conflict_id: ID, status: 'refused', code: 'RESOLUTION_OVERTAKEN', detail: 'All of it was cancelled.' },
    ]);
  });
});
