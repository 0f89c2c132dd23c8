import { readFileSync } from 'node:fs';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

/** The account that PostgreSQL runs under when the service runs as root. */
export interface DatabaseUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** `postgres` where a package made it, else the account that every system has for programs without rights. */
const CANDIDATES = ['postgres', 'nobody'];

/**
 * PostgreSQL refuses to run as root.
 * @returns undefined when the service is not root: PostgreSQL then runs as the service does.
 */
export function chooseDatabaseUser(accounts = () => readFileSync('/etc/passwd', 'utf8')): DatabaseUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = accounts()
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of CANDIDATES) {
    const [, , uid, gid] = lines.find((line) => line[0] === name) ?? [];
    if (Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and this machine has neither of the accounts ${CANDIDATES.join(' and ')} to run it under. ` +
      'Start the service as another user, or set DATABASE_URL.',
  );
}
