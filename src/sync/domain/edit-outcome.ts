import { fieldEdit } from '../../conflicts/domain/state-conflicts.js';
import type { Merge } from '../../states/domain/merge.js';
import type { Edit, Entity, State } from '../../states/domain/state.js';
import { type LogWriter, noteOf } from './log-writer.js';
import type { ConflictNote, Ignored, Rejected, Warning } from './push-outcome.js';

/** Enters into the conflict log what an edit and what stood lost to each other, on whichever side. */
export function keepWhatIsLost<F extends object>(
  entity: Entity,
  current: State<F> | undefined,
  edit: Edit<F>,
  merge: Merge<F>,
  log: LogWriter,
): ConflictNote | undefined {
  if (!current || merge.contested.length === 0) return undefined;
  return noteOf(log.addConflict(fieldEdit(entity, current, edit, merge)));
}

/** What stands has overtaken the edit. */
export function ignored(
  { id, lamport, version }: State<object>,
  conflict: ConflictNote | undefined,
  warnings: readonly Warning[] = [],
): Ignored {
  return { status: 'ignored', id, lamport, version, warnings, ...(conflict && { conflict }) };
}

/** A new state can't be without the field at `path`. */
export function missing(id: string, what: 'product' | 'payment', path: string): Rejected {
  const error = { path, code: 'REQUIRED', message: `is required of a new ${what}` };
  return { status: 'rejected', id, code: 'VALIDATION', errors: [error] };
}
