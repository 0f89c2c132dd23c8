import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { LongReads } from '../src/database/long-reads.js';
import type { TenantDatabase } from '../src/database/tenant-database.js';
import type { DifferenceDto } from '../src/inventory/ledger-maintenance.dto.js';
import { toDifferenceWire } from '../src/inventory/ledger-maintenance.wire.js';
import { LedgerAuditRepository } from '../src/inventory/persistence/ledger-audit.repository.js';
import { VerificationService } from '../src/inventory/verification.service.js';
import { type ExitCode, runCommand, selectedTenants, tenantSelection } from './command.js';
import { clocksWithoutEpoch, POOL_MAX, withDatabase } from './ledger-database.js';

const USAGE = `Usage: npm run -s verify -- --tenant <uuid> | --all [--json]
  --tenant   one tenant
  --all      every tenant, the oldest first
  --json     a line of JSON for each difference, and one for each tenant when it is done
Recomputes hashes, chain, effects, balances, stock levels and clock, and names each difference. Changes nothing; the
service may run meanwhile. Exits with 0 if all is right, 1 if there are differences, 2 if it could not tell.`;

interface Report {
  readonly difference: (tenantId: string, difference: DifferenceDto) => string;
  readonly tenant: (tenantId: string, totals: { events: number; differences: number }) => string;
}

const FOR_PEOPLE: Report = {
  difference: (tenantId, { kind, lamport_ts, operation_id, product_id, field, expected, found }) => {
    const place = [
      lamport_ts === null ? '' : ` lamport ${lamport_ts}`,
      operation_id === null ? '' : ` operation ${operation_id}`,
      product_id === null ? '' : ` product ${product_id}`,
    ];
    return `${tenantId} ${kind}${place.join('')}: ${field} is ${found ?? 'nothing'}, expected ${expected ?? 'nothing'}`;
  },
  tenant: (tenantId, { events, differences }) =>
    `${tenantId} ${differences === 0 ? 'ok' : `NOT OK: ${differences} difference${differences === 1 ? '' : 's'}`}, ${events} events`,
};

const AS_JSON: Report = {
  difference: (tenantId, difference) => JSON.stringify({ type: 'difference', tenant_id: tenantId, ...difference }),
  tenant: (tenantId, { events, differences }) =>
    JSON.stringify({ type: 'tenant', tenant_id: tenantId, ok: differences === 0, events, differences }),
};

async function main(): Promise<ExitCode> {
  const { values } = parseArgs({
    options: {
      tenant: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stderr.write(`${USAGE}\n`);
    return 0;
  }
  const selection = tenantSelection(values, USAGE);
  return withDatabase(async (database) => {
    let allRight = true;
    for (const tenantId of await selectedTenants(database, selection)) {
      allRight = (await verify(database, tenantId, values.json ? AS_JSON : FOR_PEOPLE)) && allRight;
    }
    return allRight ? 0 : 1;
  });
}

async function verify(database: TenantDatabase, tenantId: string, report: Report): Promise<boolean> {
  const verifications = new VerificationService(
    database,
    new LongReads(POOL_MAX),
    clocksWithoutEpoch(),
    new LedgerAuditRepository(),
  );
  const totals = await verifications.verify(tenantId, (differences) => {
    for (const difference of differences) print(report.difference(tenantId, toDifferenceWire(difference)));
    return Promise.resolve();
  });
  print(report.tenant(tenantId, totals));
  return totals.differences === 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

runCommand(main);
