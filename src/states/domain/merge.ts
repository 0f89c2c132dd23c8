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
  /** Of the last of those changes. */
  readonly othersLamport: number;
  /** What the device itself has changed since, by other edits of its own. */
  readonly own: OwnEdits;
}

/** What one device has done to a state. */
export interface OwnEdits {
  readonly changed: ReadonlySet<string>;
  /** The highest of their lamports, by the device's own clock; −Infinity if there are none. */
  readonly clientLamport: number;
}

export const NO_EDITS: OwnEdits = { changed: new Set(), clientLamport: -Infinity };

/** Both of one device's. */
export function withEdits(before: OwnEdits, more: OwnEdits): OwnEdits {
  return {
    changed: new Set([...before.changed, ...more.changed]),
    clientLamport: Math.max(before.clientLamport, more.clientLamport),
  };
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
  /** Whether it makes a version: a newer edit does even if it says what stands; a merge only if it brings something. */
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
  const newer = isNewer(current, edit, base);
  const mine = base ? said.filter(([name, value]) => base.fields[name] !== value) : said;
  const contested = base
    ? mine.filter(([name]) => isContested(name, edit, base))
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

/** Others gave the field another value since, or the device itself did later, by its own clock. */
function isContested<F extends object>(name: string, edit: Edit<F>, base: EditBase): boolean {
  return base.changedByOthers.has(name) || (base.own.changed.has(name) && edit.clientLamport <= base.own.clientLamport);
}

/**
 * A device's own edits are ordered by its own clock: the lamport that the server gave the first of two that were made
 * offline is higher than the second's, which would never win otherwise. What others did is measured by the server's.
 */
function isNewer<F extends object>(current: State<F>, edit: Edit<F>, base: EditBase | undefined): boolean {
  if (base) return edit.clientLamport > base.othersLamport && edit.clientLamport > base.own.clientLamport;
  return edit.clientLamport > (edit.deviceId === current.deviceId ? current.clientLamport : current.lamport);
}

/**
 * Whose edit stands after a merge that made the version at `lamport`. One that is not newer adds to what stands, and what
 * stands keeps its rank; but if another device has added it, the first one's own clock says no more what it has seen: its
 * next edit must be past that version, as any other's.
 */
export function standingEdit<F extends object>(
  current: State<F> | undefined,
  edit: Edit<F>,
  { newer }: Merge<F>,
  lamport: number,
): Pick<State<F>, 'deviceId' | 'clientLamport' | 'editId'> {
  const { deviceId, clientLamport, editId } = current && !newer ? current : edit;
  return { deviceId, editId, clientLamport: deviceId === edit.deviceId ? clientLamport : lamport };
}
