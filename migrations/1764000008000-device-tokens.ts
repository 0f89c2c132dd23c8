import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From when on a token of a device counts: those that were issued before are refused. null: none was ever replaced. */
export class DeviceTokens1764000008000 implements MigrationInterface {
  readonly name = 'DeviceTokens1764000008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE devices ADD COLUMN tokens_valid_from timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE devices DROP COLUMN tokens_valid_from');
  }
}
