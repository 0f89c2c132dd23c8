import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whose indexes all begin with the tenant. */
const TABLES = ['stock_events', 'products', 'payments', 'state_versions', 'sync_conflicts'];

/**
 * Tells the planner of tables that nobody has analysed yet that one tenant may have all their rows. It takes a tenant for a
 * handful of rows otherwise, reads them all through whichever index comes first, and keeps that plan until the first
 * ANALYZE: 60,000 operations later a push took longer than it may.
 *
 * Once autovacuum has analysed a table, what it found stands instead. (Not to be seen in pg_stats: of tables under row-level
 * security it shows their owner nothing.) Before PostgreSQL 18 statistics can't be given.
 */
export class PlannerStatistics1764000020000 implements MigrationInterface {
  readonly name = 'PlannerStatistics1764000020000';

  async up(runner: QueryRunner): Promise<void> {
    const [server] = (await runner.query(`SELECT current_setting('server_version_num')::integer AS version`)) as {
      version: number;
    }[];
    if (server === undefined || server.version < 180_000) return;
    for (const table of TABLES) {
      await runner.query(
        `SELECT pg_restore_attribute_stats(
           'schemaname', current_schema()::text, 'relname', '${table}', 'attname', 'tenant_id', 'inherited', false,
           'null_frac', 0::real, 'avg_width', 16, 'n_distinct', 1::real)
         WHERE NOT EXISTS (SELECT FROM pg_stat_all_tables
                           WHERE relid = '${table}'::regclass AND (last_analyze IS NOT NULL OR last_autoanalyze IS NOT NULL))`,
      );
    }
  }

  /** Nothing: what is known of tables does no harm. */
  async down(): Promise<void> {
    // see above
  }
}
