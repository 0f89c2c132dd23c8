import { ORDER_SCORERS } from './precedence.js';
import type { Contestant } from './scorer.js';
import { spanOf, timeBetween } from './scorers/earlier-wall-clock.scorer.js';
import { describe, units } from './scorers/wording.js';
import type { Decision } from './verdict.js';
import { ask } from './weigh.js';

/**
 * What stands in the ledger and the count's device had not seen. Of a RELEASE the clocks and the time are those of the
 * operation it releases: the goods moved then, not when somebody decided.
 */
export interface Movement extends Contestant {
  /** Signed units that it stands for at present, with what was released or taken back of it; may be 0. */
  readonly effect: number;
}

/** Where a count belongs among what its device had not seen, and so what it does to stock. */
export interface CountPlacement {
  /** Signed units by which the count changes stock; 0 if it was overtaken. */
  readonly effect: number;
  /** Ids of what came after the count and is put back on top of it, in lamport order. */
  readonly after: readonly string[];
  /** Ids of what came before it and is taken as counted, in lamport order. */
  readonly before: readonly string[];
  /** A count that came after this one, and says what is there; null if there is none. */
  readonly overtakenBy: string | null;
  /** Of the least sure among those that matter, or of the count that overtook this one; 1 if nothing matters. */
  readonly confidence: number;
  /** Sentences for the shop about what matters, the least sure first: some, and how many more there are. */
  readonly reasons: readonly string[];
  /** The trail of those that the reasons tell of. The count is A, and a verdict says which came first. */
  readonly decisions: readonly Decision[];
}

/** How many are told of, so that a busy shop's count stays readable; the rest is a number. */
const REASONS_MAX = 5;
const DECISIONS_MAX = 20;

interface Placed {
  readonly movement: Movement;
  readonly isAfter: boolean;
  readonly confidence: number;
  readonly decisions: readonly Decision[];
}

/**
 * Judges what came before a count and what after it (design, section 7). What came before it, its people saw on the shelf;
 * what came after it is put back on top: final = value + sum of the effects after.
 * @param stockAtBase units at the last lamport that the count's device had applied
 * @param unseen what stands beyond that lamport, in any order; neither the count itself, nor a count that is held or voided
 */
export function placeCount(count: Contestant, stockAtBase: number, unseen: readonly Movement[]): CountPlacement {
  const placed = unseen.map((movement) => place(count, movement)).toSorted(inTheLog);
  const after = placed.filter(({ isAfter }) => isAfter);
  const before = placed.filter(({ isAfter }) => !isAfter);
  // One count after this one is enough, so the surest of them says how sure it is. Nothing else matters then.
  const overtaking = after
    .filter(({ movement }) => movement.kind === 'SET')
    .toSorted((a, b) => b.confidence - a.confidence);
  const overtakenBy = overtaking[0]?.movement.id ?? null;
  const deciding = overtaking.length > 0 ? overtaking : placed.filter(matters).toSorted(leastSureFirst);
  const counted = before.reduce((sum, { movement }) => sum + movement.effect, stockAtBase);
  return {
    effect: overtakenBy === null ? count.delta - counted : 0,
    after: after.map(({ movement }) => movement.id),
    before: before.map(({ movement }) => movement.id),
    overtakenBy,
    confidence: deciding[0]?.confidence ?? 1,
    reasons: reasonsOf(count, deciding),
    decisions: deciding
      .slice(0, REASONS_MAX)
      .flatMap(({ decisions }) => decisions)
      .slice(0, DECISIONS_MAX),
  };
}

/** What nothing tells of is taken as after the count: before it, a sale would be swallowed. */
function place(count: Contestant, movement: Movement): Placed {
  const { combined, decisions } = ask(ORDER_SCORERS, count, movement);
  return { movement, isAfter: combined?.verdict !== 'B', confidence: combined?.confidence ?? 0.5, decisions };
}

/** What moves nothing is the same before and after, but for another count: that says which of the two is believed. */
function matters({ movement }: Placed): boolean {
  return movement.effect !== 0 || movement.kind === 'SET';
}

/** The same whatever the order they were given in. */
function inTheLog({ movement: a }: Placed, { movement: b }: Placed): number {
  return a.lamport - b.lamport || (a.id < b.id ? -1 : 1);
}

function leastSureFirst(a: Placed, b: Placed): number {
  return a.confidence - b.confidence;
}

function reasonsOf(count: Contestant, deciding: readonly Placed[]): string[] {
  const told = deciding.slice(0, REASONS_MAX).map((one) => reasonOf(count, one));
  const rest = deciding.length - told.length;
  return rest > 0 ? [...told, `… and ${rest} more.`] : told;
}

function reasonOf(count: Contestant, placed: Placed): string {
  const { movement, isAfter, confidence } = placed;
  const subject = describe(movement);
  if (confidence <= 0.5) {
    return `Nothing tells whether the ${subject} came before ${theCount(movement)} or after it; after is assumed: ${outcome(placed)}.`;
  }
  return `The ${subject} ${whenItCame(count, movement, isAfter, confidence)}: ${outcome(placed)}.`;
}

function whenItCame(count: Contestant, movement: Movement, isAfter: boolean, confidence: number): string {
  const side = `${isAfter ? 'after' : 'before'} ${theCount(movement)}`;
  if (confidence === 1) return `certainly came ${side}`;
  const between = timeBetween(count, movement);
  // Where the clocks say otherwise, and were outvoted, their gap would only confuse.
  if (!between || between.ms === 0 || between.ms > 0 !== isAfter) return `probably came ${side}`;
  const { span, giveOrTake } = spanOf(between);
  return `came ${span} ${side}, ${giveOrTake}`;
}

/** Beside another count. */
function theCount({ kind }: Movement): string {
  return kind === 'SET' ? 'this one' : 'the count';
}

function outcome({ movement: { kind, effect }, isAfter }: Placed): string {
  if (kind === 'SET') return isAfter ? 'it says what is there' : 'this count is the newer one';
  if (!isAfter) return 'it is taken as counted';
  return effect < 0 ? `${units(-effect)} taken off the count` : `${units(effect)} added to the count`;
}
