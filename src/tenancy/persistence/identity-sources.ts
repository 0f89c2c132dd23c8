import { type DataSource, QueryFailedError } from 'typeorm';
import { DatabaseRefusedError } from '../../database/restricted-role.js';

/** Which parts of the database's identity the service's role can ask for; the oids it always can. */
export interface IdentitySources {
  readonly systemIdentifier: boolean;
  readonly timeline: boolean;
}

/** As PostgreSQL is unless someone took rights away. */
export const ALL_SOURCES: IdentitySources = { systemIdentifier: true, timeline: true };

/** What to ask for a part. Null, and not an error, in its place where it can't be asked: a refusal would fail the query. */
export function identityColumns(sources: IdentitySources): string {
  return `${sources.systemIdentifier ? SYSTEM_IDENTIFIER : 'NULL'} AS system_identifier,
          ${sources.timeline ? TIMELINE : 'NULL'} AS timeline`;
}

const SYSTEM_IDENTIFIER = '(pg_control_system()).system_identifier::text';
/**
 * The name of a log file begins with its timeline. Not that of pg_control_checkpoint(), which goes on to tell the old one
 * until the first checkpoint after a recovery. The position must be one that changes: pg_walfile_name counts as
 * immutable, so of a constant it would be computed when the query is planned.
 */
const TIMELINE = 'left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)';

/** No right to it, no such function, not supported, not in this configuration. */
const UNAVAILABLE_SQLSTATES = new Set(['42501', '42883', '0A000', '55000']);

/**
 * Tries what the role can ask for. Once, at start: were it tried anew on each request, a change of rights would reach
 * the processes at different times, and devices would be told now one epoch and now the other.
 * @throws DatabaseRefusedError if the server is a standby or still recovering: its timeline is about to change.
 */
export async function findIdentitySources(source: DataSource): Promise<IdentitySources> {
  const [{ recovering }] = await source.query<[{ recovering: boolean }]>('SELECT pg_is_in_recovery() AS recovering');
  if (recovering) {
    throw new DatabaseRefusedError(
      'The server of DATABASE_URL is in recovery, so it takes no writes. Wait until it has recovered, or name the primary.',
    );
  }
  return {
    systemIdentifier: await canAsk(source, SYSTEM_IDENTIFIER),
    timeline: await canAsk(source, TIMELINE),
  };
}

async function canAsk(source: DataSource, expression: string): Promise<boolean> {
  try {
    await source.query(`SELECT ${expression}`);
    return true;
  } catch (error) {
    const driverError: unknown = error instanceof QueryFailedError ? error.driverError : undefined;
    if (driverError instanceof Error && 'code' in driverError && UNAVAILABLE_SQLSTATES.has(String(driverError.code)))
      return false;
    throw error;
  }
}
