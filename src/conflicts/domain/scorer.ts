import type { OperationReason, PaymentStatus } from '../../inventory/domain/operation.js';
import type { EventKind } from '../../inventory/domain/stock-event.js';
import type { Judgement } from './verdict.js';

/** When something was done, by a wall clock that was corrected by what is known of it. */
export interface Instant {
  /** Milliseconds since 1970, by the server's clock. */
  readonly ms: number;
  /** How far off that may be, in milliseconds: one standard deviation. */
  readonly uncertaintyMs: number;
}

/** Below every lamport: nothing is taken for known. */
export const UNKNOWN_BASE = -1;

/** What is known of an operation, or of a deletion, for judging it against another one. */
export interface Contestant {
  readonly id: string;
  readonly deviceId: string;
  /** DELETE: of a product, which is no event of the log. */
  readonly kind: EventKind | 'DELETE';
  readonly reason: OperationReason | null;
  readonly paymentStatus: PaymentStatus | null;
  /** Units; of a SET, what was counted. */
  readonly delta: number;
  /** Its device's own clock. */
  readonly clientLamport: number;
  /** The last lamport that its device had applied; UNKNOWN_BASE if nobody knows. */
  readonly base: number;
  /** Position in the tenant's log. */
  readonly lamport: number;
  /** null if its device did not say when. */
  readonly at: Instant | null;
}

/**
 * Says how likely it is that one of two has precedence over the other: verdict A or B, with a confidence of at least one
 * half. Pure; `a` and `b` may change places and only the verdict is mirrored.
 */
export interface Scorer {
  /** As the decision trail keeps it: it never changes. */
  readonly name: string;
  /** undefined: it has nothing to say of these two. */
  readonly score: (a: Contestant, b: Contestant) => Judgement | undefined;
}
