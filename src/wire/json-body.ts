import { visit } from 'jsonc-parser';
import { ProblemError } from '../problems/problem.js';

/** Bodies nest three deep; what goes far beyond is made to exhaust a parser. */
const DEPTH_MAX = 64;
/** Of members and elements in all: a push of 1,000 entries has 25,000. */
const VALUES_MAX = 200_000;

/** Stands for the value of a key that an object has twice. No validator accepts it, so the field is reported. */
export const DUPLICATED_KEY: unique symbol = Symbol('duplicated key');

/**
 * Parses a JSON body.
 *
 * `JSON.parse` keeps the last of two equal keys without a word, so `{"delta":1,"delta":9}` would be whatever the last
 * writer wanted (RFC 8259, section 4 calls that unpredictable). Here such a field is given the value DUPLICATED_KEY:
 * only the entry that has it is rejected, its neighbours go on (ADR 0006).
 *
 * @returns undefined for an empty body: many clients send a content type with an empty DELETE.
 * @throws ProblemError MALFORMED_JSON if it is not JSON in UTF-8, nests deeper than 64 or has more than 200,000 values.
 */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) return undefined;
  const text = decode(body);
  const { keys, values, depth } = measure(text);
  if (depth > DEPTH_MAX) refuse(`The body nests deeper than ${DEPTH_MAX}.`);
  if (values > VALUES_MAX) refuse(`The body has more than ${VALUES_MAX} values.`);
  const value = parse(text);
  // Counting is cheap, and the two counts differ only if a key was overwritten; only then is the text read again.
  if (countKeys(value) !== keys) markDuplicatedKeys(text, value);
  return value;
}

function refuse(detail: string, cause?: unknown): never {
  throw new ProblemError('MALFORMED_JSON', { detail, cause });
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    return refuse('The body is not UTF-8.', cause);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return refuse('The body is not JSON.', cause);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One pass over the text, before anything is built from it. What it counts is right if the text is JSON. */
function measure(text: string): { keys: number; values: number; depth: number } {
  let keys = 0;
  let values = 1;
  let depth = 0;
  let depthNow = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case 0x3a: // a colon outside of a string: what stood before it was a key
        keys += 1;
        break;
      case 0x2c: // a comma
        values += 1;
        break;
      case 0x5b: // [ and {
      case 0x7b:
        depthNow += 1;
        values += 1;
        depth = Math.max(depth, depthNow);
        break;
      case 0x5d: // ] and }
      case 0x7d:
        depthNow -= 1;
        break;
    }
  }
  return { keys, values, depth };
}

/** Index of the quote that closes the string opened at `open`, or the end of the text. */
function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at += 1;
  }
  return text.length;
}

/** Keys in the parsed value, level by level: its depth is bounded, its width is the sender's choice. */
function countKeys(root: unknown): number {
  let count = 0;
  for (let level: unknown[] = [root]; level.length > 0;) {
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      const children: unknown[] = Array.isArray(value) ? value : Object.values(value);
      if (!Array.isArray(value)) count += children.length;
      for (const child of children) if (typeof child === 'object' && child !== null) below.push(child);
    }
    level = below;
  }
  return count;
}

/** Reads the text once more, with the keys of every object that is open at hand, and marks what stands there twice. */
function markDuplicatedKeys(text: string, root: unknown): void {
  const open: Set<string>[] = [];
  visit(text, {
    onObjectBegin: () => {
      open.push(new Set());
    },
    onObjectEnd: () => {
      open.pop();
    },
    onObjectProperty(key, _offset, _length, _line, _character, pathOf) {
      const keys = open.at(-1);
      if (keys?.has(key)) mark(root, pathOf(), key);
      keys?.add(key);
    },
  });
}

function mark(root: unknown, path: readonly (string | number)[], key: string): void {
  const holder = path.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
    root,
  );
  if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)) {
    Object.defineProperty(holder, key, { value: DUPLICATED_KEY, enumerable: true });
  }
}
