import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import Negotiator from 'negotiator';
import { ProblemError } from '../problems/problem.js';

/** Encodings that a stream may be sent in. */
const ENCODINGS = ['gzip', 'identity'] as const;
export type ContentEncoding = (typeof ENCODINGS)[number];

/**
 * What the client likes best of what there is (RFC 9110, section 12.5.3). Without the header, and if it will have
 * neither, it gets the content as it is.
 */
export function negotiateEncoding(acceptEncoding: string | undefined): ContentEncoding {
  if (acceptEncoding === undefined) return 'identity';
  const negotiator = new Negotiator({ headers: { 'accept-encoding': acceptEncoding } });
  return negotiator.encoding([...ENCODINGS]) === 'gzip' ? 'gzip' : 'identity';
}

/** A push is at most some 20 times smaller than its text: ids are random. What shrinks by more was made to. */
const INFLATION_MAX = 100;
/** Up to this size nothing is suspected. */
const INFLATED_BYTES_FREE = 64 * 1024;

const inflate = promisify(gunzip);

/**
 * The body as it was before its sender compressed it (RFC 9110, section 8.4): with gzip, or not at all. Others unpack what
 * they need in more memory, and browsers and phones make gzip.
 *
 * Unpacking ends at the bound, and so does what it costs: what would come after is never seen.
 * @param bytesMax of the unpacked body
 * @throws ProblemError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE, or MALFORMED_JSON if it is not what it says it is.
 */
export async function decodeBody(body: Buffer, contentEncoding: string | undefined, bytesMax: number): Promise<Buffer> {
  const encoding = contentEncoding?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity' || body.length === 0) return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw new ProblemError('UNSUPPORTED_MEDIA_TYPE', { detail: 'Content-Encoding may be gzip, or left out.' });
  }
  const suspicious = Math.max(INFLATED_BYTES_FREE, body.length * INFLATION_MAX);
  try {
    return await inflate(body, { maxOutputLength: Math.min(bytesMax, suspicious) });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      const bound = suspicious < bytesMax ? `${INFLATION_MAX} times its size` : `${bytesMax} bytes`;
      throw new ProblemError('PAYLOAD_TOO_LARGE', { detail: `The body unpacks to more than ${bound}.`, cause });
    }
    throw new ProblemError('MALFORMED_JSON', { detail: 'The body is not gzip, as Content-Encoding says.', cause });
  }
}
