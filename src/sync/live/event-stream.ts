import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { ProblemCode } from '../../problems/problem.js';

/** One event; neither part has a line break. */
export interface ServerSentEvent {
  readonly id: string;
  readonly data: string;
}

export interface EventStreamOptions {
  /** Events after which it ends of itself. */
  readonly eventsMax?: number | undefined;
  /** How long a client may take nothing before it is given up. */
  readonly blockedMaxMs?: number;
}

const BLOCKED_MAX_MS = 30_000;
/** How long the last words may take. */
const END_TIMEOUT_MS = 2_000;
/** How soon a client comes back; each is told another time, or those of a process that stopped would come all at once. */
const RETRY_MS = { min: 1_000, max: 5_000 };

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no', // nginx would keep the events until it has a bufferful
};

/**
 * Server-sent events (HTML Living Standard, 9.2) to one client, of which only the newest counts.
 *
 * One piece of text is on its way at most. What is offered until the socket has taken it waits, and a newer event takes
 * the place of one that waits: whatever the client does, the service keeps two events for it.
 */
export class EventStream {
  private readonly raw: ServerResponse;
  private readonly blockedMaxMs: number;
  private eventsLeft: number;
  private newest: ServerSentEvent | undefined;
  private writing = false;
  private blocked: NodeJS.Timeout | undefined;
  private ending = false;

  /** Answers `reply`, which is the stream's from now on; whoever has something to refuse does so before. */
  constructor(reply: FastifyReply, options: EventStreamOptions = {}) {
    this.eventsLeft = options.eventsMax ?? Infinity;
    this.blockedMaxMs = options.blockedMaxMs ?? BLOCKED_MAX_MS;
    reply.hijack();
    this.raw = reply.raw;
    // A client that goes while something is written to it: the response closes, and nobody else is to hear of it.
    this.raw.on('error', () => undefined);
    // What was on its way then is never called back.
    this.onClosed(() => {
      clearTimeout(this.blocked);
    });
    // What hooks have set, such as the request's id, and the permission for a web page of another origin.
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) this.raw.setHeader(name, value);
    this.raw.writeHead(200, HEADERS);
    if (this.raw.req.method === 'HEAD') this.end();
    else this.write(`retry: ${Math.round(RETRY_MS.min + Math.random() * (RETRY_MS.max - RETRY_MS.min))}\n\n`);
  }

  /** Calls back once, when the stream is over, whoever has ended it; at once if the client has gone already. */
  onClosed(callback: () => void): void {
    if (this.raw.closed || this.raw.destroyed) callback();
    else this.raw.once('close', callback);
  }

  /** Sends `event` when the client can take it, or, should there be a newer one by then, that one instead. */
  offer(event: ServerSentEvent): void {
    this.newest = event;
    this.sendNewest();
  }

  /** A comment, which no client takes for an event: proxies cut what is silent, and a client that is gone shows. */
  keepAlive(): void {
    if (!this.writing) this.write(': keep-alive\n\n');
  }

  /** Ends the stream, and tells a client that still listens why. */
  end(problem?: ProblemCode): void {
    if (this.ending || this.raw.destroyed) return;
    this.ending = true;
    this.raw.end(problem === undefined ? undefined : `event: closed\ndata: ${JSON.stringify({ code: problem })}\n\n`);
    const unheard = setTimeout(() => this.raw.destroy(), END_TIMEOUT_MS);
    this.onClosed(() => {
      clearTimeout(unheard);
    });
  }

  private sendNewest(): void {
    if (this.newest === undefined || this.writing || this.ending) return;
    const { id, data } = this.newest;
    this.newest = undefined;
    this.eventsLeft -= 1;
    this.write(`id: ${id}\ndata: ${data}\n\n`);
    if (this.eventsLeft === 0) this.end();
  }

  private write(text: string): void {
    if (this.ending || this.raw.destroyed) return;
    this.writing = true;
    this.blocked = setTimeout(() => this.raw.destroy(), this.blockedMaxMs);
    // Not the return value nor 'drain', which allow for a buffer: called when the system has taken all of it.
    this.raw.write(text, () => {
      clearTimeout(this.blocked);
      this.writing = false;
      this.sendNewest();
    });
  }
}
