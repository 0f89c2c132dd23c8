import type { Edit, Fields, Scalar, State } from './state.js';

/** What an edit that is sent again came to the first time. */
export interface KnownEdit {
  readonly lamport: number;
  readonly version: number;
}

/** What a merge needs to know of the versions since the one that an edit was made on. */
export interface EditBase {
  /** As they were at the version the device edited. */
  readonly fields: Fields;
  /** Names of the fields that others have changed since. */
  readonly changedByOthers: ReadonlySet<string>;
}

/** What an edit comes to. */
export interface Merge<F extends object> {
  /** The state's fields after it. */
  readonly fields: F;
  /** Names of the fields it changes. */
  readonly changed: readonly string[];
  /** Names of the fields that both sides gave another value: of each, one of the two is lost. */
  readonly contested: readonly string[];
  /** Whether the edit is newer than what stands: then its values of the contested fields are those that stay. */
  readonly newer: boolean;
  /** Whether it makes a version: a newer edit does even if it says what stands. */
  readonly takes: boolean;
}

/** What the first edit of a state makes of nothing. */
export function createFrom<F extends object>(fields: F): Merge<F> {
  return { fields, changed: Object.keys(fields), contested: [], newer: true, takes: true };
}

/**
 * What an edit makes of the state that stands (design, section 6).
 *
 * Without a base the last write wins as a whole: whichever has the higher lamport, and what stands if they are equal.
 * With a base, which there is if others changed the state since the version the device edited, it is a three-way merge
 * by field: what only one side changed is taken from that side, and only what both changed is for the lamport to decide.
 */
export function mergeEdit<F extends object>(current: State<F>, edit: Edit<F>, base: EditBase | undefined): Merge<F> {
  const before = current.fields as Fields;
  const said = Object.entries(edit.said as Fields).filter(([name, value]) => before[name] !== value);
  const newer = isNewer(current, edit);
  const mine = base ? said.filter(([name, value]) => base.fields[name] !== value) : said;
  const contested = base
    ? mine.filter(([name]) => base.changedByOthers.has(name))
    : newer
      ? [] // it was there to be overwritten, and the history keeps it
      : mine;
  const taken = newer ? mine : mine.filter(([name]) => !contested.some(([other]) => other === name));
  return {
    fields: { ...current.fields, ...(Object.fromEntries(taken) as Partial<F>) },
    changed: taken.map(nameOf),
    contested: contested.map(nameOf),
    newer,
    takes: taken.length > 0 || (newer && !base),
  };
}

const nameOf = ([name]: readonly [string, Scalar]): string => name;

/**
 * A device's own edits are ordered by its own clock: the lamport that the server gave the first of two that were made
 * offline is higher than the second's, which would never win otherwise.
 */
function isNewer<F extends object>(current: State<F>, edit: Edit<F>): boolean {
  return edit.clientLamport > (edit.deviceId === current.deviceId ? current.clientLamport : current.lamport);
}
