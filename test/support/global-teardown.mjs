import { rmSync } from 'node:fs';

export default async function tearDown() {
  const running = globalThis.testPostgres;
  if (!running) return;
  globalThis.testPostgres = undefined;
  await running.postgres.stop();
  rmSync(running.dataDir, { recursive: true, force: true });
}
