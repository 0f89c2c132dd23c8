import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type ExitCode, runCommand, selectedTenants, tenantSelection } from './command.js';
import { clocksWithoutEpoch, withDatabase } from './ledger-database.js';

const USAGE = `Usage: npm run -s new-epoch -- --tenant <uuid> | --all
  --tenant   one tenant
  --all      every tenant, the oldest first
Tells devices that the database was restored from a backup: with their next push or pull they see another epoch, and
push again what the log has lost. For restores that PostgreSQL doesn't show, such as a data folder that was copied back:
docs/backup.md says which. Prints the id of each tenant. Safe while the service runs, and to run again: at worst devices
push what the log has, and are told that it is a duplicate.`;

async function main(): Promise<ExitCode> {
  const { values } = parseArgs({
    options: { tenant: { type: 'string' }, all: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    process.stderr.write(`${USAGE}\n`);
    return 0;
  }
  const selection = tenantSelection(values, USAGE);
  await withDatabase(async (database) => {
    const clocks = clocksWithoutEpoch();
    for (const tenantId of await selectedTenants(database, selection)) {
      await database.transaction(tenantId, (tx) => clocks.renewEpoch(tx, randomUUID()));
      process.stdout.write(`${tenantId}\n`);
    }
  });
  return 0;
}

runCommand(main);
