import { uuidV5 } from './name-based-uuid.js';

/**
 * What PostgreSQL says of where a tenant's clock is kept. Each part is another after some kind of restore, and no part
 * changes while the database just runs, is restarted or recovers from a crash (ADR 0010). null: can't be asked here.
 */
export interface DatabaseIdentity {
  /** Of the cluster, given by initdb: another once a dump was restored on a new server. */
  readonly systemIdentifier: string | null;
  /** Of the write-ahead log, 8 hex digits: another after point-in-time recovery, and after a standby took over. */
  readonly timeline: string | null;
  /** Another once a dump was restored into a database made anew in the same cluster. */
  readonly databaseOid: number;
  /** Of the table of the clocks: another once a dump was restored with `--clean`. */
  readonly clockTableOid: number;
}

/**
 * The epoch that devices are told: another when the stored one is, or when the database has been restored. Derived, not
 * stored, so that it is in force at once in every process, and nothing has to notice the restore in order to write it.
 *
 * The name that is hashed never changes its form: if it did, every device would believe in a restore.
 */
export function epochOf(storedEpoch: string, identity: DatabaseIdentity): string {
  const { systemIdentifier, timeline, databaseOid, clockTableOid } = identity;
  return uuidV5(storedEpoch, [systemIdentifier ?? '-', timeline ?? '-', databaseOid, clockTableOid].join('/'));
}
