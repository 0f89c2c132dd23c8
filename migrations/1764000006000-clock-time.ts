import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a tenant's last entry was recorded, so that time never runs backwards along the log. */
export class ClockTime1764000006000 implements MigrationInterface {
  readonly name = 'ClockTime1764000006000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE tenant_clocks ADD COLUMN recorded_at timestamptz NOT NULL DEFAULT '-infinity'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE tenant_clocks DROP COLUMN recorded_at');
  }
}
