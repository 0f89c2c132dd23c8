import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import {
  HEARTBEAT_MS,
  LINE_TIMEOUT_MS,
  retryDelayMs,
  SIGNAL_CHANNEL,
  type SignalLine,
  type SignalLineUser,
} from './signal-line.js';

/** In pg_stat_activity. */
export const SIGNALS_APPLICATION_NAME = 'agrotour-sync-engine signals';

const CLOSE_TIMEOUT_MS = 1_000;

/**
 * LISTEN and NOTIFY on one connection of its own. Not one of the pool: a listener must keep its connection, and a
 * notification must not wait for requests, nor they for it.
 */
export class PostgresLine implements SignalLine {
  private readonly closing = new AbortController();
  private readonly running: Promise<void>;
  /** While the line holds. */
  private client: pg.Client | undefined;

  constructor(
    private readonly databaseUrl: string,
    private readonly user: SignalLineUser,
  ) {
    this.running = this.run();
  }

  async publish(messages: readonly string[]): Promise<void> {
    if (!this.client) throw new Error('There is no connection to send signals on');
    // One statement is one transaction: whatever their number, the lock that NOTIFY takes at commit is taken once.
    await this.client.query('SELECT pg_notify($1, message) FROM unnest($2::text[]) AS message', [
      SIGNAL_CHANNEL,
      messages,
    ]);
  }

  async close(): Promise<void> {
    this.closing.abort();
    // A connection that is just being made would be waited for.
    await Promise.race([this.running, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.isClosing()) {
      const client = new pg.Client({
        connectionString: this.databaseUrl,
        application_name: SIGNALS_APPLICATION_NAME,
        connectionTimeoutMillis: LINE_TIMEOUT_MS,
        query_timeout: LINE_TIMEOUT_MS,
        keepAlive: true,
      });
      try {
        await this.hold(client, () => (failures = 0));
      } catch (error) {
        if (!this.isClosing()) this.user.lost(error);
      } finally {
        this.client = undefined;
        await Promise.race([client.end().catch(() => undefined), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      }
      await pause(retryDelayMs(failures), this.closing.signal);
      failures += 1;
    }
  }

  /** Resolves when the line is closed. @throws Error when it is lost, or does not come about. */
  private async hold(client: pg.Client, onHeld: () => void): Promise<void> {
    const over = new AbortController();
    // pg tells here, and not the query that waits, when a connection ends of itself.
    let failure = new Error('The server closed the connection');
    client.on('error', (error) => (failure = error));
    client.on('end', () => {
      over.abort();
    });
    const { received } = this.user;
    if (received)
      client.on('notification', ({ payload }) => {
        received(payload ?? '');
      });
    await client.connect();
    if (received) await client.query(`LISTEN ${SIGNAL_CHANNEL}`);
    this.client = client;
    onHeld();
    this.user.held();
    const either = AbortSignal.any([over.signal, this.closing.signal]);
    while (await pause(HEARTBEAT_MS, either)) await client.query('SELECT');
    if (!this.isClosing()) throw failure;
  }

  // A method, since the compiler takes a flag for unchanged across an await.
  private isClosing(): boolean {
    return this.closing.signal.aborted;
  }
}

/** @returns false if `signal` cut it short. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal, ref: false }).catch(() => false);
}
