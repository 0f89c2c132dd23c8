import { EventEmitter, once } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problems/problem.js';
import { negotiateEncoding } from './content-encoding.js';

/** Less than the transaction of a long read may be idle (tenant-database.ts): who is cut off for stalling learns it from here. */
const STALL_MAX_MS = 20_000;
/** What a client must take within that time: slow is no fault, so the measure is a slice and not all that is there. */
const SLICE_CHARACTERS = 65_536;

/** The client has taken nothing for too long. */
class StalledError extends Error {
  override readonly name = 'StalledError';
}

/** The client closed the connection, or never waited for the answer. */
class GoneError extends Error {
  override readonly name = 'GoneError';
}

/** Takes lines at the pace at which the client reads them. */
export interface LineWriter {
  /** Resolves when there is room for more. Rejects when the client is gone, stalls, or was cut off. */
  write(text: string): Promise<void>;
  /** Makes `write` reject with `reason`, the one under way and all that follow. */
  cutOff(reason: Error): void;
}

/*
 *   produce ──write──► gzip, or nothing ──► Fastify ──► socket ──► client
 *      ▲                                                              │
 *      └─────────── waits while any of the buffers is full ◄──────────┘
 */

/** What the lines are. */
export interface LineFormat {
  /** Media type. */
  readonly type: string;
  /** Name of the file that a browser saves them in, in ASCII; without one it may show them. */
  readonly fileName?: string;
}

/**
 * An answer of lines that are produced while it is sent, compressed if the client asks for it.
 *
 * What `produce` throws before its first line is thrown here, and answered as a problem. After that the status is on
 * its way: the connection is destroyed, and the client sees that the end is missing.
 * @returns as soon as the first line is there.
 */
export async function streamLines(
  reply: FastifyReply,
  { type, fileName }: LineFormat,
  produce: (writer: LineWriter) => Promise<void>,
): Promise<StreamableFile> {
  const encoding = negotiateEncoding(reply.request.headers['accept-encoding']);
  // The least effort takes three quarters away; the usual takes two thirds more time to leave a twelfth less.
  const body = encoding === 'gzip' ? createGzip({ level: constants.Z_BEST_SPEED }) : new PassThrough();
  await startLines(reply, body, produce);
  if (encoding !== 'identity') void reply.header('content-encoding', encoding);
  void reply.header('cache-control', 'no-store'); // a business's own, and old a moment later
  void reply.header('vary', [reply.getHeader('vary') ?? [], 'Accept-Encoding'].flat().join(', ')); // CORS has its own
  return new StreamableFile(body, {
    type,
    ...(fileName !== undefined && { disposition: `attachment; filename="${fileName}"` }),
  });
}

/** Resolves when the first line was written, or nobody waits for one any more; throws what `produce` throws before. */
async function startLines(
  reply: FastifyReply,
  body: Duplex,
  produce: (writer: LineWriter) => Promise<void>,
): Promise<void> {
  const cut = new AbortController();
  const leave = (): void => {
    cut.abort(new GoneError('The client is gone'));
  };
  reply.raw.once('close', leave);
  body.once('close', leave); // such as of an answer to HEAD
  const first = new EventEmitter();
  let started = false;
  const writer: LineWriter = {
    async write(text) {
      for (const slice of slicesOf(text)) {
        cut.signal.throwIfAborted();
        const room = body.write(slice);
        if (!started) first.emit('written');
        started = true;
        if (!room) await drained(body, cut);
      }
    },
    cutOff(reason) {
      cut.abort(reason);
    },
  };
  const sendAll = async (): Promise<void> => {
    try {
      await produce(writer);
      body.end();
    } catch (error) {
      if (!started && !(error instanceof GoneError)) {
        body.destroy();
        throw error;
      }
      logCut(reply.request, error);
      if (error instanceof GoneError) return;
      // Not the body first: while the head is not out yet, that would be answered, and told, as a fault of the service.
      reply.raw.once('close', () => body.destroy());
      reply.raw.destroy();
    }
  };
  await Promise.race([once(first, 'written'), sendAll()]);
}

/** Fastify logs no answer that was cut, so this is the line that the request leaves. */
function logCut({ log }: FastifyRequest, reason: unknown): void {
  const foreseen = reason instanceof StalledError || reason instanceof ProblemError;
  if (reason instanceof GoneError) log.info({ reason: reason.message }, 'stream cut');
  else log.warn(foreseen ? { reason: reason.message } : { err: reason }, 'stream cut');
}

/** Not within a character: half of a surrogate pair would be sent as something else. */
function* slicesOf(text: string): Generator<string, void, undefined> {
  for (let start = 0; start < text.length;) {
    const end = start + SLICE_CHARACTERS;
    const splits = (text.charCodeAt(end - 1) & 0xfc00) === 0xd800;
    yield text.slice(start, splits ? end + 1 : end);
    start = splits ? end + 1 : end;
  }
}

async function drained(body: Duplex, cut: AbortController): Promise<void> {
  const timer = setTimeout(() => {
    cut.abort(new StalledError(`The client has taken nothing for ${STALL_MAX_MS} ms`));
  }, STALL_MAX_MS);
  try {
    await once(body, 'drain', { signal: cut.signal });
  } catch (error) {
    cut.signal.throwIfAborted(); // its reason tells more
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
