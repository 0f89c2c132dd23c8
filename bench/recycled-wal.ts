import pg from 'pg';
import type { BenchmarkEnvironment } from './environment.js';

/** Of 16 MiB each: together what the embedded database lets its log grow to between two checkpoints. */
const WAL_FILES = 120;

/**
 * Gives the database the files of its write-ahead log that one has which has run for a day: it writes over those it no
 * longer needs. One that was just made has none, and makes the next whenever one is full, for which all commits wait.
 */
export async function recycleWal({ superuserUrl }: BenchmarkEnvironment): Promise<void> {
  const client = new pg.Client({ connectionString: superuserUrl, application_name: 'bench' });
  await client.connect();
  try {
    await client.query(`ALTER SYSTEM SET min_wal_size = '2GB'`); // so that a checkpoint keeps them
    await client.query('SELECT pg_reload_conf()');
    for (let file = 0; file < WAL_FILES; file += 1) {
      await client.query(`SELECT pg_logical_emit_message(false, 'bench', 'so that there is something to switch from')`);
      await client.query('SELECT pg_switch_wal()');
    }
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
