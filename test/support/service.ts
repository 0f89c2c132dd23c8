import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { TokensService } from '../../src/tenancy/tokens.service.js';

const MAIN = path.resolve('dist/src/main.js');
/** What the tests' services sign and check tokens with. */
export const SECRET = 'a secret that only the tests sign with';

/** The built service in a process of its own, on a port of its own. */
export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  /** SIGTERM. @returns the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
}

/** @param variables the whole environment but PATH; PORT 0 and the tests' signing secret unless given. */
export async function startService(variables: Record<string, string>): Promise<RunningService> {
  const child = launch(variables);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    void exited.then((code) => {
      reject(new Error(`The service exited with ${code} before it listened:\n${stderr}`));
    });
    if (!child.stdout) throw new Error('No output');
    createInterface(child.stdout).on('line', (line) => {
      const found = /"url":"([^"]+)".*"msg":"listening"/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return {
    url,
    process: child,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
  };
}

/** Starts the service and waits for its end, for starts that are refused. */
export async function runToExit(variables: Record<string, string>): Promise<{ code: number | null; stderr: string }> {
  const child = launch(variables);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout?.resume();
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, stderr };
}

function launch(variables: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [MAIN], {
    env: { PATH: process.env['PATH'], PORT: '0', HOST: '127.0.0.1', JWT_SECRET: SECRET, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Signs as the service does in tests. */
export const tokens = new TokensService({
  keys: { kind: 'secret', secret: SECRET },
  issuer: 'agrotour-sync-engine',
  audience: 'agrotour-sync',
});

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // Tests look into answers of every shape; what is not there fails them.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** One request; `body` is sent as JSON, or as it is if it is a text or bytes. */
export async function request(
  url: string,
  options: { method?: string; token?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const { method, token, headers, body } = options;
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  const text = await response.text();
  const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** A tenant with an admin and devices, made over HTTP. */
export interface TestTenant {
  readonly id: string;
  readonly adminToken: string;
  staffToken(): Promise<string>;
  enrol(name?: string): Promise<{ id: string; token: string }>;
}

export async function createTenant(service: Pick<RunningService, 'url'>, name = 'Test tenant'): Promise<TestTenant> {
  const operator = await tokens.sign({ role: 'operator', userId: randomUUID() });
  const created = await request(`${service.url}/tenants`, { token: operator, body: { name } });
  if (created.status !== 201) throw new Error(`No tenant: ${JSON.stringify(created.body)}`);
  const id = created.body.id as string;
  const adminToken = await tokens.sign({ role: 'admin', userId: randomUUID(), tenantId: id });
  return {
    id,
    adminToken,
    staffToken: () => tokens.sign({ role: 'staff', userId: randomUUID(), tenantId: id }),
    async enrol(deviceName = 'Test device') {
      const enrolled = await request(`${service.url}/devices`, {
        token: adminToken,
        body: { name: deviceName, device_type: 'DESKTOP' },
      });
      return { id: enrolled.body.id as string, token: enrolled.body.token as string };
    },
  };
}
