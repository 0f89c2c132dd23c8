import { ProblemError } from '../problems/problem.js';

/**
 * Cursors of lists: where the next page starts, opaque to who hands it back. It has nothing secret and is no proof of
 * anything, so it may be forged: whoever does gets another page of what is his own.
 */
export function encodeCursor(parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * @param shapes what each part must look like
 * @throws ProblemError VALIDATION if it is no cursor of this list.
 */
export function decodeCursor<const Shapes extends readonly RegExp[]>(
  cursor: string,
  shapes: Shapes,
): { [Index in keyof Shapes]: string } {
  const parts = parse(cursor);
  const fits =
    Array.isArray(parts) &&
    parts.length === shapes.length &&
    parts.every((part, index) => typeof part === 'string' && shapes[index]?.test(part) === true);
  if (fits) return parts as { [Index in keyof Shapes]: string };
  throw new ProblemError('VALIDATION', {
    errors: [{ path: 'cursor', code: 'IS_CURSOR', message: 'must be `next_cursor` of the page before' }],
  });
}

/** No NUL, which PostgreSQL has in no text. */
export const CURSOR_TEXT = /^[^\0]*$/;
export const CURSOR_UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
