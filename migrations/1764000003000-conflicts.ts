import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The conflict log: what competed, both sides in full, and how it was settled. */
export class Conflicts1764000003000 implements MigrationInterface {
  readonly name = 'Conflicts1764000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE sync_conflicts (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        kind text NOT NULL,
        status text NOT NULL CHECK (status IN ('PENDING', 'RESOLVED_AUTO', 'RESOLVED_MANUAL')),
        entity text NOT NULL CHECK (entity IN ('PRODUCT', 'PAYMENT', 'STOCK')),
        entity_id uuid NOT NULL,
        fields text[] NOT NULL,
        a_id uuid NOT NULL,
        a_device_id uuid NOT NULL,
        a_payload jsonb NOT NULL,
        b_id uuid NOT NULL,
        b_device_id uuid NOT NULL,
        b_payload jsonb NOT NULL,
        resolution_method text CHECK (resolution_method IN ('HARDCODED', 'HEURISTIC', 'MANUAL')),
        resolution_reason text,
        confidence double precision CHECK (confidence BETWEEN 0 AND 1),
        winner_id uuid,
        lamport_ts bigint NOT NULL,
        detected_lamport bigint NOT NULL,
        detected_at timestamptz NOT NULL,
        resolved_at timestamptz,
        PRIMARY KEY (tenant_id, id)
      );
      CREATE UNIQUE INDEX sync_conflicts_by_lamport ON sync_conflicts (tenant_id, lamport_ts);
      CREATE UNIQUE INDEX sync_conflicts_by_detection ON sync_conflicts (tenant_id, detected_lamport);
      ALTER TABLE sync_conflicts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON sync_conflicts
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, UPDATE ON sync_conflicts TO agrotour_app;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE sync_conflicts');
  }
}
