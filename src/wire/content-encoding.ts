import Negotiator from 'negotiator';

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
