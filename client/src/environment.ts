import { v7 as uuidv7 } from 'uuid';
import { defaultLocks, type Locks } from './storage/locks.js';

/** Reaches other tabs of the same store. */
export interface Channel {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  close(): void;
}

/** What the client takes from the platform: replace what yours lacks, or what a test wants to govern. */
export interface Environment {
  readonly fetch: typeof fetch;
  /** In gzip; undefined where the platform can't. */
  readonly pack: ((text: string) => Promise<Uint8Array<ArrayBuffer>>) | undefined;
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Ids of what is recorded; any version but 8, which is the server's. */
  randomUuid(): string;
  /** @returns what cancels it */
  setTimer(ms: number, work: () => void): () => void;
  readonly locks: Locks;
  /** undefined where there are no other tabs. */
  openChannel(name: string): Channel | undefined;
  /** Whether it makes sense to try; true where that can't be known. */
  isOnline(): boolean;
  /** @returns what ends it */
  onOnline(listener: () => void): () => void;
}

/** What is used of a browser, where there is one. */
interface BrowserGlobals {
  readonly navigator?: { readonly onLine?: boolean };
  readonly BroadcastChannel?: new (name: string) => Broadcast;
  readonly addEventListener?: (type: 'online', listener: () => void) => void;
  readonly removeEventListener?: (type: 'online', listener: () => void) => void;
}

interface Broadcast {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
  /** In Node, which would wait for it. */
  unref?(): void;
}

export function platform(): Environment {
  const globals = globalThis as unknown as BrowserGlobals;
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    pack: 'CompressionStream' in globalThis ? gzip : undefined,
    now: () => Date.now(),
    random: () => Math.random(),
    // In the order of time, which keeps the server's index of ids narrow.
    randomUuid: () => uuidv7(),
    setTimer: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => {
        clearTimeout(timer);
      };
    },
    locks: defaultLocks(),
    openChannel: (name) => globals.BroadcastChannel && channelOf(new globals.BroadcastChannel(name)),
    isOnline: () => globals.navigator?.onLine !== false,
    onOnline: (listener) => {
      globals.addEventListener?.('online', listener);
      return () => globals.removeEventListener?.('online', listener);
    },
  };
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Response(text).body?.pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function channelOf(broadcast: Broadcast): Channel {
  broadcast.unref?.();
  return {
    post: (message) => {
      broadcast.postMessage(message);
    },
    onMessage: (listener) => {
      broadcast.addEventListener('message', ({ data }) => {
        listener(data);
      });
    },
    close: () => {
      broadcast.close();
    },
  };
}
