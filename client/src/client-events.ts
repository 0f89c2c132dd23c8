import type { OutboxEntry } from './domain/entry.js';
import type { SyncReport } from './sync-round.js';
import type { Conflict, EntryResult } from './wire.js';

/** What background sync is doing. */
export type Status =
  /** All is pushed and pulled. */
  | 'idle'
  | 'syncing'
  /** A round failed; the next is tried later. */
  | 'waiting'
  /** The platform says that there is no network. */
  | 'offline'
  /** This device may not sync any more (401 DEVICE_REVOKED). What it has recorded stays. */
  | 'revoked'
  /** The token is refused, and the app gave no better one. */
  | 'unauthorized'
  /** The business is suspended. */
  | 'suspended'
  /** The server speaks a newer protocol only (426). */
  | 'upgrade-required'
  /** Background sync is not running. */
  | 'stopped';

export interface ClientEvents {
  /** A round has ended well. */
  readonly synced: { readonly report: SyncReport };
  /** A conflict was found, suggested upon or settled. */
  readonly conflict: { readonly conflict: Conflict };
  /** The server can't take an entry as it is: `rejected()` has it. */
  readonly rejected: { readonly entry: OutboxEntry; readonly result: EntryResult };
  /** Stock, or a product itself, looks different now. */
  readonly stock: { readonly productIds: readonly string[] | 'ALL' };
  /** With what failed, if something did. */
  readonly status: { readonly status: Status; readonly error?: unknown };
}
