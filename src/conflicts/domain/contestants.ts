import type { LoggedOperation } from '../../inventory/domain/logged-operation.js';
import type { ConflictSide } from './conflict.js';
import { type Contestant, UNKNOWN_BASE } from './scorer.js';
import { correctedInstant } from './wall-clock.js';

/** How far each device's wall clock is ahead of the server's, in milliseconds; null or missing: it never said. */
export type ClockSkews = ReadonlyMap<string, number | null>;

/**
 * An operation as the scorers see it.
 * @param base the last lamport that its device had applied. Of an operation that did not say it is not known any more:
 *   its own lamport is only an upper bound, and to take it for what was known would make certain what is not.
 * @param recordedAt when the server recorded it, in milliseconds since 1970
 */
export function contestantOf(
  { content, state }: LoggedOperation,
  recordedAt: number,
  skews: ClockSkews,
  base = Math.min(content.baseLamport ?? UNKNOWN_BASE, state.lamport - 1),
): Contestant {
  const { operationId: id, deviceId, kind, reason, paymentStatus, delta, clientLamport, createdAt } = content;
  // eslint-disable-next-line no-restricted-globals -- reads a text, and no clock
  const said = createdAt === null ? null : Date.parse(createdAt);
  const at =
    content.kind === 'VOID' || content.kind === 'RELEASE'
      ? { ms: recordedAt, uncertaintyMs: 1 }
      : correctedInstant(said, { clockSkewMs: skews.get(deviceId) ?? null }, recordedAt);
  return { id, deviceId, kind, reason, paymentStatus, delta, clientLamport, base, lamport: state.lamport, at };
}

/** The deletion of a product as the scorers see it: of an edit nobody says at what time it was made. */
export function deletionContestant({ id, deviceId, payload }: ConflictSide): Contestant {
  const { clientLamport, lamport } = payload;
  return {
    ...{ id, deviceId, kind: 'DELETE', reason: null, paymentStatus: null, delta: 0, base: UNKNOWN_BASE, at: null },
    clientLamport: typeof clientLamport === 'number' ? clientLamport : 0,
    lamport: typeof lamport === 'number' ? lamport : 0,
  };
}
