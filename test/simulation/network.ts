import type { Activity } from './activity.js';
import type { App } from './disk.js';
import type { Answer, DatabaseBreak, Servers } from './servers.js';

/** What the network makes of the next message, or what becomes of the server that it reaches. */
export type Fate =
  | 'DELIVERED'
  /** Never heard of again. */
  | 'LOST'
  /** A request twice, as proxies do that try again; of an answer, as DELIVERED. */
  | 'DOUBLED'
  /** The connection breaks: of a request, before it is there; of an answer, after half of it. */
  | 'CUT'
  /** Of an answer, the first half, which looks as if it were all of it; of a request, as CUT. */
  | 'TRUNCATED'
  /** A proxy answers in the server's place, before it was asked or after it has done its work. */
  | 'PROXY_ERROR'
  /** The server loses its database at one of its statements; of an answer, as DELIVERED. */
  | DatabaseBreak;

/** A request as a client sent it. */
export interface Sent {
  readonly from: string;
  readonly path: string;
  readonly body: string;
  readonly init: RequestInit;
}

/** A request on its way to the servers, or back with their answer. */
interface Message {
  readonly sent: Sent;
  readonly answer?: Answer;
  readonly settle: (result: Response | Error) => void;
}

/** Hears of each request that a server has answered, at once. */
export type Listener = (sent: Sent, answer: Answer) => void;

/** Messages on their way between clients and servers: they arrive when, if, and in which order the simulation wants. */
export class Network {
  private messages: Message[] = [];

  constructor(
    private readonly servers: Servers,
    private readonly activity: Activity,
    private readonly listen: Listener,
  ) {}

  get isEmpty(): boolean {
    return this.messages.length === 0;
  }

  /** @param app gets no answer once it is dead; what it has sent is on its way all the same */
  fetchOf(from: string, app: App): typeof fetch {
    return (input, init = {}) =>
      new Promise<Response>((resolve, reject) => {
        if (typeof input !== 'string') throw new TypeError('The client asks by text');
        let isSettled = false;
        const settle = (result: Response | Error): void => {
          if (isSettled || !app.isAlive) return;
          isSettled = true;
          this.activity.sign();
          if (result instanceof Error) reject(result);
          else resolve(result);
        };
        const { pathname, search } = new URL(input);
        const sent: Sent = { from, path: pathname + search, body: (init.body ?? '') as string, init };
        init.signal?.addEventListener('abort', () => {
          settle(new Error('aborted')); // the server may get to see it still
        });
        // The live stream never comes up here: rounds are the steps' and the timers' to begin.
        if (pathname !== '/sync/events') this.messages.push({ sent, settle });
        this.activity.sign();
      });
  }

  /**
   * @param which among those on their way
   * @returns what happened, for the trace; nothing, if that is plain from what the server answered
   */
  async deliver(which: number, fate: Fate): Promise<string> {
    const [message] = this.messages.splice(which % Math.max(1, this.messages.length), 1);
    if (!message) return '';
    const { sent, answer } = message;
    if (answer) deliverAnswer(message, answer, fate);
    else await this.deliverRequest(message, fate);
    const way = answer ? `${sent.path} → ${sent.from}` : `${sent.from} → ${sent.path}`;
    if (fate === 'DELIVERED') return answer ? way : '';
    return `${way}: ${typeof fate === 'string' ? fate : JSON.stringify(fate)}`;
  }

  /** All requests on their way at once, to all servers: their order is the database's. */
  async deliverTogether(): Promise<string> {
    const requests = this.messages.filter(({ answer }) => !answer);
    this.messages = this.messages.filter(({ answer }) => answer);
    await Promise.all(requests.map((message) => this.deliverRequest(message, 'DELIVERED')));
    return `${requests.length} requests at once`;
  }

  private async deliverRequest(message: Message, fate: Fate): Promise<void> {
    switch (fate) {
      case 'LOST':
        return;
      case 'CUT':
      case 'TRUNCATED':
        message.settle(new TypeError('socket hang up'));
        return;
      case 'PROXY_ERROR':
        this.messages.push({ ...message, answer: PROXY_ERROR });
        return;
      case 'DELIVERED':
        return this.ask(message);
      case 'DOUBLED':
        await this.ask(message);
        return this.ask(message);
      default:
        return this.ask(message, fate);
    }
  }

  private async ask(message: Message, databaseBreak?: DatabaseBreak): Promise<void> {
    const { sent } = message;
    const answer = await this.servers.ask(sent.path, sent.init, databaseBreak);
    if (answer) {
      this.listen(sent, answer);
      this.messages.push({ ...message, answer });
    } else {
      message.settle(new TypeError('terminated'));
    }
  }
}

function deliverAnswer({ settle }: Message, { status, headers, body }: Answer, fate: Fate): void {
  switch (fate) {
    case 'LOST':
      return;
    case 'PROXY_ERROR':
      settle(new Response(PROXY_ERROR.body, { status: PROXY_ERROR.status }));
      return;
    case 'CUT':
      settle(new Response(thatBreaks(halfOf(body)), { status, headers }));
      return;
    case 'TRUNCATED':
      settle(new Response(halfOf(body), { status, headers }));
      return;
    case 'DELIVERED':
    case 'DOUBLED':
    default:
      settle(new Response(body, { status, headers }));
  }
}

const PROXY_ERROR: Answer = { status: 502, headers: {}, body: '<html>Bad gateway</html>' };

/** To the end of a line, if it has lines: there what is missing is not seen at once. */
function halfOf(body: string): string {
  const half = body.slice(0, body.length / 2);
  return half.slice(0, half.lastIndexOf('\n') + 1) || half;
}

function thatBreaks(text: string): ReadableStream<Uint8Array> {
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (isSent) controller.error(new TypeError('terminated'));
      else controller.enqueue(new TextEncoder().encode(text));
      isSent = true;
    },
  });
}
