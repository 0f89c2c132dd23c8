/** How PostgreSQL receives a value in binary: the type's oid (pg_type.dat), and how one that is not null is laid out. */
interface BinaryType {
  readonly oid: number;
  /** What a value takes at most, without its length. */
  readonly bytesMax: number;
  /** @returns how many bytes it took */
  readonly write: (bytes: Buffer, at: number, value: unknown) => number;
}

/** PostgreSQL counts time from here, in microseconds. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const NUMERIC_BASE = 10_000;
/** Of four bytes each: dimensions, whether there are nulls, oid, length, lower bound. */
const HEADER_BYTES = 20;

const TYPES = {
  boolean: { oid: 16, bytesMax: 1, write: (bytes, at, value) => bytes.writeUInt8(value === true ? 1 : 0, at) - at },
  bytea: { oid: 17, bytesMax: 32, write: (bytes, at, value) => (value as Buffer).copy(bytes, at) },
  bigint: { oid: 20, bytesMax: 8, write: (bytes, at, value) => writeInt8(bytes, at, value as number) },
  integer: { oid: 23, bytesMax: 4, write: (bytes, at, value) => bytes.writeInt32BE(value as number, at) - at },
  /** Of words, such as the kind of an operation. */
  text: { oid: 25, bytesMax: 32, write: (bytes, at, value) => bytes.write(value as string, at) },
  'double precision': {
    oid: 701,
    bytesMax: 8,
    write: (bytes, at, value) => bytes.writeDoubleBE(value as number, at) - at,
  },
  timestamptz: {
    oid: 1184,
    bytesMax: 8,
    write: (bytes, at, value) => writeInt8(bytes, at, (Date.parse(value as string) - POSTGRES_EPOCH_MS) * 1_000),
  },
  /** Amounts: not negative, with at most two decimals. */
  numeric: { oid: 1700, bytesMax: 18, write: (bytes, at, value) => writeAmount(bytes, at, value as number) },
  uuid: { oid: 2950, bytesMax: 16, write: (bytes, at, value) => writeUuid(bytes, at, value as string) },
} as const satisfies Record<string, BinaryType>;

export type BinaryTypeName = keyof typeof TYPES;

/** One dimension, as array_recv() of PostgreSQL reads it. pg sends a Buffer as it is, and says that it is binary. */
export function binaryArray(typeName: BinaryTypeName, values: readonly unknown[]): Buffer {
  const { oid, bytesMax, write }: BinaryType = TYPES[typeName];
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + values.length * (4 + bytesMax));
  let at = 0;
  for (const field of [1, values.includes(null) ? 1 : 0, oid, values.length, 1]) at = bytes.writeInt32BE(field, at);
  for (const value of values) {
    const length = value === null ? -1 : write(bytes, at + 4, value);
    bytes.writeInt32BE(length, at);
    at += 4 + Math.max(0, length);
  }
  return bytes.subarray(0, at);
}

function writeInt8(bytes: Buffer, at: number, value: number): number {
  bytes.writeInt32BE(Math.floor(value / 2 ** 32), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
  return 8;
}

const HYPHEN = '-'.charCodeAt(0);
/** By character code, digits and letters in lower case. */
const NIBBLES = Uint8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code)));

/** Character by character: half of the time that Buffer's own hex takes once the hyphens have been taken out. */
function writeUuid(bytes: Buffer, at: number, value: string): number {
  let to = at;
  for (let from = 0; from < value.length; from += 2) {
    if (value.charCodeAt(from) === HYPHEN) from += 1;
    const high = NIBBLES[value.charCodeAt(from)] ?? 0;
    const low = NIBBLES[value.charCodeAt(from + 1)] ?? 0;
    bytes[to] = high * 16 + low;
    to += 1;
  }
  return to - at;
}

/** Count of digits, weight of the first, sign, decimals shown; then digits in base 10,000, of which the last is the fraction. */
function writeAmount(bytes: Buffer, at: number, value: number): number {
  const cents = Math.round(value * 100);
  const units = Math.floor(cents / 100);
  let count = 1;
  for (let rest = units; rest > 0; rest = Math.floor(rest / NUMERIC_BASE)) count += 1;
  bytes.writeInt16BE(count, at);
  bytes.writeInt16BE(count - 2, at + 2);
  bytes.writeInt16BE(0, at + 4);
  bytes.writeInt16BE(2, at + 6);
  let digitAt = at + 6 + 2 * count;
  bytes.writeInt16BE((cents % 100) * (NUMERIC_BASE / 100), digitAt);
  for (let rest = units; rest > 0; rest = Math.floor(rest / NUMERIC_BASE)) {
    digitAt -= 2;
    bytes.writeInt16BE(rest % NUMERIC_BASE, digitAt);
  }
  return 8 + 2 * count;
}
