import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { LongReads } from '../src/database/long-reads.js';
import { LedgerAuditRepository } from '../src/inventory/persistence/ledger-audit.repository.js';
import { StockLevelRepository } from '../src/inventory/persistence/stock-level.repository.js';
import { RebuildService } from '../src/inventory/rebuild.service.js';
import { SERVICE } from '../src/tenancy/audit/domain/actor.js';
import { AuditTrail } from '../src/tenancy/audit/persistence/audit-trail.js';
import { type ExitCode, runCommand, selectedTenants, tenantSelection } from './command.js';
import { clocksWithoutEpoch, POOL_MAX, withDatabase } from './ledger-database.js';

const USAGE = `Usage: npm run -s rebuild -- --tenant <uuid> | --all
  --tenant   one tenant
  --all      every tenant, the oldest first
Sets each stock level that is not the sum of the effects of its events to that sum. Events are not changed, and the
service may run meanwhile. Exits with 0, or with 2 if it could not.`;

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
    const [audits, levels] = [new LedgerAuditRepository(), new StockLevelRepository()];
    const rebuilds = new RebuildService(
      database,
      new LongReads(POOL_MAX),
      clocksWithoutEpoch(),
      audits,
      levels,
      new AuditTrail(),
    );
    for (const tenantId of await selectedTenants(database, selection)) {
      const { products, repaired, lamport } = await rebuilds.rebuild({ ...SERVICE, tenantId });
      process.stdout.write(`${tenantId} ${repaired} of ${products} products repaired, at lamport ${lamport}\n`);
    }
  });
  return 0;
}

runCommand(main);
