import type { Fields } from '../../states/domain/state.js';
import type { Decision, Judgement, ResolutionMethod, Verdict } from './verdict.js';

export const CONFLICT_KINDS = [
  'OVERSELL',
  'STOCK_COUNT',
  'DELETED_PRODUCT',
  'FIELD_EDIT',
  'DUPLICATE_PAYMENT',
  'CONCURRENT_UPDATE',
  'RESERVATION_CLOSED',
] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

export const CONFLICT_STATUSES = ['PENDING', 'RESOLVED_AUTO', 'RESOLVED_MANUAL'] as const;
export type ConflictStatus = (typeof CONFLICT_STATUSES)[number];

export const CONFLICT_ENTITIES = ['PRODUCT', 'PAYMENT', 'STOCK'] as const;
export type ConflictEntity = (typeof CONFLICT_ENTITIES)[number];

/** Whose turn it is with a conflict that is pending. */
export const CONFLICT_AWAITS = ['HEURISTIC', 'PERSON'] as const;
export type ConflictAwaits = (typeof CONFLICT_AWAITS)[number];

/** One of the two that compete. */
export interface ConflictSide {
  /** Of the operation, the edit, or the payment. */
  readonly id: string;
  readonly deviceId: string;
  /** All it says, so that whichever loses is not lost. */
  readonly payload: Fields;
}

export interface Resolution extends Judgement {
  readonly method: ResolutionMethod;
  /** Of the side that stands, or would have had precedence; null if neither had any. */
  readonly winnerId: string | null;
  /** The user who decided; null if nobody did. */
  readonly resolvedBy: string | null;
  /** What they said about it. */
  readonly feedback: string | null;
}

/** What the heuristics would do, with what made them think so. */
export interface Suggestion extends Judgement {
  readonly reasons: readonly string[];
}

/** Two entries that compete, and how that was settled. `a` is the one that came later to the server. */
export interface Conflict {
  readonly id: string;
  readonly kind: ConflictKind;
  readonly entity: ConflictEntity;
  readonly entityId: string;
  /** Names of the fields in question, if it is about fields. */
  readonly fields: readonly string[];
  readonly a: ConflictSide;
  readonly b: ConflictSide;
  /** Units of the product when the conflict was found, before `a` had any effect; null if it is not about stock. */
  readonly stockThen: number | null;
  /** null once it is settled. */
  readonly awaits: ConflictAwaits | null;
  /** null while it waits for a decision. */
  readonly resolution: Resolution | null;
  /** null if the heuristics were not asked, or knew nothing. */
  readonly suggestion: Suggestion | null;
  /** All that were asked, in order. */
  readonly decisions: readonly Decision[];
  /** Position of its last change among all entries of the tenant. */
  readonly lamport: number;
}

/** One that was asked, with when. */
export interface RecordedDecision extends Decision {
  readonly at: Date;
}

/** A conflict as it is read back. */
export interface RecordedConflict extends Conflict {
  readonly status: ConflictStatus;
  readonly decisions: readonly RecordedDecision[];
  readonly detectedLamport: number;
  readonly detectedAt: Date;
  readonly resolvedAt: Date | null;
}

/** What a decision, or the lack of one, makes of a conflict. */
export interface ConflictChange extends Pick<Conflict, 'id' | 'awaits' | 'resolution' | 'suggestion' | 'lamport'> {
  /** Those who were asked this time: they are added to the trail. */
  readonly asked: readonly Decision[];
}

/** Part of the conflict log, the newest first. */
export interface ConflictPage {
  readonly conflicts: readonly RecordedConflict[];
  /** On all pages. */
  readonly total: number;
  /** Where to go on; null after the last page. */
  readonly nextCursor: number | null;
}

/** Who stands by a verdict: null if no single one does. */
export function winnerOf({ a, b }: Pick<Conflict, 'a' | 'b'>, verdict: Verdict): string | null {
  switch (verdict) {
    case 'A':
      return a.id;
    case 'B':
      return b.id;
    case 'BOTH':
    case 'NEITHER':
      return null;
  }
}
