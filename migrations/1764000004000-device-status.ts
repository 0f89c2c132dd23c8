import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What push and pull learn of a device: when it was here, how far it is, and whether its clocks can be believed. */
export class DeviceStatus1764000004000 implements MigrationInterface {
  readonly name = 'DeviceStatus1764000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE devices
        ADD COLUMN last_seen_at timestamptz,
        ADD COLUMN last_pushed_lamport bigint,
        ADD COLUMN last_pulled_lamport bigint,
        ADD COLUMN clock_skew_ms bigint,
        ADD COLUMN clock_reused_at timestamptz;
      ALTER TABLE devices SET (fillfactor = 70); -- rewritten by every push: room for updates within the page
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE devices RESET (fillfactor);
      ALTER TABLE devices
        DROP COLUMN last_seen_at, DROP COLUMN last_pushed_lamport, DROP COLUMN last_pulled_lamport,
        DROP COLUMN clock_skew_ms, DROP COLUMN clock_reused_at;
    `);
  }
}
