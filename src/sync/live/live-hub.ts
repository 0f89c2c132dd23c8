import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { TenantDatabase } from '../../database/tenant-database.js';
import { type ProblemCode, ProblemError, PROBLEMS } from '../../problems/problem.js';
import type { TenantSignal } from '../../signals/tenant-signal.js';
import { type SignalSubscriber, TenantSignals } from '../../signals/tenant-signals.js';
import { AccessService } from '../../tenancy/access.service.js';
import { bearerId, hasExpired, type TenantPrincipal } from '../../tenancy/domain/principal.js';
import { TenantClockRepository } from '../../tenancy/persistence/tenant-clock.repository.js';
import type { EventStream } from './event-stream.js';
import { SharedRun } from './shared-run.js';
import { type FeedPlace, type Listener, TenantFeed } from './tenant-feed.js';

/** Streams of one tenant that a process keeps open: more than a business has devices, and no one tenant fills it. */
export const STREAMS_PER_TENANT_MAX = 100;
/** Of them, those of one device or person, who needs one: a stolen token does not take the places of all others. */
export const STREAMS_PER_BEARER_MAX = 20;
/** How often a stream is kept alive, its bearer admitted again, and the clock read without a signal. */
const KEEP_ALIVE_MS = 15_000;
/** Of the pool's connections; requests have the others, also when a thousand streams are to be looked after. */
const QUERIES_AT_ONCE = 3;

/** Who wants to listen. */
export interface Visitor {
  readonly principal: TenantPrincipal;
  /** Where the client knows the clock to be. */
  readonly lastLamport: number | undefined;
}

/**
 * The open streams of this process, and what wakes them.
 *
 * A signal only says when to look (ADR 0009): what a client is told is read from the database, as its tenant. So a signal
 * that is lost, forged or late makes an update late, and nothing else.
 */
@Injectable()
export class LiveHub implements SignalSubscriber, OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Live');
  private readonly feeds = new Map<string, TenantFeed>();
  private readonly queries = pLimit(QUERIES_AT_ONCE);
  private unsubscribe: (() => void) | undefined;
  private stopping = false;

  constructor(
    private readonly signals: TenantSignals,
    private readonly database: TenantDatabase,
    private readonly clocks: TenantClockRepository,
    private readonly access: AccessService,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.signals.subscribe(this);
  }

  /** Before the server is closed, which waits for every answer: these would never end. */
  onModuleDestroy(): void {
    this.stopping = true;
    this.unsubscribe?.();
    for (const { listeners } of this.feeds.values()) for (const { stream } of listeners) stream.end();
  }

  /**
   * Keeps `visitor` up to date on the stream that `connect` makes, which is not called if this throws.
   * @throws ProblemError TOO_MANY_STREAMS, or UNAVAILABLE while the service stops.
   */
  async open(visitor: Visitor, connect: () => EventStream): Promise<void> {
    const { principal, lastLamport } = visitor;
    const { tenantId } = principal;
    const feed = this.feedOf(tenantId);
    const place = feed.takePlace(bearerId(principal), STREAMS_PER_TENANT_MAX, STREAMS_PER_BEARER_MAX);
    if (place === undefined) throw new ProblemError('TOO_MANY_STREAMS');
    let stream: EventStream;
    try {
      // With the place taken: a commit that this does not see wakes the feed.
      await feed.refresh();
      if (this.stopping) throw new ProblemError('UNAVAILABLE', { detail: 'The service is stopping.' });
      stream = connect();
    } catch (error) {
      this.free(place, tenantId, feed);
      throw error;
    }
    const admission = new SharedRun(() => this.admitAgain(listener));
    const listener: Listener = { stream, principal, admission };
    feed.add(listener, lastLamport);
    this.keep(listener, feed);
    void admission.request(); // the signal of a revocation since the guard let it in has found no listener
    stream.onClosed(() => {
      clearTimeout(listener.timer);
      feed.listeners.delete(listener);
      this.free(place, tenantId, feed);
    });
  }

  onSignal(signal: TenantSignal): void {
    const feed = this.feeds.get(signal.tenantId);
    if (!feed) return;
    switch (signal.kind) {
      case 'GROWN':
        if (!feed.knows(signal.lamport)) this.refresh(feed);
        break;
      case 'ACCESS_CHANGED':
        for (const { admission } of feed.listeners) void admission.request();
        break;
    }
  }

  onMissed(): void {
    for (const feed of this.feeds.values()) {
      this.refresh(feed);
      for (const { admission } of feed.listeners) void admission.request();
    }
  }

  private feedOf(tenantId: string): TenantFeed {
    let feed = this.feeds.get(tenantId);
    if (!feed) {
      feed = new TenantFeed(() =>
        this.queries(() => this.database.transaction(tenantId, (tx) => this.clocks.read(tx))),
      );
      this.feeds.set(tenantId, feed);
    }
    return feed;
  }

  private free(place: FeedPlace, tenantId: string, feed: TenantFeed): void {
    place.leave();
    if (feed.isEmpty) this.feeds.delete(tenantId);
  }

  /** Looks after the stream in regular intervals, and at the moment its token expires. */
  private keep(listener: Listener, feed: TenantFeed): void {
    const { principal } = listener;
    const delayMs = Math.min(KEEP_ALIVE_MS, (principal.tokenExpiresAt ?? Infinity) - Date.now());
    listener.timer = setTimeout(() => {
      if (hasExpired(principal, Date.now())) {
        listener.stream.end('UNAUTHENTICATED');
        return;
      }
      listener.stream.keepAlive();
      void listener.admission.request();
      this.refresh(feed); // a signal may have been lost
      this.keep(listener, feed);
    }, delayMs);
  }

  /** Ends the stream if a request of its bearer would be refused. Never rejects. */
  private async admitAgain({ stream, principal }: Listener): Promise<void> {
    const refusal = await this.queries(() => this.refusalOf(principal));
    if (refusal !== undefined) stream.end(refusal);
  }

  private async refusalOf(principal: TenantPrincipal): Promise<ProblemCode | undefined> {
    try {
      await this.access.admit(principal);
    } catch (error) {
      if (error instanceof ProblemError && PROBLEMS[error.code].status < 500) return error.code;
      // An outage refuses nobody, and without the database there is nothing to tell them either.
      this.logger.debug({ err: error }, 'Whether a stream may go on could not be asked');
    }
    return undefined;
  }

  /** For whoever waits for no answer: what fails here is tried again with the next keep-alive. */
  private refresh(feed: TenantFeed): void {
    feed.refresh().catch((error: unknown) => {
      this.logger.debug({ err: error }, 'The clock could not be read');
    });
  }
}
