import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who has changed what of a business, when, and from where. */
export class AuditLog1764000009000 implements MigrationInterface {
  readonly name = 'AuditLog1764000009000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE audit_log (
        tenant_id uuid NOT NULL, -- the nil UUID, which no tenant has: of the platform as a whole
        id uuid NOT NULL,
        recorded_at timestamptz NOT NULL,
        role text NOT NULL CHECK (role IN ('staff', 'admin', 'operator', 'service')),
        user_id uuid,
        action text NOT NULL,
        entity_id uuid,
        changes jsonb NOT NULL,
        ip text,
        user_agent text,
        request_id uuid,
        -- What the platform did to a business, and not what happens within it.
        by_platform boolean NOT NULL GENERATED ALWAYS AS (role IN ('operator', 'service')) STORED,
        PRIMARY KEY (tenant_id, id)
      );
      CREATE INDEX audit_log_by_time ON audit_log (tenant_id, recorded_at, id);
      CREATE INDEX audit_log_of_platform ON audit_log (recorded_at, id) WHERE by_platform;
      ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      -- A business sees all that was done to it; the operator, what the platform did, to whichever business.
      CREATE POLICY tenant_isolation ON audit_log
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
               OR by_platform AND current_setting('app.platform', true) = 'on');
      GRANT SELECT, INSERT ON audit_log TO agrotour_app; -- append-only, as the events are
      CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON audit_log
        FOR EACH ROW EXECUTE FUNCTION refuse_change();
      CREATE TRIGGER immutable_as_a_whole BEFORE TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE audit_log');
  }
}
