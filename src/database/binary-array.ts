/** What can be sent in binary. PostgreSQL's own form of a decimal number isn't worth it for what little there is of them. */
export type BinaryType =
  'bigint' | 'boolean' | 'bytea' | 'double precision' | 'integer' | 'text' | 'timestamptz' | 'uuid';

interface Encoding<V> {
  /** In pg_type. */
  readonly oid: number;
  /** How many bytes a value takes at most. */
  readonly sizeOf: (value: V) => number;
  /** Writes it into the scratch pad. @returns how many bytes it took */
  readonly write: (at: number, value: V) => number;
}

/** Dimensions, whether there are nulls, type; length and lower bound of the one dimension: four bytes each. */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/**
 * Where arrays are laid out, before as much as they took is copied. One for all, which grows to the largest: nothing waits
 * between the first byte of an array and the last.
 */
let pad = scratchPad(64 * 1024);

function scratchPad(bytes: number) {
  const buffer = Buffer.allocUnsafeSlow(bytes);
  return { buffer, view: new DataView(buffer.buffer) };
}

function makeRoom(bytes: number): void {
  if (bytes <= pad.buffer.length) return;
  const { buffer } = pad;
  pad = scratchPad(2 * bytes);
  buffer.copy(pad.buffer);
}

/**
 * An array of one dimension as PostgreSQL receives it in binary (array_recv in its arrayfuncs.c, and the function of each
 * type). pg sends a Buffer as it is. Against the text of an array it spares both sides half of the work.
 *
 * By index, with no list of the values: where the rows of 26 columns go through one loop, an iterator's results alone were a
 * seventh of what a push left to the garbage collector.
 */
export function binaryArray<T>(type: BinaryType, rows: readonly T[], valueOf: (row: T) => unknown): Buffer {
  const { oid, sizeOf, write } = ENCODINGS[type] as Encoding<unknown>;
  const { length: count } = rows;
  let hasNull = false;
  let at = HEADER_BYTES;
  for (let index = 0; index < count; index += 1) {
    const value = valueOf(rows[index] as T);
    if (value === null) {
      makeRoom(at + LENGTH_BYTES);
      hasNull = true;
      pad.view.setInt32(at, -1);
      at += LENGTH_BYTES;
    } else {
      makeRoom(at + LENGTH_BYTES + sizeOf(value));
      const length = write(at + LENGTH_BYTES, value);
      pad.view.setInt32(at, length);
      at += LENGTH_BYTES + length;
    }
  }
  const { view, buffer } = pad;
  view.setInt32(0, 1);
  view.setInt32(4, hasNull ? 1 : 0);
  view.setInt32(8, oid);
  view.setInt32(12, count);
  view.setInt32(16, 1);
  return Buffer.from(buffer.subarray(0, at));
}

const ofSize = (bytes: number) => (): number => bytes;

const ENCODINGS: Readonly<Record<BinaryType, Encoding<never>>> = {
  bigint: {
    oid: 20,
    sizeOf: ofSize(8),
    write: (at, value: number) => {
      if (!Number.isSafeInteger(value)) throw outOfRange('bigint', value);
      return writeInt64(at, Math.floor(value / WORD), value);
    },
  },
  boolean: {
    oid: 16,
    sizeOf: ofSize(1),
    write: (at, value: boolean) => {
      if (typeof value !== 'boolean') throw outOfRange('boolean', value);
      pad.view.setUint8(at, value ? 1 : 0);
      return 1;
    },
  },
  bytea: {
    oid: 17,
    sizeOf: (value: Uint8Array) => value.length,
    write: (at, value: Uint8Array) => {
      pad.buffer.set(value, at);
      return value.length;
    },
  },
  'double precision': {
    oid: 701,
    sizeOf: ofSize(8),
    write: (at, value: number) => {
      pad.view.setFloat64(at, value + 0); // minus zero is zero
      return 8;
    },
  },
  integer: {
    oid: 23,
    sizeOf: ofSize(4),
    write: (at, value: number) => {
      if ((value | 0) !== value) throw outOfRange('integer', value);
      pad.view.setInt32(at, value);
      return 4;
    },
  },
  /** A UTF-16 code unit takes three bytes of UTF-8 at most. */
  text: { oid: 25, sizeOf: (value: string) => 3 * value.length, write: writeText },
  timestamptz: {
    oid: 1184,
    sizeOf: ofSize(8),
    write: (at, value: string | Date) =>
      writeMicroseconds(at, (typeof value === 'string' ? Date.parse(value) : value.getTime()) - TIMESTAMP_EPOCH),
  },
  uuid: { oid: 2950, sizeOf: ofSize(16), write: writeUuid },
};

const TIMESTAMP_EPOCH = Date.UTC(2000, 0, 1);
/** A word of 32 bits: 64 are two of them. */
const WORD = 2 ** 32;

/** @param low any number that is the lower word but for a multiple of it */
function writeInt64(at: number, high: number, low: number): number {
  pad.view.setInt32(at, high);
  pad.view.setUint32(at + 4, low >>> 0);
  return 8;
}

/** By words: from the year 4284 on the microseconds of some times are no number that a double can tell from its neighbours. */
function writeMicroseconds(at: number, milliseconds: number): number {
  if (!Number.isSafeInteger(milliseconds)) throw outOfRange('timestamptz', milliseconds);
  const low = (milliseconds >>> 0) * 1_000;
  return writeInt64(at, Math.floor(milliseconds / WORD) * 1_000 + Math.floor(low / WORD), low);
}

function outOfRange(type: BinaryType, value: unknown): RangeError {
  return new RangeError(`No ${type}: ${String(value)}`);
}

/** Letter by letter: most texts are words of a few letters, for which a call of Node's own takes longer. */
function writeText(at: number, value: string): number {
  const { buffer } = pad;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code > 0x7f) return buffer.write(value, at);
    buffer[at + index] = code;
  }
  return value.length;
}

const HYPHEN = '-'.charCodeAt(0);
/** By the code of a character, digits and letters of either case; what is no digit is -1. */
const NIBBLES = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase()),
);

/**
 * Digit by digit: half as long as Buffer's own hex takes once the hyphens are out.
 * @throws RangeError if it is none
 */
function writeUuid(at: number, value: string): number {
  const { buffer } = pad;
  let to = at;
  for (let from = 0; from < value.length; from += 2) {
    if (value.charCodeAt(from) === HYPHEN) from += 1;
    const byte = ((NIBBLES[value.charCodeAt(from)] ?? -1) << 4) | (NIBBLES[value.charCodeAt(from + 1)] ?? -1);
    if (byte < 0 || to === at + 16) throw noUuid(value);
    buffer[to++] = byte;
  }
  if (to !== at + 16) throw noUuid(value);
  return 16;
}

function noUuid(value: string): RangeError {
  return new RangeError(`No UUID: ${value}`);
}
