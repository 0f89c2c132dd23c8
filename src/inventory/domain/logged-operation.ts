import type { Disposition } from './ledger.js';
import type { ReferencedOperation } from './reference.js';
import type { EventContent } from './stock-event.js';

/** An operation of the log: what it says, and what became of it. */
export interface LoggedOperation {
  readonly content: EventContent;
  readonly state: ReferencedOperation;
}

/** So many of the newest claims are weighed: one that a hundred others precede is not saved by the next hundred. */
export const CLAIMS_MAX = 100;

/** What other devices did to a product that a device may not have known, as it stands. */
export interface Rivals {
  /** The last count; null if there is none. */
  readonly count: LoggedOperation | null;
  /** The last receipt or issue; null if there is none, or nobody asked. */
  readonly movement: LoggedOperation | null;
  /** What was taken, the newest first, as far back as is looked; empty if nobody asked. */
  readonly claims: readonly LoggedOperation[];
}

/** What is asked of one product: what other devices did to it after lamport `after`. */
export interface RivalQuery {
  readonly productId: string;
  readonly after: number;
  /** Whether the last receipt or issue is asked for. */
  readonly movement: boolean;
  /** Whether all that was taken is asked for. */
  readonly claims: boolean;
}

/** An event of a product as a conflict looks back at it. */
export interface PastEvent {
  readonly content: EventContent;
  readonly lamport: number;
  readonly effect: number;
  readonly disposition: Disposition;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
}

/** What happened to a product after some lamport, in order. */
export interface ProductHistory {
  readonly events: readonly PastEvent[];
  /** Whether it reaches back that far: only so many events are looked at. */
  readonly complete: boolean;
}
