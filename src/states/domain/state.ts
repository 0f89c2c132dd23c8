export type Scalar = string | number | boolean | null;

/** What devices edit of a state, by name. */
export type Fields = Readonly<Record<string, Scalar>>;

/** Of what a history is kept. */
export const ENTITIES = ['PRODUCT', 'PAYMENT'] as const;
export type Entity = (typeof ENTITIES)[number];

/** A product or a payment as it stands: unlike the ledger it is a state, of which the last write counts. */
export interface State<F extends object> {
  readonly id: string;
  readonly fields: F;
  /** Counts its changes, from 1. */
  readonly version: number;
  /** Position of its last change among all entries of the tenant. */
  readonly lamport: number;
  /**
   * Of the edit that stands: who made it, past which lamport its next must be by its own clock, and which edit it was.
   */
  readonly deviceId: string;
  readonly clientLamport: number;
  readonly editId: string;
}

/** What a device says of a state. */
export interface Edit<F extends object> {
  /** Of the state. */
  readonly id: string;
  /** Of the edit itself: derived from all it says, so the same edit sent again has the same. */
  readonly editId: string;
  readonly deviceId: string;
  readonly clientLamport: number;
  /** The version that the device had before it when it edited; null if it did not say. */
  readonly baseVersion: number | null;
  /** A field that is left out keeps its value, which a client that doesn't know the field must not wipe out. */
  readonly said: Partial<F>;
}

/** A version of a state, as it was after the edit that made it. Never changed. */
export interface StateVersion {
  readonly entity: Entity;
  readonly entityId: string;
  readonly version: number;
  readonly lamport: number;
  readonly editId: string;
  readonly deviceId: string;
  readonly clientLamport: number;
  readonly fields: Fields;
  /** Names of the fields that this version changed. */
  readonly changed: readonly string[];
}
