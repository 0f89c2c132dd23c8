import { spawn } from 'node:child_process';
import path from 'node:path';

/** The service as `npm start` runs it, with a database of its own. */
export interface EmbeddedService {
  readonly pid: number | undefined;
  /** Resolves to the exit code. */
  readonly exited: Promise<number | null>;
  stderr(): string;
  /** The two curl commands that it prints once it listens: push and stock. */
  commands(): Promise<[push: string, stock: string]>;
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export function startEmbedded(dataDir: string, options: { uid?: number } = {}): EmbeddedService {
  const { uid } = options;
  const child = spawn(process.execPath, [path.resolve('dist/src/main.js')], {
    env: { PATH: process.env['PATH'], PORT: '0', DATA_DIR: dataDir },
    cwd: '/', // from any folder
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const printed = new Promise<[string, string]>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      const [push, stock] = stdout.split('\n').filter((line) => line.startsWith('curl '));
      if (push !== undefined && stock !== undefined && stdout.endsWith('\n')) resolve([push, stock]);
    });
    void exited.then((code) => {
      reject(new Error(`The service exited with ${code}:\n${stderr}`));
    });
  });
  printed.catch(() => undefined); // who waits for the exit does not wait for this
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    pid: child.pid,
    exited,
    stderr: () => stderr,
    commands: () => printed,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
  };
}
