import { PassThrough, type Readable } from 'node:stream';
import type { ComparedField, Difference } from './domain/verification.js';
import type { DifferenceDto } from './ledger-maintenance.dto.js';

const FIELD_NAMES: Readonly<Record<ComparedField, string>> = {
  lamport: 'lamport_ts',
  syncedAt: 'synced_at',
  contentHash: 'content_hash',
  chainHash: 'chain_hash',
  effect: 'effect',
  stockAfter: 'stock_after',
  quantity: 'quantity',
  tracked: 'tracked',
  lastLamport: 'last_lamport',
  recordedAt: 'recorded_at',
};

export function toDifferenceWire(difference: Difference): DifferenceDto {
  const { kind, lamport, operationId, productId, field, expected, found } = difference;
  const value = field === 'syncedAt' || field === 'recordedAt' ? time : same;
  return {
    kind,
    lamport_ts: lamport,
    operation_id: operationId,
    product_id: productId,
    field: FIELD_NAMES[field],
    expected: value(expected),
    found: value(found),
  };
}

type Compared = Difference['expected'];

const same = (value: Compared): Compared => value;

/** ISO 8601; a stored time may also be one that `Date` does not know, such as infinity. */
function time(value: Compared): Compared {
  const date = new Date(Number(value));
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString();
}

/** Less than its transaction may be idle (tenant-database.ts). */
const STALL_MAX_MS = 20_000;

/** Silence that a proxy may take for a dead connection is broken by a line break, which JSON allows. */
const SILENCE_MAX_MS = 1_000;

type Tell = (differences: readonly Difference[]) => Promise<void>;

/**
 * The answer of a verification, written as it goes, so that neither a long log nor many differences need memory: the
 * differences first, the totals last. Whoever reads slowly slows the verification down, and who goes away ends it.
 *
 * Resolves once the first rows have been checked. What fails before that is thrown, and can be answered; what fails later
 * destroys the stream, so that nobody takes half an answer for a whole one.
 */
export async function toVerificationStream(
  verify: (tell: Tell) => Promise<{ events: number; differences: number }>,
): Promise<Readable> {
  const stream = new PassThrough();
  stream.on('error', () => undefined); // told to those who read; before there are any it is thrown
  let empty = true;
  let writtenMs = performance.now();
  const write = async (text: string): Promise<void> => {
    writtenMs = performance.now();
    if (!stream.write(text)) await drained(stream);
  };
  const list = (differences: readonly Difference[]): string => {
    const separator = empty ? '\n' : ',\n';
    empty = false;
    return separator + differences.map((difference) => JSON.stringify(toDifferenceWire(difference))).join(',\n');
  };
  stream.write('{"differences":[');
  await new Promise<void>((begun, refuse) => {
    const tell: Tell = async (differences) => {
      if (stream.destroyed) throw new Error('Nobody waits for this verification any more');
      begun();
      if (differences.length > 0) await write(list(differences));
      else if (performance.now() - writtenMs > SILENCE_MAX_MS) await write('\n');
    };
    verify(tell).then(
      ({ events, differences }) => {
        stream.end(`],"events":${events},"ok":${differences === 0}}`);
        begun();
      },
      (cause: unknown) => {
        const error = cause instanceof Error ? cause : new Error('The verification failed', { cause });
        refuse(error);
        stream.destroy(error);
      },
    );
  });
  return stream;
}

/** Resolves when there is room again, or nobody who reads: a verification holds a place that others wait for. */
function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => stream.destroy(new Error('Nobody reads this verification')), STALL_MAX_MS);
    const done = (): void => {
      clearTimeout(late);
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
