import { createParser } from 'eventsource-parser';
import type { Environment } from './environment.js';
import { SyncError } from './problem.js';
import {
  type LiveEvent,
  type Problem,
  PROTOCOL_VERSION,
  type PullRequest,
  type PullResponse,
  type PushRequest,
  type PushResponse,
  type SnapshotLine,
} from './wire.js';

export interface TransportOptions {
  readonly baseUrl: string;
  /** @param refused the token that the server has just refused; undefined at the first asking */
  readonly token: (refused?: string) => Promise<string> | string;
  /** Without a byte for so long, a request has failed. */
  readonly requestTimeoutMs: number;
}

type Outside = Pick<Environment, 'fetch' | 'setTimer' | 'pack'>;

/** Shorter texts hardly get shorter. */
const PACKED_FROM = 1_024;

/** The server's routes, over HTTP. Whatever goes wrong is a SyncError. */
export class Transport {
  constructor(
    private readonly options: TransportOptions,
    private readonly outside: Outside,
  ) {}

  push(request: PushRequest, signal?: AbortSignal): Promise<PushResponse> {
    return this.post('/sync/push', { ...request, protocol_version: PROTOCOL_VERSION }, signal);
  }

  pull(request: PullRequest, signal?: AbortSignal): Promise<PullResponse> {
    return this.post('/sync/pull', { ...request, protocol_version: PROTOCOL_VERSION }, signal);
  }

  /** Line by line, as they come. */
  async *snapshot(signal?: AbortSignal): AsyncGenerator<SnapshotLine> {
    const deadline = new Deadline(this.outside, this.options.requestTimeoutMs, signal);
    try {
      const path = `/sync/snapshot?protocol_version=${PROTOCOL_VERSION}`;
      const response = await this.request(path, { headers: { accept: 'application/x-ndjson' } }, deadline);
      let rest = '';
      for await (const text of textOf(response, deadline)) {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') yield parse(line) as SnapshotLine;
      }
      if (rest !== '') yield parse(rest) as SnapshotLine;
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      deadline.end();
    }
  }

  /**
   * Hears of the server's clock whenever it moves, until the stream ends.
   * @param silentMs without a sign of life for so long, the stream is taken for dead
   * @throws SyncError with the server's last word, if that says why
   */
  async listen(onEvent: (event: LiveEvent) => void, silentMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = new Deadline(this.outside, silentMs, signal);
    let refusal: SyncError | undefined;
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === 'closed') refusal = SyncError.ofProblem(parse(data) as Problem, 401);
        else if (data !== '') onEvent(parse(data) as LiveEvent);
      },
    });
    try {
      const response = await this.request('/sync/events', { headers: { accept: 'text/event-stream' } }, deadline);
      for await (const text of textOf(response, deadline)) parser.feed(text);
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      deadline.end();
    }
    if (refusal) throw refusal;
  }

  private async post<T>(path: string, body: unknown, signal: AbortSignal | undefined): Promise<T> {
    const deadline = new Deadline(this.outside, this.options.requestTimeoutMs, signal);
    try {
      const text = JSON.stringify(body);
      const packed = text.length < PACKED_FROM ? undefined : await this.outside.pack?.(text);
      const headers = {
        ...{ 'content-type': 'application/json', accept: 'application/json' },
        ...(packed && { 'content-encoding': 'gzip' }),
      };
      const response = await this.request(path, { method: 'POST', headers, body: packed ?? text }, deadline);
      return parse(await response.text()) as T;
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      deadline.end();
    }
  }

  /** A token that is refused is asked for anew once: it may only have expired. */
  private async request(path: string, init: RequestInit, deadline: Deadline): Promise<Response> {
    const token = await this.options.token();
    const response = await this.send(path, init, token, deadline);
    if (response.status !== 401) return accepted(response);
    const another = await this.options.token(token);
    if (another === token) return accepted(response);
    return accepted(await this.send(path, init, another, deadline));
  }

  private send(path: string, init: RequestInit, token: string, deadline: Deadline): Promise<Response> {
    const url = this.options.baseUrl.replace(/\/$/, '') + path;
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${token}` };
    return this.outside.fetch(url, { ...init, headers, signal: deadline.signal });
  }
}

/** Ends a request that the app aborts, or that shows no sign of life. */
class Deadline {
  private readonly controller = new AbortController();
  private readonly abort = (): void => {
    this.controller.abort();
  };
  private cancel: () => void;
  private isSilent = false;

  constructor(
    private readonly outside: Pick<Environment, 'setTimer'>,
    private readonly silentMs: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    if (outer?.aborted) this.abort();
    outer?.addEventListener('abort', this.abort);
    this.cancel = this.start();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Something came. */
  prolong(): void {
    this.cancel();
    this.cancel = this.start();
  }

  end(): void {
    this.cancel();
    this.outer?.removeEventListener('abort', this.abort);
  }

  explain(cause: unknown): SyncError {
    if (cause instanceof SyncError) return cause;
    if (this.outer?.aborted) return new SyncError('ABORTED', 'Stopped by the app.', undefined, undefined, { cause });
    const message = this.isSilent ? 'The server does not answer.' : 'The connection failed.';
    return new SyncError('NETWORK', message, undefined, undefined, { cause });
  }

  private start(): () => void {
    return this.outside.setTimer(this.silentMs, () => {
      this.isSilent = true;
      this.controller.abort();
    });
  }
}

async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  const text = await response.text();
  let problem: Partial<Problem> = {};
  try {
    problem = JSON.parse(text) as Partial<Problem>;
  } catch {
    // A proxy's page: the status alone says what there is to know.
  }
  throw SyncError.ofProblem(problem, response.status, retryAfterMs(response.headers.get('retry-after')));
}

/** Seconds, as the server says it; others may send a date, which is left to the back-off. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1_000 : undefined;
}

async function* textOf(response: Response, deadline: Deadline): AsyncGenerator<string> {
  if (!response.body) {
    yield await response.text(); // React Native has no streams
    return;
  }
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      deadline.prolong();
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyncError('NETWORK', 'Only a part of the answer came.', undefined, undefined, { cause });
  }
}
