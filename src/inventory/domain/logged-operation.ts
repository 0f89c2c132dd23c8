import type { Disposition } from './ledger.js';
import type { ReferencedOperation } from './reference.js';
import type { EventContent, EventKind } from './stock-event.js';

/** An operation of the log: what it says, and what became of it. */
export interface LoggedOperation {
  readonly content: EventContent;
  readonly state: ReferencedOperation;
}

/** So many of the newest claims are weighed by the heuristics: people settle what is between more. */
export const CLAIMS_MAX = 100;

/** What other devices did to a product that a device may not have known, as it stands. */
export interface Rivals {
  /** The last count, be it that the device knew it; null if there is none. */
  readonly count: LoggedOperation | null;
  /** The last receipt or issue; null if there is none, or nobody asked. */
  readonly movement: LoggedOperation | null;
  /** The last time that something older was taken back, such as a reservation that lapsed; null likewise. */
  readonly takenBack: LoggedOperation | null;
  /** What was taken and is out still, the newest first, as far back as is looked; empty if nobody asked. */
  readonly claims: readonly LoggedOperation[];
}

export const NO_RIVALS: Rivals = { count: null, movement: null, takenBack: null, claims: [] };

/**
 * What is asked of every product that is moved: whether other devices counted it since. Where entries don't say what they
 * had applied, no more than what their device had pulled.
 */
export interface CountQuery {
  readonly productId: string;
  /** The least lamport that an entry says it had applied; null if none says. */
  readonly appliedLamport: number | null;
  /** The least that others can have applied, which don't say; null if all do. */
  readonly unsaidLamport: number | null;
}

/** What more is asked of one product: what other devices did to it after lamport `after`. */
export interface RivalQuery {
  readonly productId: string;
  readonly after: number;
  /** Whether the last receipt or issue is asked for. */
  readonly movement: boolean;
  /** Whether what was taken back is asked for. */
  readonly takenBack: boolean;
  /** Claims are asked for until so many units are found of each standing that rules tell apart; 0: not at all. */
  readonly claimedUnits: number;
}

/** An event of a product as a conflict looks back at it. */
export interface PastEvent {
  readonly content: EventContent;
  readonly lamport: number;
  readonly effect: number;
  readonly disposition: Disposition;
  /** Of a decision of the server, what it is about, with its units that nobody had cancelled; null of anything else. */
  readonly decided: { readonly kind: EventKind; readonly units: number } | null;
  /** When the server recorded it, in milliseconds since 1970. */
  readonly recordedAt: number;
}

/** What happened to a product after some lamport, in order. */
export interface ProductHistory {
  readonly events: readonly PastEvent[];
  /** Whether it reaches back that far: only so many events are looked at. */
  readonly complete: boolean;
}
