import type { RecordedEvent } from '../../inventory/domain/stock-event.js';

/** What a pull hands out. */
export interface PullPage {
  readonly events: readonly RecordedEvent[];
  /** The page holds every entry in (cursor asked for, nextLamport]. */
  readonly nextLamport: number;
  readonly serverLamport: number;
  /** Of the log at `nextLamport`. */
  readonly chainHash: Uint8Array;
  readonly hasMore: boolean;
  readonly epoch: string;
}
