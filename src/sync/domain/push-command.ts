import type { Operation } from '../../inventory/domain/operation.js';
import type { FieldError } from '../../problems/problem.js';

/** An operation that could be read. Whose it says it is stands beside it: it may not be the sender's to push. */
export interface ReadableEntry {
  readonly readable: true;
  readonly tenantId: string;
  readonly operation: Operation;
}

/** An entry that could not be read, with what of it could. */
export interface MalformedEntry {
  readonly readable: false;
  readonly id: string | null;
  readonly groupId: string | null;
  readonly errors: readonly FieldError[];
}

export type PushEntry = ReadableEntry | MalformedEntry;

/** A device's push, read from the wire: each entry on its own, in the order sent. */
export interface PushCommand {
  readonly tenantId: string;
  readonly deviceId: string;
  /** The device's clock when it pushed. */
  readonly clientLamport: number;
  /** The device's wall clock when it pushed, ISO 8601 UTC. */
  readonly sentAt: string | null;
  readonly entries: readonly PushEntry[];
}
