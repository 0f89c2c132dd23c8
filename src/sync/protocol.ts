import { ProblemError } from '../problems/problem.js';

/** Version of the wire protocol that this server speaks, and the oldest it still speaks. */
export const PROTOCOL_VERSION = 1;
export const PROTOCOL_VERSION_MIN = 1;

/** @throws ProblemError UPGRADE_REQUIRED, with both bounds, if the client speaks another. */
export function assertProtocolVersion(version: number): void {
  if (version >= PROTOCOL_VERSION_MIN && version <= PROTOCOL_VERSION) return;
  throw new ProblemError('UPGRADE_REQUIRED', {
    detail: `This server speaks protocol versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION}.`,
    extensions: { protocol_version: PROTOCOL_VERSION, protocol_version_min: PROTOCOL_VERSION_MIN },
  });
}
