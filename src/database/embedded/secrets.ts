import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { JWT_SECRET_BYTES_MIN } from '../../config/environment.js';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';

/** Made at the first start and kept in `DATA_DIR/secrets.json`, readable by its owner alone. */
export interface EmbeddedSecrets {
  readonly superuserPassword: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
  readonly jwtSecret: string;
}

const NAMES = ['superuserPassword', 'ownerPassword', 'appPassword', 'jwtSecret'] as const;

/** Reads the secrets, and makes them if there are none; two first starts at once agree on one set. */
export function obtainSecrets(dataDir: string): EmbeddedSecrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  return readSecrets(dataDir) ?? makeSecrets(dataDir);
}

/** @returns undefined if the service never started on this `dataDir`. */
export function readSecrets(dataDir: string): EmbeddedSecrets | undefined {
  const file = path.join(dataDir, 'secrets.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new EmbeddedPostgresError(
      `${file} can't be read by this user. Start the service as the user that made DATA_DIR.`,
      { cause },
    );
  }
  try {
    const secrets = JSON.parse(text) as Record<string, unknown>;
    if (NAMES.every((name) => typeof secrets[name] === 'string') && isLongEnough(secrets['jwtSecret'])) {
      return secrets as unknown as EmbeddedSecrets;
    }
  } catch {
    // Falls through: whatever is wrong with the file, the advice is the same.
  }
  throw new EmbeddedPostgresError(
    `${file} is damaged. Put back a copy of it; without it the data beside it can't be opened.`,
  );
}

/** One that was shortened by hand is no better than a short JWT_SECRET. */
function isLongEnough(secret: unknown): boolean {
  return Buffer.byteLength(String(secret)) >= JWT_SECRET_BYTES_MIN;
}

function makeSecrets(dataDir: string): EmbeddedSecrets {
  const secrets = Object.fromEntries(NAMES.map((name) => [name, randomBytes(32).toString('base64url')]));
  const draft = path.join(dataDir, `secrets.json.${process.pid}`);
  writeFileSync(draft, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, path.join(dataDir, 'secrets.json')); // fails if it exists, and never shows half a file
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
  const kept = readSecrets(dataDir);
  if (kept === undefined) throw new EmbeddedPostgresError(`${dataDir} lost its secrets.json as it was written.`);
  return kept;
}
