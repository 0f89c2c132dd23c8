import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { ProblemError } from '../problems/problem.js';
import type { ConflictsService } from './conflicts.service.js';
import type { RecordedConflict } from './domain/conflict.js';
import type { ResolutionEntry } from './domain/resolution-batch.js';
import { ManualResolutionService } from './manual-resolution.service.js';
import type { ResolutionService } from './resolution.service.js';

const PERSON = { role: 'staff', userId: 'user', tenantId: 'tenant' } as const;

const entry = (conflictId: string, index: number): ResolutionEntry => ({
  ...{ readable: true, path: `resolutions[${index}]`, conflictId },
  order: { order: 'BOTH', winnerId: null, feedback: null },
});

/** Settles whatever it is asked, as `settle` says. */
const serviceThat = (settle: (conflictId: string) => void): ManualResolutionService => {
  const resolutions: Pick<ResolutionService, 'resolve'> = {
    resolve: async (_tenantId, _userId, id) => {
      await Promise.resolve();
      settle(id);
      return { id } as RecordedConflict;
    },
  };
  const conflicts: Pick<ConflictsService, 'detail'> = {
    detail: (_tenantId, found) =>
      Promise.resolve(found.map((conflict) => ({ conflict, devices: new Map(), stockNow: null }))),
  };
  return new ManualResolutionService(resolutions as ResolutionService, conflicts as ConflictsService);
};

beforeEach(() => {
  jest.useFakeTimers();
  Logger.overrideLogger(false);
});
afterEach(() => {
  jest.useRealTimers();
});

it('settles the others, whatever one of them comes to', async () => {
  const errors = [{ path: 'winner_id', code: 'NOT_A_SIDE', message: '' }];
  const service = serviceThat((id) => {
    if (id === 'wrong') throw new ProblemError('VALIDATION', { errors });
    if (id === 'broken') throw new Error('A fault of the service');
  });
  const outcomes = await service.resolveMany(PERSON, [
    { readable: false, conflictId: null, errors },
    ...['first', 'wrong', 'broken', 'last', 'first'].map(entry),
  ]);
  expect(outcomes).toMatchObject([
    { status: 'refused', conflictId: null, problem: { code: 'VALIDATION' } },
    { status: 'resolved', conflictId: 'first', conflict: { conflict: { id: 'first' } } },
    {
      status: 'refused',
      conflictId: 'wrong',
      problem: { details: { errors: [{ path: 'resolutions[1].winner_id' }] } },
    },
    { status: 'refused', conflictId: 'broken', problem: { code: 'INTERNAL' } },
    { status: 'resolved', conflictId: 'last' },
    { status: 'resolved', conflictId: 'first' },
  ]);
});

it('does not begin another when those before took longer than anyone waits', async () => {
  const asked: string[] = [];
  const service = serviceThat((id) => {
    asked.push(id);
    jest.advanceTimersByTime(9_000);
  });
  const outcomes = await service.resolveMany(PERSON, ['a', 'b', 'c', 'd', 'e'].map(entry));
  expect(asked).toEqual(['a', 'b', 'c']);
  expect(outcomes.map(({ status }) => status)).toEqual(['resolved', 'resolved', 'resolved', 'refused', 'refused']);
  expect(outcomes[3]).toMatchObject({ conflictId: 'd', problem: { code: 'UNAVAILABLE' } });
});
