import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TokensService } from '../../src/tenancy/tokens.service.js';

/** Beside this file in dist, from wherever the tool is called. */
const SERVICE = fileURLToPath(new URL('../../src/main.js', import.meta.url));

const STOP_TIMEOUT_MS = 45_000;
const ISSUER = 'agrotour-sync-engine';
const AUDIENCE = 'agrotour-sync';
/** Of what the service last said, for the case that it ends. */
const LAST_WORDS_CHARACTERS = 4_000;

/** The service ended by itself, or was killed; with the last that it said. */
export class ServiceEndedError extends Error {}

/** The built service in a process of its own, on an embedded database that goes with it. */
export interface ServiceProcess {
  readonly url: string;
  readonly tokens: TokensService;
  /** Ends it and removes its database; may be called again. */
  stop(): Promise<void>;
}

/**
 * @param signal given up when it aborts, with nothing left behind
 * @param onLost called if the service ends before it is stopped
 */
export async function startServiceProcess(
  signal: AbortSignal,
  onLost: (error: Error) => void,
): Promise<ServiceProcess> {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), 'agrotour-replay-'));
  const secret = randomBytes(48).toString('base64url');
  const child = spawn(process.execPath, ['--enable-source-maps', SERVICE], {
    // Not this process's environment: a DATABASE_URL in it would have the replay write into that database.
    env: {
      ...pickVariables('PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot'),
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      JWT_SECRET: secret,
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      // A year of sales in minutes, from a few devices.
      RATE_LIMIT_PER_MINUTE: '0',
      RATE_LIMIT_PER_DEVICE_PER_MINUTE: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C reaches the whole group of processes; the service is to be stopped once, by this one.
    detached: true,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('exit', (code, killedBy) => {
      resolve(killedBy ?? `exit code ${code}`);
    });
  });
  const stop = once(async () => {
    await endProcess(child, ended);
    await endDatabase(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });
  let isStopping = false;
  const said = listen(child);
  void ended.then(async (how) => {
    await sleep(100); // its last words may still be on the way
    if (!isStopping)
      onLost(new ServiceEndedError(`The service ended (${how}). The last it said:\n${said.lastWords()}`));
  });
  try {
    const url = await Promise.race([said.url, aborted(signal)]);
    const keys = { kind: 'secret' as const, secret };
    return {
      url,
      tokens: new TokensService({ keys, issuer: ISSUER, audience: AUDIENCE }),
      stop: () => {
        isStopping = true;
        return stop();
      },
    };
  } catch (error) {
    isStopping = true;
    await stop();
    throw error;
  }
}

/** Reads all that the service says, so that it never waits for a reader, and keeps the end of it. */
function listen(child: ChildProcess): { url: Promise<string>; lastWords: () => string } {
  let words = '';
  const hear = (text: string): void => {
    words = `${words}${text}\n`.slice(-LAST_WORDS_CHARACTERS);
  };
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('The service has no output to read.');
  createInterface(stderr).on('line', hear);
  const url = new Promise<string>((resolve) => {
    createInterface(stdout).on('line', (line) => {
      const found = listeningUrl(line);
      if (found !== undefined) resolve(found);
      // Warnings and errors only: what else it says are requests, and tokens to try it with.
      if (/"level":"(warn|error|fatal)"/.test(line)) hear(line);
    });
  });
  return { url, lastWords: () => words.trim() };
}

/** @returns undefined if the line of log is not that the service listens. */
function listeningUrl(line: string): string | undefined {
  if (!line.includes('"msg":"listening"')) return undefined;
  const entry: unknown = JSON.parse(line);
  return typeof entry === 'object' && entry !== null && 'url' in entry && typeof entry.url === 'string'
    ? entry.url
    : undefined;
}

async function endProcess(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const timeout = sleep(STOP_TIMEOUT_MS, 'timeout', { ref: false });
  if ((await Promise.race([ended, timeout])) === 'timeout') child.kill('SIGKILL');
  await ended;
}

/** A service that was killed, or stopped before it listened, leaves its database server running. */
async function endDatabase(dataDir: string): Promise<void> {
  const file = path.join(dataDir, 'postgres', 'postmaster.pid');
  const pidOf = (): number | undefined => {
    try {
      return Number(readFileSync(file, 'utf8').split('\n')[0]);
    } catch {
      return undefined; // it ended, and took the file with it
    }
  };
  const pid = pidOf();
  if (pid === undefined || !(pid > 0)) return;
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    return; // the file is left over from a server that was killed too
  }
  for (let waitedMs = 0; waitedMs < STOP_TIMEOUT_MS && pidOf() !== undefined; waitedMs += 50) await sleep(50);
}

/** Those of the variables that are set. */
function pickVariables(...names: string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let begun: Promise<void> | undefined;
  return () => (begun ??= work());
}
