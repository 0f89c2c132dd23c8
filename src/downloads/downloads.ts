import { EventEmitter, once } from 'node:events';
import { type Duplex, PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { Injectable, StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whoAsked } from '../logging/who-asked.js';
import { ProblemError } from '../problems/problem.js';
import { negotiateEncoding } from '../wire/content-encoding.js';
import type { LineFormat } from '../wire/line-format.js';
import { Spool } from './spool.js';
import type { Receiver } from './receiver.js';
import { type Place, SpoolSpace } from './spool-space.js';

/** The client closed the connection, or never waited for the answer. */
class GoneError extends Error {
  override readonly name = 'GoneError';
}

/*
 *   produce ──receive──► gzip, or nothing ──► spool ──► Fastify ──► socket ──► client
 *                                               │
 *         at the database's pace                │            at the client's pace
 */

/**
 * Answers of many lines. What reads them holds a connection and one of few places, and must not hold them for as long as
 * a phone in a valley takes: it writes to a file, and the client takes it from there, in as long as it needs (ADR 0018).
 */
@Injectable()
export class Downloads {
  private readonly space = new SpoolSpace();

  /**
   * An answer of the lines that `produce` hands to a receiver, compressed if the client asks for it.
   *
   * What `produce` throws before its first line is thrown here, and answered as a problem. After that the status is on
   * its way: the connection is destroyed, and the client sees that the end is missing.
   * @param owner whose share of the disk it takes
   * @returns as soon as the first line is there.
   * @throws ProblemError TOO_MANY_STREAMS if the owner has no room left.
   */
  async send<Part>(
    reply: FastifyReply,
    { type, fileName, text }: LineFormat<Part>,
    owner: string,
    produce: (receiver: Receiver<Part>) => Promise<void>,
  ): Promise<StreamableFile> {
    const encoding = negotiateEncoding(reply.request.headers['accept-encoding']);
    // The least effort takes three quarters away; the usual takes two thirds more time to leave a twelfth less.
    const encoder = encoding === 'gzip' ? createGzip({ level: constants.Z_BEST_SPEED }) : new PassThrough();
    const place = this.space.enter(owner);
    let body: Readable;
    try {
      body = await startDownload(reply, encoder, place, text, produce);
    } catch (error) {
      place.leave();
      throw error;
    }
    if (encoding !== 'identity') void reply.header('content-encoding', encoding);
    void reply.header('cache-control', 'no-store'); // a business's own, and old a moment later
    void reply.header('vary', [reply.getHeader('vary') ?? [], 'Accept-Encoding'].flat().join(', ')); // CORS has its own
    return new StreamableFile(body, {
      type,
      ...(fileName !== undefined && { disposition: `attachment; filename="${fileName}"` }),
    });
  }
}

/** Resolves when the first line was written, or nobody waits for one any more; throws what `produce` throws before. */
async function startDownload<Part>(
  reply: FastifyReply,
  encoder: Duplex,
  place: Place,
  toText: (part: Part) => string,
  produce: (receiver: Receiver<Part>) => Promise<void>,
): Promise<Readable> {
  const spool = await Spool.open();
  const body = Readable.from(spool.follow(), { objectMode: false });
  const cut = new AbortController();
  const release = (whole: boolean): void => {
    if (!whole) cut.abort(new GoneError('The client is gone'));
    place.leave();
    void spool.close();
  };
  reply.raw.once('close', () => {
    release(reply.raw.writableFinished);
  });
  body.once('close', () => {
    release(body.readableEnded); // it is not, of an answer to HEAD
  });
  const spooled = pipeline(encoder, spoolWriter(spool, place));
  spooled.catch((error: unknown) => {
    cut.abort(error);
  });

  const first = new EventEmitter();
  let started = false;
  const receiver: Receiver<Part> = {
    async receive(part) {
      cut.signal.throwIfAborted();
      const room = encoder.write(toText(part));
      if (!started) first.emit('written');
      started = true;
      if (!room) await unlessCut(cut.signal, () => once(encoder, 'drain', { signal: cut.signal }));
    },
    async end() {
      await unlessCut(cut.signal, async () => {
        encoder.end();
        await spooled;
        if (!reply.raw.closed) await once(reply.raw, 'close', { signal: cut.signal });
      });
    },
    cutOff(reason) {
      cut.abort(reason);
    },
  };
  const sendAll = async (): Promise<void> => {
    try {
      await produce(receiver);
    } catch (error) {
      encoder.destroy();
      if (!started && !(error instanceof GoneError)) {
        body.destroy();
        throw error;
      }
      logCut(reply.request, error);
      // Not the body first: while the head is not out yet, that would be answered, and told, as a fault of the service.
      if (!(error instanceof GoneError)) reply.raw.destroy();
    }
  };
  await Promise.race([once(first, 'written'), sendAll()]);
  return body;
}

function spoolWriter(spool: Spool, place: Place): Writable {
  return new Writable({
    write(bytes: Buffer, _encoding, done) {
      Promise.resolve()
        .then(() => {
          place.take(bytes.length);
          return spool.append(bytes);
        })
        .then(() => {
          done();
        }, done);
    },
    final(done) {
      spool.end();
      done();
    },
  });
}

/** @throws what it was cut for, which tells more than what `work` throws then. */
async function unlessCut(signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** Fastify logs no answer that was cut, so this is the line that the request leaves. */
function logCut({ log, principal }: FastifyRequest, reason: unknown): void {
  const who = whoAsked(principal);
  if (reason instanceof GoneError) log.info({ ...who, reason: reason.message }, 'stream cut');
  else
    log.warn(
      { ...who, ...(reason instanceof ProblemError ? { reason: reason.message } : { err: reason }) },
      'stream cut',
    );
}
