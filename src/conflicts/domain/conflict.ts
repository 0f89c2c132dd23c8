import type { Fields } from '../../states/domain/state.js';

export const CONFLICT_KINDS = ['FIELD_EDIT', 'DUPLICATE_PAYMENT', 'RESERVATION_CLOSED'] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

export const CONFLICT_STATUSES = ['PENDING', 'RESOLVED_AUTO', 'RESOLVED_MANUAL'] as const;
export type ConflictStatus = (typeof CONFLICT_STATUSES)[number];

export const CONFLICT_ENTITIES = ['PRODUCT', 'PAYMENT', 'STOCK'] as const;
export type ConflictEntity = (typeof CONFLICT_ENTITIES)[number];

export const RESOLUTION_METHODS = ['HARDCODED', 'HEURISTIC', 'MANUAL'] as const;
export type ResolutionMethod = (typeof RESOLUTION_METHODS)[number];

/** One of the two that compete. */
export interface ConflictSide {
  /** Of the operation, the edit, or the payment. */
  readonly id: string;
  readonly deviceId: string;
  /** All it says, so that whichever loses is not lost. */
  readonly payload: Fields;
}

export interface Resolution {
  readonly method: ResolutionMethod;
  readonly reason: string;
  /** From 0 to 1. */
  readonly confidence: number;
  /** Of the side that stands; null if both do, or neither. */
  readonly winnerId: string | null;
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
  /** null while it waits for a decision. */
  readonly resolution: Resolution | null;
  /** Position of its last change among all entries of the tenant. */
  readonly lamport: number;
}

/** A conflict as it is read back. */
export interface RecordedConflict extends Conflict {
  readonly status: ConflictStatus;
  readonly detectedLamport: number;
  readonly detectedAt: Date;
  readonly resolvedAt: Date | null;
}

/** Part of the conflict log, the newest first. */
export interface ConflictPage {
  readonly conflicts: readonly RecordedConflict[];
  /** On all pages. */
  readonly total: number;
  /** Where to go on; null after the last page. */
  readonly nextCursor: number | null;
}
