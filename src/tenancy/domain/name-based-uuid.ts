import { createHash } from 'node:crypto';

/** Name-based UUID of RFC 9562, section 5.5; `name` is hashed as UTF-8. */
export function uuidV5(namespace: string, name: string): string {
  return nameBased('sha1', 5, namespace, name);
}

/** Name-based UUID of version 8, of a SHA-256 as RFC 9562, appendix B.2 makes it; `name` is hashed as UTF-8. */
export function uuidV8(namespace: string, name: string): string {
  return nameBased('sha256', 8, namespace, name);
}

function nameBased(algorithm: 'sha1' | 'sha256', version: 5 | 8, namespace: string, name: string): string {
  const hash = createHash(algorithm)
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | (version << 4);
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
