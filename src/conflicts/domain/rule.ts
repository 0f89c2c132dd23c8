import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import type { Operation } from '../../inventory/domain/operation.js';
import type { EventKind } from '../../inventory/domain/stock-event.js';
import type { Judgement } from './verdict.js';

/** What the rules look at of an operation. */
export interface Competitor extends Pick<Operation, 'reason' | 'paymentStatus' | 'delta'> {
  readonly kind: EventKind;
  /** The last lamport that its device had applied; null if that is not known any more. */
  readonly base: number | null;
}

/** What a rule says: one of the two takes precedence. */
export interface RuleAnswer extends Judgement {
  readonly verdict: 'A' | 'B';
}

/**
 * A hardcoded rule (design, section 7, tier 1). Small, pure and total; `a` and `b` may change places and only the verdict
 * is mirrored.
 */
export interface Rule {
  /** As the decision trail keeps it: it never changes. */
  readonly name: string;
  /** undefined: it has nothing to say of these two. */
  readonly judge: (a: Competitor, b: Competitor) => RuleAnswer | undefined;
}

/**
 * A claim: stock that somebody was promised. What was broken or corrected is none: no rule makes it whole again.
 */
export function isClaim({ kind, reason }: Pick<Competitor, 'kind' | 'reason'>): boolean {
  return kind === 'DECREMENT' && (reason === 'SALE' || reason === 'RESERVATION');
}

/** An operation of the log as the rules see it. */
export function competitorOf({ content, state }: LoggedOperation): Competitor {
  const { kind, reason, paymentStatus, delta, baseLamport } = content;
  // Nobody has applied what was not there yet, whatever a device says.
  const base = baseLamport === null ? null : Math.min(baseLamport, state.lamport - 1);
  return { kind, reason, paymentStatus, delta, base };
}
