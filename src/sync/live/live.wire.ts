import type { TenantClock } from '../../tenancy/domain/lamport-clock.js';
import type { ServerSentEvent } from './event-stream.js';
import type { LiveEventDto } from './live.dto.js';

export function toLiveEvent({ lamport, epoch }: Pick<TenantClock, 'lamport' | 'epoch'>): ServerSentEvent {
  const data: LiveEventDto = { server_lamport: lamport, epoch };
  return { id: `${lamport}`, data: JSON.stringify(data) };
}

/**
 * The lamport in a Last-Event-ID. Another text counts as none: the client is told where the clock stands, which it may
 * know, whereas a browser that is refused never comes back (HTML Living Standard, 9.2.2).
 */
export function parseLastEventId(header: string | readonly string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !/^\d{1,16}$/.test(header)) return undefined;
  const lamport = Number(header);
  return Number.isSafeInteger(lamport) ? lamport : undefined;
}
