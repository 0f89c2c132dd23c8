/** Names the channel in PostgreSQL and in Redis. */
export const SIGNAL_CHANNEL = 'agrotour_tenant_signals';

/** What carries messages between the processes, for as long as it holds: what is sent while it is away is lost. */
export interface SignalLine {
  /** Sends to every process that listens, this one too. Rejects if the line is away, or did not take them in time. */
  publish(messages: readonly string[]): Promise<void>;
  /** Lets go of the connections. Never rejects, and takes no longer than a second or so. */
  close(): Promise<void>;
}

/** Who is told by a line. The line itself tries again whenever it is lost. */
export interface SignalLineUser {
  /** undefined where nobody listens, as in a worker: the line then only sends. */
  readonly received: ((message: string) => void) | undefined;
  /** The line holds from now on. What was sent before, for the first time or since it was lost, was not received. */
  held(): void;
  /** The line is away; told once or more for each try. */
  lost(error: unknown): void;
}

/** How often a line is tried that has nothing to say: one that was cut without a word looks just as silent. */
export const HEARTBEAT_MS = 20_000;
/** What takes longer than this has been lost. */
export const LINE_TIMEOUT_MS = 5_000;

/** Milliseconds to wait before the next try, after `failures` in a row: soon at first, and not all processes at once. */
export function retryDelayMs(failures: number): number {
  return Math.min(100 * 2 ** Math.min(failures, 10), 5_000) * (0.5 + Math.random() / 2);
}
