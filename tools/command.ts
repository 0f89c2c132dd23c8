import { isUUID } from 'class-validator';
import { EnvironmentError } from '../src/config/environment.js';
import { EmbeddedPostgresError } from '../src/database/embedded/embedded-postgres-error.js';
import type { TenantDatabase } from '../src/database/tenant-database.js';
import { isKept } from '../src/tenancy/domain/tenant.js';
import { TenantRepository } from '../src/tenancy/persistence/tenant.repository.js';

/** Why a command can't do what it was asked, in words for the person who typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Exit codes: 0 all well, 1 the command found what it looks for, 2 it could not do its work. */
export type ExitCode = 0 | 1;

/** Runs a command to its exit code. What people typed or configured is told in a line; the rest with its stack. */
export function runCommand(main: () => Promise<ExitCode>): void {
  process.stdout.on('error', () => undefined); // whoever read the first lines has gone: the exit code still tells
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      process.stderr.write(
        `${isTheirs(error) ? error.message : String((error as Error | undefined)?.stack ?? error)}\n`,
      );
      process.exitCode = 2;
    },
  );
}

function isTheirs(error: unknown): error is Error {
  return (
    error instanceof CommandError ||
    error instanceof EnvironmentError ||
    error instanceof EmbeddedPostgresError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  );
}

/** What `--tenant <uuid> | --all` says; exactly one of the two must be given. */
export type TenantSelection = { readonly kind: 'one'; readonly id: string } | { readonly kind: 'all' };

export function tenantSelection(
  values: { readonly tenant?: string | undefined; readonly all?: boolean | undefined },
  usage: string,
): TenantSelection {
  const all = values.all ?? false;
  if (all === (values.tenant !== undefined))
    throw new CommandError(`Give either --tenant <uuid> or --all.\n\n${usage}`);
  if (values.tenant === undefined) return { kind: 'all' };
  if (!isUUID(values.tenant, 'loose')) throw new CommandError(`--tenant must be a UUID.\n\n${usage}`);
  return { kind: 'one', id: values.tenant.toLowerCase() };
}

/** Ids of the selected tenants, the oldest first. @throws CommandError if there is no tenant of the id that was given. */
export async function selectedTenants(database: TenantDatabase, selection: TenantSelection): Promise<string[]> {
  const tenants = new TenantRepository();
  return database.platformTransaction(async (tx) => {
    if (selection.kind === 'all') return (await tenants.list(tx)).filter(isKept).map((tenant) => tenant.id);
    const tenant = await tenants.find(tx, selection.id);
    if (!tenant || !isKept(tenant)) throw new CommandError(`There is no tenant ${selection.id}.`);
    return [tenant.id];
  });
}
