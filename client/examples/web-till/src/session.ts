import type { SyncClientOptions } from '@agrotour/sync-client';

/** Which device this page is. */
export interface Session {
  readonly url: string;
  readonly token: string;
}

export type Author = Pick<SyncClientOptions, 'tenantId' | 'deviceId' | 'userId' | 'deviceType'>;

const KEY = 'till.session';

/** From the address (#url=…&token=…: what follows a # is sent to no server), else as it was the last time. */
export function currentSession(): Session | undefined {
  const given = new URLSearchParams(location.hash.slice(1));
  const [url, token] = [given.get('url'), given.get('token')];
  if (url !== null && token !== null) {
    history.replaceState(null, '', location.pathname + location.search); // nobody reads the token over a shoulder
    keepSession({ url, token });
  }
  const kept = localStorage.getItem(KEY);
  return kept === null ? undefined : (JSON.parse(kept) as Session);
}

export function keepSession(session: Session): void {
  localStorage.setItem(KEY, JSON.stringify(session));
}

/** The device's store stays: who comes back with its token finds all that it has recorded. */
export function forgetSession(): void {
  localStorage.removeItem(KEY);
}

/** Who the token is for. It is only read here, so that the page knows that offline, too: the server checks it. */
export function authorOf({ token }: Session): Author {
  try {
    const base64 = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims = JSON.parse(atob(base64)) as Record<string, unknown>;
    const { role, tenant_id: tenantId, device_id: deviceId, sub: userId } = claims;
    if (
      role === 'device' &&
      typeof tenantId === 'string' &&
      typeof deviceId === 'string' &&
      typeof userId === 'string'
    ) {
      return { tenantId, deviceId, userId, deviceType: 'WEB' };
    }
  } catch {
    // Told below.
  }
  throw new Error('The token is not that of a device: an admin gets one from POST /devices.');
}
