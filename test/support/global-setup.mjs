import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EmbeddedPostgres } from '../../dist/src/database/embedded/embedded-postgres.js';
import { migrate } from '../../dist/src/database/migrate.js';

/** One PostgreSQL for all test files, with a migrated database that each of them clones. */
export default async function setUp() {
  if (globalThis.testPostgres) return; // two projects ask for it, in one process
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'agrotour-test-'));
  const postgres = await EmbeddedPostgres.start(dataDir);
  await migrate(postgres.ownerUrl);
  globalThis.testPostgres = { postgres, dataDir };
  const superuser = new URL(postgres.ownerUrl);
  superuser.username = 'postgres';
  superuser.password = postgres.secrets.superuserPassword;
  superuser.pathname = '/postgres';
  process.env.TEST_SUPERUSER_URL = superuser.href;
  process.env.TEST_OWNER_URL = postgres.ownerUrl;
  process.env.TEST_APP_URL = postgres.appUrl;
}
