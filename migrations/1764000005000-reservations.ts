import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which operations refer to which, and when reservations lapse. */
export class Reservations1764000005000 implements MigrationInterface {
  readonly name = 'Reservations1764000005000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE INDEX stock_events_by_reference ON stock_events (tenant_id, ref_operation_id)
        WHERE ref_operation_id IS NOT NULL;

      -- An agenda, not the truth: the log says whether a reservation is still open when its time has come.
      CREATE TABLE reservation_deadlines (
        tenant_id uuid NOT NULL,
        operation_id uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, operation_id)
      );
      CREATE INDEX reservation_deadlines_by_time ON reservation_deadlines (tenant_id, expires_at);
      ALTER TABLE reservation_deadlines ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_isolation ON reservation_deadlines
        USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
      GRANT SELECT, INSERT, DELETE ON reservation_deadlines TO agrotour_app;

      -- Reservations of before this table; those that are closed already go at their first look.
      ALTER TABLE stock_events NO FORCE ROW LEVEL SECURITY;
      ALTER TABLE reservation_deadlines NO FORCE ROW LEVEL SECURITY;
      INSERT INTO reservation_deadlines (tenant_id, operation_id, expires_at)
        SELECT tenant_id, operation_id, expires_at FROM stock_events
        WHERE operation = 'DECREMENT' AND reason = 'RESERVATION' AND expires_at IS NOT NULL;
      ALTER TABLE stock_events FORCE ROW LEVEL SECURITY;
      ALTER TABLE reservation_deadlines FORCE ROW LEVEL SECURITY;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE reservation_deadlines; DROP INDEX stock_events_by_reference');
  }
}
