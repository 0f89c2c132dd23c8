import { uuidV8 } from '../../tenancy/domain/name-based-uuid.js';

/**
 * The id of something that the server appends by itself: a UUID of version 8 (RFC 9562, section 5.8). The same name has the
 * same id, so the log takes it once (I2), and since devices can't give such ids none is ever taken by one.
 */
export function serverId(name: string): string {
  return uuidV8(SERVER_NAMESPACE, name);
}

/** Whether only the server may give this id. */
export function isServerId(id: string): boolean {
  return id.charAt(14) === '8';
}

const SERVER_NAMESPACE = '5d1f6a52-0c1b-4d0a-8a37-94b9c7e2f016';
