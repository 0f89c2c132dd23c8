import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { TenantPrincipal } from '../../tenancy/domain/principal.js';
import type { EventStream } from './event-stream.js';
import { toLiveEvent } from './live.wire.js';
import { SharedRun } from './shared-run.js';

/** One open stream, and on whose behalf. */
export interface Listener {
  readonly stream: EventStream;
  readonly principal: TenantPrincipal;
  /** Asks again whether it may listen. */
  readonly admission: SharedRun;
  timer?: NodeJS.Timeout;
}

/** To be left once. */
export interface FeedPlace {
  leave(): void;
}

/** The clock of one tenant, and those who follow it in this process. */
export class TenantFeed {
  readonly listeners = new Set<Listener>();
  /** Places given out, by bearer: those who listen, and those who are about to. */
  private readonly places: string[] = [];
  /** As last read. */
  private clock: TenantClock | undefined;
  private readonly reading: SharedRun;

  constructor(private readonly readClock: () => Promise<TenantClock>) {
    this.reading = new SharedRun(() => this.read());
  }

  get isEmpty(): boolean {
    return this.places.length === 0;
  }

  /** @returns undefined if so many are taken, in all or by this bearer. */
  takePlace(bearerId: string, max: number, ofBearerMax: number): FeedPlace | undefined {
    const { places } = this;
    if (places.length >= max || places.filter((taken) => taken === bearerId).length >= ofBearerMax) return undefined;
    places.push(bearerId);
    return {
      leave: () => {
        places.splice(places.indexOf(bearerId), 1);
      },
    };
  }

  /** Reads the clock, and tells the listeners if it has moved. However often it is asked, one read runs at a time. */
  refresh(): Promise<void> {
    return this.reading.request();
  }

  /** Whether entries up to `lamport` were told, so that there is no need to look. */
  knows(lamport: number): boolean {
    return this.clock !== undefined && this.clock.lamport >= lamport;
  }

  /**
   * Adds a listener, which is told the clock at once if it is not where the listener knows it to be. That it is behind
   * counts too: the log is of a backup then, and the client is to compare the epoch.
   */
  add(listener: Listener, lastLamport: number | undefined): void {
    this.listeners.add(listener);
    if (this.clock && this.clock.lamport !== lastLamport) listener.stream.offer(toLiveEvent(this.clock));
  }

  private async read(): Promise<void> {
    const { clock: before } = this;
    const clock = await this.readClock();
    this.clock = clock;
    if (clock.lamport === before?.lamport && clock.epoch === before.epoch) return;
    const event = toLiveEvent(clock);
    for (const { stream } of this.listeners) stream.offer(event);
  }
}
