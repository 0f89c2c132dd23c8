import { isUUID } from 'class-validator';
import { type FieldError, ProblemError } from '../problems/problem.js';
import { readWire } from '../wire/read-wire.js';
import { toConflictDetailWire } from './conflict.wire.js';
import type { DetailedConflict } from './domain/conflict-log.js';
import type { ResolutionEntry, ResolutionOutcome } from './domain/resolution-batch.js';
import type { ResolutionOrder } from './domain/resolution-order.js';
import {
  type EarlierResolutionDto,
  ResolutionEntryDto,
  RESOLUTIONS_MAX,
  type ResolutionResultDto,
  type ResolutionResultsDto,
  type ResolveDto,
  type ResolveManyDto,
} from './resolution.dto.js';

/** @throws ProblemError VALIDATION if it doesn't say who stands, or says it twice. */
export function toResolutionOrder(body: ResolveDto): ResolutionOrder {
  const fault = faultAcrossFields(body, '');
  if (fault) throw new ProblemError('VALIDATION', { errors: [fault] });
  return orderOf(body);
}

/**
 * Each entry is read on its own, so that a malformed one refuses only itself.
 * @throws ProblemError VALIDATION if there are none.
 */
export function toResolutionEntries({ resolutions }: ResolveManyDto): ResolutionEntry[] {
  if (resolutions.length === 0) {
    const message = `must be a list of 1 to ${RESOLUTIONS_MAX} entries`;
    throw new ProblemError('VALIDATION', { errors: [{ path: 'resolutions', code: 'ENTRY_COUNT', message }] });
  }
  return resolutions.map((input, index): ResolutionEntry => {
    const path = `resolutions[${index}]`;
    const reading = readWire(ResolutionEntryDto, input, path);
    if (!reading.ok) return { readable: false, conflictId: conflictIdIn(input), errors: reading.errors };
    const { value } = reading;
    const conflictId = value.conflict_id.toLowerCase();
    const fault = faultAcrossFields(value, `${path}.`);
    if (fault) return { readable: false, conflictId, errors: [fault] };
    return { readable: true, path, conflictId, order: orderOf(value) };
  });
}

export function toResolutionResults(outcomes: readonly ResolutionOutcome<DetailedConflict>[]): ResolutionResultsDto {
  return { results: outcomes.map(toResult) };
}

function toResult(outcome: ResolutionOutcome<DetailedConflict>): ResolutionResultDto {
  const { conflictId: conflict_id, status } = outcome;
  if (status === 'resolved') return { conflict_id, status, conflict: toConflictDetailWire(outcome.conflict) };
  const { code, message, details } = outcome.problem;
  const resolution = details.extensions?.['resolution'] as EarlierResolutionDto | undefined;
  return {
    ...{ conflict_id, status, code, detail: message },
    ...(details.errors && { errors: [...details.errors] }),
    ...(resolution && { resolution }),
  };
}

/** The rules that span two fields. */
function faultAcrossFields({ winner_id: winnerId, resolution }: ResolveDto, prefix: string): FieldError | null {
  const path = `${prefix}winner_id`;
  const isNamed = winnerId != null;
  if (resolution == null && !isNamed) {
    return { path, code: 'REQUIRED', message: 'is required, unless `resolution` says BOTH, NEITHER or SUGGESTION' };
  }
  if (resolution === 'WINNER' && !isNamed) return { path, code: 'REQUIRED', message: 'is required of a WINNER' };
  if (resolution != null && resolution !== 'WINNER' && isNamed) {
    return { path, code: 'EXCLUSIVE', message: `must not be given together with ${resolution}` };
  }
  return null;
}

function orderOf({ winner_id: winnerId, resolution, feedback }: ResolveDto): ResolutionOrder {
  return {
    order: resolution ?? 'WINNER',
    winnerId: winnerId?.toLowerCase() ?? null,
    // A form sends the empty text for a field left blank.
    feedback: feedback == null || feedback.trim() === '' ? null : feedback,
  };
}

function conflictIdIn(input: unknown): string | null {
  if (typeof input !== 'object' || input === null || !('conflict_id' in input)) return null;
  const { conflict_id: id } = input;
  return typeof id === 'string' && isUUID(id, 'loose') ? id.toLowerCase() : null;
}
