import { visit } from 'jsonc-parser';
import { ProblemError } from '../problems/problem.js';

/** Bodies nest three deep; what goes far beyond is made to exhaust a parser. */
const DEPTH_MAX = 64;

/** Stands for the value of a key that an object has twice. No validator accepts it, so the field is reported. */
export const DUPLICATED_KEY: unique symbol = Symbol('duplicated key');

/**
 * Parses a JSON body.
 *
 * `JSON.parse` keeps the last of two equal keys without a word, so `{"delta":1,"delta":9}` would be whatever the last
 * writer wanted (RFC 8259, section 4 calls that unpredictable). Here such a field is given the value DUPLICATED_KEY:
 * only the entry that has it is rejected, its neighbours go on.
 *
 * @throws ProblemError MALFORMED_JSON if it is not JSON in UTF-8, or nests deeper than 64.
 */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) return undefined; // as without a content type: many clients send one with an empty DELETE
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProblemError('MALFORMED_JSON', { detail: 'The body is not JSON in UTF-8.', cause });
  }
  // Counting is cheap, and the two counts differ only if a key was overwritten; only then is the text parsed again.
  if (countKeys(value) !== countKeysWritten(text)) markDuplicatedKeys(text, value);
  return value;
}

/** Keys in the parsed value. Iterative: the depth is the sender's choice. */
function countKeys(root: unknown): number {
  let count = 0;
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX)
      throw new ProblemError('MALFORMED_JSON', { detail: `The body nests deeper than ${DEPTH_MAX}.` });
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

/** Keys in a valid JSON text: the strings that a colon follows. Quotes stand nowhere but around strings. */
function countKeysWritten(text: string): number {
  let count = 0;
  for (let open = text.indexOf('"'); open !== -1;) {
    let close = text.indexOf('"', open + 1);
    while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
    let next = close + 1;
    while (isWhitespace(text.charCodeAt(next))) next += 1;
    if (text[next] === ':') count += 1;
    open = text.indexOf('"', next);
  }
  return count;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text[index - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function isWhitespace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function markDuplicatedKeys(text: string, root: unknown): void {
  const seen = new Set<string>();
  visit(text, {
    onObjectProperty(key, _offset, _length, _line, _character, pathOf) {
      const path = pathOf();
      const place = JSON.stringify([...path, key]);
      if (!seen.has(place)) {
        seen.add(place);
        return;
      }
      const holder = path.reduce<unknown>(
        (value, step) => (value as Record<string | number, unknown> | undefined)?.[step],
        root,
      );
      if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key)) {
        Object.defineProperty(holder, key, { value: DUPLICATED_KEY, enumerable: true });
      }
    },
  });
}
