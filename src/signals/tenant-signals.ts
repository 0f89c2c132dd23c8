import { Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import { PostgresLine } from './postgres-line.js';
import { RedisLine } from './redis-line.js';
import type { SignalLine, SignalLineUser } from './signal-line.js';
import { encodeSignal, parseSignal, type TenantSignal } from './tenant-signal.js';

/**
 * At most one publication of a process in this time, whatever is announced: NOTIFY takes a lock at commit that all
 * databases of the server share, and a client has no use for more than some thirty wake-ups a second.
 */
const PUBLISH_EVERY_MS = 30;
/** After a publication that failed. */
const PUBLISH_RETRY_MS = 1_000;
/** How long the last signals of a process may take that is stopping. */
const LAST_PUBLICATION_MS = 1_000;

/** Who wants to know. Called in the process' own time: it must not throw, nor take long. */
export interface SignalSubscriber {
  onSignal(signal: TenantSignal): void;
  /** Signals of any tenant may have been lost: look for yourself. */
  onMissed(): void;
}

/** What is still to be told of one tenant. */
interface Pending {
  lamport: number | undefined;
  accessChanged: boolean;
}

/**
 * Tells all processes that a tenant has news, through Redis if there is one, else through PostgreSQL (ADR 0009).
 *
 * Best effort: a signal may be lost or come twice, and one stands for all before it. Nothing may depend on its arrival
 * but how soon something is noticed.
 */
export class TenantSignals implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Signals');
  private readonly subscribers = new Set<SignalSubscriber>();
  /** By tenant, so that a burst, or an outage, takes no more room than there are tenants. */
  private readonly pending = new Map<string, Pending>();
  private readonly closing = new AbortController();
  private publishing: Promise<void> | undefined;
  private line: SignalLine | undefined;
  private away = false;

  constructor(private readonly settings: Pick<Settings, 'redisUrl' | 'databaseUrl' | 'role'>) {}

  /** Connects; waits for nothing, since the service works without signals too. */
  onModuleInit(): void {
    const { redisUrl, databaseUrl, role } = this.settings;
    const user: SignalLineUser = {
      // A worker has no clients to tell.
      received: role === 'worker' ? undefined : this.receive.bind(this),
      held: this.onLineHeld.bind(this),
      lost: this.onLineLost.bind(this),
    };
    this.line = redisUrl === undefined ? new PostgresLine(databaseUrl, user) : new RedisLine(redisUrl, user);
  }

  /** After the requests under way were answered: what they announced is sent yet. */
  async onApplicationShutdown(): Promise<void> {
    this.closing.abort();
    await Promise.race([this.publishing, sleep(LAST_PUBLICATION_MS, undefined, { ref: false })]);
    await this.line?.close();
  }

  /**
   * The tenant's log has grown up to `lamport`. To be called after the commit: whoever is woken reads at once.
   * Returns at once and never throws.
   */
  announce(tenantId: string, lamport: number): void {
    this.add(tenantId, { lamport, accessChanged: false });
  }

  /** A device of the tenant was revoked or its token replaced, or the tenant suspended; as `announce`. */
  announceAccessChange(tenantId: string): void {
    this.add(tenantId, { lamport: undefined, accessChanged: true });
  }

  /** @returns a function that ends the subscription. */
  subscribe(subscriber: SignalSubscriber): () => void {
    this.subscribers.add(subscriber);
    return () => {
      this.subscribers.delete(subscriber);
    };
  }

  private add(tenantId: string, news: Pending): void {
    const known = this.pending.get(tenantId);
    this.pending.set(tenantId, {
      lamport: known?.lamport === undefined ? news.lamport : Math.max(known.lamport, news.lamport ?? 0),
      accessChanged: news.accessChanged || known?.accessChanged === true,
    });
    this.publishing ??= this.publishPending();
  }

  /** Runs until nothing is pending: the first signal after a silence goes at once, those that follow go together. */
  private async publishPending(): Promise<void> {
    await Promise.resolve(); // so that what is announced in the same breath goes together
    while (this.pending.size > 0) {
      const batch = [...this.pending];
      this.pending.clear();
      const sent = await this.publish(batch);
      if (!sent && this.closing.signal.aborted) break;
      if (!sent) for (const [tenantId, news] of batch) this.add(tenantId, news);
      await sleep(sent ? PUBLISH_EVERY_MS : PUBLISH_RETRY_MS, undefined, {
        signal: this.closing.signal,
        ref: false,
      }).catch(() => undefined);
    }
    this.publishing = undefined; // in one go with the last look at `pending`, so that no signal is left lying
  }

  private async publish(batch: readonly (readonly [tenantId: string, news: Pending])[]): Promise<boolean> {
    try {
      if (!this.line) return false;
      await this.line.publish(batch.flatMap(([tenantId, news]) => signalsOf(tenantId, news).map(encodeSignal)));
      return true;
    } catch (error) {
      this.logger.debug({ err: error }, 'Signals could not be sent'); // the line tells the outage
      return false;
    }
  }

  private receive(message: string): void {
    const signal = parseSignal(message);
    if (!signal) return;
    for (const subscriber of this.subscribers) subscriber.onSignal(signal);
  }

  private onLineHeld(): void {
    if (this.away) this.logger.log('Signals between processes are back');
    this.away = false;
    for (const subscriber of this.subscribers) subscriber.onMissed();
  }

  /** One line when it goes away and one when it is back, however often it was tried in between. */
  private onLineLost(error: unknown): void {
    if (!this.away)
      this.logger.warn({ err: error }, 'Signals between processes are away: live updates come late; trying on');
    this.away = true;
  }
}

function signalsOf(tenantId: string, { lamport, accessChanged }: Pending): TenantSignal[] {
  return [
    ...(lamport === undefined ? [] : [{ kind: 'GROWN' as const, tenantId, lamport }]),
    ...(accessChanged ? [{ kind: 'ACCESS_CHANGED' as const, tenantId }] : []),
  ];
}
