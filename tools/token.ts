import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isUUID } from 'class-validator';
import { EnvironmentError, readEnvironment } from '../src/config/environment.js';
import { tokenSettings } from '../src/config/settings.js';
import { readSecrets } from '../src/database/embedded/secrets.js';
import { type Principal, ROLES } from '../src/tenancy/domain/principal.js';
import { TokensService } from '../src/tenancy/tokens.service.js';

const USAGE = `Usage: npm run -s token -- --tenant <uuid> --role <${ROLES.join(' | ')}> [--device <uuid>] [--user <uuid>]
  --tenant   of every role but operator
  --device   of role device
  --user     the token's subject; a new one if not given
Signs with JWT_SECRET, or with the secret that the embedded service keeps in DATA_DIR.`;

/** Prints a token, and nothing else, on standard output. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      tenant: { type: 'string' },
      role: { type: 'string' },
      device: { type: 'string' },
      user: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stderr.write(`${USAGE}\n`);
    return;
  }
  const principal = toPrincipal(values);
  const environment = readEnvironment(process.env);
  const kept = environment.tokens.kind === 'generated' ? readSecrets(environment.dataDir) : undefined;
  if (environment.tokens.kind === 'generated' && !kept) {
    throw new UsageError(
      `There is no secret in DATA_DIR ${environment.dataDir} yet: start the service once, or set JWT_SECRET.`,
    );
  }
  const tokens = new TokensService(tokenSettings(environment, kept?.jwtSecret));
  if (!tokens.signs) throw new UsageError('With JWT_JWKS_URL the identity provider signs the tokens.');
  process.stdout.write(`${await tokens.sign(principal)}\n`);
}

class UsageError extends Error {}

function toPrincipal(values: { tenant?: string; role?: string; device?: string; user?: string }): Principal {
  const role = ROLES.find((known) => known === values.role);
  const userId = uuid('--user', values.user ?? randomUUID());
  switch (role) {
    case undefined:
      throw new UsageError(`--role must be one of ${ROLES.join(', ')}.\n\n${USAGE}`);
    case 'operator':
      if (values.tenant !== undefined) throw new UsageError('An operator belongs to no tenant: leave --tenant out.');
      return { role, userId };
    case 'device':
      return { role, userId, tenantId: uuid('--tenant', values.tenant), deviceId: uuid('--device', values.device) };
    case 'staff':
    case 'admin':
      return { role, userId, tenantId: uuid('--tenant', values.tenant) };
  }
}

function uuid(option: string, value: string | undefined): string {
  if (value !== undefined && isUUID(value, 'loose')) return value.toLowerCase();
  throw new UsageError(`${option} must be a UUID.\n\n${USAGE}`);
}

main().catch((error: unknown) => {
  // What a person typed or configured is told in a line; the rest is a fault of ours, with its stack.
  const theirs =
    error instanceof UsageError ||
    error instanceof EnvironmentError ||
    (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.stderr.write(`${theirs ? error.message : String((error as Error | undefined)?.stack ?? error)}\n`);
  process.exit(1);
});
