import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The database says when an audit entry was written, whatever the service says: none is put among those of another day. In
 * milliseconds, which is what cursors hold.
 *
 * - A trigger, and not a column that may not be written: a process of the version before goes on until it is replaced.
 * - Who owns the table, and past whom no wall stands, brings the times along: so rows are restored from a backup.
 */
export class AuditTime1764000019000 implements MigrationInterface {
  readonly name = 'AuditTime1764000019000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE audit_log ALTER recorded_at SET DEFAULT date_trunc('milliseconds', clock_timestamp());
      CREATE FUNCTION stamp_entry() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
      BEGIN
        IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER') THEN
          NEW.recorded_at := date_trunc('milliseconds', clock_timestamp());
        END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER stamped BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION stamp_entry();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER stamped ON audit_log;
      DROP FUNCTION stamp_entry;
      ALTER TABLE audit_log ALTER recorded_at DROP DEFAULT;
    `);
  }
}
