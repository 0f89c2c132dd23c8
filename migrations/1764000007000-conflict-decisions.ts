import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How a conflict came to be settled, or whose turn it is. */
export class ConflictDecisions1764000007000 implements MigrationInterface {
  readonly name = 'ConflictDecisions1764000007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE sync_conflicts
        ADD COLUMN stock_then integer,
        ADD COLUMN awaits text CHECK (awaits IN ('HEURISTIC', 'PERSON')),
        ADD COLUMN verdict text CHECK (verdict IN ('A', 'B', 'BOTH', 'NEITHER')),
        ADD COLUMN resolved_by uuid,
        ADD COLUMN user_feedback text,
        ADD COLUMN suggestion jsonb,
        ADD COLUMN decisions jsonb NOT NULL DEFAULT '[]';

      -- What was settled or left waiting before these columns.
      ALTER TABLE sync_conflicts NO FORCE ROW LEVEL SECURITY;
      UPDATE sync_conflicts SET
        awaits = CASE WHEN status = 'PENDING' THEN 'HEURISTIC' END,
        verdict = CASE WHEN status = 'PENDING' THEN NULL WHEN winner_id = a_id THEN 'A'
                       WHEN winner_id = b_id THEN 'B' ELSE 'BOTH' END;
      ALTER TABLE sync_conflicts FORCE ROW LEVEL SECURITY;

      ALTER TABLE sync_conflicts
        ADD CHECK ((status = 'PENDING') = (awaits IS NOT NULL)),
        ADD CHECK ((status = 'PENDING') = (verdict IS NULL));

      -- The outbox of the heuristics: what waits for them, the oldest first.
      CREATE INDEX sync_conflicts_awaiting ON sync_conflicts (tenant_id, awaits, detected_lamport)
        WHERE awaits IS NOT NULL;
      CREATE INDEX sync_conflicts_by_entity ON sync_conflicts (tenant_id, entity_id, detected_lamport);

      -- With all that people filter by: a page, and how many there are on all pages, are found in the index alone.
      DROP INDEX sync_conflicts_by_detection;
      CREATE UNIQUE INDEX sync_conflicts_by_detection ON sync_conflicts (tenant_id, detected_lamport)
        INCLUDE (kind, status, awaits, resolution_method, entity, entity_id, a_device_id, b_device_id);

      -- Of the counts of a product, which are few among its movements, the last one is asked for in every push.
      CREATE INDEX stock_events_counts ON stock_events (tenant_id, product_id, lamport_ts) WHERE operation = 'SET';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX stock_events_counts, sync_conflicts_by_entity, sync_conflicts_awaiting, sync_conflicts_by_detection;
      CREATE UNIQUE INDEX sync_conflicts_by_detection ON sync_conflicts (tenant_id, detected_lamport);
      ALTER TABLE sync_conflicts DROP COLUMN stock_then, DROP COLUMN awaits, DROP COLUMN verdict,
        DROP COLUMN resolved_by, DROP COLUMN user_feedback, DROP COLUMN suggestion, DROP COLUMN decisions;
    `);
  }
}
