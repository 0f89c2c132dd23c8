import { runMigrations as runQueueMigrations } from 'bullmq';
import pg from 'pg';
import { QUEUE_NAMES, QUEUE_SCHEMA } from '../queue/queue.names.js';
import { createDataSource } from './data-source.js';

/** Spells "MIGR". */
const MIGRATION_LOCK = 0x4d494752;

/**
 * Brings the schema of service and queue up to date, as the owner. Safe to run from several processes at once: they
 * take turns, and those who come later find nothing to do.
 * @returns the names of the migrations that ran.
 */
export async function migrate(ownerUrl: string): Promise<readonly string[]> {
  const turn = new pg.Client({ connectionString: ownerUrl, application_name: 'agrotour-sync-engine migrations' });
  turn.on('error', () => undefined); // lost while it only holds the lock: the migrations' own connection tells
  await turn.connect();
  // A migration may take as long as it takes: no limit on its statements.
  const source = createDataSource(ownerUrl, 1, 0);
  try {
    await turn.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await source.initialize();
    const done = await source.runMigrations();
    await source.query('GRANT SELECT ON schema_migrations TO agrotour_app'); // the service looks whether it is up to date
    await runQueueMigrations(turn, QUEUE_SCHEMA);
    // BullMQ makes a sequence for each queue when the first job is added, which the restricted role may not.
    await turn.query(`SELECT ${QUEUE_SCHEMA}.next_job_id(queue) FROM unnest($1::text[]) AS queue`, [QUEUE_NAMES]);
    await turn.query(`
      GRANT USAGE ON SCHEMA ${QUEUE_SCHEMA} TO agrotour_app;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${QUEUE_SCHEMA} TO agrotour_app;
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${QUEUE_SCHEMA} TO agrotour_app`);
    return done.map((migration) => migration.name);
  } finally {
    if (source.isInitialized) await source.destroy();
    await turn.end();
  }
}
