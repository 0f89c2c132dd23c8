import type { Status } from './client-events.js';
import { backOffMs } from './domain/back-off.js';
import type { Environment } from './environment.js';
import { SyncError } from './problem.js';
import type { Transport } from './transport.js';

export interface LoopOptions {
  /** Between two rounds while nobody calls. */
  readonly pollMs: number;
  /** The same while the server tells what is new. */
  readonly pollWhileLiveMs: number;
  /** From what was recorded until it is pushed: what is recorded meanwhile goes with it. */
  readonly gatherMs: number;
}

/** The server sends a sign of life every 15 seconds. */
const SILENT_MS = 45_000;

/**
 * Background sync.
 *
 *            ┌────────── start ──────────┐
 *            ▼                           │
 *   ┌──► syncing ── well ──► idle ── recorded, nudged, online, or it is time ──┐
 *   │        │                                                                 │
 *   │        ├── failed ──► waiting ── back-off is over, nudged, online ───────┤
 *   │        │              (offline, suspended: the same, by another name)    │
 *   │        └── 401, 426 ──► revoked, unauthorized, upgrade-required: the end │
 *   └──────────────────────────────────────────────────────────────────────────┘
 */
export class SyncLoop {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private wakeUp: (() => void) | undefined;
  private isAwake = false;
  private isBackingOff = false;
  private isLive = false;
  private failures = 0;
  /** Why it ended by itself. */
  private end: readonly [Status, unknown] | undefined;
  /** Where the replica is. */
  private lamport = 0;

  constructor(
    private readonly round: (signal: AbortSignal) => Promise<{ readonly lamport: number }>,
    private readonly transport: Pick<Transport, 'listen'>,
    private readonly environment: Environment,
    private readonly options: LoopOptions,
    private readonly show: (status: Status, error?: unknown) => void,
  ) {}

  start(): void {
    const end = this.environment.onOnline(() => {
      this.wake();
    });
    this.running = Promise.all([this.sync(), this.listen()]).then(end, end);
  }

  get isRunning(): boolean {
    return !this.stopping.signal.aborted;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  /** Something was recorded: it is pushed soon, unless the server was out of reach a moment ago. */
  recorded(): void {
    if (this.isBackingOff) return;
    this.environment.setTimer(this.options.gatherMs, () => {
      if (!this.isBackingOff) this.wake();
    });
  }

  private wake(): void {
    this.isAwake = true;
    this.wakeUp?.();
  }

  private async sync(): Promise<void> {
    while (this.isRunning) await this.turn();
    const [status, error] = this.end ?? ['stopped', undefined];
    this.show(status, error);
  }

  private async turn(): Promise<void> {
    this.isAwake = false;
    this.show('syncing');
    const error = await this.round(this.stopping.signal).then(
      ({ lamport }) => void (this.lamport = lamport),
      (cause: unknown) => cause ?? new Error('Unknown'),
    );
    if (!this.isRunning) return;
    const end = endOf(error);
    if (end) {
      this.end = [end, error];
      this.stopping.abort();
      return;
    }
    this.isBackingOff = error !== undefined;
    this.failures = this.isBackingOff ? this.failures + 1 : 0;
    if (this.isBackingOff) this.show(this.nameOf(error), error);
    else this.show('idle');
    await this.rest(this.isBackingOff ? this.backOff(error) : this.poll());
  }

  private async listen(): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 1; !signal.aborted; failures += 1) {
      const heard = ({ server_lamport }: { readonly server_lamport: number }): void => {
        this.isLive = true;
        failures = 1;
        if (server_lamport > this.lamport) this.wake();
      };
      await this.transport.listen(heard, SILENT_MS, signal).catch(() => undefined); // then it is polled
      this.isLive = false;
      await this.pause(backOffMs(failures, this.environment.random()));
    }
  }

  private nameOf(error: unknown): Status {
    if (error instanceof SyncError && error.code === 'TENANT_SUSPENDED') return 'suspended';
    return this.environment.isOnline() ? 'waiting' : 'offline';
  }

  private backOff(error: unknown): number {
    const retryAfterMs = error instanceof SyncError ? error.retryAfterMs : undefined;
    return backOffMs(this.failures, this.environment.random(), retryAfterMs);
  }

  private poll(): number {
    return this.isLive ? this.options.pollWhileLiveMs : this.options.pollMs;
  }

  /** Until it is time, or somebody wakes it, if it was only while the round was still going on. */
  private async rest(ms: number): Promise<void> {
    if (this.isAwake) return;
    await new Promise<void>((resolve) => {
      const cancel = this.environment.setTimer(ms, resolve);
      this.wakeUp = () => {
        cancel();
        resolve();
      };
    });
    this.wakeUp = undefined;
  }

  private async pause(ms: number): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end); // the signal lives for weeks, with a pause for each lost stream
        resolve();
      };
      const cancel = this.environment.setTimer(ms, end);
      signal.addEventListener('abort', end);
    });
  }
}

/** After these nothing changes by itself: a person has to act. */
function endOf(error: unknown): Status | undefined {
  if (!(error instanceof SyncError)) return undefined;
  const { code, status } = error;
  if (code === 'DEVICE_REVOKED') return 'revoked';
  if (status === 401) return 'unauthorized';
  return status === 426 ? 'upgrade-required' : undefined;
}
